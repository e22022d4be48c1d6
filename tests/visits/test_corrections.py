"""Which of several corrections of one record stands: the last received, for every reader and whatever becomes of it."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from django.db import connection

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import MARCH, TOWN_A, VILLAGE_A1, TierMaker, open_month, state
from tests.visits.phones import number, record, send, shanghai
from visits.models import Obligation, Visit, VisitReturn
from visits.rate import Division, rate_lines, rate_whole
from visits.records import CORRECTED, with_mark
from visits.services.visit_return import visits_return
from visits.standing import standing

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = (shanghai(f"2026-03-20 {hour}:00") for hour in (12, 13, 14))


@pytest.fixture
def elder(tier: TierMaker) -> Elder:
    """An elder who must be seen once in March."""
    tier()
    found = make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)
    open_month()
    return found


@pytest.fixture
def worker(elder: Elder) -> User:
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


@pytest.fixture
def lead(elder: Elder) -> User:
    return make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)


def stand() -> set[UUID]:
    """Records that stand, as both ways of asking say."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT v.id FROM visits_visit v WHERE {standing('v')}")
        by_sql = {key for (key,) in cursor.fetchall()}
    assert by_sql == set(Visit.objects.standing().values_list("pk", flat=True))
    return by_sql


def stored(
    elder: Elder, at: datetime, corrects: UUID | None, key: UUID | None = None, result: str = "见到本人"
) -> UUID:
    """Store a visit as received at a moment."""
    visit = Visit(id=key or uuid4(), elder=elder, at=FIRST, mode="上门", result=result, corrects=corrects)
    Visit.objects.bulk_create([visit])
    with connection.cursor() as cursor:  # received when the test says; the trigger stands against any update
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE visits_visit SET recorded_at = %s WHERE id = %s", [at, visit.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    return visit.pk


def test_the_last_word_counts_of_two_corrections(elder: Elder, worker: User) -> None:
    first = record(elder, worker, "2026-03-10 10:00")
    again = record(elder, worker, "2026-03-10 10:00", corrects=first["id"])
    away = record(elder, worker, "2026-03-10 10:00", corrects=first["id"], result="外出")
    for hour, sent in ((FIRST, first), (SECOND, again)):
        send(worker, sent, now=hour)
    assert (stand(), Obligation.objects.get().met) == ({number(again)}, True)
    send(worker, away, now=THIRD)
    assert (stand(), Obligation.objects.get().met) == ({number(away)}, False)
    assert set(with_mark(Visit.objects.all(), CORRECTED).values_list("pk", flat=True)) == {
        number(first),
        number(again),
    }


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_stands_rests_on_when_it_was_received_not_on_the_order_of_rows(
    elder: Elder, order: Sequence[int]
) -> None:
    keys = [uuid4() for _ in range(3)]
    rows = [(FIRST, None), (SECOND, keys[0]), (THIRD, keys[0])]
    for place in order:
        stored(elder, *rows[place], keys[place])
    assert stand() == {keys[2]}


def test_two_received_at_once_are_told_apart_by_their_numbers(elder: Elder) -> None:
    first = stored(elder, FIRST, None)
    low, high = sorted((uuid4(), uuid4()))
    for key in (high, low):
        stored(elder, SECOND, first, key)
    assert stand() == {high}


def test_corrections_of_different_records_stand_beside_one_another(elder: Elder) -> None:
    one, other = stored(elder, FIRST, None), stored(elder, FIRST, None)
    corrections = {stored(elder, SECOND, one), stored(elder, THIRD, other)}
    assert stand() == corrections


def test_an_earlier_correction_does_not_come_back_when_the_last_is_corrected(elder: Elder) -> None:
    first = stored(elder, FIRST, None)
    stored(elder, SECOND, first)
    last = stored(elder, THIRD, stored(elder, THIRD, first))
    assert stand() == {last}


def test_an_earlier_correction_does_not_come_back_when_the_last_is_returned(elder: Elder, lead: User) -> None:
    first = stored(elder, FIRST, None)
    earlier = stored(elder, SECOND, first)
    last = stored(elder, THIRD, first)
    VisitReturn.objects.create(visit_id=last, reason="照片不符", by=lead)
    assert not stand()
    assert set(Visit.objects.to_mend().values_list("pk", flat=True)) == {last}
    answer = visits_return(visit_ids=[earlier], reason="照片不符", actor=lead)
    assert [why for _, why in answer.refused] == ["已有更正记录，请退回更正后的那一条"]


def test_as_of_a_moment_the_last_received_by_then_stands(elder: Elder) -> None:
    first = stored(elder, FIRST, None)
    stored(elder, SECOND, first)
    stored(elder, THIRD, first, result="外出")
    rows = Obligation.objects.all()

    def met(as_of: datetime) -> int:
        return rate_whole(rate_lines(obligations=rows, month=MARCH, by=Division.TIER, as_of=as_of)).met

    assert [met(at) for at in (FIRST, SECOND, THIRD)] == [1, 1, 0]
    assert state(elder) == (0, False)


def test_a_later_correction_is_taken_from_whom_the_earlier_named(elder: Elder, worker: User) -> None:
    other = make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)
    open_month()
    first = record(elder, worker, "2026-03-10 10:00")
    moved = record(other, worker, "2026-03-10 10:00", corrects=first["id"])
    back = record(elder, worker, "2026-03-10 10:00", corrects=first["id"])
    for hour, sent in ((FIRST, first), (SECOND, moved)):
        send(worker, sent, now=hour)
    assert Obligation.objects.get(elder=other).met
    send(worker, back, now=THIRD)
    assert dict(Obligation.objects.values_list("elder", "met")) == {elder.pk: True, other.pk: False}
