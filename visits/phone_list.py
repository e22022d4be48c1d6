"""What a worker's phone may know: whom to visit, how urgent it is, the server's figures, what was returned.

The least that a day in the villages needs: no ID number, account, whole phone number or finding of health leaves
the server.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Count, Q
from django.utils import timezone

from catalog.choices import Per, VisitMode
from catalog.selectors import finding_kinds
from eldercare.models import Elder
from organization.areas import CODE_LENGTH, county_code
from organization.choices import Permission
from organization.models import Area, User
from visits.cells import ZONE
from visits.choices import DEPARTURE_KINDS, EFFECTIVE, OPEN_FOLLOW_UP, FollowUpKind, Result
from visits.due import DueState, due_state, next_due
from visits.models import FollowUp, Obligation, Visit
from visits.people import notices_of
from visits.phone_ref import phone_key, read_ref, ref_of
from visits.querysets import MET, OBLIGED, VisitQuerySet
from visits.slots import counted_days, slot_count

PEOPLE: Final = 500
RETURNED: Final = 100
YEAR: Final = timedelta(days=366)
DOOR: Final = 30
#: Digits that are nobody's door: a number of an account, a card or a telephone typed into an address.
_NUMBER: Final = re.compile(r"\d(?:[\s-]?\d){10,}[Xx]?|\d{7,}")

#: What an open follow-up asks of the worker, most urgent first.
MUST: Final = {
    FollowUpKind.HOME_VISIT: "两次未联系上，请当日上门",
    FollowUpKind.RED_RISK: "红色风险，请 24 小时内复访",
}
#: What was reported of somebody and nobody has checked yet; there is nobody to be visited until then.
REPORTED: Final = {
    Result.DECEASED: "已报去世，待核实",
    Result.MOVED_OUT: "已报迁出，待核实",
    Result.INSTITUTION: "已报入住机构，待核实",
}
NOT_OPENED: Final = "本月探访任务还没有下达，名单按上月，记录照常登记"
TOO_MANY: Final = f"名单超过 {PEOPLE} 人，只显示最急的 {PEOPLE} 人；请镇（街）经办人分配探访任务"


class Person(NamedTuple):
    """One elder of the list. reported: gone by a report that is still to be checked; `must` says which."""

    ref: str
    name: str
    village: str
    door: str
    tier: str
    due: date | None
    state: DueState
    modes: list[str]
    home_only: bool
    must: str
    reported: bool
    last: dict[str, Any] | None
    phone: str


def phone_data(*, user: User, now: datetime) -> dict[str, Any]:
    """Everything a phone loads, but for what belongs to the session. Reads only, a fixed number of queries."""
    today = now.astimezone(ZONE).date()
    month = today.replace(day=1)
    listed = month if _is_open(user, month) else _month_before(month)
    people = _people(user, listed, today)
    areas = [assignment.area for assignment in user.active_assignments]
    return {
        "user": {
            "key": phone_key(user),
            "name": str(user),
            "area": "、".join(sorted({area.name for area in areas})),
        },
        "server_time": now,
        "month": f"{month:%Y-%m}",
        "figures": phone_figures(user=user, today=today),
        "notices": [
            *([NOT_OPENED] if listed != month else []),
            *([TOO_MANY] if len(people) > PEOPLE else []),
            *notices_of(user),
        ],
        "people": [person._asdict() for person in people[:PEOPLE]],
        "findings": [
            {"code": kind.code, "group": kind.group, "name": kind.name, "risk": kind.risk}
            for kind in finding_kinds(_home(user), today)
        ],
        "returned": _returned(user),
    }


def phone_figures(*, user: User, today: date) -> dict[str, int]:
    """Count the user's obligations of the month as the server has them, and the records sent back. 2 queries."""
    mine = Obligation.objects.filter(month=today.replace(day=1)).of_worker(user)
    figures = mine.aggregate(
        obliged=OBLIGED, met=MET, exempt=Count("pk", filter=Q(exempt_from__isnull=False))
    )
    return figures | {"returned": _returned_records(user).count()}


def elder_called(*, ref: str, user: User) -> Elder | None:
    """Give whom a reference means if the user may call that elder: of the user's areas, or the user's this month."""
    meant = read_ref(ref, user)
    if meant is None:
        return None
    month = timezone.localdate().replace(day=1)
    assigned = Obligation.objects.filter(assignee=user, month__in=[month, _month_before(month)])
    elder = Elder.objects.filter(pk=meant.pk).select_related("contact").first()
    if elder is None or not meant.names(elder.pk, elder.created_at):
        return None
    in_reach = (
        Elder.objects.visible_to(user, Permission.PHONE_REVEAL).filter(pk=elder.pk).exists()
        or assigned.filter(elder=elder).exists()
    )
    return elder if in_reach else None


def _home(user: User) -> str:
    """The area, or one of them, in which the user visits."""
    return user.area_prefixes(Permission.VISIT_RECORD)[0].ljust(CODE_LENGTH, "0")


def _is_open(user: User, month: date) -> bool:
    counties = {county_code(assignment.area_id) for assignment in user.active_assignments}
    return Obligation.objects.filter(month=month, county_code__in=counties).exists()


def _people(user: User, listed: date, today: date) -> list[Person]:
    """Everyone who is to be visited, most urgent first: who must be seen today, who is overdue, then by due day."""
    obliged = Obligation.objects.filter(month=listed, exempt_from=None).of_worker(user)
    found = obliged.select_related("elder__contact", "tier").order_by("elder_id", "county_code")
    rows = {row.elder_id: row for row in found}
    month, elders = today.replace(day=1), list(rows)
    visited, last, must, gone = (
        _visited(elders, month),
        _last(elders, today),
        _must(elders),
        _reported(elders),
    )
    missed = _missed(elders, _month_before(month))
    areas = {row.area_code for row in rows.values()}
    villages = dict(Area.objects.filter(code__in=areas).values_list("code", "name"))

    def person(row: Obligation) -> Person:
        elder, tier = row.elder, row.tier
        days = [(day, mode == VisitMode.HOME) for day, mode in visited[elder.pk] if mode in tier.modes]
        due = next_due(
            month=month,
            per=Per(tier.per),
            times=tier.times,
            in_person=tier.in_person,
            visited=days,
            today=today,
        )
        at_home = {day for day, is_home in days if is_home and day >= month}
        return Person(
            ref=ref_of(elder, user),
            name=elder.name,
            village=villages.get(row.area_code, ""),
            door=_door(elder.address),
            tier=tier.name,
            due=due,
            state=due_state(due, today, elder.pk in missed),
            modes=tier.modes,
            home_only=len(at_home) < tier.in_person,
            must=must.get(elder.pk) or gone.get(elder.pk, ""),
            # what has to be seen to at once was told of after the report: a report drops what was open before
            reported=elder.pk in gone and elder.pk not in must,
            last=last.get(elder.pk),
            phone=_phone(elder),
        )

    return sorted([person(row) for row in rows.values()], key=_urgency)


def _urgency(person: Person) -> tuple[bool, bool, bool, bool, date, str, str, str]:
    """Sort key; who has been visited enough comes late, who was reported gone last."""
    return (
        person.reported,
        not person.must,
        person.state != DueState.OVERDUE,
        person.due is None,
        person.due or date.max,
        person.village,
        person.name,
        person.ref,
    )


def _visited(elders: Sequence[int], month: date) -> dict[int, set[tuple[date, str]]]:
    """Days and modes of the effective visits that may count in the month, by elder."""
    first = min(counted_days(month, per)[0] for per in Per if slot_count(month, per))
    visited: dict[int, set[tuple[date, str]]] = defaultdict(set)
    for elder_id, at, mode in (
        _standing(elders, first).filter(result__in=EFFECTIVE).values_list("elder_id", "at", "mode")
    ):
        visited[elder_id].add((at.astimezone(ZONE).date(), mode))
    return visited


def _last(elders: Sequence[int], today: date) -> dict[int, dict[str, Any]]:
    """What the newest visit of the past year said, by elder."""
    rows = _standing(elders, today - YEAR).order_by("elder_id", "-at", "id").distinct("elder_id")
    return {
        elder_id: {"result": result, "mode": mode, "on": at.astimezone(ZONE).date()}
        for elder_id, result, mode, at in rows.values_list("elder_id", "result", "mode", "at")
    }


def _standing(elders: Sequence[int], since: date) -> VisitQuerySet:
    midnight = datetime.combine(since, time.min, tzinfo=ZONE)
    return Visit.objects.standing().filter(elder_id__in=elders, at__gte=midnight)


def _must(elders: Sequence[int]) -> dict[int, str]:
    """What open follow-ups ask for, the most urgent of each elder."""
    rows = FollowUp.objects.filter(elder_id__in=elders, kind__in=MUST, state__in=OPEN_FOLLOW_UP)
    asked = set(rows.values_list("elder_id", "kind"))
    return {elder: text for kind, text in reversed(MUST.items()) for elder, asks in asked if asks == kind}


def _reported(elders: Sequence[int]) -> dict[int, str]:
    """What was reported of whom and is still to be checked; of two reports the graver."""
    rows = FollowUp.objects.filter(elder_id__in=elders, kind__in=DEPARTURE_KINDS, state__in=OPEN_FOLLOW_UP)
    said = set(rows.values_list("elder_id", "visit__result"))
    return {
        elder: text for result, text in reversed(REPORTED.items()) for elder, told in said if told == result
    }


def _missed(elders: Sequence[int], month: date) -> set[int]:
    """Who was obliged in the month and not visited enough."""
    rows = Obligation.objects.filter(month=month, elder_id__in=elders, late_met=False).still_open()
    return set(rows.values_list("elder_id", flat=True))


def _returned_records(user: User) -> VisitQuerySet:
    """The user's records that were sent back and not yet corrected."""
    return Visit.objects.to_mend().filter(recorder=user)


def _returned(user: User) -> list[dict[str, Any]]:
    rows = _returned_records(user).select_related("elder", "returned").order_by("-returned__at")
    return [
        {
            "id": row.pk,
            "ref": ref_of(row.elder, user),
            "name": row.elder.name,
            "reason": row.returned.reason,
            "at": row.at,
            "mode": row.mode,
            "result": row.result,
        }
        for row in rows[:RETURNED]
    ]


def _phone(elder: Elder) -> str:
    """The number under which the elder can be called, else the contact's, masked."""
    contact = getattr(elder, "contact", None)
    return elder.masked_phone or (contact.masked_phone if contact else "")


def _door(address: str) -> str:
    """The end of an address, where the door is."""
    return _NUMBER.sub("", address)[-DOOR:].strip()


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
