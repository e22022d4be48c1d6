"""What was paid in for a run, and what is still to be recovered, for the tiles of the workbench."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Count, F, Sum

from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from portal.batch_scope import covers
from subsidies.choices import PaymentState
from subsidies.models import Month, Payment

ZERO: Final = Decimal("0.00")


@dataclass(frozen=True)
class PaidFigures:
    """Of a run's batches, lines that are not void: all, and those that the bank has paid in, with 元."""

    lines: int
    paid: int
    amount: Decimal


def paid_figures(month: Month, user: User) -> PaidFigures:
    """Within the user's areas. One query."""
    rows = Payment.objects.filter(batch__month=month).exclude(state=PaymentState.VOID)
    if not covers(user, month.county_code):
        rows = in_areas(rows, user.area_prefixes(Permission.PAYMENT_VIEW), "area_code")
    found = rows.values_list("state").annotate(n=Count("pk"), net=Sum(F("amount") - F("offset"))).order_by()
    states = {state: (lines, net) for state, lines, net in found}
    paid, amount = states.get(PaymentState.PAID, (0, ZERO))
    return PaidFigures(sum(lines for lines, _ in states.values()), paid, amount)
