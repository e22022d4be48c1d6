"""Who leaves numerator and denominator, from when and why."""

from datetime import date

import pytest
from django.db import IntegrityError

from eldercare.choices import Kind
from eldercare.models import Elder
from tests.registry import add, make_elder
from tests.visits.conftest import MARCH, TierMaker, exemption, open_month, state, visit
from visits.models import Obligation

pytestmark = pytest.mark.django_db
STAYS = (None, "")


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.fixture
def elder(tier: TierMaker) -> Elder:
    """One elder with one visit due in March; the month is open."""
    tier()
    elder = make_elder(date(1950, 5, 5))
    open_month()
    return elder


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (Kind.DEATH, "是", "死亡"),
        (Kind.MOVED_OUT, "是", "迁出"),
        (Kind.INSTITUTION, "养老机构", "入住机构"),
        (Kind.INSTITUTION, "特困供养机构", "入住机构"),
    ],
)
@pytest.mark.parametrize("first", ["2026-03-02", "2026-03-31"])
def test_who_leaves_inside_the_month_is_exempt_from_that_day(
    elder: Elder, kind: Kind, value: str, reason: str, first: str
) -> None:
    add(elder, kind, value, day(first))
    assert exemption(elder) == (day(first), reason)


@pytest.mark.parametrize(
    ("kind", "value"), [(Kind.DEATH, "是"), (Kind.MOVED_OUT, "是"), (Kind.INSTITUTION, "养老机构")]
)
def test_who_leaves_on_the_first_of_the_next_month_stays(elder: Elder, kind: Kind, value: str) -> None:
    add(elder, kind, value, day("2026-04-01"))
    assert exemption(elder) == STAYS


@pytest.mark.parametrize(
    ("kind", "value"), [(Kind.DEATH, "是"), (Kind.MOVED_OUT, "是"), (Kind.INSTITUTION, "养老机构")]
)
@pytest.mark.parametrize("first", ["2025-11-11", "2026-02-28", "2026-03-01"])
def test_news_of_before_the_month_exempts_from_the_first(
    elder: Elder, kind: Kind, value: str, first: str
) -> None:
    add(elder, kind, value, day(first))
    assert exemption(elder)[0] == MARCH


def test_going_to_hospital_exempts_nobody(elder: Elder) -> None:
    add(elder, Kind.INSTITUTION, "医院", day("2026-03-05"))
    assert exemption(elder) == STAYS


@pytest.mark.parametrize(
    ("until", "leaves"), [("2026-03-01", False), ("2026-03-02", False), ("2026-03-03", True)]
)
def test_an_institution_left_by_the_first_exempts_nobody(elder: Elder, until: str, leaves: bool) -> None:
    add(elder, Kind.INSTITUTION, "养老机构", day("2026-01-01"), day(until))
    assert (exemption(elder) != STAYS) is leaves


def test_an_institution_left_again_inside_the_month_still_exempts(elder: Elder) -> None:
    add(elder, Kind.INSTITUTION, "养老机构", day("2026-03-05"), day("2026-03-10"))
    assert exemption(elder) == (day("2026-03-05"), "入住机构")


def test_moving_back_before_the_month_exempts_nobody(elder: Elder) -> None:
    add(elder, Kind.MOVED_OUT, "是", day("2026-01-01"), day("2026-03-01"))
    assert exemption(elder) == STAYS


def test_who_lived_in_an_institution_at_the_opening_is_not_exempt_for_it(tier: TierMaker) -> None:
    tier()
    elder = make_elder(date(1950, 5, 5), institution="养老机构")
    open_month()
    assert exemption(elder) == STAYS


def test_who_lived_in_an_institution_at_the_opening_is_exempt_by_death(tier: TierMaker) -> None:
    tier()
    elder = make_elder(date(1950, 5, 5), institution="养老机构", death=(True, date(2026, 3, 9)))
    open_month()
    assert exemption(elder) == (day("2026-03-09"), "死亡")


def test_the_first_leaving_counts(elder: Elder) -> None:
    add(elder, Kind.DEATH, "是", day("2026-03-20"))
    add(elder, Kind.INSTITUTION, "养老机构", day("2026-03-10"))
    assert exemption(elder) == (day("2026-03-10"), "入住机构")


def test_death_names_the_day_when_several_fall_on_it(elder: Elder) -> None:
    for kind, value in ((Kind.INSTITUTION, "养老机构"), (Kind.MOVED_OUT, "是"), (Kind.DEATH, "是")):
        add(elder, kind, value, day("2026-03-10"))
    assert exemption(elder) == (day("2026-03-10"), "死亡")


@pytest.mark.parametrize(
    ("visited", "exempt"),
    [("2026-03-09", False), ("2026-03-10 23:59:59", False), ("2026-03-11 00:00", True)],
)
def test_who_was_fully_visited_by_that_day_stays(elder: Elder, visited: str, exempt: bool) -> None:
    visit(elder, visited)
    add(elder, Kind.DEATH, "是", day("2026-03-10"))
    assert (exemption(elder) != STAYS) is exempt


def test_an_exempt_obligation_is_never_met(elder: Elder) -> None:
    add(elder, Kind.INSTITUTION, "养老机构", day("2026-03-10"))
    visit(elder, "2026-03-20")
    assert state(elder) == (1, False)


def test_a_met_obligation_cannot_be_stored_as_exempt(elder: Elder) -> None:
    with pytest.raises(IntegrityError, match="obligation_exempt_or_met"):
        Obligation.objects.update(met=True, exempt_from=MARCH, exempt_reason="死亡")


def test_partly_visited_weeks_do_not_keep_who_leaves(tier: TierMaker) -> None:
    tier(per="周")
    elder = make_elder(date(1950, 5, 5))
    open_month()
    for text in ("2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23"):
        visit(elder, text)
    add(elder, Kind.DEATH, "是", day("2026-03-29"))
    assert exemption(elder) == (day("2026-03-29"), "死亡")


def test_a_missing_home_visit_does_not_keep_who_leaves(tier: TierMaker) -> None:
    tier(in_person=1)
    elder = make_elder(date(1950, 5, 5))
    open_month()
    visit(elder, "2026-03-05", mode="电话")
    add(elder, Kind.DEATH, "是", day("2026-03-10"))
    assert exemption(elder) == (day("2026-03-10"), "死亡")


def test_a_retracted_death_counts_again(elder: Elder) -> None:
    add(elder, Kind.DEATH, "是", day("2026-03-10"))
    assert exemption(elder) != STAYS
    elder.circumstances.filter(kind="death").delete()
    visit(elder, "2026-03-20")
    assert exemption(elder) == STAYS
    assert state(elder) == (1, True)


def test_a_late_visit_record_of_before_the_day_takes_the_exemption_back(elder: Elder) -> None:
    add(elder, Kind.DEATH, "是", day("2026-03-10"))
    assert exemption(elder) != STAYS
    visit(elder, "2026-03-08")
    assert exemption(elder) == STAYS


def test_the_months_after_the_late_news_are_exempt_too(elder: Elder) -> None:
    april = date(2026, 4, 1)
    open_month(april)
    add(elder, Kind.DEATH, "是", day("2026-03-10"))
    assert [exemption(elder), exemption(elder, april)] == [(day("2026-03-10"), "死亡"), (april, "死亡")]
