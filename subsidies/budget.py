"""The year's budget: granted, spent, still to be paid, left; and the share of 彩票公益金 that goes to elder care.

A year is that of the run's month. What is still to be paid is a closing balance, carried from year to year: a line that
failed in December and is paid again in January burdens the year that pays it.
"""

import operator
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Final

from django.db.models import F, Q, Sum

from catalog.choices import Comparator
from catalog.models import Item, Target
from organization.areas import area_prefix
from subsidies.allocation import ZERO, split
from subsidies.choices import Account, BatchKind, FundSource, PaymentState
from subsidies.funding import funding_shares
from subsidies.models import Appropriation, Batch, LedgerEntry, Payment

#: Accounts of what has been confirmed and has not reached the elder.
OWED: Final = (Account.PAYABLE, Account.IN_TRANSIT, Account.UNPAID)
#: Indicator of the target «用于社会福利事业的彩票公益金不低于60%支持发展养老服务» in the lists.
LOTTERY_SHARE: Final = "lottery_fund_share"
COMPARE: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    Comparator.AT_LEAST: operator.ge,
    Comparator.AT_MOST: operator.le,
    Comparator.MORE: operator.gt,
    Comparator.LESS: operator.lt,
    Comparator.EQUAL: operator.eq,
}


@dataclass(frozen=True)
class BudgetRow:
    """One item and source of a year, 元. committed: confirmed and not yet paid, divided by the item's shares."""

    item: Item
    source: str
    appropriated: Decimal
    spent: Decimal
    committed: Decimal

    @property
    def left(self) -> Decimal:
        """What may still be confirmed; below 0 where more was confirmed than granted."""
        return self.appropriated - self.spent - self.committed


@dataclass(frozen=True)
class Overrun:
    """By how much (元) a batch would take an item beyond what was granted for the year."""

    item: Item
    amount: Decimal


@dataclass(frozen=True)
class LotteryShare:
    """彩票公益金 of a year, 元: whole income, what of it was granted to items of elder care, and what they spent.

    target: what the county's list, or one above it, demands; None where none does.
    """

    income: Decimal
    arranged: Decimal
    spent: Decimal
    target: Target | None

    @property
    def arranged_percent(self) -> Decimal | None:
        """Granted to elder care in percent, cut off after one digit; None without income."""
        return _percent(self.arranged, self.income)

    @property
    def spent_percent(self) -> Decimal | None:
        """Spent on elder care in percent, cut off after one digit; None without income."""
        return _percent(self.spent, self.income)

    @property
    def met(self) -> bool | None:
        """Whether what was granted meets the target; None without income or target."""
        if self.target is None or self.income <= 0:
            return None
        return COMPARE[self.target.comparator](self.arranged * 100 / self.income, self.target.value)


def budget_rows(*, county_code: str, year: int) -> list[BudgetRow]:
    """Every item and source with money granted, spent or committed in the year, in the list's order. 5 queries."""
    granted = _granted(county_code, year)
    spent = _spent(county_code, year)
    owed = _owed(county_code, year)
    committed: dict[tuple[int, str], Decimal] = {}
    for item_id, shares in funding_shares(item_ids=owed, month=date(year, 12, 1)).items():
        parts = split(owed[item_id], [share for _, share in shares])
        committed |= {
            (item_id, source): part for (source, _), part in zip(shares, parts, strict=True) if part
        }
    keys = granted.keys() | spent.keys() | committed.keys()
    items = Item.objects.filter(pk__in={item_id for item_id, _ in keys}).order_by("number", "code")
    return [
        BudgetRow(
            item,
            source,
            granted.get((item.pk, source), ZERO),
            spent.get((item.pk, source), ZERO),
            committed.get((item.pk, source), ZERO),
        )
        for item in items
        for source in FundSource.values
        if (item.pk, source) in keys
    ]


def overruns_of(batch: Batch) -> list[Overrun]:
    """Items whose grants of the year, all sources together, the batch would exceed; none for items without a grant.

    A reissue pays what was confirmed before: it exceeds nothing. To be asked before the batch is posted.
    """
    if batch.kind == BatchKind.REISSUE:
        return []
    year = batch.month.month.year
    granted = _by_item(_granted(batch.county_code, year))
    spent, owed = _by_item(_spent(batch.county_code, year)), _owed(batch.county_code, year)
    lines = Payment.objects.filter(batch=batch, state=PaymentState.PENDING, item__in=granted)
    fresh = dict(lines.values_list("item_id").annotate(sum=Sum("amount")))
    items = Item.objects.filter(pk__in=fresh).order_by("number", "code")
    found = [
        Overrun(item, fresh[item.pk] + spent[item.pk] + owed.get(item.pk, ZERO) - granted[item.pk])
        for item in items
    ]
    return [overrun for overrun in found if overrun.amount > 0]


def lottery_share(*, county_code: str, year: int) -> LotteryShare:
    """The year's 彩票公益金 and how much of it elder care gets (domain §5, T02); every item here is elder care."""
    rows = Appropriation.objects.filter(county_code=county_code, year=year, source=FundSource.LOTTERY)
    sums = rows.aggregate(
        income=Sum("amount", filter=Q(item=None)), arranged=Sum("amount", filter=Q(item__isnull=False))
    )
    spent = [
        amount for (_, source), amount in _spent(county_code, year).items() if source == FundSource.LOTTERY
    ]
    return LotteryShare(
        income=sums["income"] or ZERO,
        arranged=sums["arranged"] or ZERO,
        spent=sum(spent, ZERO),
        target=_lottery_target(county_code),
    )


def _lottery_target(county_code: str) -> Target | None:
    """The target of the nearest area, the newest document first."""
    targets = Target.objects.filter(indicator=LOTTERY_SHARE).select_related("document")
    above = [t for t in targets if county_code.startswith(area_prefix(t.document.area_id))]
    return max(above, key=lambda t: (len(area_prefix(t.document.area_id)), t.document.issued), default=None)


def _granted(county_code: str, year: int) -> dict[tuple[int, str], Decimal]:
    rows = Appropriation.objects.filter(county_code=county_code, year=year, item__isnull=False)
    sums = rows.values_list("item_id", "source").annotate(sum=Sum("amount"))
    return {(item_id, source): amount for item_id, source, amount in sums}


def _spent(county_code: str, year: int) -> dict[tuple[int, str], Decimal]:
    rows = LedgerEntry.objects.filter(
        batch__county_code=county_code, batch__month__month__year=year, account=Account.CASH
    )
    sums = rows.order_by().values_list("item_id", "source").annotate(sum=Sum(F("credit") - F("debit")))
    return {(item_id, source): amount for item_id, source, amount in sums}


def _owed(county_code: str, year: int) -> dict[int, Decimal]:
    rows = LedgerEntry.objects.filter(
        batch__county_code=county_code, batch__month__month__lte=date(year, 12, 1), account__in=OWED
    )
    sums = rows.order_by().values_list("item_id").annotate(sum=Sum(F("credit") - F("debit")))
    return {item_id: amount for item_id, amount in sums if amount}


def _by_item(sums: dict[tuple[int, str], Decimal]) -> dict[int, Decimal]:
    by_item: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for (item_id, _), amount in sums.items():
        by_item[item_id] += amount
    return by_item


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part * 100 / whole).quantize(Decimal("0.1"), ROUND_DOWN) if whole > 0 else None
