"""Lines of a month for pages and downloads: one queryset per figure, so that every list sums to its figure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import Count, F, QuerySet, Sum

from eldercare.models import Elder
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from portal.places import place_names
from subsidies.change_history import DueLine, change_reasons
from subsidies.choices import LineKind, Outcome
from subsidies.models import Adjustment, Entitlement, Month
from subsidies.review import CHANGED, NEW, STOPPED, changed_lines, month_before
from subsidies.selectors import Line, entitlement_list
from subsidies.wording import line_remark

HEADINGS: Final = (
    "姓名",
    "证件号码",
    "区划",
    "项目编码",
    "项目名称",
    "所属月",
    "类别",
    "金额（元）",
    "结果",
    "说明",
)
EXPLAINED_AT_ONCE: Final = 500
CHANGES: Final = ((NEW, "新增"), (STOPPED, "停发"), (CHANGED, "金额变更"))


@dataclass(frozen=True)
class LineRow:
    """One line as lists show it: the elder masked."""

    elder_id: int
    name: str
    id_number: str
    place: str
    item_code: str
    item_name: str
    month: date
    kind: str
    amount: Decimal | None
    outcome: str
    remark: str

    def cells(self) -> tuple[str | Decimal | None, ...]:
        """The line in the order of HEADINGS."""
        fixed = (self.name, self.id_number, self.place, self.item_code, self.item_name, f"{self.month:%Y-%m}")
        return (*fixed, self.kind, self.amount, self.outcome, self.remark)


@dataclass(frozen=True)
class Sums:
    """Lines, persons and 元 of a whole result."""

    lines: int
    persons: int
    amount: Decimal


def lines_of(
    month: Month, user: User, change: str = "", permission: Permission = Permission.MONTH_VIEW
) -> QuerySet[Entitlement]:
    """Published lines of the areas in which the user has the permission; with a change only what it changed.

    new, changed: lines of this month with 应发; stopped: lines of the month before that are 应发 no longer.
    """
    if not change:
        return _published(month, user, permission)
    return changed_lines(month, month_before(month), change, user.area_prefixes(permission))


def search_elders(lines: QuerySet[Entitlement], text: str) -> QuerySet[Entitlement]:
    """Keep the lines of elders whom the text finds."""
    return lines.filter(elder_id__in=Elder.objects.search(text).values("pk")) if text else lines


def sums_of(lines: QuerySet[Entitlement]) -> Sums:
    """Lines, persons and money of a queryset of lines."""
    found = lines.aggregate(
        n=Count("elder_id"), persons=Count("elder_id", distinct=True), amount=Sum("amount")
    )
    return Sums(found["n"], found["persons"], found["amount"] or Decimal("0.00"))


def ordered(lines: QuerySet[Entitlement]) -> QuerySet[Entitlement]:
    """By area, elder and item, with everything that a line shows."""
    return lines.select_related("elder", "item", "winner", "item_version").order_by(
        "area_code", "elder_id", F("item__number"), "item__code"
    )


def line_rows(lines: Iterable[Entitlement]) -> list[LineRow]:
    """Lines as lists show them; one query for the names of places."""
    lines = list(lines)
    places = place_names(line.area_code for line in lines)
    return [_row(_line(line), places.get(line.area_code, "")) for line in lines]


def adjustment_rows(run: Month, adjustments: Iterable[Adjustment]) -> list[LineRow]:
    """Due lines of a run for earlier months as lists show them, each with what changed as its remark."""
    adjustments = list(adjustments)
    places = place_names(adjustment.area_code for adjustment in adjustments)
    due = [DueLine(a.elder_id, a.item_id, a.month, a.amount) for a in adjustments]
    reasons = change_reasons(county_code=run.county_code, lines=due)
    return [
        replace(
            _row(
                Line(a.elder, a.item, a.month, a.kind, a.amount, Outcome.DUE, None, False),
                places.get(a.area_code, ""),
            ),
            remark=reasons[line.key].text if line.key in reasons else "",
        )
        for a, line in zip(adjustments, due, strict=True)
    ]


def all_adjustment_rows(run: Month, adjustments: QuerySet[Adjustment]) -> Iterator[LineRow]:
    """A long list of due lines with their reasons, a few hundred at a time."""
    batch: list[Adjustment] = []
    for line in adjustments.iterator(chunk_size=EXPLAINED_AT_ONCE):
        batch.append(line)
        if len(batch) == EXPLAINED_AT_ONCE:
            yield from adjustment_rows(run, batch)
            batch = []
    yield from adjustment_rows(run, batch)


def _line(row: Entitlement) -> Line:
    pending = row.item_version.pending
    return Line(
        row.elder, row.item, row.month, LineKind.REGULAR, row.amount, row.outcome, row.winner, pending
    )


def _row(line: Line, place: str) -> LineRow:
    return LineRow(
        elder_id=line.elder.pk,
        name=line.elder.name,
        id_number=line.elder.masked_id_number,
        place=place,
        item_code=line.item.code,
        item_name=line.item.name,
        month=line.month,
        kind=line.kind,
        amount=line.amount,
        outcome=line.outcome,
        remark=line_remark(line),
    )


def _published(month: Month, user: User, permission: Permission) -> QuerySet[Entitlement]:
    return in_areas(entitlement_list(month), user.area_prefixes(permission), "area_code")
