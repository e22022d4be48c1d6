from django.apps import AppConfig


class VisitsConfig(AppConfig):
    """Visits, obligations and the monthly rate."""

    name = "visits"
    verbose_name = "探访关爱"
