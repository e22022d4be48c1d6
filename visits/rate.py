"""The visit rate of a month: who counts, how it is divided, and what it was at any moment.

One question with one answer for pages, files and snapshots: each obligation belongs to exactly one row of each
division, so that the rows of every division add up to the same figures.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import TextChoices

from catalog.models import VisitTier
from organization.models import Area, User
from visits.choices import LOCKED, ExemptReason
from visits.counting import outcome_select
from visits.models import VisitMonth
from visits.months import township_sql
from visits.querysets import ObligationQuerySet
from visits.selectors import rate_of

#: Goes into every snapshot; a new number whenever a sentence below changes its meaning.
DEFINITION_VERSION: Final = "2026-11"
DEFINITION: Final = (
    ("应访", "当月 1 日按探访层级列入名单、没有免访的老年人；每人每月一个层级，次序在前的优先"),
    ("已达标", "应访次数全部完成，并达到层级要求的上门次数"),
    (
        "有效探访",
        "结果为见到本人或联系到本人，方式为层级所允许；按探访发生的时间（北京时间）归月，同一人一天多次计一次；"
        "被更正或被退回的记录不计",
    ),
    ("免访", "尚未达标时去世、迁出或入住机构的，应访和已达标都不计，名单和原因另列；已达标后离开的仍计"),
    ("补录", "镇（街）提交月报以后才入库、本可使人达标的，单列，不改变已提交的数"),
    ("探访率", "已达标人数 ÷ 应访人数，保留一位小数，不进位；没有全部达标就不显示 100%"),
    (
        "统计时点",
        "只计这一时刻以前入库的记录、更正、退回和导入的离开情况；不经导入登记的离开没有登记时刻，一律计入；"
        "探访人按现在的分工",
    ),
)


class Division(TextChoices):
    """By what a rate is divided."""

    AREA = "area", "按区划"
    TIER = "tier", "按层级"
    WORKER = "worker", "按探访人"


UNASSIGNED: Final = "责任人未分配"


@dataclass(frozen=True)
class Figure:
    """People obliged and, of these, met; exempt: reason → people, in neither; late: met by what came in too late."""

    obliged: int = 0
    met: int = 0
    exempt: dict[str, int] = field(default_factory=dict)
    late: int = 0

    @property
    def unmet(self) -> int:
        """Obliged and not yet visited as often as they must."""
        return self.obliged - self.met

    @property
    def exempted(self) -> int:
        """Exempt for any reason."""
        return sum(self.exempt.values())

    @property
    def rate(self) -> Decimal | None:
        """Percent, one decimal, rounded down; None if nobody is obliged."""
        return rate_of(self.met, self.obliged)

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(
            self.obliged + other.obliged,
            self.met + other.met,
            dict(Counter(self.exempt) + Counter(other.exempt)),
            self.late + other.late,
        )


@dataclass(frozen=True)
class RateLine:
    """One row of a division: code of an area or tier, or a worker's key as text ('' if nobody is assigned)."""

    code: str
    name: str
    figure: Figure


_REASONS: Final = tuple(ExemptReason.values)
#: (sorting key of a row, what to group by) of each division; areas depend on the level.
_KEYS: Final = {Division.TIER: "t.code", Division.WORKER: "coalesce(s.assignee_id::text, '')"}
TOWNSHIPS: Final = "rpad(left(s.area_code, 9), 12, '0')"
VILLAGES: Final = "s.area_code"


def rate_lines(
    *,
    obligations: ObligationQuerySet,
    month: date,
    by: Division,
    as_of: datetime | None = None,
    villages: bool = False,
) -> list[RateLine]:
    """Divide the month's rate of these obligations; the rows add up to the whole, whatever the division.

    villages: areas are the places of residence themselves, not their townships. as_of: what the figure was then; what
    a township had submitted by then stands as it was submitted.
    """
    key = (VILLAGES if villages else TOWNSHIPS) if by == Division.AREA else _KEYS[by]
    counted = _count(key, obligations.filter(month=month), month, as_of)
    names = _names(by, list(counted))
    lines = [RateLine(code, names.get(code, ""), figure) for code, figure in counted.items()]
    match by:
        case Division.AREA:
            return lines
        case Division.TIER:  # in the order in which tiers win
            return sorted(lines, key=lambda line: list(names).index(line.code))
        case Division.WORKER:  # by name, nobody last
            return sorted(lines, key=lambda line: (not line.code, line.name, line.code))


def rate_whole(lines: Iterable[RateLine]) -> Figure:
    """Add up the rows of a division."""
    return sum((line.figure for line in lines), Figure())


def rate_trend(
    *, obligations: ObligationQuerySet, months: Sequence[date], digits: int
) -> dict[date, list[RateLine]]:
    """Give each month's rows by area, the first `digits` digits of the place of residence making a row."""
    key = f"rpad(left(s.area_code, {int(digits)}), 12, '0')"
    rows = _grouped(f"s.month::text || {key}", *_now(obligations.filter(month__in=months)))
    names = _names(Division.AREA, [code[10:] for code, _ in rows])
    found: dict[date, list[RateLine]] = {month: [] for month in months}
    for code, figure in rows:
        found[date.fromisoformat(code[:10])].append(RateLine(code[10:], names.get(code[10:], ""), figure))
    return found


def _count(key: str, rows: ObligationQuerySet, month: date, as_of: datetime | None) -> dict[str, Figure]:
    if as_of is None:
        return dict(_grouped(key, *_now(rows)))
    with transaction.atomic(), connection.cursor() as cursor:
        # as in obligations_refresh: many rows, of which the planner expects few
        cursor.execute("SET LOCAL enable_nestloop = off")
        found = dict(_grouped(key, *_then(rows, month, as_of)))
        cursor.execute("SET LOCAL enable_nestloop = on")
    return found


def _grouped(key: str, state: str, given: Sequence[Any]) -> list[tuple[str, Figure]]:
    reasons = ", ".join(f"count(*) FILTER (WHERE s.exempt_reason = '{reason}')" for reason in _REASONS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {key} AS key, count(*) FILTER (WHERE s.exempt_reason = ''), count(*) FILTER (WHERE s.met),
                   count(*) FILTER (WHERE s.late_met), {reasons}
            FROM ({state}) s JOIN catalog_visittier t ON t.id = s.tier_id
            GROUP BY 1 ORDER BY 1""",
            given,
        )
        return [
            (code, Figure(obliged, met, {r: n for r, n in zip(_REASONS, exempt, strict=True) if n}, late))
            for code, obliged, met, late, *exempt in cursor.fetchall()
        ]


_COLUMNS: Final = ("month", "area_code", "tier_id", "assignee_id", "met", "exempt_reason", "late_met")


def _now(rows: ObligationQuerySet) -> tuple[str, Sequence[Any]]:
    """SELECT of `_COLUMNS` as the portal keeps them."""
    state, given = rows.order_by().values(*_COLUMNS).query.sql_with_params()
    return state, given


def _then(rows: ObligationQuerySet, month: date, as_of: datetime) -> tuple[str, list[Any]]:
    """SELECT of `_COLUMNS` as they were at a moment: locked ones as submitted, the others counted again."""
    chosen, given = rows.order_by().values("pk").query.sql_with_params()
    locked = VisitMonth.objects.filter(month=month, state__in=LOCKED, submitted_at__lte=as_of)
    townships = ", ".join(f"'{code}'" for code in locked.values_list("area_code", flat=True)) or "''"
    state = f"""
        SELECT o.month, o.area_code, o.tier_id, o.assignee_id,
               CASE WHEN l.locked THEN o.met ELSE f.met END AS met,
               CASE WHEN l.locked THEN o.exempt_reason ELSE f.exempt_reason END AS exempt_reason,
               l.locked AND f.met AND NOT o.met AND o.exempt_from IS NULL AS late_met
        FROM ({outcome_select(month, f"o.id IN ({chosen})", as_of)}) f
        JOIN visits_obligation o ON o.id = f.id,
        LATERAL (SELECT ({township_sql("o.area_code", "o.county_code")}) IN ({townships}) AS locked) l"""
    return state, list(given)


def _names(by: Division, codes: list[str]) -> dict[str, str]:
    match by:
        case Division.AREA:
            return dict(Area.objects.filter(code__in=codes).values_list("code", "name"))
        case Division.TIER:
            tiers = VisitTier.objects.filter(code__in=codes).order_by("order", "valid")
            return dict(tiers.values_list("code", "name"))
        case Division.WORKER:
            workers = User.objects.filter(pk__in=[code for code in codes if code])
            return {"": UNASSIGNED} | {str(worker.pk): str(worker) for worker in workers}
