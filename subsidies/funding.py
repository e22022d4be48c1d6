"""Where an item's money comes from in a month."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from subsidies.choices import FundSource
from subsidies.models import Funding

Shares = Sequence[tuple[str, Decimal]]
FISCAL_ALONE: Final[Shares] = ((FundSource.FISCAL, Decimal(100)),)


def funding_shares(*, item_ids: Iterable[int], month: date) -> dict[int, Shares]:
    """Item → (source, share) in its money in the month, 财政 first; 财政 alone where nothing is set. One query."""
    wanted = list(item_ids)
    found: dict[int, list[Funding]] = {}
    for row in Funding.objects.filter(item__in=wanted, first_month__lte=month).order_by("-first_month"):
        newest = found.setdefault(row.item_id, [])
        if not newest or newest[0].first_month == row.first_month:
            newest.append(row)
    order = FundSource.values
    shares: dict[int, Shares] = {}
    for item_id in wanted:
        given = [(row.source, row.share) for row in found.get(item_id, ()) if row.share > 0]
        shares[item_id] = sorted(given, key=lambda pair: order.index(pair[0])) or FISCAL_ALONE
    return shares
