"""A month by exception: what is new, stopped or changed against the month before, paid or taken back for earlier
months, or an anomaly; never what stayed as it was (issue: monthly review by exception).

Figures and lists come from one reading, so that every list sums to its figure. Areas: prefixes of the user's areas,
applied to both months: who moved between townships is stopped in the one and new in the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from django.db.models.functions import Left

from eldercare.services.monthly_facts import partition_name
from organization.areas import TOWNSHIP_DIGITS
from organization.querysets import in_areas
from subsidies.choices import AnomalyState, LineKind, Outcome
from subsidies.models import Adjustment, Anomaly, Entitlement, Month
from subsidies.reported import still_standing

NEW: Final = "new"
STOPPED: Final = "stopped"
CHANGED: Final = "changed"
BACK_PAY: Final = "back"
RECOVERY: Final = "recovery"
ANOMALY: Final = "anomaly"
KINDS: Final = {LineKind.BACK_PAY: BACK_PAY, LineKind.RECOVERY: RECOVERY}
#: Village, elder, item: the order of the lists, and what finds a line again.
Key = tuple[str, int, int]


@dataclass(frozen=True)
class Cell:
    """What one item has of one kind of exception in one township.

    township: 9-digit prefix, '' outside the county. item_id None: an anomaly of all the elder's lines. amount: 元 this
    month for new lines, of the month before for stopped ones, the difference for changed ones, the sum for the rest; 0
    for anomalies.
    """

    kind: str
    item_id: int | None
    township: str
    lines: int
    amount: Decimal


def month_before(month: Month) -> Month | None:
    """The decided month directly before."""
    first = (month.month - timedelta(days=1)).replace(day=1)
    return Month.objects.filter(county_code=month.county_code, month=first, revision__gt=0).first()


def due_lines(month: Month, prefixes: Sequence[str]) -> QuerySet[Entitlement]:
    """Lines with 应发 that readers see of a month."""
    return in_areas(Entitlement.objects.of(month), prefixes, "area_code").filter(outcome=Outcome.DUE)


def changed_lines(
    month: Month, before: Month | None, kind: str, prefixes: Sequence[str]
) -> QuerySet[Entitlement]:
    """Lines of one kind: new and changed ones of this month, stopped ones of the month before.

    Without a month before, every line is new.
    """
    now = due_lines(month, prefixes)
    if before is None:
        return now if kind == NEW else now.none()
    past = due_lines(before, prefixes)
    same = {"elder_id": OuterRef("elder_id"), "item_id": OuterRef("item_id")}
    if kind == STOPPED:
        return past.exclude(Exists(now.filter(**same)))
    if kind == CHANGED:
        other = past.filter(**same).exclude(amount=OuterRef("amount"))
        return now.filter(amount__isnull=False).filter(Exists(other))
    return now.exclude(Exists(past.filter(**same)))


def change_cells(month: Month, before: Month | None, prefixes: Sequence[str]) -> list[Cell]:
    """New, stopped and changed lines by item and township. One query; a published revision never changes."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT kind, item_id, left(area_code, {TOWNSHIP_DIGITS}), count(*), coalesce(sum(amount), 0)
            FROM ({_exceptions(month, before)}) exceptions GROUP BY 1, 2, 3""",
            _bound(month, prefixes),
        )
        return [Cell(*row) for row in cursor.fetchall()]


def change_keys(month: Month, before: Month | None, kind: str, prefixes: Sequence[str]) -> list[Key]:
    """Lines of one kind in the order of the list. One query, as long as the list."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT area_code, elder_id, item_id FROM ({_exceptions(month, before)}) exceptions
            WHERE kind = %(kind)s ORDER BY 1, 2, 3""",
            _bound(month, prefixes) | {"kind": kind},
        )
        return [(area, elder, item) for area, elder, item in cursor.fetchall()]


def lines_at(month: Month, keys: Sequence[Key]) -> list[Entitlement]:
    """The lines of some keys, in their order, with everything that a list shows."""
    rows = Entitlement.objects.of(month).filter(
        elder__in={elder for _, elder, _ in keys}, item__in={item for _, _, item in keys}
    )
    found = {
        (row.elder_id, row.item_id): row
        for row in rows.select_related("elder", "item", "winner", "item_version")
    }
    return [found[elder, item] for _, elder, item in keys]


def adjustments_of(month: Month, kind: str, prefixes: Sequence[str]) -> QuerySet[Adjustment]:
    """Due lines of a run for months before it, of one LineKind or ('') of both."""
    found = in_areas(month.adjustments.all(), prefixes, "area_code")
    return found.filter(kind=kind) if kind in LineKind.values else found


def adjustment_cells(month: Month, prefixes: Sequence[str]) -> list[Cell]:
    """补发 and 追缴 of a run by item and township. One query."""
    rows = adjustments_of(month, "", prefixes).annotate(township=Left("area_code", TOWNSHIP_DIGITS))
    grouped = rows.values_list("kind", "item_id", "township").annotate(n=Count("id"), amount=Sum("amount"))
    return [Cell(KINDS[LineKind(kind)], *rest) for kind, *rest in grouped]


def anomaly_cells(month: Month, prefixes: Sequence[str]) -> list[Cell]:
    """Anomalies that wait for a decision, by item and township. One query."""
    rows = in_areas(
        Anomaly.objects.filter(still_standing(), run=month, state=AnomalyState.OPEN), prefixes, "area_code"
    ).annotate(township=Left("area_code", TOWNSHIP_DIGITS))
    grouped = rows.values_list("item_id", "township").annotate(n=Count("id"))
    return [Cell(ANOMALY, item, township, n, Decimal(0)) for item, township, n in grouped]


def _exceptions(month: Month, before: Month | None) -> str:
    """SELECT (kind, area_code, elder_id, item_id, amount) of what is not as it was."""
    past = _due_sql(before) if before else f"{_due_sql(month)} AND false"
    return f"""
        SELECT CASE WHEN p.elder_id IS NULL THEN '{NEW}' WHEN n.elder_id IS NULL THEN '{STOPPED}'
                    ELSE '{CHANGED}' END AS kind,
               coalesce(n.area_code, p.area_code) AS area_code,
               coalesce(n.elder_id, p.elder_id) AS elder_id, coalesce(n.item_id, p.item_id) AS item_id,
               CASE WHEN p.elder_id IS NULL THEN n.amount WHEN n.elder_id IS NULL THEN p.amount
                    ELSE n.amount - coalesce(p.amount, 0) END AS amount
        FROM ({_due_sql(month)}) n FULL JOIN ({past}) p ON p.elder_id = n.elder_id AND p.item_id = n.item_id
        WHERE n.elder_id IS NULL OR p.elder_id IS NULL
           OR n.amount IS NOT NULL AND n.amount IS DISTINCT FROM p.amount"""


def _bound(month: Month, prefixes: Sequence[str]) -> dict[str, Any]:
    return {"county": month.county_code, "areas": [f"{prefix}%" for prefix in prefixes]}


def _due_sql(month: Month) -> str:
    """SELECT of a month's 应发 in the bound areas."""
    return f"""
        SELECT elder_id, item_id, amount, area_code FROM {partition_name("subsidies_entitlement", month.month)}
        WHERE county_code = %(county)s AND outcome = '{Outcome.DUE}' AND area_code LIKE ANY(%(areas)s)
          AND rev_from <= {month.revision} AND (rev_to IS NULL OR rev_to > {month.revision})"""
