"""Which visits fill an obligation."""

from datetime import date, datetime
from uuid import uuid4

import pytest
from django.db import connection

from eldercare.models import Elder
from tests.registry import make_elder
from tests.visits.conftest import MARCH, TierMaker, open_month, refresh, state, visit
from visits.models import Obligation, Visit

pytestmark = pytest.mark.django_db
ZONES = ("UTC", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Shanghai")


@pytest.fixture
def elder(county: object) -> Elder:
    return make_elder(date(1950, 5, 5))


def test_an_obligation_without_visits_is_not_met(tier: TierMaker, elder: Elder) -> None:
    tier()
    open_month()
    assert state(elder) == (0, False)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("at", "done"),
    [
        ("2026-02-28 23:59:59", 0),
        ("2026-03-01 00:00:00", 1),
        ("2026-03-31 23:59:59", 1),
        ("2026-04-01 00:00:00", 0),
    ],
)
def test_the_month_is_that_of_shanghai_whatever_the_sessions_zone(
    tier: TierMaker, elder: Elder, zone: str, at: str, done: int
) -> None:
    tier()
    open_month()
    visit(elder, at)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL TIME ZONE '{zone}'")
    assert state(elder) == (done, bool(done))


def test_the_time_of_the_event_counts_not_its_offset(tier: TierMaker, elder: Elder) -> None:
    tier()
    open_month()
    at = datetime.fromisoformat("2026-02-28T20:30:00+00:00")  # 1 March 04:30 in Shanghai
    Visit.objects.create(id=uuid4(), elder=elder, at=at, mode="上门", result="见到本人", visitor="测试员")
    assert state(elder) == (1, True)


@pytest.mark.parametrize(
    ("result", "done"),
    [
        ("见到本人", 1),
        ("联系到本人", 1),
        ("见到家属/邻居", 0),
        ("未联系上", 0),
        ("拒绝", 0),
        ("外出", 0),
        ("住院", 0),
        ("入机构", 0),
        ("已故", 0),
    ],
)
def test_only_seen_and_reached_are_effective(tier: TierMaker, elder: Elder, result: str, done: int) -> None:
    tier()
    open_month()
    visit(elder, "2026-03-10", result=result)
    assert state(elder) == (done, bool(done))


@pytest.mark.parametrize(("mode", "done"), [("上门", 1), ("电话", 1), ("视频", 0), ("智能设备", 0)])
def test_only_the_tiers_modes_are_effective(tier: TierMaker, elder: Elder, mode: str, done: int) -> None:
    tier(modes=["上门", "电话"])
    open_month()
    visit(elder, "2026-03-10", mode=mode)
    assert state(elder) == (done, bool(done))


def test_several_visits_on_a_day_count_once(tier: TierMaker, elder: Elder) -> None:
    tier(times=2)
    open_month()
    visit(elder, "2026-03-10 00:00")
    visit(elder, "2026-03-10 23:59:59", mode="电话")
    assert state(elder) == (1, False)


def test_visits_on_two_days_count_twice(tier: TierMaker, elder: Elder) -> None:
    tier(times=2)
    open_month()
    visit(elder, "2026-03-10 23:59:59")
    visit(elder, "2026-03-11 00:00")
    assert state(elder) == (2, True)


def test_a_slot_holds_no_more_than_its_times(tier: TierMaker, elder: Elder) -> None:
    tier(times=2)
    open_month()
    for day in (3, 4, 5):
        visit(elder, f"2026-03-{day:02d}")
    assert state(elder) == (2, True)


def test_a_full_week_does_not_fill_another(tier: TierMaker, elder: Elder) -> None:
    tier(per="周")
    open_month()
    for day in (2, 3, 4, 5, 6, 8):
        visit(elder, f"2026-03-{day:02d}")
    assert state(elder) == (1, False)


def test_one_visit_in_every_week_is_enough(tier: TierMaker, elder: Elder) -> None:
    tier(per="周")
    open_month()
    for day in ("2026-03-02", "2026-03-15", "2026-03-16", "2026-03-29", "2026-04-05"):
        visit(elder, day)
    assert state(elder) == (5, True)


@pytest.mark.parametrize(
    ("at", "done"),
    [
        ("2026-03-01 23:59:59", 0),  # Sunday of February's last week
        ("2026-03-02 00:00:00", 1),
        ("2026-04-05 23:59:59", 1),  # Sunday of March's last week
        ("2026-04-06 00:00:00", 0),
    ],
)
def test_a_week_belongs_to_the_month_of_its_monday(tier: TierMaker, elder: Elder, at: str, done: int) -> None:
    tier(per="周")
    open_month()
    visit(elder, at)
    assert state(elder)[0] == done


@pytest.mark.parametrize(
    ("at", "done"),
    [
        ("2025-12-31 23:59:59", 0),
        ("2026-01-01 00:00", 1),
        ("2026-03-31 23:59:59", 1),
        ("2026-04-01 00:00", 0),
    ],
)
def test_a_quarter_counts_its_three_months(tier: TierMaker, elder: Elder, at: str, done: int) -> None:
    tier(per="季")
    open_month()
    visit(elder, at)
    assert state(elder) == (done, bool(done))


def test_a_monthly_tier_does_not_count_the_quarters_other_months(tier: TierMaker, elder: Elder) -> None:
    tier()
    tier("quarter", per="季", rule="独居", order=1)
    open_month()
    visit(elder, "2026-02-10")
    assert state(elder) == (0, False)


@pytest.mark.parametrize(
    ("days", "met"), [([10], False), ([10, 10], False), ([10, 11], True)], ids=["one", "same day", "two"]
)
def test_the_in_person_minimum_counts_days_with_a_home_visit(
    tier: TierMaker, elder: Elder, days: list[int], met: bool
) -> None:
    tier(times=2, in_person=2)
    open_month()
    visit(elder, "2026-03-20", mode="电话")
    visit(elder, "2026-03-21", mode="电话")
    for hour, day in enumerate(days, 8):
        visit(elder, f"2026-03-{day} {hour:02d}:00")
    assert state(elder) == (2, met)


@pytest.mark.parametrize(("day", "met"), [("2026-03-31", True), ("2026-04-01", False)])
def test_the_in_person_visit_lies_inside_the_month(
    tier: TierMaker, elder: Elder, day: str, met: bool
) -> None:
    tier(per="周", in_person=1)
    open_month()
    for phone_day in (2, 9, 16, 23, 30):
        visit(elder, f"2026-03-{phone_day:02d}", mode="电话")
    visit(elder, day)
    assert state(elder) == (5, met)


@pytest.mark.parametrize(("day", "met"), [("2026-02-28", False), ("2026-03-01", True)])
def test_a_quarters_in_person_visit_lies_inside_its_last_month(
    tier: TierMaker, elder: Elder, day: str, met: bool
) -> None:
    tier(per="季", times=1, in_person=1)
    open_month()
    visit(elder, day)
    assert state(elder) == (1, met)


def test_the_slots_of_one_tier_are_not_those_of_another(tier: TierMaker, elder: Elder) -> None:
    tier("week", rule="独居", per="周", order=1)
    tier("quarter", rule="空巢", per="季", order=2)
    tier("month")
    alone = make_elder(date(1950, 5, 5), lives_alone=True)
    empty = make_elder(date(1950, 5, 5), empty_nest=True)
    open_month()
    for each in (elder, alone, empty):
        visit(each, "2026-02-28")
        visit(each, "2026-04-01")
    assert [state(each)[0] for each in (elder, alone, empty)] == [0, 1, 1]


def test_a_home_visit_before_the_first_monday_is_in_person_but_fills_no_week(
    tier: TierMaker, elder: Elder
) -> None:
    tier(per="周", in_person=1)
    open_month()
    visit(elder, "2026-03-01")
    for phone_day in (2, 9, 16, 23):
        visit(elder, f"2026-03-{phone_day:02d}", mode="电话")
    assert state(elder) == (4, False)
    visit(elder, "2026-03-30", mode="电话")
    assert state(elder) == (5, True)


def test_a_corrected_visit_no_longer_counts(tier: TierMaker, elder: Elder) -> None:
    tier()
    open_month()
    wrong = visit(elder, "2026-03-10")
    assert state(elder) == (1, True)
    visit(elder, "2026-03-10", result="未联系上", corrects=wrong.pk)
    assert state(elder) == (0, False)


def test_the_last_correction_counts(tier: TierMaker, elder: Elder) -> None:
    tier()
    open_month()
    wrong = visit(elder, "2026-02-10")
    again = visit(elder, "2026-03-10", result="未联系上", corrects=wrong.pk)
    visit(elder, "2026-03-11", corrects=again.pk)
    assert state(elder) == (1, True)


def test_a_correction_in_another_month_takes_the_visit_away(tier: TierMaker, elder: Elder) -> None:
    tier()
    open_month()
    wrong = visit(elder, "2026-03-10")
    visit(elder, "2026-04-10", corrects=wrong.pk)
    assert state(elder) == (0, False)


def test_refreshing_again_changes_no_row(tier: TierMaker, elder: Elder) -> None:
    tier()
    open_month()
    visit(elder, "2026-03-10")
    assert [refresh(), refresh()] == [1, 0]


def test_refreshing_some_elders_leaves_the_others(tier: TierMaker, elder: Elder) -> None:
    tier()
    other = make_elder(date(1950, 5, 5))
    open_month()
    visit(elder, "2026-03-10")
    visit(other, "2026-03-10")
    assert refresh(elder_ids=[elder.id]) == 1
    assert not Obligation.objects.get(elder=other).met


def test_another_elders_visit_does_not_count(tier: TierMaker, elder: Elder) -> None:
    tier()
    other = make_elder(date(1950, 5, 5))
    open_month()
    visit(other, "2026-03-10")
    assert state(elder) == (0, False)


def test_the_month_is_the_obligations(tier: TierMaker, elder: Elder) -> None:
    tier()
    open_month(MARCH)
    open_month(date(2026, 4, 1))
    visit(elder, "2026-04-10")
    assert [state(elder), state(elder, date(2026, 4, 1))] == [(0, False), (1, True)]
