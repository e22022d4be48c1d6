"""The month's figures on pages: they add up, and each user sees those of the own area."""

from datetime import date
from decimal import Decimal

import pytest

from organization.choices import Role
from organization.models import Area
from subsidies.models import Month
from subsidies.selectors import (
    elder_entitlements,
    entitlement_list,
    month_lines,
    month_list,
    month_summary,
    month_table,
)
from tests.conftest import TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.registry import make_elder
from tests.subsidies.county import item, publish_list, run

pytestmark = pytest.mark.django_db(transaction=True)
MAY, JUNE = date(2024, 5, 1), date(2024, 6, 1)


@pytest.fixture
def month(county: Area) -> Month:
    """Two elders of 80 in 甲镇, one of them poor; one in 乙镇, entitled since May but told in June."""
    publish_list(
        item("AGE", "年龄 >= 80"),
        item("POOR", "低保", amount=30, number=2),
        item("ASK", "低保", amount=20, application="申请", number=3),
        item("BUS", "年龄 >= 60", track="计数", form="服务", amount=None, number=4),
    )
    make_elder(date(1940, 1, 1), hukou=VILLAGE_A, low_income_allowance=True, name="甲一")
    make_elder(date(1940, 1, 2), hukou=VILLAGE_A, name="甲二")
    run(MAY)
    make_elder(date(1940, 1, 3), hukou=VILLAGE_B, name="乙一")
    return run(JUNE)


def test_the_summary_counts_outcomes_money_back_pay_and_persons_paid(month: Month) -> None:
    summary = month_summary(month)
    assert summary.outcomes == {"应发": 4, "未申请": 1, "暂停": 0, "择高未发": 0, "互斥未发": 0}
    assert (summary.amount, summary.back_pay, summary.recovery) == (Decimal(180), Decimal(50), Decimal(0))
    assert summary.persons_paid == 3


def test_the_table_adds_up_over_townships_to_the_summary(month: Month) -> None:
    rows = {row.item.code: row for row in month_table(month)}
    town_a, town_b = TOWN_A[:9], TOWN_B[:9]
    assert {code: row.by_township for code, row in rows.items()} == {
        "AGE": {town_a: 2, town_b: 1},
        "POOR": {town_a: 1},
        "BUS": {town_a: 2, town_b: 1},
    }
    assert [(row.persons, row.amount, row.counted) for row in rows.values()] == [
        (3, Decimal(150), False),
        (1, Decimal(30), False),
        (3, None, True),
    ]
    tracked = [row for row in rows.values() if not row.counted]
    assert sum(row.persons for row in tracked) == month_summary(month).outcomes["应发"]


@pytest.mark.parametrize(("town", "due", "back_pay"), [(TOWN_A, 3, Decimal(0)), (TOWN_B, 1, Decimal(50))])
def test_a_township_sees_its_own_figures_and_the_filter_by_area_says_the_same(
    month: Month, town: str, due: int, back_pay: Decimal
) -> None:
    user = make_user("clerk", Role.TOWNSHIP_CLERK, town)
    for summary in (month_summary(month, user), month_summary(month, area_code=town)):
        assert (summary.outcomes["应发"], summary.back_pay) == (due, back_pay)
    assert {row.area_code[:9] for row in entitlement_list(month, user)} == {town[:9]}
    assert {place for row in month_table(month, user) for place in row.by_township} == {town[:9]}
    assert list(month_list(user)) == list(Month.objects.all())


def test_a_user_of_another_county_sees_no_month(month: Month) -> None:
    Area.objects.create(code="610304000000", name="邻县")
    assert not month_list(make_user("stranger", Role.TOWNSHIP_CLERK, "610304000000"))


def test_the_lines_are_the_stored_rows_and_the_due_lines_in_the_order_of_the_list(month: Month) -> None:
    lines = [(line.elder.name, line.item.code, line.kind, line.month) for line in month_lines(month)]
    assert lines == [
        ("甲一", "AGE", "正常", JUNE),
        ("甲一", "POOR", "正常", JUNE),
        ("甲一", "ASK", "正常", JUNE),
        ("甲二", "AGE", "正常", JUNE),
        ("乙一", "AGE", "正常", JUNE),
        ("乙一", "AGE", "补发", MAY),
    ]


def test_an_elder_has_his_months_newest_first(month: Month) -> None:
    elder = entitlement_list(month).filter(elder__name="甲一")[0].elder
    found = [(row.month, row.item.code) for row in elder_entitlements(elder)]
    assert found == [(day, code) for day in (JUNE, MAY) for code in ("AGE", "POOR", "ASK")]
