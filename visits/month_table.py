"""The way of a township's visit month in one table: state × action → the state after it, and who may."""

from dataclasses import dataclass
from typing import Final

from organization.choices import Permission
from visits.choices import MonthAction, MonthState


@dataclass(frozen=True)
class Transition:
    """One permitted step. by_another: never by the one who submitted; reason: it must be said why."""

    target: MonthState
    permission: Permission
    by_another: bool = False
    reason: bool = False


#: Nothing leads away from a month whose county figure is frozen; `visits.services.month` sees to that.
TRANSITIONS: Final[dict[tuple[MonthState, MonthAction], Transition]] = {
    (MonthState.OPEN, MonthAction.SUBMIT): Transition(MonthState.SUBMITTED, Permission.VISIT_SUBMIT),
    (MonthState.SUBMITTED, MonthAction.WITHDRAW): Transition(MonthState.OPEN, Permission.VISIT_SUBMIT),
    (MonthState.SUBMITTED, MonthAction.ACCEPT): Transition(
        MonthState.ACCEPTED, Permission.VISIT_ACCEPT, by_another=True
    ),
    (MonthState.SUBMITTED, MonthAction.SEND_BACK): Transition(
        MonthState.OPEN, Permission.VISIT_ACCEPT, reason=True
    ),
    (MonthState.ACCEPTED, MonthAction.SEND_BACK): Transition(
        MonthState.OPEN, Permission.VISIT_ACCEPT, reason=True
    ),
}
