"""What an elder's record shows: head, timeline, household, accounts, visits, entitlements."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.db.models import Count
from django.utils import timezone

from catalog.models import Item
from eldercare.choices import YES, Kind
from eldercare.facts import completed_years, month_last_day
from eldercare.models import Circumstance, Elder
from organization.models import User
from portal.pills import Pill, pills_of, value_label
from portal.places import place_names
from portal.proofs import Service, Source, service_of
from subsidies.explanation import Explanation, explain
from subsidies.models import Entitlement, Month
from visits.models import Visit

VISITS_SHOWN = timedelta(days=183)
AREAS = {Kind.HUKOU, Kind.RESIDENCE}


@dataclass(frozen=True)
class Event:
    """One dated circumstance: what, from when to when (last day included), from where."""

    what: str
    since: date | None
    until: date | None
    current: bool
    source: str
    document: str


@dataclass(frozen=True)
class Record:
    """An elder with everything that the page shows around the services."""

    elder: Elder
    age: int
    place: str
    residence: str
    pills: list[Pill]
    gone: str
    events: list[Event]


@dataclass(frozen=True)
class Panel:
    """Services of one month for one elder, most useful first; reason: why there are none."""

    month: Month | None
    months: list[Month]
    services: list[Service]
    open: list[Service]
    reason: str = ""
    policy_changed: bool = False


def record_of(elder: Elder) -> Record:
    """Head and timeline of an elder, in two queries."""
    today = timezone.localdate()
    rows = list(Circumstance.objects.filter(elder=elder).order_by("kind", "valid"))
    places = place_names(
        {elder.hukou_code, elder.residence_code} | {r.value for r in rows if r.kind in AREAS}
    )
    current = [row for row in rows if _holds(row, today)]
    events = [_event(row, today, places) for row in rows]
    events.sort(key=lambda event: (event.current, event.since or date.min), reverse=True)
    return Record(
        elder=elder,
        age=completed_years(elder.birth_date, today),
        place=places.get(elder.hukou_code, ""),
        residence="" if elder.residence_code == elder.hukou_code else places.get(elder.residence_code, ""),
        pills=pills_of((row.kind, row.value) for row in current),
        gone=_gone(current),
        events=events,
    )


def household_of(elder: Elder, user: User) -> list[Elder]:
    """Other elders of the household whom the user may see."""
    return list(
        Elder.objects.visible_to(user).filter(household_key=elder.household_key).exclude(pk=elder.pk)[:20]
    )


def visits_of(elder: Elder) -> list[Visit]:
    """Visits of the last half year that stand, with `photo_count`."""
    since = timezone.now() - VISITS_SHOWN
    rows = Visit.objects.standing().filter(elder=elder, at__gte=since).annotate(photo_count=Count("photos"))
    return list(rows.order_by("-at")[:50])


def by_month(entitlements: Iterable[Entitlement]) -> list[tuple[date, list[Entitlement]]]:
    """Group entitlements, newest first, by month."""
    return [(month, list(rows)) for month, rows in groupby(entitlements, key=lambda row: row.month)]


def panel_of(elder: Elder, months: list[Month], chosen: Month | None) -> Panel:
    """The services of the chosen month, explained on the facts that the month froze."""
    if chosen is None:
        return Panel(None, months, [], [], "本县还没有核定过月份；核定后这里逐项说明能享受什么、为什么。")
    try:
        explanation = explain(elder=elder, month=chosen)
    except LookupError:
        return Panel(chosen, months, [], [], "这个月没有适用的服务清单。")
    if not explanation.items:
        return Panel(chosen, months, [], [], "这个月核定时不在本县人员之列（未登记、已故或已迁出）。")
    services = _services(elder, explanation)
    return Panel(
        chosen,
        months,
        services,
        [s for s in services if s.rank < 5],
        policy_changed=explanation.policy_changed,
    )


def _services(elder: Elder, explanation: Explanation) -> list[Service]:
    day = month_last_day(explanation.month.month)
    held = Circumstance.objects.filter(
        elder=elder, valid__overlap=(explanation.month.month, day + timedelta(days=1))
    )
    sources = {
        Kind(row.kind): Source(row.valid.lower, row.source or row.document) for row in held.order_by("valid")
    }
    items = [explained.item.item_id for explained in explanation.items]
    printed = dict(Item.objects.filter(pk__in=items).values_list("pk", "printed"))
    services = [service_of(e, sources, printed.get(e.item.item_id, "")) for e in explanation.items]
    return sorted(
        services,
        key=lambda service: (service.rank, service.explained.item.number, service.explained.item.code),
    )


def _holds(row: Circumstance, day: date) -> bool:
    return (row.valid.lower is None or row.valid.lower <= day) and (
        row.valid.upper is None or day < row.valid.upper
    )


def _event(row: Circumstance, today: date, places: dict[str, str]) -> Event:
    kind = Kind(row.kind)
    value = places.get(row.value, row.value) if kind in AREAS else value_label(kind, row.value)
    what = kind.label if value == YES else f"{kind.label}：{value}"
    until = row.valid.upper - timedelta(days=1) if row.valid.upper else None
    return Event(what, row.valid.lower, until, _holds(row, today), row.source, row.document)


def _gone(current: list[Circumstance]) -> str:
    since = {Kind(row.kind): row.valid.lower for row in current}
    if Kind.DEATH in since:
        return f"已于 {since[Kind.DEATH]} 去世"
    return f"已于 {since[Kind.MOVED_OUT]} 迁出" if Kind.MOVED_OUT in since else ""
