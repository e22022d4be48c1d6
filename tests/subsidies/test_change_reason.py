"""Why a month is paid after or taken back, through real runs: what changed, since when, and the month's price."""

from datetime import date
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import Elder
from eldercare.services.circumstance import circumstance_set
from eldercare.services.monthly_facts import elders_touch
from subsidies.change_history import DueLine, change_reasons
from subsidies.change_reason import Reason
from subsidies.choices import EnrolmentAction, EnrolmentState, StopReason
from subsidies.models import Adjustment, EnrolmentEvent
from tests.registry import add, make_elder
from tests.subsidies.county import ELSEWHERE, LULIANG, enrol, item, publish_list, run, run_through

APRIL, MAY, JUNE = date(2025, 4, 1), date(2025, 5, 1), date(2025, 6, 1)
pytestmark = pytest.mark.django_db(transaction=True)
POOR = item("POOR", "低保", amount=100)


def reason(elder: Elder, month: date, code: str = "POOR", run_month: date = JUNE) -> Reason:
    """Why the run has a due line for the month."""
    line = Adjustment.objects.get(elder=elder, month=month, item__code=code, run__month=run_month)
    due = DueLine(elder.pk, line.item_id, month, line.amount)
    return change_reasons(county_code=LULIANG, lines=[due])[due.key]


def test_a_death_names_its_day_its_source_and_the_price_of_the_month() -> None:
    publish_list(POOR)
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    run_through(APRIL, MAY)
    add(elder, Kind.DEATH, "是", date(2025, 3, 2))
    run(JUNE)
    found = reason(elder, APRIL)
    assert found.text == "2025-03-02 去世（来源：测试），次月起停发。2025年4月应发 0.00 元，已结 100.00 元。"
    assert found.cause == StopReason.DEATH


def test_moving_out_names_the_day() -> None:
    publish_list(item("AGE", "户籍在本县 且 年龄 >= 70"))
    elder = make_elder(date(1940, 1, 1))
    run_through(APRIL, MAY)
    circumstance_set(elder=elder, kind=Kind.HUKOU, value=ELSEWHERE, starts=date(2025, 3, 10), source="公安")
    circumstance_set(
        elder=elder, kind=Kind.RESIDENCE, value="530322101201", starts=date(2025, 3, 10), source="公安"
    )
    run(JUNE)
    found = reason(elder, APRIL, "AGE")
    assert found.text.startswith("户籍自 2025-03-10 起不在本县（来源：公安）。")
    assert found.cause == StopReason.MOVED


def test_a_lost_status_names_old_and_new_and_since_when() -> None:
    publish_list(POOR)
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    run_through(APRIL, MAY)
    circumstance_set(
        elder=elder,
        kind=Kind.LOW_INCOME_ALLOWANCE,
        value=None,
        starts=date(2025, 4, 1),
        source="救助系统",
    )
    run(JUNE)
    found = reason(elder, APRIL)
    assert found.text.startswith("低保由“是”变为“否”，自 2025-04-01 起。")
    assert found.cause == StopReason.STATUS_LOST


def test_a_status_found_late_says_from_when_it_holds() -> None:
    publish_list(POOR)
    elder = make_elder(date(1940, 1, 1))
    run_through(APRIL, MAY)
    circumstance_set(
        elder=elder,
        kind=Kind.LOW_INCOME_ALLOWANCE,
        value="是",
        starts=date(2025, 3, 15),
        source="救助系统",
        document="批复3号",
    )
    run(JUNE)
    assert reason(elder, APRIL).text == (
        "低保由“否”变为“是”，自 2025-03-15 起（来源：批复3号）。2025年4月应发 100.00 元，已结 0.00 元。"
    )


def test_facts_that_the_rule_does_not_name_are_not_blamed() -> None:
    publish_list(POOR)
    elder = make_elder(date(1940, 1, 1))
    run_through(APRIL, MAY)
    for kind in (Kind.LOW_INCOME_ALLOWANCE, Kind.LIVES_ALONE):
        circumstance_set(elder=elder, kind=kind, value="是", starts=date(2025, 3, 15), source="走访")
    run(JUNE)
    assert "独居" not in reason(elder, APRIL).text


def test_facts_inside_a_named_condition_are_named() -> None:
    publish_list(
        item("NEED", "经济困难"),
        conditions=[{"name": "经济困难", "rule": "低保 或 低收入", "from": date(2023, 1, 1)}],
    )
    elder = make_elder(date(1940, 1, 1))
    run_through(APRIL, MAY)
    circumstance_set(elder=elder, kind=Kind.LOW_INCOME, value="是", starts=date(2025, 3, 15), source="走访")
    run(JUNE)
    assert reason(elder, APRIL, "NEED").text.startswith("低收入由“否”变为“是”，自 2025-03-15 起")


def test_a_corrected_birthday_names_both() -> None:
    publish_list(item("OLD", "年龄 >= 80"))
    elder = make_elder(date(1946, 6, 15))
    run_through(APRIL, MAY)
    elder.birth_date = date(1944, 6, 15)
    elder.save()
    run(JUNE)
    assert reason(elder, APRIL, "OLD").text.startswith("出生日期由 1946-06-15 更正为 1944-06-15。")


def test_who_was_registered_late_says_so() -> None:
    publish_list(POOR)
    make_elder(date(1941, 1, 1))
    run_through(APRIL, MAY)
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    run(JUNE)
    assert "才登记在册" in reason(elder, APRIL).text


def test_a_back_dated_rate_names_document_and_day() -> None:
    half = item("RATE", "低保", amount="低保标准 * 0.5")
    first = {"from": date(2023, 1, 1), "amount": 600}
    publish_list(half, rates=[{"name": "低保标准", "values": [first]}])
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    run_through(APRIL, MAY)
    raised = {"from": date(2025, 4, 1), "amount": 700}
    publish_list(half, rates=[{"name": "低保标准", "values": [first, raised]}])
    run(JUNE)
    found = reason(elder, APRIL, "RATE")
    assert found.text == (
        "当月标准按低保标准 700（测试清单，自 2025-04-01 起）重新计算。"
        "2025年4月应发 350.00 元，已结 300.00 元。"
    )
    assert found.cause == StopReason.POLICY


def test_an_enrolment_found_late_says_from_when_and_who_did_what() -> None:
    publish_list(item("ASK", "低保", application="申请", amount=60))
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    run_through(APRIL, MAY)
    enrolment = enrol(elder, "ASK", APRIL)
    elders_touch(elder_ids=[elder.pk])
    run(JUNE)
    assert reason(elder, APRIL, "ASK").text.startswith("享受登记自 2025-04 起。")
    EnrolmentEvent.objects.create(
        enrolment=enrolment, action=EnrolmentAction.START, reason="未及时登记", month=APRIL
    )
    assert "办理登记，自 2025-04 起（未及时登记）。" in reason(elder, APRIL, "ASK").text


def test_a_stopped_enrolment_names_reason_and_last_month() -> None:
    publish_list(item("ASK", "低保", application="申请", amount=60))
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    enrolment = enrol(elder, "ASK", APRIL)
    run_through(APRIL, MAY)
    enrolment.state, enrolment.last_month = EnrolmentState.ENDED, APRIL
    enrolment.save()
    EnrolmentEvent.objects.create(
        enrolment=enrolment, action=EnrolmentAction.STOP, reason=StopReason.RENOUNCED, month=APRIL
    )
    elders_touch(elder_ids=[elder.pk])
    run(JUNE)
    found = reason(elder, MAY, "ASK")
    assert "办理停发，发至 2025-04（自愿放弃）。" in found.text
    assert found.cause == StopReason.RENOUNCED


def test_an_item_that_gives_way_to_another_names_it() -> None:
    publish_list(
        POOR,
        item("MORE", "失智", amount=300, number=2),
        exclusions=[{"code": "one", "strategy": "择高", "items": ["POOR", "MORE"], "from": date(2023, 1, 1)}],
    )
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    run_through(APRIL, MAY)
    circumstance_set(elder=elder, kind=Kind.DEMENTIA, value="是", starts=date(2025, 3, 1), source="评估")
    run(JUNE)
    assert reason(elder, APRIL).text.startswith("与MORE 项目MORE只能享受一项，当月改发后者。")


def test_the_number_of_queries_does_not_grow_with_the_page(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    publish_list(POOR)
    elders = [make_elder(date(1940, 1, 1)) for _ in range(25)]
    run_through(APRIL, MAY)
    for elder in elders:
        add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2025, 3, 1))
    run(JUNE)
    rows = Adjustment.objects.filter(run__month=JUNE)
    lines = [DueLine(row.elder_id, row.item_id, row.month, row.amount) for row in rows]
    with django_assert_max_num_queries(6):
        found = change_reasons(county_code=LULIANG, lines=lines)
    assert len(found) == 50
    assert {reason.text[:11] for reason in found.values()} == {"低保由“否”变为“是”"}


def test_a_month_that_was_never_settled_otherwise_says_that_nothing_changed() -> None:
    publish_list(POOR)
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    run(APRIL)
    due = DueLine(elder.pk, Item.objects.get().pk, APRIL, Decimal(100))
    text = change_reasons(county_code=LULIANG, lines=[due])[due.key].text
    assert text == "资料和标准没有变化，差额来自此前的发放。2025年4月应发 100.00 元，已结 0.00 元。"
