"""Two who share the same people out at once: the race is first won with the lock off."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.registry import make_elder
from tests.visits.conftest import TOWN_A, VILLAGE_A1, VILLAGE_A2, TierMaker, open_month
from visits.models import Caseload, Obligation
from visits.services import caseload
from visits.services.caseload import Change, elders_assign

pytestmark = pytest.mark.django_db(transaction=True)


def this_month() -> date:
    return timezone.localdate().replace(day=1)


@pytest.fixture
def elder(tier: TierMaker) -> Elder:
    """An elder of 甲一村 whom nobody has yet."""
    tier()
    found = make_elder(date(1940, 5, 5))
    open_month(this_month())
    return found


def give_twice(elder: Elder, monkeypatch: pytest.MonkeyPatch, wait: float) -> list[Any]:
    """A clerk and a lead give the same elder to two workers, and meet once both know what stood before."""
    staff = [
        (make_user("clerk", Role.TOWNSHIP_CLERK, TOWN_A), make_user("li", Role.VILLAGE_WORKER, VILLAGE_A1)),
        (make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A), make_user("wang", Role.VILLAGE_WORKER, VILLAGE_A2)),
    ]
    read = met_after(lambda *given: list(OVERLAPPING(*given)), wait)
    monkeypatch.setattr(caseload, "_overlapping", read)
    shown = timezone.now()

    def give(actor: User, worker: User) -> object:
        change = Change(worker=worker, since=timezone.localdate(), actor=actor, seen=shown)
        return elders_assign(elder_ids=[elder.pk], change=change)

    return at_once(*[lambda pair=pair: give(*pair) for pair in staff])


OVERLAPPING = caseload._overlapping


def test_without_the_lock_the_second_runs_into_the_database(
    elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caseload, "_county_hold", lambda areas: None)
    results = give_twice(elder, monkeypatch, SURELY)
    assert [type(error) for error in raised(results)] == [IntegrityError]


def test_with_it_the_second_is_told_and_changes_nothing(
    elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = give_twice(elder, monkeypatch, IN_VAIN)
    assert raised(results) == []
    assert sorted(len(result.skipped) for result in results) == [0, 1]
    row = Caseload.objects.get()
    assert Obligation.objects.get().assignee == row.worker
