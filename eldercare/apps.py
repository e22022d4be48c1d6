from django.apps import AppConfig


class EldercareConfig(AppConfig):
    """The registry of elders."""

    name = "eldercare"
    verbose_name = "老年人登记"
