"""Visits that come in at the same time: none is lost from the count, and no two wait in a circle."""

import threading
import time
from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection, transaction

from eldercare.models import Elder
from tests.races import SURELY, at_once, raised
from tests.registry import make_elder
from tests.visits.conftest import COUNTY, MARCH, TierMaker, open_month, visit
from visits.models import Obligation
from visits.services import obligation
from visits.services.obligation import obligations_refresh

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elders(tier: TierMaker) -> list[Elder]:
    """Ten elders who must be seen twice in March."""
    tier(times=2)
    found = [make_elder(date(1950, 5, 5)) for _ in range(10)]
    open_month()
    return found


def come_in(elder: Elder, day: int) -> None:
    """Store a visit and count it, as every way in does."""
    visit(elder, f"2026-03-{day:02d}")
    obligations_refresh(month=MARCH, county_code=COUNTY, elder_ids=[elder.pk])


def waiting() -> bool:
    """Tell whether a connection waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def beside_an_unfinished_one(first: Callable[[], None], second: Callable[[], None]) -> list[Exception]:
    """Take the first step, then the second in a thread; commit the first only when the second waits for it."""
    failed: list[Exception] = []

    def take_second() -> None:
        try:
            with transaction.atomic():
                second()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=take_second)
    with transaction.atomic():
        first()
        thread.start()
        until = time.monotonic() + SURELY
        while not waiting() and time.monotonic() < until:
            time.sleep(0.01)
        assert waiting(), "the second never waited for the first"
    thread.join()
    return failed


def two_visits_to_one_elder(elder: Elder) -> int:
    """Let two visits on two days come in at once; how many count in the end."""
    failed = beside_an_unfinished_one(lambda: come_in(elder, 3), lambda: come_in(elder, 4))
    assert failed == []
    return Obligation.objects.get(elder=elder).done


def test_without_the_lock_on_the_row_a_visit_is_lost_from_the_count(
    elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obligation, "_rows_lock", lambda *_: None)
    assert two_visits_to_one_elder(elders[0]) == 1


def test_two_visits_to_one_elder_at_once_both_count(elders: list[Elder]) -> None:
    assert two_visits_to_one_elder(elders[0]) == 2


def test_without_the_countys_lock_its_refresh_loses_a_visit(
    elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obligation, "months_hold_alone", lambda: None)
    assert beside_the_whole_county(elders[0]) == 1


def test_the_refresh_of_a_whole_county_waits_for_who_counts(elders: list[Elder]) -> None:
    assert beside_the_whole_county(elders[0]) == 2


def beside_the_whole_county(elder: Elder) -> int:
    """Let a visit come in while another, stored but not yet counted, is counted with its whole county."""

    def the_county() -> None:
        visit(elder, "2026-03-04")
        obligations_refresh(month=MARCH, county_code=COUNTY)

    assert beside_an_unfinished_one(lambda: come_in(elder, 3), the_county) == []
    return Obligation.objects.get(elder=elder).done


def test_phones_of_different_elders_do_not_wait_for_each_other(elders: list[Elder]) -> None:
    """The second comes to its end while the first has not finished: its thread is joined inside the transaction."""
    with transaction.atomic():
        come_in(elders[0], 3)
        results = at_once(lambda: come_in(elders[1], 3))
    assert raised(results) == []
    assert list(
        Obligation.objects.filter(done=1).values_list("elder_id", flat=True).order_by("elder_id")
    ) == [
        elders[0].pk,
        elders[1].pk,
    ]


def refresh_in(order: list[Elder]) -> None:
    with transaction.atomic():
        for elder in order:
            visit(elder, "2026-03-05")
        obligation.obligations_refresh(month=MARCH, county_code=COUNTY, elder_ids=[e.pk for e in order])


def test_the_same_elders_in_opposite_orders_do_not_block_each_other_for_ever(elders: list[Elder]) -> None:
    for _ in range(10):
        results = at_once(
            lambda: refresh_in(elders),
            lambda: refresh_in(elders[::-1]),
            lambda: obligations_refresh(month=MARCH, county_code=COUNTY),
        )
        assert raised(results) == []
    assert Obligation.objects.filter(done=1).count() == len(elders)


def test_locking_elder_by_elder_as_they_come_would_block_for_ever(
    elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: rows taken in the order given, with both holding their first one, end in a deadlock."""
    meeting = threading.Barrier(2, timeout=SURELY)

    def lock_as_they_come(cursor: object, month: date, where: str, given: dict[str, list[int]]) -> None:
        first, last = given["elders"][0], given["elders"][-1]
        list(Obligation.objects.select_for_update(no_key=True).filter(elder=first))
        meeting.wait()
        list(Obligation.objects.select_for_update(no_key=True).filter(elder=last))

    monkeypatch.setattr(obligation, "_rows_lock", lock_as_they_come)
    results = at_once(
        lambda: refresh_in(elders),
        lambda: refresh_in(elders[::-1]),
    )
    assert ["deadlock" in str(error) for error in raised(results)] == [True]


def test_twenty_visits_to_ten_elders_from_five_phones_all_count(elders: list[Elder]) -> None:
    def phone(number: int) -> Callable[[], None]:
        mine = elders[number::5]

        def send() -> None:
            for elder in mine + mine[::-1]:
                come_in(elder, 10 if elder.pk % 2 else 11)
            for elder in elders:
                visit(elder, "2026-03-20")
            obligations_refresh(month=MARCH, county_code=COUNTY, elder_ids=[e.pk for e in elders])

        return send

    assert raised(at_once(*(phone(number) for number in range(5)))) == []
    assert set(Obligation.objects.values_list("done", "met")) == {(2, True)}
