from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    """Ability assessments (rooms come with their issue)."""

    name = "assessments"
    verbose_name = "能力评估"
