from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """The service list (基本养老服务清单)."""

    name = "catalog"
    verbose_name = "服务清单"
