"""Whose people elders were in a month, and which visits to them come in after that month was locked."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime

from eldercare.models import Elder
from visits.admission import Duty, is_late
from visits.cells import ZONE
from visits.models import Obligation
from visits.months import locked_townships

#: An elder's id and the first day of a month.
ElderMonth = tuple[int, date]


def duties_of(elder_ids: Iterable[int], months: Iterable[date]) -> dict[ElderMonth, list[Duty]]:
    """Give the obligations of these elders in these months. One query."""
    duties: dict[ElderMonth, list[Duty]] = defaultdict(list)
    rows = Obligation.objects.filter(elder_id__in=elder_ids, month__in=months).order_by()
    fields = ("elder_id", "month", "area_code", "county_code", "assignee_id")
    for elder_id, month, area, county, assignee in rows.values_list(*fields):
        duties[elder_id, month].append(Duty(area, county, assignee))
    return duties


def month_of(at: datetime) -> date:
    """Return the first day of the month in which a moment lies in Asia/Shanghai."""
    return at.astimezone(ZONE).date().replace(day=1)


def late_of(visited: Collection[ElderMonth]) -> set[ElderMonth]:
    """Give those whose township had locked the month: a visit that comes in now is 补录.

    At most three queries; stays true to the end of the transaction after `months_hold`.
    """
    locked = locked_townships({month for _, month in visited})
    months = {month for month, _ in locked}
    concerned = {(elder_id, month) for elder_id, month in visited if month in months}
    if not concerned:
        return set()
    elder_ids = {elder_id for elder_id, _ in concerned}
    duties = duties_of(elder_ids, months)
    rows = Elder.objects.filter(pk__in=elder_ids).order_by()
    homes = {pk: home or hukou for pk, home, hukou in rows.values_list("pk", "residence_code", "hukou_code")}
    return {
        (elder_id, month)
        for elder_id, month in concerned
        if is_late(month, homes[elder_id], duties.get((elder_id, month), ()), locked)
    }
