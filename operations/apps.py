from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """Jobs, to-dos (待办), audit, stored files."""

    name = "operations"
    verbose_name = "运行管理"
