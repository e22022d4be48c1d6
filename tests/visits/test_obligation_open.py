"""Who is obliged in a month, by which tier and how often."""

from datetime import date

import pytest
from django.db import connection
from django.utils import timezone

from eldercare.choices import Kind
from organization.choices import Role
from tests.conftest import make_user
from tests.registry import add, make_elder
from tests.visits.conftest import COUNTY, MARCH, TOWN_A, VILLAGE_A1, VILLAGE_B1, TierMaker, open_month, visit
from visits.invariants import VISITS
from visits.models import Obligation, RateSnapshot
from visits.services.month import visit_month_accept, visit_month_submit, visit_months_open
from visits.snapshot import snapshot_check

pytestmark = pytest.mark.django_db
BIRTH = date(1950, 5, 5)


def obligation() -> Obligation:
    return Obligation.objects.get()


def test_the_matching_tier_with_the_lowest_order_wins(tier: TierMaker) -> None:
    tier("month", order=2)
    weekly = tier("week", rule="独居", per="周", order=1)
    make_elder(BIRTH, lives_alone=True)
    open_month()
    assert obligation().tier == weekly


def test_a_tier_whose_rule_is_unknown_does_not_win(tier: TierMaker) -> None:
    tier("weak", rule="能力等级 >= 2", order=1)
    month = tier("month", order=2)
    make_elder(BIRTH)
    open_month()
    assert obligation().tier == month


def test_whom_no_rule_meets_is_not_obliged(tier: TierMaker) -> None:
    tier(rule="独居")
    make_elder(BIRTH)
    assert open_month() == 0


@pytest.mark.parametrize(
    ("month", "per", "times", "due"),
    [
        (MARCH, "月", 2, 2),
        (MARCH, "周", 1, 5),
        (date(2026, 2, 1), "周", 2, 8),
        (MARCH, "季", 3, 3),
    ],
)
def test_due_is_times_by_slots(tier: TierMaker, month: date, per: str, times: int, due: int) -> None:
    tier(per=per, times=times)
    make_elder(BIRTH)
    open_month(month)
    assert obligation().due == due


def test_a_quarterly_tier_shows_nothing_before_the_quarters_last_month(tier: TierMaker) -> None:
    tier("quarter", per="季", order=1)
    tier("month", order=2)
    make_elder(BIRTH)
    assert open_month(date(2026, 2, 1)) == 0


def test_the_area_is_where_the_elder_lives(tier: TierMaker) -> None:
    tier()
    make_elder(BIRTH, hukou=VILLAGE_A1, residence=VILLAGE_B1)
    open_month()
    assert obligation().area_code == VILLAGE_B1


@pytest.mark.parametrize("kind", [Kind.DEATH, Kind.MOVED_OUT])
@pytest.mark.parametrize(
    ("day", "obliged"), [(date(2026, 2, 28), 0), (date(2026, 3, 1), 0), (date(2026, 3, 2), 1)]
)
def test_who_died_or_moved_out_by_the_first_is_not_obliged(
    tier: TierMaker, kind: Kind, day: date, obliged: int
) -> None:
    tier()
    add(make_elder(BIRTH), kind, "是", day)
    assert open_month() == obliged


@pytest.mark.parametrize(("day", "obliged"), [(date(2026, 3, 1), 1), (date(2026, 3, 2), 0)])
def test_a_circumstance_counts_if_it_holds_on_the_first(tier: TierMaker, day: date, obliged: int) -> None:
    tier(rule="独居")
    make_elder(BIRTH, lives_alone=(True, day))
    assert open_month() == obliged


@pytest.mark.parametrize(("birth", "obliged"), [(date(1946, 2, 28), 1), (date(1946, 3, 1), 0)])
def test_age_is_that_of_the_last_day_of_the_month_before(tier: TierMaker, birth: date, obliged: int) -> None:
    tier(rule="年龄 >= 80")
    make_elder(birth)
    assert open_month() == obliged


@pytest.mark.parametrize(
    ("place", "inside"), [("养老机构", True), ("特困供养机构", True), ("医院", False), ("无", False)]
)
def test_living_in_an_institution_at_the_opening_is_noted(tier: TierMaker, place: str, inside: bool) -> None:
    tier()
    make_elder(BIRTH, institution=place)
    open_month()
    assert obligation().in_institution is inside


def test_opening_again_adds_only_who_is_new(tier: TierMaker) -> None:
    tier()
    make_elder(BIRTH)
    open_month()
    make_elder(BIRTH)
    assert open_month() == 1


def test_nothing_opened_disappears_when_the_facts_change(tier: TierMaker) -> None:
    tier(rule="独居")
    elder = make_elder(BIRTH, lives_alone=True)
    open_month()
    elder.circumstances.filter(kind="lives_alone").delete()
    add(elder, Kind.DEATH, "是", date(2026, 2, 1))
    open_month()
    assert Obligation.objects.count() == 1


def test_a_county_whose_figure_is_frozen_gets_no_new_ones_even_where_nobody_was(tier: TierMaker) -> None:
    tier()
    seen = make_elder(BIRTH, hukou=VILLAGE_A1)
    visit_months_open(month=MARCH, county_code=COUNTY)
    open_month()
    visit(seen, "2026-03-05")
    lead = make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)
    visit_month_submit(month=MARCH, area_code=TOWN_A, actor=lead)
    clerk = make_user("county_clerk", Role.BUREAU_CLERK, COUNTY)
    make_elder(BIRTH, hukou=VILLAGE_A1)
    assert open_month() == 0  # the township has submitted
    visit_month_accept(month=MARCH, area_code=TOWN_A, actor=clerk)
    make_elder(BIRTH, hukou=VILLAGE_B1)
    assert open_month() == 0
    assert snapshot_check(RateSnapshot.objects.get()).holds
    with connection.cursor() as cursor:
        for name, statement in VISITS.items():
            cursor.execute(statement)
            assert cursor.fetchone() == (0,), name


def test_a_frozen_month_does_not_stop_the_next_one(tier: TierMaker) -> None:
    tier()
    clerk = make_user("county_clerk", Role.BUREAU_CLERK, COUNTY)
    make_elder(BIRTH, hukou=VILLAGE_A1)
    RateSnapshot.objects.create(
        month=MARCH, county_code=COUNTY, body="{}", sha256="", taken_at=timezone.now(), taken_by=clerk
    )
    assert (open_month(), open_month(date(2026, 4, 1))) == (0, 1)
