"""The tabs of a month's review with their figures, and what each tab has by item and township."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from catalog.models import Item
from organization.areas import CODE_LENGTH
from organization.choices import Permission
from organization.models import Area, User
from portal.figures import change_cells_of
from subsidies.models import Month
from subsidies.review import (
    ANOMALY,
    BACK_PAY,
    CHANGED,
    NEW,
    RECOVERY,
    STOPPED,
    Cell,
    adjustment_cells,
    anomaly_cells,
)

ZERO: Final = Decimal("0.00")
OUTSIDE: Final = "县外户籍"
ALL_LINES: Final = "涉及全部项目"
#: tab → (word, what it counts, whether it has money)
TABS: Final[dict[str, tuple[str, str, bool]]] = {
    NEW: ("新增", "上月没有、本月应发", True),
    STOPPED: ("停发", "上月应发、本月不再应发", True),
    CHANGED: ("变更", "两月都发、金额不同，金额为差额", True),
    BACK_PAY: ("补发", "以前月份少发的，按最新资料补", True),
    RECOVERY: ("追缴", "以前月份多发的，按最新资料追回", True),
    ANOMALY: ("异常", "发放前待核实", False),
}


@dataclass(frozen=True)
class Tab:
    """One tab. counted: what its lines are; has_money: whether its sum means anything."""

    slug: str
    label: str
    counted: str
    has_money: bool
    lines: int
    amount: Decimal


@dataclass(frozen=True)
class Place:
    """One township with its lines: 9-digit prefix, code for filters."""

    code: str
    name: str
    lines: int


@dataclass(frozen=True)
class ItemLine:
    """One item of a tab: lines by township in the order of the columns, their sum, 元."""

    item_id: int | None
    name: str
    cells: list[tuple[Place, int]]
    lines: int
    amount: Decimal


@dataclass(frozen=True)
class Breakdown:
    """A tab by item and township; sums tie with the tab."""

    townships: list[Place]
    items: list[ItemLine]


def cells_of(month: Month, before: Month | None, user: User) -> list[Cell]:
    """Everything exceptional of a month within the user's areas; the changes are kept, the rest is read anew."""
    prefixes = user.area_prefixes(Permission.MONTH_VIEW)
    return [
        *change_cells_of(month, before, user),
        *adjustment_cells(month, prefixes),
        *anomaly_cells(month, prefixes),
    ]


def tabs_of(cells: Iterable[Cell]) -> list[Tab]:
    """The tabs in their order."""
    cells = list(cells)
    tabs = []
    for slug, (label, counted, has_money) in TABS.items():
        mine = [cell for cell in cells if cell.kind == slug]
        amount = sum((cell.amount for cell in mine), ZERO)
        tabs.append(Tab(slug, label, counted, has_money, sum(cell.lines for cell in mine), amount))
    return tabs


def breakdown_of(cells: Iterable[Cell], tab: str) -> Breakdown:
    """One tab by item and township. 2 queries."""
    mine = [cell for cell in cells if cell.kind == tab]
    codes = {cell.township: cell.township.ljust(CODE_LENGTH, "0") for cell in mine}
    named = dict(Area.objects.filter(code__in=codes.values()).values_list("code", "name"))
    places = {
        prefix: Place(
            code, named.get(code, OUTSIDE), sum(cell.lines for cell in mine if cell.township == prefix)
        )
        for prefix, code in sorted(codes.items())
    }
    items = Item.objects.filter(pk__in={cell.item_id for cell in mine if cell.item_id}).order_by(
        "number", "code"
    )
    rows = [_line(item.pk, f"{item.code} {item.name}", mine, places) for item in items]
    if any(cell.item_id is None for cell in mine):
        rows.append(_line(None, ALL_LINES, mine, places))
    return Breakdown(list(places.values()), rows)


def _line(item_id: int | None, name: str, cells: list[Cell], places: dict[str, Place]) -> ItemLine:
    own = [cell for cell in cells if cell.item_id == item_id]
    by_place = {cell.township: cell.lines for cell in own}
    return ItemLine(
        item_id,
        name,
        [(place, by_place.get(prefix, 0)) for prefix, place in places.items()],
        sum(cell.lines for cell in own),
        sum((cell.amount for cell in own), ZERO),
    )
