from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Pages that cross apps."""

    name = "portal"
    verbose_name = "门户"
