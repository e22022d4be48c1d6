"""Single changes of dated circumstances, by the same rule as a roster's (eldercare.roster.plan)."""

from datetime import date

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from eldercare.choices import Kind
from eldercare.models import Circumstance, Elder, ImportChange
from eldercare.roster.writing import areas_refresh

EVENTS = frozenset({Kind.DEATH, Kind.MOVED_OUT})
# A new finding of the same level counts anew from its own day.
DATED = frozenset({Kind.ABILITY_LEVEL})


def circumstance_set(
    *,
    elder: Elder,
    kind: Kind,
    value: str | None,
    starts: date,
    source: str,
    document: str = "",
    ends: date | None = None,
) -> Circumstance | None:
    """Say that a circumstance holds from a day on (value None: no longer); return the row, None if nothing changed.

    ends: day after the last, if known; what the registry knows about later days stays. An event (death, moving out)
    has one day: another replaces it, None ends it, and takes a death back.
    """
    with transaction.atomic():
        elder = Elder.objects.select_for_update(no_key=True).get(pk=elder.pk)
        rows = list(Circumstance.objects.filter(elder=elder, kind=kind).order_by("valid"))
        held = next((row for row in rows if _holds(row, starts)), None)
        cut, until, known = _plan(rows, held, kind, value, starts, ends)
        if known or (value is None and not cut):
            return None
        _remember(elder, cut)
        for row in cut:
            _end(row, starts, goes=kind in EVENTS and (value is not None or kind == Kind.DEATH))
        new = None
        if value is not None:
            new = Circumstance.objects.create(
                elder=elder, kind=kind, value=value, valid=(starts, until), source=source, document=document
            )
        if kind in (Kind.HUKOU, Kind.RESIDENCE):
            elder_areas_refresh(elder_ids=[elder.pk])
    return new


def elder_areas_refresh(*, elder_ids: list[int] | None = None) -> None:
    """Bring the elders' area codes in line with today's circumstances; all elders whose areas change about now if None.

    Run daily: a change of area may have been registered for a day that has come only now.
    """
    today = timezone.localdate()
    with transaction.atomic(), connection.cursor() as cursor:
        if elder_ids is None:
            due = Q(valid__startswith=today) | Q(valid__endswith=today)
            rows = Circumstance.objects.filter(due, kind__in=(Kind.HUKOU, Kind.RESIDENCE))
            elder_ids = list(rows.values_list("elder_id", flat=True).distinct())
        cursor.execute(
            "CREATE TEMP TABLE areas_due ON COMMIT DROP AS SELECT unnest(%s::bigint[]) AS id", [elder_ids]
        )
        areas_refresh(cursor, "areas_due", today)
        cursor.execute("DROP TABLE areas_due")


def _plan(
    rows: list[Circumstance],
    held: Circumstance | None,
    kind: Kind,
    value: str | None,
    starts: date,
    ends: date | None,
) -> tuple[list[Circumstance], date | None, bool]:
    """Return the rows to end or remove, the day after the new row's last, and whether it is all known already."""
    if kind in EVENTS:
        return _plan_event(rows, held, kind, value, starts)
    following = min((row.valid.lower for row in rows if row.valid.lower > starts), default=None)
    if ends is not None:
        until: date | None = min(ends, following or ends)
    else:
        until = held.valid.upper if held else following
    known = held is not None and held.value == value
    if kind in DATED:
        known = known and held is not None and held.valid.lower == starts
    if ends is not None:
        known = known and held is not None and held.valid.upper == until
    return [held] if held else [], until, known


def _plan_event(
    rows: list[Circumstance], held: Circumstance | None, kind: Kind, value: str | None, starts: date
) -> tuple[list[Circumstance], date | None, bool]:
    if value is None:
        return (rows if kind == Kind.DEATH else [held] if held else []), None, False
    over = [row for row in rows if row.valid.upper is None or row.valid.upper > starts]
    known = len(over) == 1 and over[0].valid.lower == starts and over[0].valid.upper is None
    return over, None, known


def _holds(row: Circumstance, day: date) -> bool:
    return row.valid.lower <= day and (row.valid.upper is None or day < row.valid.upper)


def _end(row: Circumstance, day: date, *, goes: bool) -> None:
    if goes or row.valid.lower >= day:
        row.delete()
        return
    row.ended_from = row.valid.upper
    row.ended_by = None
    row.valid = (row.valid.lower, day)
    row.save(update_fields=["valid", "ended_from", "ended_by"])


def _remember(elder: Elder, cut: list[Circumstance]) -> None:
    """A single change lies on the same stack as imports: a batch below it cannot be taken back before it."""
    before = {"circumstances": [row.pk for row in cut]}
    ImportChange.objects.create(elder=elder, batch=None, before=before)
