"""What one elder was paid too much for an item, month by month, as far as it can be recovered now.

Recovered is only what has arrived: a line still on its way counts once the bank has paid it in, so that a batch which
is given up later does not turn a recovery into a debt to the elder.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import Sum

from subsidies.balance import overpaid
from subsidies.choices import LineKind, PaymentState
from subsidies.models import Adjustment, Month, Payment, PaymentTerms, RecoveryLine

UNDERWAY: Final = (PaymentState.PENDING, PaymentState.HELD, PaymentState.PROCESSING)
NOTHING: Final = Decimal("0.00")


@dataclass(frozen=True)
class Overpaid:
    """One month's overpayment in 元 (> 0); area_code: the village to which it was paid."""

    month: date
    amount: Decimal
    area_code: str


def overpaid_months(*, run: Month, elder_id: int, item_id: int) -> list[Overpaid]:
    """Months up to the run's for which more has arrived than the newest published facts entitle to, oldest first.

    Read live and however far back for an item that the portal pays; of another, the run's due lines say what was paid
    too much outside.
    """
    if PaymentTerms.objects.filter(item=item_id, first_month__lte=run.month).exists():
        found = [
            Overpaid(balance.month, -balance.line, balance.area_code)
            for balance in overpaid(run=run, elder_ids=[elder_id])
            if balance.item_id == item_id
        ]
        less = underway_by_month(elder_id=elder_id, item_id=item_id)
    else:
        lines = Adjustment.objects.filter(run=run, elder=elder_id, item=item_id, kind=LineKind.RECOVERY)
        found = [Overpaid(line.month, -line.amount, line.area_code) for line in lines.order_by("month")]
        mine = RecoveryLine.objects.filter(recovery__run=run, elder=elder_id, item=item_id)
        less = dict(mine.order_by().values_list("month").annotate(amount=Sum("amount")))
    return [
        Overpaid(each.month, left, each.area_code)
        for each in found
        if (left := each.amount - less.get(each.month, NOTHING)) > 0
    ]


def underway_by_month(*, elder_id: int, item_id: int) -> dict[date, Decimal]:
    """Month → 元 of the elder's lines of an item that are on their way and may still arrive."""
    lines = Payment.objects.filter(elder=elder_id, item=item_id, state__in=UNDERWAY)
    return dict(lines.order_by().values_list("month").annotate(amount=Sum("amount")))
