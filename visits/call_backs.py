"""Reads over call backs: what can be drawn from, what was drawn, and what the calls found."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet

from operations.models import AuditEntry
from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from visits.cells import ZONE
from visits.choices import EFFECTIVE, CallBackResult
from visits.models import CallBack, CallBackDraw
from visits.sample import sample_draw
from visits.slots import next_month
from visits.standing import standing

#: The audit's word for a draw: the entry keeps what was drawn from.
DRAWN = "抽取回访样本"


@dataclass(frozen=True)
class Share:
    """Calls of one township or worker: all, those made, those that reached somebody, and the refuted among these."""

    name: str
    calls: int
    called: int
    reached: int
    refuted: int

    @property
    def waiting(self) -> int:
        """Calls still to be made or made again."""
        return self.calls - self.reached


def records_to_draw(month: date, area_code: str) -> dict[UUID, bool]:
    """Effective, standing records of the month to the elders obliged in the area; True: it has a signal."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT v.id, EXISTS (SELECT FROM visits_signal s WHERE s.visit_id = v.id) {_DRAWABLE}",
            _given(month, area_code),
        )
        return dict(cursor.fetchall())


def counts_to_draw(month: date, area_code: str) -> dict[str, int]:
    """How many records each township (12 digits) under the area has to draw from, by the same condition."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT left(o.area_code, 9) || '000' AS township, count(*) {_DRAWABLE} GROUP BY township",
            _given(month, area_code),
        )
        return dict(cursor.fetchall())


_DRAWABLE: Final = f"""
    FROM visits_obligation o
    JOIN catalog_visittier t ON t.id = o.tier_id
    JOIN visits_visit v ON v.elder_id = o.elder_id AND v.mode = ANY (t.modes)
    WHERE o.month = %(month)s AND o.area_code LIKE %(area)s
      AND v.at >= %(month)s::timestamp AT TIME ZONE '{ZONE.key}'
      AND v.at < %(after)s::timestamp AT TIME ZONE '{ZONE.key}'
      AND v.result = ANY (%(effective)s) AND {standing("v")}"""


def _given(month: date, area_code: str) -> dict[str, Any]:
    return {
        "month": month,
        "after": next_month(month),
        "area": f"{area_prefix(area_code)}%",
        "effective": [str(result) for result in EFFECTIVE],
    }


def draws_visible(user: User) -> QuerySet[CallBackDraw]:
    """Samples of townships in which the user calls back."""
    return in_areas(CallBackDraw.objects.all(), user.area_prefixes(Permission.CALL_BACK), "area_code")


def draw_again(draw: CallBackDraw) -> bool:
    """Draw once more with the kept seed from the kept records; tell whether the sample is the same."""
    kept = AuditEntry.objects.filter(action=DRAWN, subject=draw_subject(draw)).order_by("pk").first()
    if kept is None:
        return False
    records, flagged = ([UUID(each) for each in kept.data[key]] for key in ("records", "flagged"))
    return set(sample_draw(draw.seed, records, flagged)) == set(draw.calls.values_list("visit_id", flat=True))


def draw_subject(draw: CallBackDraw) -> str:
    """The audit's name of a draw."""
    return f"call_back_draw:{draw.pk}"


def shares_by_worker(draws: Iterable[CallBackDraw]) -> list[Share]:
    """What the calls found by worker, most refuted first."""
    found = [Share(name, *counts) for name, *counts in _counts("visit__visitor", draws)]
    return sorted(found, key=lambda share: (-share.refuted, -share.calls, share.name))


def shares_by_draw(draws: Iterable[CallBackDraw]) -> dict[int, Share]:
    """What the calls of each sample found, by its key."""
    return {pk: Share("", *counts) for pk, *counts in _counts("draw_id", draws)}


def _counts(field: str, draws: Iterable[CallBackDraw]) -> Iterable[tuple[Any, ...]]:
    """Value of the field, then the counts of `Share`."""
    reached = Q(result__in=(CallBackResult.CONFIRMED, CallBackResult.REFUTED))
    rows: Iterable[tuple[Any, ...]] = (
        CallBack.objects.filter(draw__in=list(draws))
        .values(field)
        .annotate(
            calls=Count("pk"),
            called=Count("pk", filter=~Q(result="")),
            reached=Count("pk", filter=reached),
            refuted=Count("pk", filter=Q(result=CallBackResult.REFUTED)),
        )
        .values_list(field, "calls", "called", "reached", "refuted")
    )
    return rows
