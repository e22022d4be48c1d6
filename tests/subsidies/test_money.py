"""What earlier months owe or are owed, where months, townships, items and enrolments get in each other's way."""

from datetime import date
from decimal import Decimal

import pytest

from eldercare.choices import Kind
from eldercare.services.monthly_facts import elders_touch
from subsidies.choices import EnrolmentState
from subsidies.invariants import invariants_check
from subsidies.models import Adjustment
from tests.registry import add, make_elder
from tests.subsidies.county import OTHER_VILLAGE, due_lines, enrol, item, outcomes, publish_list, run

pytestmark = pytest.mark.django_db(transaction=True)
JANUARY, FEBRUARY, MARCH, APRIL = (date(2025, month, 1) for month in range(1, 5))
BACK_PAY_50 = ("补发", Decimal(50))


def test_months_run_out_of_order_pay_back_once() -> None:
    publish_list(item("POOR", "低保"))
    elder = make_elder(date(1940, 1, 1))
    run(JANUARY)
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2024, 12, 1))
    run(MARCH)
    run(FEBRUARY)
    assert [line.amount for line in Adjustment.objects.filter(elder=elder, month=JANUARY)] == [Decimal(50)]


def test_running_one_township_first_does_not_lose_the_others_back_pay() -> None:
    values = [{"from": date(2023, 1, 1), "amount": 100}]
    terms = item("RATE", "低保", amount="1.0 * 标准")
    publish_list(terms, rates=[{"name": "标准", "values": values}])
    here = make_elder(date(1940, 1, 1), low_income_allowance=True)
    there = make_elder(date(1940, 1, 1), hukou=OTHER_VILLAGE, low_income_allowance=True)
    run(JANUARY)
    publish_list(
        terms, rates=[{"name": "标准", "values": [*values, {"from": date(2025, 1, 2), "amount": 150}]}]
    )
    run(FEBRUARY, area="530322101000")
    run(FEBRUARY)
    assert due_lines(here, FEBRUARY) == due_lines(there, FEBRUARY) == {("RATE", JANUARY): BACK_PAY_50}


def test_a_suspension_takes_nothing_back_and_certification_pays_what_was_held() -> None:
    publish_list(item("POOR", "低保", application="申请"))
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    enrolment = enrol(elder, "POOR", JANUARY)
    run(JANUARY)
    run(FEBRUARY)
    enrolment.state = EnrolmentState.SUSPENDED
    enrolment.save()
    elders_touch(elder_ids=[elder.pk])
    run(MARCH)
    assert due_lines(elder, MARCH) == {}
    enrolment.state = EnrolmentState.RECEIVING
    enrolment.save()
    elders_touch(elder_ids=[elder.pk])
    run(APRIL)
    assert due_lines(elder, APRIL) == {("POOR", MARCH): BACK_PAY_50}


def test_an_ended_item_keeps_its_look_back_when_no_other_item_has_one() -> None:
    other = item("NOBODY", "年龄 >= 200", lookback=0)
    publish_list(item("OLD", "低保", lookback=24), other)
    elder = make_elder(date(1940, 1, 1))
    run(JANUARY)
    publish_list(item("OLD", "低保", lookback=24, to=date(2025, 1, 31)), other)
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2024, 12, 1))
    run(FEBRUARY)
    assert due_lines(elder, FEBRUARY) == {("OLD", JANUARY): BACK_PAY_50}


def test_a_line_dropped_for_one_that_is_dropped_itself_names_what_is_drawn() -> None:
    groups = [
        {"code": code, "strategy": "择高", "items": items, "from": date(2023, 1, 1)}
        for code, items in (("one", ["A", "B"]), ("two", ["A", "C"]))
    ]
    terms = [item(code, "低保", amount=amount) for code, amount in (("A", 100), ("B", 50), ("C", 200))]
    publish_list(*terms, exclusions=groups)
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    run(JANUARY)
    assert outcomes(elder, JANUARY) == {
        "A": "择高未发",
        "B": "择高未发",
        "C": "应发",
    }
    assert [finding.name for finding in invariants_check() if finding.broken] == []
