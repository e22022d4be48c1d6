from django.apps import AppConfig
from django.urls import register_converter

from portal.converters import FileKindConverter, MonthConverter


class PortalConfig(AppConfig):
    """Pages that cross apps."""

    name = "portal"
    verbose_name = "门户"

    def ready(self) -> None:
        """Name the path parts before any file of routes uses them."""
        register_converter(MonthConverter, "month")
        register_converter(FileKindConverter, "file")
