"""The gate between entitled and due: enrolments, as a function of plain values (design §2 step 4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from subsidies.choices import EnrolmentState, Outcome


@dataclass(frozen=True)
class Spell:
    """What the gate knows of one enrolment; months are first days."""

    first_month: date
    last_month: date | None = None
    state: str = EnrolmentState.RECEIVING
    suspended_from: date | None = None

    def covers(self, month: date) -> bool:
        """Tell whether the month lies in the enrolment; of an ended one, before what was held back until the end."""
        return (
            self.first_month <= month
            and (self.last_month is None or month <= self.last_month)
            and (
                self.state != EnrolmentState.ENDED
                or self.suspended_from is None
                or month < self.suspended_from
            )
        )

    def holds(self, month: date) -> bool:
        """Tell whether the month is held back."""
        return (
            self.covers(month)
            and self.state == EnrolmentState.SUSPENDED
            and (self.suspended_from is None or self.suspended_from <= month)
        )


def gate(*, automatic: bool, spells: Iterable[Spell], month: date) -> Outcome:
    """Outcome before exclusions of an elder, or a household, that the item's rule applies to.

    automatic: 免申即享, due unless the enrolments that stand there hold it back or are over.
    """
    begun = [spell for spell in spells if spell.first_month <= month]
    if any(spell.holds(month) for spell in begun):
        return Outcome.SUSPENDED
    if any(spell.covers(month) for spell in begun):
        return Outcome.DUE
    return Outcome.DUE if automatic and not begun else Outcome.NOT_APPLIED
