from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    """The month: determination, enrolment, entitlement."""

    name = "subsidies"
    verbose_name = "补贴核定"

    def ready(self) -> None:
        """Let the roster import know what of the month rests on a batch; imports wait until models are loaded."""
        from eldercare.roster.undoing import RESTING
        from subsidies.services.resting import months_resting

        if months_resting not in RESTING:
            RESTING.append(months_resting)
