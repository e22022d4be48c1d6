"""Recovery cases of the demonstration: some returned, in part or whole, some waiting, the rest for the visitor."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from organization.choices import Role
from portal.demo.accounts import person
from portal.demo.areas import COUNTY
from subsidies.choices import LineKind, RecoveryEntryKind, StopReason
from subsidies.models import Adjustment, Month, Recovery
from subsidies.recovery_selectors import causes_proposed
from subsidies.services.recovery import OVER, recovery_notify, recovery_open
from subsidies.services.recovery_entry import recovery_repay
from subsidies.services.recovery_request import recovery_decide, recovery_request

NAMESPACE: Final = UUID("6f1c5b0e-2f7d-4a53-9d0c-99010100d341")
TOLD_AFTER: Final = timedelta(days=9)
ALONE: Final = "独居，无继承人，无遗产可供退回"


def recoveries_make(month: date, paid_before: int) -> dict[str, int]:
    """Open the first cases of a run and take each to its state; paid_before: months paid before this one."""
    run = Month.objects.get(county_code=COUNTY, month=month)
    lines = Adjustment.objects.filter(run=run, kind=LineKind.RECOVERY)
    pairs = sorted(set(lines.values_list("elder_id", "item_id")))
    ways = WAYS[paid_before]
    chosen = pairs[: len(ways)] if paid_before < len(WAYS) - 1 else pairs[: min(len(ways), len(pairs) - 1)]
    causes = causes_proposed(run=run, pairs=chosen)
    clerk = person(Role.BUREAU_CLERK)
    for (elder_id, item_id), way in zip(chosen, ways, strict=False):
        cause = causes.get((elder_id, item_id), StopReason.CORRECTED)
        case = recovery_open(run=run, elder_id=elder_id, item_id=item_id, cause=cause, actor=clerk)
        if case.state not in OVER:
            way(case)
    return {"found": len(pairs), "opened": len(chosen)}


def _told(case: Recovery) -> Recovery:
    day = case.run.month + TOLD_AFTER
    return recovery_notify(recovery_id=case.pk, on=day, pay_by=None, actor=person(Role.BUREAU_CLERK))


def _returned(case: Recovery, amount: Decimal) -> None:
    _told(case)
    recovery_repay(
        recovery_id=case.pk,
        amount=amount,
        on=case.run.month + 2 * TOLD_AFTER,
        key=uuid5(NAMESPACE, f"repaid:{case.pk}"),
        actor=person(Role.FINANCE),
        note="家属转入财政专户",
    )


def _partly(case: Recovery) -> None:
    _returned(case, min(Decimal(20), case.amount / 2))


def _wholly(case: Recovery) -> None:
    _returned(case, case.amount)


def _asked(case: Recovery) -> int:
    """Asked to be written off; the chief has not decided."""
    _told(case)
    kind = RecoveryEntryKind.WRITE_OFF
    return recovery_request(recovery_id=case.pk, kind=kind, reason=ALONE, actor=person(Role.BUREAU_CLERK)).pk


def _written_off(case: Recovery) -> None:
    recovery_decide(
        request_id=_asked(case), approved=True, opinion="情况属实，同意", actor=person(Role.BUREAU_CHIEF)
    )


def _proposed(case: Recovery) -> None:
    """Opened only."""


#: Paid months before the run → what becomes of its cases; what is left over stays due lines without a case.
WAYS: Final[tuple[tuple[Callable[[Recovery], Any], ...], ...]] = (
    (_partly, _wholly, _told),
    (_asked, _written_off),
    (_proposed,),
)
