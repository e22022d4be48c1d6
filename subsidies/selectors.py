"""Reads of a month's results."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Left

from catalog.models import Item
from eldercare.models import Elder, MonthlyFacts
from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from subsidies.choices import LineKind, Outcome
from subsidies.models import Adjustment, Entitlement, ItemCount, Month
from subsidies.querysets import EntitlementQuerySet


@dataclass(frozen=True)
class MonthSummary:
    """Figures of a month in an area. outcomes: persons × items per outcome; amount: 元 of 应发."""

    outcomes: dict[str, int]
    amount: Decimal
    back_pay: Decimal
    recovery: Decimal
    persons_paid: int


@dataclass(frozen=True)
class ItemRow:
    """One item of the month: by township (9-digit prefix) persons with 应发, or counted."""

    item: Item
    counted: bool
    persons: int
    amount: Decimal | None
    by_township: dict[str, int]


@dataclass(frozen=True)
class Line:
    """One line of the month's export: 类别 正常 with its outcome, or 补发/追缴 for an earlier month."""

    elder: Elder
    item: Item
    month: date
    kind: str
    amount: Decimal | None
    outcome: str
    winner: Item | None
    pending: bool


def month_list(user: User) -> QuerySet[Month]:
    """Decided months of the counties in which the user has an area, newest first."""
    counties = {prefix[:6] for prefix in user.area_prefixes()}
    condition = Q(pk__in=[])
    for county in counties:
        condition |= Q(county_code__startswith=county)
    return Month.objects.filter(condition, revision__gt=0)


def entitlement_list(month: Month, user: User | None = None) -> EntitlementQuerySet:
    """Published entitlements of a month, within the user's areas if a user is given."""
    rows = Entitlement.objects.of(month)
    return rows.visible_to(user) if user else rows


def month_summary(month: Month, user: User | None = None, area_code: str | None = None) -> MonthSummary:
    """Figures of a month: every outcome with its number, money due, persons paid."""
    rows = entitlement_list(month, user)
    adjustments: QuerySet[Adjustment] = month.adjustments.all()
    if user:
        adjustments = in_areas(adjustments, user.area_prefixes(Permission.MONTH_VIEW), "area_code")
    if area_code:
        rows, adjustments = (
            rows.in_area(area_code),
            in_areas(adjustments, [area_prefix(area_code)], "area_code"),
        )
    counted = rows.values("outcome").annotate(n=Count("elder_id"), amount=Sum("amount"))
    found = {row["outcome"]: row for row in counted}
    money = adjustments.aggregate(
        back=Sum("amount", filter=Q(kind=LineKind.BACK_PAY)),
        recovery=Sum("amount", filter=Q(kind=LineKind.RECOVERY)),
    )
    return MonthSummary(
        outcomes={outcome: found[outcome]["n"] if outcome in found else 0 for outcome in Outcome.values},
        amount=(found[Outcome.DUE]["amount"] if Outcome.DUE in found else None) or Decimal("0.00"),
        back_pay=money["back"] or Decimal("0.00"),
        recovery=money["recovery"] or Decimal("0.00"),
        persons_paid=rows.filter(outcome=Outcome.DUE, amount__gt=0).aggregate(
            n=Count("elder_id", distinct=True)
        )["n"],
    )


def month_persons(month: Month, area_code: str) -> int:
    """Elders decided in the month whose village lies under the area."""
    rows = MonthlyFacts.objects.filter(
        Q(rev_to=None) | Q(rev_to__gt=month.revision),
        month=month.month,
        county_code=month.county_code,
        rev_from__lte=month.revision,
        area_code__startswith=area_prefix(area_code),
    )
    return rows.aggregate(n=Count("elder_id", distinct=True))["n"] or 0


def month_table(month: Month, user: User | None = None) -> list[ItemRow]:
    """Persons and money by item × township: 应发 of tracked items, persons of counted ones; sums tie."""
    tracked = (
        entitlement_list(month, user)
        .filter(outcome=Outcome.DUE)
        .annotate(township=Left("area_code", 9))
        .values("item_id", "township")
        .annotate(n=Count("elder_id"), amount=Sum("amount"))
    )
    counts = ItemCount.objects.filter(month=month, revision__lte=month.revision)
    if user:
        counts = in_areas(counts, user.area_prefixes(Permission.MONTH_VIEW), "area_code")
    counted = (
        counts.annotate(township=Left("area_code", 9))
        .values("item_id", "township")
        .annotate(n=Sum("persons"))
    )
    cells: dict[int, dict[str, int]] = {}
    amounts: dict[int, Decimal | None] = {}
    for cell in tracked:
        cells.setdefault(cell["item_id"], {})[cell["township"]] = cell["n"]
        if cell["amount"] is not None:
            amounts[cell["item_id"]] = (amounts.get(cell["item_id"]) or Decimal(0)) + cell["amount"]
    counted_ids = set()
    for count in counted:
        counted_ids.add(count["item_id"])
        cells.setdefault(count["item_id"], {})[count["township"]] = count["n"]
    items = Item.objects.filter(id__in=cells).order_by("number", "code")
    return [
        ItemRow(
            item, item.pk in counted_ids, sum(cells[item.pk].values()), amounts.get(item.pk), cells[item.pk]
        )
        for item in items
    ]


def elder_entitlements(elder: Elder, limit: int = 12) -> QuerySet[Entitlement]:
    """Published entitlements of one elder, newest months first."""
    months = list(Month.objects.filter(revision__gt=0).order_by("-month")[:limit])
    condition = Q(elder=None)
    for month in months:
        condition |= (
            Q(month=month.month, county_code=month.county_code)
            & (Q(rev_to=None) | Q(rev_to__gt=month.revision))
            & Q(rev_from__lte=month.revision)
        )
    return (
        Entitlement.objects.filter(condition, elder=elder)
        .select_related("item", "winner")
        .order_by("-month", "item__number", "item__code")
    )


def month_lines(month: Month, area_code: str | None = None) -> Iterator[Line]:
    """Every line of the month's export, by area, elder, item and month; read in batches."""
    rows = Entitlement.objects.of(month)
    adjustments: QuerySet[Adjustment] = month.adjustments.all()
    if area_code:
        rows, adjustments = (
            rows.in_area(area_code),
            in_areas(adjustments, [area_prefix(area_code)], "area_code"),
        )
    ordered = rows.select_related("elder", "item", "winner", "item_version").order_by(
        "area_code", "elder_id", F("item__number"), "item__code"
    )
    for row in ordered.iterator(chunk_size=5000):
        pending = row.item_version.pending
        yield Line(
            row.elder, row.item, row.month, LineKind.REGULAR, row.amount, row.outcome, row.winner, pending
        )
    for line in (
        adjustments.select_related("elder", "item")
        .order_by("area_code", "elder_id", "item", "month")
        .iterator(chunk_size=5000)
    ):
        yield Line(line.elder, line.item, line.month, line.kind, line.amount, Outcome.DUE, None, False)
