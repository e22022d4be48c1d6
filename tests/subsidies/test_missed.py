"""漏享: who is entitled, does not draw and has not been attended to, by township and item, within scope."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from catalog.models import Item
from eldercare.models import Elder
from organization.choices import Permission, Role
from organization.models import Area
from subsidies.missed import missed_counts, missed_list, newest_month
from subsidies.models import Entitlement, Month
from subsidies.services.enrolment_change import enrolment_resume, enrolment_stop
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.registry import make_elder
from tests.subsidies.applicants import Staff, apply, approved, make_staff
from tests.subsidies.county import enrol, item, publish_list, run

AGED = "年龄 >= 80"
OCTOBER, NOVEMBER = date(2024, 10, 1), date(2024, 11, 1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(county: Area) -> Staff:
    """Items to apply for with and without an amount, one of households and one that comes by itself."""
    publish_list(
        item("ASK", AGED, application="申请", number=1),
        item("HELP", AGED, application="申请", number=2, amount=None, form="服务"),
        item("HOME", "年龄 >= 90", application="申请", subject="家庭", number=3, amount=80),
        item("AUTO", AGED, number=4),
    )
    return make_staff()


def missed(month: Month, item_id: int | None = None) -> list[tuple[str, str]]:
    """(elder, item) of the lines missed."""
    return [(line.elder.name, line.item.code) for line in missed_list(month, item_id=item_id)]


def test_what_is_missed_is_counted_by_township_and_item_with_the_money_where_it_is_known(
    staff: Staff,
) -> None:
    for village in (VILLAGE_A, VILLAGE_A, VILLAGE_B):
        make_elder(date(1940, 1, 1), hukou=village)
    month = run(NOVEMBER)
    cells = [(cell.township, cell.item.code, cell.persons, cell.amount) for cell in missed_counts(month)]
    assert cells == [
        (TOWN_A, "ASK", 2, Decimal("100.00")),
        (TOWN_A, "HELP", 2, None),
        (TOWN_B, "ASK", 1, Decimal("50.00")),
        (TOWN_B, "HELP", 1, None),
    ]
    assert sum(cell.persons for cell in missed_counts(month)) == missed_list(month).count()


def test_who_applied_or_was_enrolled_since_is_no_longer_missed(staff: Staff) -> None:
    applied, enrolled, unaware = (
        make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name=name) for name in ("甲申", "乙享", "丙缺")
    )
    month = run(NOVEMBER)
    apply(applied, "ASK", staff)
    approved(enrolled, "ASK", staff)
    ask = Item.objects.get(code="ASK").pk
    assert missed(month, item_id=ask) == [("丙缺", "ASK")]
    assert (unaware.name, "HELP") in missed(month)


def test_a_household_whose_member_applied_is_no_longer_missed(staff: Staff) -> None:
    eldest = make_elder(date(1930, 1, 1), hukou=VILLAGE_A)
    spouse = make_elder(date(1932, 1, 1), hukou=VILLAGE_A, head=eldest.id_number)
    month = run(NOVEMBER)
    home = Item.objects.get(code="HOME").pk
    assert missed_list(month, item_id=home).count() == 1
    apply(spouse, "HOME", staff)
    assert missed_list(month, item_id=home).count() == 0


@pytest.mark.parametrize(("reason", "found"), [("自愿放弃", False), ("查找不到本人", True)])
def test_who_gave_an_item_up_is_not_asked_again_and_who_was_lost_is(
    staff: Staff, reason: str, found: bool
) -> None:
    elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
    enrol(elder, "ASK", date(2024, 1, 1))
    ask = Item.objects.get(code="ASK")
    enrolment_stop(elder=elder, item=ask, actor=staff.clerk, reason=reason, last_month=OCTOBER)
    month = run(NOVEMBER)
    assert (("张测", "ASK") in missed(month)) is found


def test_an_item_that_comes_by_itself_is_never_missed_even_if_it_was_stopped(staff: Staff) -> None:
    elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
    auto = Item.objects.get(code="AUTO")
    enrolment_stop(elder=elder, item=auto, actor=staff.clerk, reason="查找不到本人", last_month=OCTOBER)
    month = run(NOVEMBER)
    assert ("张测", "AUTO") not in missed(month)
    enrolment_resume(elder=elder, item=auto, actor=staff.clerk, reason="短暂失联")


def test_a_user_sees_what_is_missed_in_his_own_areas(staff: Staff) -> None:
    here, there = (make_elder(date(1940, 1, 1), hukou=village) for village in (VILLAGE_A, VILLAGE_B))
    month = run(NOVEMBER)
    worker = make_user("worker_b", Role.VILLAGE_WORKER, VILLAGE_B)

    def elders(rows: Iterable[Entitlement]) -> set[Elder]:
        return {line.elder for line in rows}

    assert elders(missed_list(month, staff.clerk)) == {here}
    assert elders(missed_list(month, worker, permission=Permission.APPLICATION_MAKE)) == {there}
    assert missed_list(month, worker).count() == 0, "no right to months"
    assert elders(missed_list(month, area_code=TOWN_B)) == {there}


def test_the_newest_month_is_the_last_one_decided(staff: Staff) -> None:
    assert newest_month(COUNTY) is None
    make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
    run(OCTOBER)
    Month.objects.create(county_code=COUNTY, month=NOVEMBER)
    found = newest_month(COUNTY)
    assert found is not None
    assert found.month == OCTOBER


def test_counting_takes_two_queries(
    staff: Staff, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
    month = run(NOVEMBER)
    with django_assert_max_num_queries(2):
        missed_counts(month)
