"""Whom a batch of the people's list is about: the ticked rows, or everybody whom the filters find."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from organization.choices import Permission
from organization.permissions import SignedInRequest
from portal.visit_people import asked_of
from visits.people import Asked, PeopleState, obligations_asked, people_ids

MOST: Final = 100


@dataclass(frozen=True)
class Chosen:
    """Open obligations with the day on which they are due, and the list to go back to."""

    due: list[tuple[int, date | None]]
    back: str
    filters: str
    whole: bool

    @property
    def ids(self) -> list[int]:
        """Ids of the obligations."""
        return [pk for pk, _ in self.due]


def chosen_people(request: SignedInRequest, month: date, permission: Permission) -> Chosen:
    """Read what was ticked (person), or with whole=1 the filters of the list; only what the user may act on."""
    filters = QueryDict(request.POST.get("filters", ""))
    whole = request.POST.get("whole") == "1"
    if whole:
        asked, _ = asked_of(request, month, filters)
        rows = obligations_asked(asked, request.user, permission)
        open_only = asked.state in (PeopleState.OPEN, PeopleState.OVERDUE, PeopleState.UNASSIGNED)
        state = asked.state if open_only else PeopleState.OPEN
    else:
        ids = [int(pk) for pk in request.POST.getlist("person")[:MOST] if pk.isascii() and pk.isdigit()]
        rows = obligations_asked(Asked(month), request.user, permission).filter(pk__in=ids)
        state = PeopleState.OPEN
    due = people_ids(rows, Asked(month, state), timezone.localdate())
    return Chosen(due, list_url(month, filters), filters.urlencode(), whole)


def list_url(month: date, filters: QueryDict) -> str:
    """The list of people with these filters."""
    url = reverse("portal:visit-people", args=[month])
    return f"{url}?{filters.urlencode()}" if filters else url
