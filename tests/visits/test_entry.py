"""Typing in papers: each row once, in the name of who visited, late where the month is locked."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from eldercare.models import Elder
from operations.commands import Refused
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import COUNTY, MARCH, SHANGHAI, TOWN_A, TOWN_B, VILLAGE_B1, TierMaker, open_month
from visits.models import Obligation, Visit, VisitMonth, VisitReturn
from visits.paper_row import PaperRow
from visits.services.entry import Entered, visits_enter

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 15, 0, tzinfo=SHANGHAI)
ROW = PaperRow(date(2026, 3, 10), "上门", "见到本人", "身体尚好")


@pytest.fixture
def clerk(tier: TierMaker) -> User:
    tier()
    return make_user("clerk", Role.TOWNSHIP_CLERK, TOWN_A)


@pytest.fixture
def elder(clerk: User) -> Elder:
    found = make_elder(date(1940, 5, 5))
    open_month()
    return found


def enter(
    elder: Elder, clerk: User, row: PaperRow = ROW, visitor: str = "周访", now: datetime = NOW
) -> Entered:
    return visits_enter(rows={elder.pk: row}, visitor=visitor, actor=clerk, now=now)


def test_a_row_becomes_a_record_that_counts(elder: Elder, clerk: User) -> None:
    enter(elder, clerk)
    visit = Visit.objects.get()
    assert (visit.visitor, visit.recorder, visit.channel, visit.late) == ("周访", clerk, "补录", False)
    assert visit.at == datetime(2026, 3, 10, 12, tzinfo=SHANGHAI)
    assert Obligation.objects.get().met


def test_today_is_now_while_noon_is_still_to_come(elder: Elder, clerk: User) -> None:
    morning = datetime(2026, 3, 10, 9, 30, tzinfo=SHANGHAI)
    enter(elder, clerk, now=morning)
    assert Visit.objects.get().at == morning


def test_the_same_paper_typed_twice_even_by_another_is_one_record(elder: Elder, clerk: User) -> None:
    colleague = make_user("colleague", Role.TOWNSHIP_CLERK, TOWN_A)
    first = enter(elder, clerk)
    again = enter(elder, colleague, now=NOW + timedelta(hours=1))
    assert (first.stored, again.stored, again.known, again.told) == ({elder.pk}, set(), {elder.pk}, {})
    assert Visit.objects.count() == AuditEntry.objects.filter(action="补录探访记录").count() == 1


def test_another_note_under_the_same_row_is_told_and_changes_nothing(elder: Elder, clerk: User) -> None:
    enter(elder, clerk)
    again = enter(elder, clerk, PaperRow(ROW.day, ROW.mode, ROW.result, "生病"))
    assert "备注不同" in again.told[elder.pk]
    assert Visit.objects.get().note == "身体尚好"


def test_another_result_is_another_record(elder: Elder, clerk: User) -> None:
    enter(elder, clerk)
    enter(elder, clerk, PaperRow(ROW.day, ROW.mode, "外出", ""))
    assert Visit.objects.count() == 2


def test_a_returned_record_is_not_taken_again_as_it_was(elder: Elder, clerk: User) -> None:
    enter(elder, clerk)
    VisitReturn.objects.create(visit=Visit.objects.get(), reason="签名不符", by=clerk)
    assert "已被退回" in enter(elder, clerk).told[elder.pk]


@pytest.mark.parametrize(("state", "late"), [("进行中", False), ("已提交", True), ("已接收", True)])
def test_a_locked_month_takes_it_as_late(elder: Elder, clerk: User, state: str, late: bool) -> None:
    VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=TOWN_A, state=state)
    enter(elder, clerk)
    row = Obligation.objects.get()
    assert (Visit.objects.get().late, row.met, row.late_met) == (late, not late, late)


@pytest.mark.parametrize(("locked", "late"), [(COUNTY, True), (TOWN_A, False)])
def test_who_lives_outside_the_county_is_late_when_the_countys_own_month_is_locked(
    elder: Elder, clerk: User, locked: str, late: bool
) -> None:
    outside = make_elder(date(1940, 5, 5), residence="530302001001")
    Obligation.objects.filter(elder=elder).update(elder=outside, area_code="530302001001")
    VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=locked, state="已提交")
    enter(outside, clerk)
    assert Visit.objects.get().late == late


@pytest.mark.parametrize(("locked", "late"), [(TOWN_A, True), (TOWN_B, False)])
def test_who_moved_is_late_by_the_township_in_which_the_month_is_counted(
    elder: Elder, clerk: User, locked: str, late: bool
) -> None:
    Elder.objects.filter(pk=elder.pk).update(residence_code=VILLAGE_B1)
    VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=locked, state="已提交")
    enter(elder, clerk)
    assert Visit.objects.get().late == late


def test_an_elder_of_another_township_is_refused_with_the_whole_paper(elder: Elder, clerk: User) -> None:
    stranger = make_elder(date(1940, 5, 5), hukou=VILLAGE_B1)
    with pytest.raises(Refused, match="不在您的区划范围内"):
        visits_enter(rows={elder.pk: ROW, stranger.pk: ROW}, visitor="周访", actor=clerk, now=NOW)
    assert not Visit.objects.exists()


@pytest.mark.parametrize(
    ("visitor", "said"), [("", "请填写探访人"), ("  ", "请填写探访人"), ("长" * 41, "超过 40 个字")]
)
def test_a_paper_without_a_visitor_is_refused(elder: Elder, clerk: User, visitor: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        enter(elder, clerk, visitor=visitor)


def test_many_rows_cost_the_same_statements_as_one(clerk: User) -> None:
    elders = [make_elder(date(1940, 5, 5)) for _ in range(12)]
    open_month()
    spent = []
    for some in (elders[:1], elders[1:]):
        with CaptureQueriesContext(connection) as queries:
            visits_enter(
                rows={each.pk: ROW for each in some}, visitor="周访", actor=clerk, now=timezone.now()
            )
        spent.append(len(queries))
    assert spent[1] <= spent[0] + 2
