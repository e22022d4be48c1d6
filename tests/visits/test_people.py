"""The people of a month: who is on which list, in which order, and due when."""

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.choices import Per
from eldercare.choices import Kind
from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import add, make_elder
from tests.visits.conftest import (
    COUNTY,
    MARCH,
    SHANGHAI,
    TOWN_A,
    TOWN_B,
    VILLAGE_A1,
    VILLAGE_A2,
    VILLAGE_B1,
    TierMaker,
    open_month,
    refresh,
    visit,
)
from visits.due import next_due
from visits.models import Obligation, Visit, VisitReturn
from visits.people import NOBODY, Asked, PeopleState, obligations_asked, people_ids, people_page

pytestmark = pytest.mark.django_db
BIRTH = date(1940, 5, 5)
TODAY = date(2026, 3, 20)


@pytest.fixture
def chief(tier: TierMaker) -> User:
    """Somebody who sees the whole county."""
    return make_user("chief", Role.BUREAU_CHIEF, COUNTY)


def names(user: User, today: date = TODAY, **asked: Any) -> list[str]:
    """Names on the list, in its order."""
    question = Asked(MARCH, **asked)
    rows = people_page(obligations_asked(question, user), question, today).rows
    return [row.obligation.elder.name for row in rows]


def a_person(name: str, hukou: str = VILLAGE_A1, **kinds: Any) -> Elder:
    return make_elder(BIRTH, hukou=hukou, name=name, **kinds)


def test_the_first_list_holds_who_is_still_to_be_visited(tier: TierMaker, chief: User) -> None:
    tier()
    seen, gone, waiting = a_person("已见"), a_person("已故"), a_person("待访")
    open_month()
    visit(seen, "2026-03-02")
    add(gone, Kind.DEATH, "是", date(2026, 3, 5))
    refresh()
    assert waiting.name == "待访"
    assert names(chief) == ["待访"]
    assert names(chief, state=PeopleState.MET) == ["已见"]
    assert names(chief, state=PeopleState.EXEMPT) == ["已故"]
    assert names(chief, state=PeopleState.ALL) == ["待访", "已见", "已故"]


def test_who_was_missed_last_month_or_is_past_the_day_comes_first(tier: TierMaker, chief: User) -> None:
    tier()
    tier("week", rule="独居", per="周", order=1)
    new = a_person("本月新增", since=date(2026, 2, 20))
    reached, missed = a_person("上月已访"), a_person("上月漏访")
    weekly = a_person("每周漏访", lives_alone=True)
    open_month(date(2026, 2, 1))
    visit(reached, "2026-02-10")
    for day in ("2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23", "2026-03-02"):
        visit(weekly, day)
    refresh(date(2026, 2, 1))
    open_month()
    refresh()
    assert {new.name, missed.name} == {"本月新增", "上月漏访"}
    assert names(chief) == ["每周漏访", "上月漏访", "本月新增", "上月已访"]
    assert names(chief, state=PeopleState.OVERDUE) == ["每周漏访", "上月漏访"]


def test_the_list_is_narrowed_by_area_tier_worker_and_search(tier: TierMaker, chief: User) -> None:
    tier()
    tier("alone", rule="独居", order=1)
    make_user("li", Role.VILLAGE_WORKER, VILLAGE_A1)
    a_person("甲一", lives_alone=True)
    a_person("甲二", hukou=VILLAGE_A2)
    a_person("乙一", hukou=VILLAGE_B1)
    open_month()
    worker = str(User.objects.get(username="li").pk)
    assert names(chief, area=TOWN_A) == ["甲一", "甲二"]
    assert names(chief, area=VILLAGE_A2) == ["甲二"]
    assert names(chief, tier="alone") == ["甲一"]
    assert names(chief, worker=worker) == ["甲一"]
    assert names(chief, worker=NOBODY) == names(chief, state=PeopleState.UNASSIGNED) == ["甲二", "乙一"]
    assert names(chief, elders=Elder.objects.search("乙一")) == ["乙一"]


def test_a_township_sees_its_own_people(tier: TierMaker, chief: User) -> None:
    tier()
    a_person("甲一")
    a_person("乙一", hukou=VILLAGE_B1)
    open_month()
    assert names(make_user("clerk_b", Role.TOWNSHIP_CLERK, TOWN_B)) == ["乙一"]
    assert names(make_user("admin", Role.SYSTEM_ADMIN, COUNTY)) == []


def test_counts_are_of_the_whole_whatever_is_shown(tier: TierMaker, chief: User) -> None:
    tier()
    for number in range(5):
        a_person(f"第{number}")
    open_month()
    elders = list(Elder.objects.order_by("pk"))
    visit(elders[0], "2026-03-02")
    add(elders[1], Kind.DEATH, "是", date(2026, 3, 5))
    refresh()
    asked = Asked(MARCH, state=PeopleState.MET)
    found = people_page(obligations_asked(asked, chief), asked, TODAY, size=1, skip=7)
    counts = found.counts
    assert found.rows == []
    assert (counts.obliged, counts.met, counts.open, counts.exempt) == (4, 1, 3, 1)
    assert (counts.overdue, counts.unassigned, counts.of(PeopleState.ALL)) == (0, 3, 5)


def test_an_empty_month_counts_nothing(chief: User) -> None:
    asked = Asked(MARCH)
    found = people_page(obligations_asked(asked, chief), asked, TODAY)
    assert (found.rows, found.counts.obliged) == ([], 0)


def test_a_page_follows_the_one_before(tier: TierMaker, chief: User) -> None:
    tier()
    for number in range(5):
        a_person(f"第{number}")
    open_month()
    asked = Asked(MARCH)
    rows = obligations_asked(asked, chief)
    pages = [people_page(rows, asked, TODAY, size=2, skip=skip).rows for skip in (0, 2, 4)]
    found = [row.obligation.pk for page in pages for row in page]
    assert found == [pk for pk, _ in people_ids(rows, asked, TODAY)]
    assert len(set(found)) == 5


def test_the_last_record_is_the_newest_that_stands(tier: TierMaker, chief: User) -> None:
    tier()
    elder = a_person("待访")
    open_month()
    tried = visit(elder, "2026-03-02", result="未联系上")
    returned = visit(elder, "2026-03-09", result="外出")
    VisitReturn.objects.create(visit=returned, reason="照片不是本人", by=chief)
    asked = Asked(MARCH)
    (row,) = people_page(obligations_asked(asked, chief), asked, TODAY).rows
    assert row.last == tried


def test_a_page_costs_the_same_whatever_its_size(tier: TierMaker, chief: User) -> None:
    tier(per="周")
    for number in range(12):
        visit(a_person(f"第{number}"), "2026-03-03")
    open_month()
    asked = Asked(MARCH)
    rows = obligations_asked(asked, chief)
    spent = []
    for size in (1, 12):
        with CaptureQueriesContext(connection) as queries:
            people_page(rows, asked, TODAY, size=size)
        spent.append(len(queries))
    assert spent == [3, 3]


@pytest.mark.parametrize(("month", "per"), [(MARCH, Per.WEEK), (MARCH, Per.MONTH), (MARCH, Per.QUARTER)])
@pytest.mark.parametrize(("times", "in_person"), [(1, 0), (2, 1)])
def test_the_day_due_is_that_of_the_plain_calculation(
    tier: TierMaker, chief: User, month: date, per: Per, times: int, in_person: int
) -> None:
    """Visits drawn at random around the month: the list and `next_due` agree on every day of it."""
    chance = Random(20260301)  # noqa: S311  # cases for a test
    tier(per=per, times=times, in_person=in_person, modes=["上门", "电话"])
    elders = [a_person(f"第{number}") for number in range(40)]
    open_month(month)
    for elder in elders:
        for _ in range(chance.randrange(11)):
            day = date(2026, 2, 26) + timedelta(days=chance.randrange(42))
            mode = chance.choice(("上门", "电话", "电话", "视频"))
            visit(elder, str(day), mode=mode, result=chance.choice(("见到本人", "联系到本人", "外出")))
    refresh(month)
    tried = {
        elder.pk: [
            (visit_.at.astimezone(SHANGHAI).date(), visit_.mode == "上门")
            for visit_ in Visit.objects.filter(
                elder=elder, mode__in=["上门", "电话"], result__in=["见到本人", "联系到本人"]
            )
        ]
        for elder in elders
    }
    met = set(Obligation.objects.filter(met=True).values_list("elder_id", flat=True))
    asked = Asked(month, state=PeopleState.ALL)
    for today in (
        date(2026, 2, 28),
        MARCH,
        date(2026, 3, 4),
        date(2026, 3, 15),
        date(2026, 3, 31),
        date(2026, 4, 4),
    ):
        found = people_page(obligations_asked(asked, chief), asked, today).rows
        due = {row.obligation.elder_id: row.due for row in found}
        expected = {
            pk: next_due(month=month, per=per, times=times, in_person=in_person, visited=days, today=today)
            for pk, days in tried.items()
        }
        assert due == expected
        assert {pk for pk, day in due.items() if day is None} == met
