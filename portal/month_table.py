"""The table of a month: items down, townships across, sums that tie."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from catalog.models import Item
from organization.areas import CODE_LENGTH
from organization.choices import Permission
from organization.models import Area, User
from organization.querysets import in_areas
from portal.places import place_names
from subsidies.models import ItemCount, Month
from subsidies.selectors import ItemRow, month_table


@dataclass(frozen=True)
class Township:
    """One column: 9-digit prefix, '' for people registered outside the county."""

    prefix: str
    code: str
    name: str


@dataclass(frozen=True)
class TableRow:
    """One item with its persons in the order of the columns."""

    row: ItemRow
    cells: list[tuple[Township, int]]


@dataclass(frozen=True)
class Table:
    """Rows of tracked items with their sums, and of counted items, which have no money."""

    townships: list[Township]
    tracked: list[TableRow]
    counted: list[TableRow]
    column_sums: list[int]
    lines: int
    amount: Decimal


def table_of(month: Month, user: User) -> Table:
    """The table within the user's areas."""
    rows = month_table(month, user)
    townships = _townships(rows)
    tracked = [_row(row, townships) for row in rows if not row.counted]
    sums = [sum(line.row.by_township.get(t.prefix, 0) for line in tracked) for t in townships]
    return Table(
        townships=townships,
        tracked=tracked,
        counted=[_row(row, townships) for row in rows if row.counted],
        column_sums=sums,
        lines=sum(sums),
        amount=sum((line.row.amount for line in tracked if line.row.amount is not None), Decimal("0.00")),
    )


@dataclass(frozen=True)
class CountRow:
    """Persons of one village entitled to a counted item."""

    place: str
    persons: int


def counts_of(month: Month, user: User, item: Item) -> list[CountRow]:
    """Persons by village within the user's areas; villages without anybody are left out."""
    counts = ItemCount.objects.filter(month=month, item=item, revision__lte=month.revision)
    counts = in_areas(counts, user.area_prefixes(Permission.MONTH_VIEW), "area_code")
    summed = counts.values("area_code").annotate(n=Sum("persons")).filter(n__gt=0).order_by("area_code")
    rows = list(summed)
    places = place_names(row["area_code"] for row in rows)
    return [CountRow(places[row["area_code"]], row["n"]) for row in rows]


def _row(row: ItemRow, townships: list[Township]) -> TableRow:
    return TableRow(row, [(township, row.by_township.get(township.prefix, 0)) for township in townships])


def _townships(rows: Iterable[ItemRow]) -> list[Township]:
    codes = {prefix: prefix.ljust(CODE_LENGTH, "0") for row in rows for prefix in row.by_township}
    names = dict(Area.objects.filter(code__in=codes.values()).values_list("code", "name"))
    return [Township(prefix, code, names.get(code, code)) for prefix, code in sorted(codes.items())]
