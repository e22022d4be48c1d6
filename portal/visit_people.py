"""The list of a month's people as pages, papers and files show it: what it is asked for, and its rows, masked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from catalog.models import VisitTier
from eldercare.models import Elder
from operations.crypto import blind_index
from organization.choices import Permission
from organization.models import User
from portal import finds
from portal.filtersets import AREA
from portal.places import place_names
from portal.views.elders import ID_NUMBER
from visits.choices import FollowUpKind
from visits.due import DueState
from visits.people import MINE, NOBODY, Asked, PeopleState, PersonDue
from visits.querysets import ObligationQuerySet

FILTERS: Final = ("area", "only", "tier", "worker", "state", "size")
HEADINGS: Final = (
    "姓名",
    "村（社区）",
    "住址",
    "层级",
    "应访次数",
    "已访次数",
    "状态",
    "最迟日期",
    "最近一次",
    "探访人",
    "联系电话",
)
TONES: Final = {
    DueState.OVERDUE.value: "danger",
    DueState.TODAY.value: "attention",
    DueState.THIS_WEEK.value: "attention",
    DueState.MET.value: "good",
}
#: Kind of the open follow-up → what is told beside the name.
REPORTED: Final[dict[str, str]] = {
    FollowUpKind.DEATH: "已报去世，待核实",
    FollowUpKind.MOVED_OUT: "已报迁出，待核实",
}
LONGEST_KEY: Final = 12


@dataclass(frozen=True)
class PersonRow:
    """One line: the elder masked, in words.

    why: what makes it overdue before its day; reported: a death or move to be checked; opens: the elder's page is in
    the user's sight; exempt: since when and why nobody has to visit.
    """

    pk: int
    elder_id: int
    name: str
    place: str
    moved_to: str
    address: str
    tier: str
    due_times: int
    done_times: int
    state: str
    tone: str
    due: date | None
    last: str
    worker: str
    phone: str
    why: str
    reported: str
    opens: bool
    exempt: str

    @property
    def village(self) -> str:
        """The village without its township, for lists of one township."""
        return self.place.split(" ")[-1]

    def cells(self) -> tuple[str | int, ...]:
        """The line in the order of HEADINGS."""
        return (
            self.name,
            self.place,
            self.address,
            self.tier,
            self.due_times,
            self.done_times,
            self.state,
            f"{self.due or ''}",
            self.last,
            self.worker,
            self.phone,
        )


def asked_of(request: HttpRequest, month: date, params: QueryDict) -> tuple[Asked, str | None]:
    """What the query asks for, and the search text: None if this session has forgotten it; then nobody is found."""
    token = params.get("find", "")
    text = finds.recall(request.session, token) if token else ""
    area, worker = params.get("area", ""), params.get("worker", "")
    state = params.get("state", "")
    asked = Asked(
        month=month,
        state=PeopleState(state) if state in PeopleState.values else PeopleState.OPEN,
        area=area if AREA.match(area) and area.isascii() else "",
        tier=params.get("tier", "").replace("\0", "")[:40],
        worker=worker if worker in (NOBODY, MINE) or _is_key(worker) else "",
        elders=_elders(text),
        exact=params.get("only") == "1",
    )
    return asked, text


def person_rows(people: Iterable[PersonDue], user: User) -> list[PersonRow]:
    """Lines of these people; one query for the names of their villages."""
    people = list(people)
    rows = [person.obligation for person in people]
    places = place_names(code for row in rows for code in (row.area_code, row.elder.residence_code))
    inside = tuple(user.area_prefixes(Permission.ELDER_VIEW))
    return [_row(person, places, inside) for person in people]


def workers_in(rows: ObligationQuerySet) -> QuerySet[User]:
    """Who is to visit somebody of these."""
    return User.objects.filter(pk__in=rows.order_by().values("assignee")).order_by("full_name", "pk")


def tiers_in(rows: ObligationQuerySet) -> list[tuple[str, str]]:
    """(code, name) of the tiers of these, each once, in their order."""
    tiers = VisitTier.objects.filter(pk__in=rows.order_by().values("tier")).order_by("order", "code")
    return list(dict(tiers.values_list("code", "name")).items())


def masked_phone(elder: Elder) -> str:
    """The number under which the elder can be called, else that of the elder's contact, masked; '' without."""
    contact = getattr(elder, "contact", None)
    return elder.masked_phone or (contact.masked_phone if contact else "")


def _row(person: PersonDue, places: dict[str, str], inside: tuple[str, ...]) -> PersonRow:
    row, elder = person.obligation, person.obligation.elder
    here = elder.residence_code or elder.hukou_code
    return PersonRow(
        pk=row.pk,
        elder_id=elder.pk,
        name=elder.name,
        place=places.get(row.area_code, row.area_code),
        moved_to="" if here == row.area_code else places.get(here, ""),
        address=elder.address,
        tier=row.tier.name,
        due_times=row.due,
        done_times=row.done,
        state=person.state,
        tone=TONES.get(person.state, ""),
        due=person.due,
        last=_last(person),
        worker=str(row.assignee) if row.assignee else "",
        phone=masked_phone(elder),
        why="上月未访" if person.missed and person.state == DueState.OVERDUE else "",
        reported=REPORTED.get(person.reported, ""),
        opens=elder.hukou_code.startswith(inside) or elder.residence_code.startswith(inside),
        exempt=f"{row.exempt_from:%m-%d} {row.exempt_reason}" if row.exempt_from else "",
    )


def _last(person: PersonDue) -> str:
    if person.last is None:
        return ""
    return f"{timezone.localtime(person.last.at):%m-%d} {person.last.mode} {person.last.result}"


def _elders(text: str | None) -> QuerySet[Elder] | None:
    if text is None:
        return Elder.objects.none()
    if not text:
        return None
    if ID_NUMBER.match(text):
        return Elder.objects.filter(id_number_index=blind_index(text.upper()))
    return Elder.objects.search(text)


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_KEY
