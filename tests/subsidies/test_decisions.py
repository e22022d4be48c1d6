"""Gate, exclusions, households and amounts, decided by real runs (design §2 steps 3–5)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from eldercare.choices import Kind
from eldercare.models import Elder
from subsidies.models import Entitlement, Month
from subsidies.selectors import month_lines
from subsidies.wording import line_remark
from tests.registry import add, id_number, make_elder
from tests.subsidies.county import (
    ELSEWHERE,
    LULIANG,
    counted,
    drawn,
    enrol,
    item,
    outcomes,
    publish_list,
    run,
    run_through,
)

pytestmark = pytest.mark.django_db(transaction=True)
MAY, JUNE, JULY, AUGUST = (date(2024, month, 1) for month in (5, 6, 7, 8))
AGED = "年龄 >= 80"


def exclusion(strategy: str, *codes: str, **given: Any) -> dict[str, Any]:
    """An exclusion group in force since 2023."""
    return {"code": "group", "strategy": strategy, "items": list(codes), "from": date(2023, 1, 1)} | given


def remarks(month: date) -> dict[str, str]:
    """Item code → remark of the month's lines."""
    return {line.item.code: line_remark(line) for line in month_lines(Month.objects.get(month=month))}


@pytest.mark.parametrize(
    ("first", "last", "state", "outcome"),
    [
        (JUNE, None, "享受中", "应发"),
        (JULY, None, "享受中", "未申请"),
        (MAY, JUNE, "终止", "应发"),
        (MAY, MAY, "终止", "未申请"),
        (MAY, JUNE, "享受中", "应发"),
        (MAY, None, "暂停", "暂停"),
        (JULY, None, "暂停", "未申请"),
    ],
)
def test_an_item_to_apply_for_follows_the_enrolment_that_covers_the_month(
    first: date, last: date | None, state: str, outcome: str
) -> None:
    publish_list(item("ASK", AGED, application="申请"))
    elder = make_elder(date(1940, 1, 1))
    enrol(elder, "ASK", first, last, state)
    run(JUNE)
    assert outcomes(elder, JUNE) == {"ASK": outcome}


def test_who_has_not_applied_is_listed_as_such_and_who_is_not_eligible_is_not_listed_despite_an_enrolment() -> (
    None
):
    publish_list(item("ASK", AGED, application="申请"))
    unaware, young = make_elder(date(1940, 1, 1)), make_elder(date(1960, 1, 1))
    enrol(young, "ASK", MAY)
    run(JUNE)
    assert outcomes(unaware, JUNE) == {"ASK": "未申请"}
    assert remarks(JUNE) == {"ASK": "符合条件，尚未登记享受或已停发"}
    assert outcomes(young, JUNE) == {}


def test_a_suspended_enrolment_stops_also_an_item_that_needs_no_application() -> None:
    publish_list(item("AUTO", AGED))
    elder, other = make_elder(date(1940, 1, 1)), make_elder(date(1940, 1, 2))
    enrol(elder, "AUTO", MAY, state="暂停")
    run(JUNE)
    assert (outcomes(elder, JUNE), outcomes(other, JUNE)) == ({"AUTO": "暂停"}, {"AUTO": "应发"})
    assert drawn(elder, JUNE) == {}


@pytest.mark.parametrize(
    ("amounts", "winner"),
    [
        ({"A": 50, "B": 80, "C": 60}, "B"),
        ({"A": 50, "B": 80, "C": 80}, "B"),
        ({"A": 50, "B": 50, "C": 50}, "A"),
        ({"A": None, "B": 10, "C": None}, "B"),
        ({"A": None, "B": None, "C": None}, "A"),
        ({"A": None, "B": 0, "C": None}, "A"),
    ],
    ids=[
        "largest",
        "tie of two",
        "all tie",
        "pending loses to money",
        "all pending",
        "zero ties with pending",
    ],
)
def test_of_a_group_the_largest_amount_is_drawn_ties_by_order_and_the_others_name_it(
    amounts: dict[str, int | None], winner: str
) -> None:
    publish_list(
        *[item(code, AGED, amount=pay, pending=pay is None) for code, pay in amounts.items()],
        exclusions=[exclusion("择高", "A", "B", "C")],
    )
    elder = make_elder(date(1940, 1, 1))
    run(JUNE)
    expected = dict.fromkeys(amounts, "择高未发") | {winner: "应发"}
    assert outcomes(elder, JUNE) == expected
    dropped = Entitlement.objects.filter(elder=elder, outcome="择高未发").values_list(
        "winner__code", flat=True
    )
    assert set(dropped) == {winner}
    assert remarks(JUNE)[next(iter(set(amounts) - {winner}))] == f"已享受 {winner} 项目{winner}"


def test_of_an_exclusive_group_the_first_in_order_is_drawn_whatever_the_amounts() -> None:
    publish_list(
        item("A", AGED, amount=90), item("B", AGED, amount=10), exclusions=[exclusion("互斥", "B", "A")]
    )
    elder = make_elder(date(1940, 1, 1))
    run(JUNE)
    assert outcomes(elder, JUNE) == {"A": "互斥未发", "B": "应发"}
    assert Entitlement.objects.filter(elder=elder, outcome="互斥未发", winner__code="B").count() == 1


def test_an_item_not_applied_for_or_suspended_takes_nobody_elses_place() -> None:
    publish_list(
        item("ASK", AGED, amount=90, application="申请"),
        item("STOP", AGED, amount=80),
        item("REST", AGED, amount=10),
        exclusions=[exclusion("择高", "ASK", "STOP", "REST")],
    )
    elder = make_elder(date(1940, 1, 1))
    enrol(elder, "STOP", MAY, state="暂停")
    run(JUNE)
    assert outcomes(elder, JUNE) == {"ASK": "未申请", "STOP": "暂停", "REST": "应发"}


def test_a_group_holds_in_the_months_in_which_it_is_in_force_on_the_last_day() -> None:
    publish_list(
        item("A", AGED, amount=90),
        item("B", AGED, amount=10),
        exclusions=[exclusion("择高", "A", "B", **{"from": date(2024, 6, 30), "to": date(2024, 7, 30)})],
    )
    elder = make_elder(date(1940, 1, 1))
    run_through(MAY, JULY)
    assert [outcomes(elder, month)["B"] for month in (MAY, JUNE, JULY)] == ["应发", "择高未发", "应发"]


def test_dropped_amounts_are_not_money_due() -> None:
    publish_list(
        item("A", AGED, amount=90), item("B", AGED, amount=10), exclusions=[exclusion("择高", "A", "B")]
    )
    elder = make_elder(date(1940, 1, 1))
    run(JUNE)
    assert drawn(elder, JUNE) == {"A": Decimal(90)}


@pytest.mark.parametrize(
    ("level", "amount"), [(1, Decimal(100)), (2, Decimal("90.00")), (3, Decimal("33.34")), (4, None)]
)
def test_the_first_tier_that_applies_pays_rounded_half_up_and_no_tier_pays_nothing(
    level: int, amount: Decimal | None
) -> None:
    tiers = [
        {"if": "残疾等级 = 1", "pay": 100},
        {"if": "残疾等级 <= 2", "pay": 90},
        {"if": "残疾等级 <= 3", "pay": "0.05 * 标准"},
    ]
    rates = [{"name": "标准", "values": [{"from": date(2023, 1, 1), "amount": 666.70}]}]
    publish_list(item("TIERS", "残疾等级 >= 1", amount=tiers), rates=rates)
    elder = make_elder(date(1950, 1, 1), disability_level=level)
    run(JUNE)
    assert Entitlement.objects.get(elder=elder).amount == amount


def household(*births: date, head: str = "", **kinds: object) -> list[Elder]:
    """Elders of one household; the head need not be registered."""
    head = head or id_number(date(1990, 1, 1), 1, area="990000")
    return [make_elder(birth, head=head, **kinds) for birth in births]  # type: ignore[arg-type]  # kinds are passed on


def home_item(**given: Any) -> dict[str, Any]:
    return item("HOME", "低保", subject="家庭", form="服务", amount=None) | given


def test_a_household_has_one_line_for_its_eldest_eligible_member_even_if_its_head_is_not_registered() -> None:
    publish_list(home_item())
    younger, elder = household(date(1945, 1, 1), date(1940, 1, 1), low_income_allowance=True)
    eldest_but_not_poor = household(date(1930, 1, 1))[0]
    alone = make_elder(date(1950, 1, 1), low_income_allowance=True)
    run(JUNE)
    lines = set(Entitlement.objects.values_list("elder", flat=True))
    assert lines == {elder.pk, alone.pk}
    assert not lines & {younger.pk, eldest_but_not_poor.pk}


def test_the_line_passes_to_the_next_when_the_eldest_is_no_longer_eligible() -> None:
    publish_list(home_item(start="次月"))
    younger, elder = household(date(1945, 1, 1), date(1940, 1, 1), low_income_allowance=True)
    run(JUNE)
    add(elder, Kind.DEATH, "是", date(2024, 5, 10))
    assert run(JUNE).revision == 2
    assert outcomes(elder, JUNE) == {}
    assert outcomes(younger, JUNE) == {"HOME": "应发"}
    assert outcomes(elder, JUNE, revision=1) == {"HOME": "应发"}


def test_an_enrolment_of_any_member_counts_for_the_household() -> None:
    publish_list(home_item(application="申请"))
    younger, elder = household(date(1945, 1, 1), date(1940, 1, 1), low_income_allowance=True)
    other = make_elder(date(1950, 1, 1), low_income_allowance=True)
    enrol(younger, "HOME", MAY)
    run(JUNE)
    assert outcomes(elder, JUNE) == {"HOME": "应发"}
    assert outcomes(other, JUNE) == {"HOME": "未申请"}


def test_a_member_outside_the_county_does_not_stand_for_the_household() -> None:
    publish_list(home_item())
    head = id_number(date(1990, 1, 1), 2, area="990000")
    (here,) = household(date(1945, 1, 1), head=head, low_income_allowance=True)
    make_elder(date(1930, 1, 1), head=head, hukou=ELSEWHERE, low_income_allowance=True)
    run(JUNE)
    assert list(Entitlement.objects.values_list("elder", flat=True)) == [here.pk]


def test_items_of_family_members_and_institutions_are_not_decided() -> None:
    publish_list(
        item("FAMILY", AGED, subject="家庭成员"),
        item("HOUSE", AGED, subject="机构", pending=True, amount=None, track="计数"),
    )
    make_elder(date(1940, 1, 1))
    month = run(JUNE)
    assert not Entitlement.objects.exists()
    assert counted(month) == {}


def test_a_person_of_a_month_without_any_item_is_still_counted_among_its_persons() -> None:
    publish_list(item("A", AGED))
    make_elder(date(1960, 1, 1))
    assert run(JUNE, LULIANG).persons == 1
