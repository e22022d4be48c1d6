"""When a correction took place: as the visit that it corrects, or as a visit of its own."""

from datetime import date, datetime, timedelta

import pytest

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import TOWN_A, VILLAGE_A1, TierMaker, open_month
from tests.visits.phones import NOW, number, record, send, shanghai
from visits.choices import OPEN_FOLLOW_UP
from visits.models import FollowUp, Obligation, Visit, VisitReturn
from visits.phone_list import phone_data

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def elder(tier: TierMaker) -> Elder:
    """An elder of 甲一村, obliged in February and March."""
    tier()
    found = make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)
    open_month(date(2026, 2, 1))
    open_month(date(2026, 3, 1))
    return found


@pytest.fixture
def worker(elder: Elder) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


def matters(elder: Elder) -> list[str]:
    """The kinds of what is open."""
    rows = FollowUp.objects.filter(elder=elder, state__in=OPEN_FOLLOW_UP).order_by("kind")
    return list(rows.values_list("kind", flat=True))


def met(elder: Elder) -> list[date]:
    """Months in which the elder was visited."""
    rows = Obligation.objects.filter(elder=elder, met=True).order_by("month")
    return list(rows.values_list("month", flat=True))


def returned_at(user: User) -> datetime:
    """When the record sent back took place, as the phone is told: no finer than a thousandth of a second."""
    [row] = phone_data(user=user, now=NOW)["returned"]
    at: datetime = row["at"]
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_a_correction_of_an_older_visit_does_not_settle_what_was_reported_after_it(
    worker: User, elder: Elder
) -> None:
    first = record(elder, worker, "2026-03-10 10:00", note="写错")
    send(
        worker, first, record(elder, worker, "2026-03-12 10:00", mode="电话", result="联系到本人", risk="红")
    )
    assert matters(elder) == ["风险复访"]
    send(worker, record(elder, worker, "2026-03-10 10:00", note="改正", corrects=first["id"]))
    assert matters(elder) == ["风险复访"]
    send(worker, record(elder, worker, "2026-03-20 10:00"))
    assert matters(elder) == []


def test_a_correction_stays_in_the_month_of_what_it_corrects(worker: User, elder: Elder) -> None:
    first = record(elder, worker, "2026-02-27 10:00")
    send(worker, first)
    send(worker, record(elder, worker, "2026-02-27 10:00", note="补照片", corrects=first["id"]))
    assert met(elder) == [date(2026, 2, 1)]


@pytest.mark.parametrize("ahead", [timedelta(), 2 * DAY, -3 * DAY])
def test_a_clock_set_right_in_between_moves_no_correction(
    worker: User, elder: Elder, ahead: timedelta
) -> None:
    true = shanghai("2026-03-01 09:00")
    first = record(elder, worker, true + ahead)
    send(worker, first, now=true + SECOND, ahead=ahead)
    before = Visit.objects.get()
    send(worker, record(elder, worker, true + ahead, note="改正", corrects=first["id"]))
    kept = Visit.objects.get(corrects=number(first))
    assert (kept.at, kept.clock_offset) == (before.at, before.clock_offset)
    assert met(elder) == [date(2026, 3, 1)]


def test_the_time_that_the_phone_is_told_of_a_returned_record_is_that_records_time(
    worker: User, elder: Elder
) -> None:
    ahead = 2 * DAY
    now = shanghai("2026-03-10 10:00") + timedelta(microseconds=987_654)
    first = record(elder, worker, shanghai("2026-03-10 09:00") + ahead)
    send(worker, first, now=now, ahead=ahead + timedelta(microseconds=333_333))
    lead = make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)
    VisitReturn.objects.create(visit_id=number(first), reason="照片不清", by=lead)
    send(worker, record(elder, worker, returned_at(worker).replace(microsecond=0), corrects=first["id"]))
    kept = Visit.objects.get(corrects=number(first))
    assert kept.at == Visit.objects.get(pk=number(first)).at


@pytest.mark.parametrize(
    ("apart", "is_of_then"), [(timedelta(milliseconds=999), True), (SECOND, False), (-SECOND, False)]
)
def test_a_correction_with_another_time_is_a_visit_of_that_time(
    worker: User, elder: Elder, apart: timedelta, is_of_then: bool
) -> None:
    at = shanghai("2026-03-10 10:00")
    first = record(elder, worker, at)
    send(worker, first)
    send(worker, record(elder, worker, at + apart, corrects=first["id"]))
    assert Visit.objects.get(corrects=number(first)).at == (at if is_of_then else at + apart)
