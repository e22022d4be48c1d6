from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    """The month: determination, enrolment, entitlement."""

    name = "subsidies"
    verbose_name = "补贴核定"
