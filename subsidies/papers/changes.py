"""新增明细, 停止明细 and 变更明细 of a month against the one before, by item (forms of domain §2.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from django.db.models import F, QuerySet

from operations.long_table import Column
from organization.choices import Permission
from organization.models import User
from subsidies.models import Entitlement, Month
from subsidies.papers.head import Head, head_of, moment, month_words
from subsidies.papers.places import Places
from subsidies.papers.reasons import Reasons
from subsidies.papers.sheet import Sheet, Value
from subsidies.review import CHANGED, NEW, STOPPED, changed_lines, month_before

TITLES: Final = {NEW: "新增明细表", STOPPED: "停止明细表", CHANGED: "变更明细表"}
PERSON: Final = (
    Column("序号", 14, "center"),
    Column("姓名", 30),
    Column("性别", 11, "center"),
    Column("证件号码", 39, "center"),
    Column("村（社区）", 40),
)
COLUMNS: Final = {
    NEW: (
        *PERSON,
        Column("起始月", 18, "center"),
        Column("月标准（元）", 25, "right"),
        Column("新增原因", 94),
    ),
    STOPPED: (
        *PERSON,
        Column("末次应发月", 21, "center"),
        Column("原标准（元）", 25, "right"),
        Column("停发原因", 32),
        Column("说明", 59),
    ),
    CHANGED: (
        *PERSON,
        Column("原标准（元）", 25, "right"),
        Column("现标准（元）", 25, "right"),
        Column("差额（元）", 23, "right"),
        Column("变更原因", 64),
    ),
}
NOTHING: Final = Decimal("0.00")


class ChangeLine(NamedTuple):
    """One elder and item; before, now: 元 a month, None where the item is no money. cause: the form's code."""

    item: str
    name: str
    sex: str
    id_number: str
    area_code: str
    before: Decimal | None
    now: Decimal | None
    cause: str
    why: str


@dataclass(frozen=True)
class Changes:
    """The lines of one kind in the order of items and villages."""

    head: Head
    kind: str
    month: Month
    former: Month | None
    lines: Sequence[ChangeLine]


def change_rows(month: Month, kind: str, actor: User, item_id: int | None = None) -> QuerySet[Entitlement]:
    """Lines of one kind within the areas for which the actor may export."""
    prefixes = actor.area_prefixes(Permission.PAYMENT_EXPORT)
    rows = changed_lines(month, month_before(month), kind, prefixes)
    rows = rows.filter(item_id=item_id) if item_id else rows
    return rows.select_related("elder", "item").order_by(
        F("item__number"), "item__code", "area_code", "elder_id"
    )


def changes_of(month: Month, kind: str, actor: User, item_id: int | None = None) -> Changes:
    """The paper's lines with their reasons."""
    former = month_before(month)
    rows = list(change_rows(month, kind, actor, item_id))
    elders = {row.elder_id for row in rows}
    reasons = Reasons(month, former, elders) if former is not None else None
    past: dict[tuple[int, int], Entitlement] = {}
    if kind == CHANGED and former is not None:
        for row in Entitlement.objects.of(former).filter(elder__in=elders):
            past[row.elder_id, row.item_id] = row
    lines = [_line(row, kind, past.get((row.elder_id, row.item_id)), reasons) for row in rows]
    return Changes(head_of(month.county_code, actor), kind, month, former, lines)


def changes_sheet(changes: Changes) -> Sheet:
    """The paper as a list with subtotals by item."""
    published, places = changes.month.published_at, Places(changes.month.county_code)
    former = f"{changes.former.month:%Y-%m}" if changes.former else "没有上月核定，全部列为新增"
    amount = sum((_weight(line, changes.kind) for line in changes.lines), NOTHING)
    what = {NEW: "月增", STOPPED: "月减", CHANGED: "月差额合计"}[changes.kind]
    return Sheet(
        title=f"{changes.head.county}{month_words(changes.month.month)}养老补贴{TITLES[changes.kind]}",
        facts=(
            f"对比：{changes.month.month:%Y-%m} 与 {former}",
            f"核定时点：{moment(published)}　　核定版次：第 {changes.month.revision} 版",
            "",
            "单位：元",
        ),
        columns=COLUMNS[changes.kind],
        rows=_rows(changes, places),
        total=f"合计 {len(changes.lines):,} 人次，{what} {amount:,.2f} 元",
        signatures=("制表人：", "审核人：", "审批人："),
        head=changes.head,
    )


def _line(row: Entitlement, kind: str, past: Entitlement | None, reasons: Reasons | None) -> ChangeLine:
    elder = row.elder
    before, now, cause, why = None, row.amount, "", "首次核定"
    if reasons is not None and kind == STOPPED:
        found = reasons.stopped(row)
        before, now, cause, why = row.amount, None, str(found.cause.label), found.text
    elif reasons is not None and kind == CHANGED and past is not None:
        before, why = past.amount, reasons.changed(past, row)
    elif reasons is not None:
        why = reasons.new(row)
    number = elder.masked_id_number
    return ChangeLine(str(row.item), elder.name, elder.sex, number, row.area_code, before, now, cause, why)


def _weight(line: ChangeLine, kind: str) -> Decimal:
    """What the line adds to the paper's sum: new and stopped money as such, a change its difference."""
    before, now = line.before or NOTHING, line.now or NOTHING
    return {NEW: now, STOPPED: before, CHANGED: now - before}[kind]


def _rows(changes: Changes, places: Places) -> list[tuple[Sequence[Value], bool]]:
    rows: list[tuple[Sequence[Value], bool]] = []
    for item in dict.fromkeys(line.item for line in changes.lines):
        part = [line for line in changes.lines if line.item == item]
        rows.append(((item,), False))
        for number, line in enumerate(part, 1):
            rows.append((_cells(number, line, changes, places), False))
        rows.append((_sum(part, changes.kind), True))
    return rows


def _sum(part: Sequence[ChangeLine], kind: str) -> Sequence[Value]:
    """Subtotal in the column of the money that counts."""
    columns = COLUMNS[kind]
    money = [n for n, column in enumerate(columns) if column.align == "right"][-1]
    total = sum((_weight(line, kind) for line in part), NOTHING)
    left: tuple[Value, ...] = ("小计", f"{len(part):,} 人次")
    return (*left, *[""] * (money - 2), total, *[""] * (len(columns) - money - 1))


def _cells(number: int, line: ChangeLine, changes: Changes, places: Places) -> Sequence[Value]:
    person = (number, line.name, line.sex, line.id_number, places.village(line.area_code))
    month = f"{changes.month.month:%Y-%m}"
    match changes.kind:
        case "new":
            return (*person, month, line.now, line.why)
        case "stopped":
            last = f"{changes.former.month:%Y-%m}" if changes.former else ""
            return (*person, last, line.before, line.cause, line.why)
    return (*person, line.before, line.now, _weight(line, changes.kind), line.why)
