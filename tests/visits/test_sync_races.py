"""Phones at once: one record in many posts stays one, and no month is locked between judging and counting."""

import threading
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.races import IN_VAIN, SURELY, at_once, raised
from tests.registry import make_elder
from tests.visits.conftest import COUNTY, MARCH, TOWN_A, VILLAGE_A1, TierMaker, open_month
from tests.visits.phones import record, send
from visits.models import Finding, Obligation, Visit, VisitMonth
from visits.months import months_hold_alone
from visits.services import sync

pytestmark = pytest.mark.django_db(transaction=True)

POSTS = 50
Store = Callable[[Sequence[dict[str, Any]]], set[UUID]]


@pytest.fixture
def elders(tier: TierMaker) -> list[Elder]:
    """Thirty elders of 甲一村, obliged in March."""
    tier()
    found = [make_elder(date(1940, 1, 1), hukou=VILLAGE_A1) for _ in range(30)]
    open_month()
    return found


@pytest.fixture
def worker(elders: list[Elder]) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


def meeting(store: Store, posts: int) -> Store:
    """The storing, before which so many posts meet: each has judged its record new."""
    together = threading.Barrier(posts, timeout=SURELY)

    def meet_and_store(rows: Sequence[dict[str, Any]]) -> set[UUID]:
        together.wait()
        return store(rows)

    return meet_and_store


def stored_plainly(rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Store what was judged new without regard to what came in since."""
    values = [
        {key: value for key, value in row.items() if key not in ("corrects_id", "findings")} for row in rows
    ]
    return {visit.pk for visit in Visit.objects.bulk_create([Visit(**row) for row in values])}


def test_stored_plainly_a_post_that_was_overtaken_fails(
    worker: User, elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "visits_store", meeting(stored_plainly, 2))
    sent = record(elders[0], worker)
    answers = at_once(*[lambda: send(worker, sent)] * 2)
    assert [type(error) for error in raised(answers)] == [IntegrityError]


def test_fifty_posts_of_one_record_at_once_make_one_row(
    worker: User, elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "visits_store", meeting(sync.visits_store, POSTS))
    sent = record(elders[0], worker)
    answers = at_once(*[lambda: send(worker, sent)] * POSTS)
    assert raised(answers) == []
    assert sorted(answer.state for [answer] in answers) == ["known"] * (POSTS - 1) + ["stored"]
    assert all(answer.receipt for [answer] in answers)
    assert Visit.objects.count() == 1
    assert Obligation.objects.get(elder=elders[0]).done == 1


def test_two_contents_under_one_number_at_once_are_one_record_and_a_conflict(
    worker: User, elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "visits_store", meeting(sync.visits_store, 2))
    sent = record(elders[0], worker)
    answers = at_once(lambda: send(worker, sent), lambda: send(worker, sent | {"note": "另一页"}))
    assert sorted(answer.state for [answer] in answers) == ["conflict", "stored"]
    assert Visit.objects.count() == 1


def test_a_phone_that_sends_its_day_twice_at_once_in_other_orders_stores_it_once(
    worker: User, elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "visits_store", meeting(sync.visits_store, 2))
    day = [record(elder, worker) for elder in elders]
    answers = at_once(lambda: send(worker, *day), lambda: send(worker, *reversed(day)))
    assert raised(answers) == []
    states = [answer.state for answer in [*answers[0], *answers[1]]]
    assert (states.count("stored"), states.count("known")) == (30, 30)
    assert (Visit.objects.count(), Finding.objects.count()) == (30, 0)
    assert Obligation.objects.filter(met=True).count() == 30


def beside_a_submission(elder: Elder, worker: User, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, int, int]:
    """Lock the township between judging and counting a record, if nothing keeps it from that.

    Returns late of the record, done and late_done of the obligation.
    """
    judged, locked = threading.Event(), threading.Event()
    read = sync._surroundings

    def read_and_wait(*args: Any) -> Any:
        found = read(*args)
        judged.set()
        locked.wait(IN_VAIN)
        return found

    def submit() -> None:
        judged.wait(SURELY)
        with transaction.atomic():
            months_hold_alone()
            VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=TOWN_A, state="已提交")
        locked.set()

    monkeypatch.setattr(sync, "_surroundings", read_and_wait)
    sent = record(elder, worker)
    assert raised(at_once(lambda: send(worker, sent), submit)) == []
    row = Obligation.objects.get(elder=elder)
    return Visit.objects.get().late, row.done, row.late_done


def test_unless_the_months_are_held_a_record_is_counted_otherwise_than_it_was_judged(
    worker: User, elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "months_hold", lambda: None)
    assert beside_a_submission(elders[0], worker, monkeypatch) == (False, 0, 1)


def test_a_township_is_locked_before_a_record_is_judged_or_after_it_is_counted(
    worker: User, elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert beside_a_submission(elders[0], worker, monkeypatch) == (False, 1, 0)
