"""What follows when visits have come in, whichever way: everything that is counted from them is counted anew."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from visits.cells import ZONE
from visits.models import Obligation
from visits.months import months_hold
from visits.services.follow_up import follow_ups_hold, follow_ups_refresh
from visits.services.obligation import obligations_refresh
from visits.services.signal import signals_find
from visits.slots import months_counting


def visits_arrived(*, visit_ids: Sequence[UUID], now: datetime) -> None:
    """Bring in line what rests on these visits and on those that they replace; for their return as well.

    Runs in the transaction that stored or returned them. Everything is computed from the stored events alone, so
    that any order of arrival leads to the same end. Callers write their audit rows afterwards: the lock of the chain
    is held to the end, so that it must be the last one that anybody takes.
    """
    touched = _touched(visit_ids)
    if not touched:
        return
    elder_ids = sorted({elder_id for elder_id, _ in touched})
    # The months, the follow-ups, the obligations: whoever decides a follow-up holds them in this order as well.
    months_hold()
    follow_ups_hold(elder_ids)
    _obligations_recount(touched)
    signals_find(visit_ids=visit_ids)
    follow_ups_refresh(elder_ids=elder_ids, now=now)  # last: it writes audit rows


def _touched(visit_ids: Sequence[UUID]) -> list[tuple[int, date]]:
    """Give elder and day in Shanghai of these visits, of those that they correct and of other corrections of these."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT elder_id, (at AT TIME ZONE '{ZONE.key}')::date FROM visits_visit
            WHERE id = ANY (%(ids)s)
            UNION
            SELECT old.elder_id, (old.at AT TIME ZONE '{ZONE.key}')::date
            FROM visits_visit AS old JOIN visits_visit AS correction ON correction.corrects_id = old.id
            WHERE correction.id = ANY (%(ids)s)
            UNION
            SELECT other.elder_id, (other.at AT TIME ZONE '{ZONE.key}')::date
            FROM visits_visit AS other JOIN visits_visit AS correction USING (corrects_id)
            WHERE correction.id = ANY (%(ids)s)""",
            {"ids": list(visit_ids)},
        )
        return [(elder_id, day) for elder_id, day in cursor.fetchall()]


def _obligations_recount(visits: Iterable[tuple[int, date]]) -> None:
    """Refresh the obligations in which visits to these elders on these days may count."""
    months: dict[date, set[int]] = defaultdict(set)
    for elder_id, day in visits:
        for month in months_counting(day):
            months[month].add(elder_id)
    everyone = set[int]().union(*months.values())
    opened = Obligation.objects.filter(month__in=months, elder_id__in=everyone).order_by(
        "month", "county_code"
    )
    for month, county_code in opened.values_list("month", "county_code").distinct():
        obligations_refresh(month=month, county_code=county_code, elder_ids=sorted(months[month]))
