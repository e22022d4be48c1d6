"""Golden cases of domain §2.8: periods and amounts, decided by real runs of the shipped lists."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.models import ItemVersion
from eldercare.choices import Kind
from eldercare.models import Elder
from subsidies.models import Adjustment
from tests.registry import add, make_elder
from tests.subsidies.county import (
    CHENCANG,
    CHENCANG_VILLAGE,
    ELSEWHERE,
    drawn,
    due_lines,
    item,
    load,
    months,
    outcomes,
    publish,
    publish_list,
    run,
    run_through,
    shipped_pack,
)

pytestmark = pytest.mark.django_db(transaction=True)
AGED_80 = "户籍在本县 且 年龄 >= 80 且 年龄 <= 99"
NEXT_DAY = [{"name": "周岁次日计", "values": [{"from": date(2023, 1, 1), "value": 1}]}]


def first_month_drawn(elder: Elder, code: str, span: list[date]) -> date | None:
    """Earliest of the months in which the elder has the item."""
    return next((month for month in span if code in outcomes(elder, month)), None)


def publish_both_starts() -> None:
    publish_list(item("NEXT", AGED_80), item("SAME", AGED_80, start="当月"))


@pytest.mark.parametrize(("code", "first"), [("NEXT", date(2024, 7, 1)), ("SAME", date(2024, 6, 1))])
def test_who_turns_80_on_15_june_draws_from_the_next_month_or_the_same_as_the_start_says(
    code: str, first: date
) -> None:
    publish_both_starts()
    elder = make_elder(date(1944, 6, 15))
    span = months(date(2024, 5, 1), date(2024, 8, 1))
    run_through(span[0], span[-1])
    assert first_month_drawn(elder, code, span) == first


@pytest.mark.parametrize(
    ("parameters", "first"),
    [([], date(2024, 7, 1)), (NEXT_DAY, date(2024, 8, 1))],
    ids=["birthday counts", "day after counts"],
)
def test_a_birthday_on_the_last_day_of_june_counts_in_july_or_by_the_legal_reading_in_august(
    parameters: list[dict[str, object]], first: date
) -> None:
    publish_list(item("NEXT", AGED_80), parameters=parameters)
    elder = make_elder(date(1944, 6, 30))
    span = months(date(2024, 6, 1), date(2024, 9, 1))
    run_through(span[0], span[-1])
    assert first_month_drawn(elder, "NEXT", span) == first


@pytest.mark.parametrize(
    ("parameters", "first"),
    [([], date(2026, 3, 1)), (NEXT_DAY, date(2026, 4, 1))],
    ids=["28 Feb", "1 March by the legal reading"],
)
def test_a_leapling_reaches_70_on_28_february_of_a_common_year(
    parameters: list[dict[str, object]], first: date
) -> None:
    load("national")
    chencang = shipped_pack("chencang")
    chencang["parameters"] += [
        {"name": p["name"], "values": [{"from": date(2024, 4, 22), "value": 1}]} for p in parameters
    ]
    publish(chencang)
    elder = make_elder(date(1956, 2, 29), hukou=CHENCANG_VILLAGE)
    span = months(date(2026, 1, 1), date(2026, 4, 1))
    run_through(span[0], span[-1], CHENCANG)
    assert first_month_drawn(elder, "C04", span) == first


def test_a_late_application_is_paid_back_to_the_month_after_80_as_far_as_the_look_back_reaches() -> None:
    since = {"from": date(2023, 6, 1)}
    publish_list(item("FULL", AGED_80, lookback=24, **since), item("YEAR", AGED_80, lookback=11, **since))
    run_through(date(2023, 6, 1), date(2024, 11, 1))
    elder = make_elder(date(1943, 6, 15), since=date(2023, 1, 1))
    run(date(2024, 12, 1))
    to_eligibility, current_year = date(2023, 7, 1), date(2024, 1, 1)
    lines = due_lines(elder, date(2024, 12, 1))
    assert lines == {
        (code, month): ("补发", Decimal(50))
        for code, first in (("FULL", to_eligibility), ("YEAR", current_year))
        for month in months(first, date(2024, 11, 1))
    }
    assert sum(amount for (code, _), (_, amount) in lines.items() if code == "FULL") == Decimal(850)
    assert sum(amount for (code, _), (_, amount) in lines.items() if code == "YEAR") == Decimal(550)
    assert drawn(elder, date(2024, 12, 1)) == {"FULL": Decimal(50), "YEAR": Decimal(50)}


def test_the_shipped_list_pays_a_late_application_back_too() -> None:
    load("national", "luliang")
    run_through(date(2024, 6, 1), date(2024, 8, 1))
    elder = make_elder(date(1943, 6, 15), since=date(2023, 1, 1))
    run(date(2024, 9, 1))
    assert due_lines(elder, date(2024, 9, 1)) == {
        ("L03a", month): ("补发", Decimal(50)) for month in months(date(2024, 6, 1), date(2024, 8, 1))
    }


def test_the_month_after_the_100th_birthday_pays_300_in_place_of_50() -> None:
    load("national", "luliang")
    elder = make_elder(date(1924, 12, 5))
    run_through(date(2024, 12, 1), date(2025, 1, 1))
    assert drawn(elder, date(2024, 12, 1)) == {"L03a": Decimal(50)}
    assert drawn(elder, date(2025, 1, 1)) == {"L03b": Decimal(300)}


def test_a_death_told_late_is_recovered_from_the_month_after_it() -> None:
    load("national", "luliang")
    elder = make_elder(date(1940, 1, 1))
    run_through(date(2025, 2, 1), date(2025, 5, 1))
    add(elder, Kind.DEATH, "是", date(2025, 3, 2))
    run(date(2025, 6, 1))
    assert due_lines(elder, date(2025, 6, 1)) == {
        ("L03a", date(2025, 4, 1)): ("追缴", Decimal(-50)),
        ("L03a", date(2025, 5, 1)): ("追缴", Decimal(-50)),
    }
    assert drawn(elder, date(2025, 6, 1)) == {}
    assert drawn(elder, date(2025, 3, 1)) == {"L03a": Decimal(50)}


def test_recovered_months_are_not_recovered_again_by_the_next_run() -> None:
    load("national", "luliang")
    elder = make_elder(date(1940, 1, 1))
    run_through(date(2025, 3, 1), date(2025, 4, 1))
    add(elder, Kind.DEATH, "是", date(2025, 3, 2))
    run_through(date(2025, 5, 1), date(2025, 6, 1))
    assert Adjustment.objects.filter(elder=elder).count() == 1
    assert due_lines(elder, date(2025, 6, 1)) == {}


@pytest.mark.parametrize("how", ["迁出日期", "户籍区划"])
def test_who_moves_the_hukou_out_on_10_march_draws_march_and_not_april(how: str) -> None:
    load("national", "luliang")
    if how == "迁出日期":
        elder = make_elder(date(1940, 1, 1), moved_out=("是", date(2025, 3, 10)))
    else:
        elder = make_elder(date(1940, 1, 1))
        elder.circumstances.all().delete()
        add(elder, Kind.HUKOU, "530322101201", date(2020, 1, 1), date(2025, 3, 10))
        add(elder, Kind.HUKOU, ELSEWHERE, date(2025, 3, 10))
    run_through(date(2025, 3, 1), date(2025, 4, 1))
    assert drawn(elder, date(2025, 3, 1)) == {"L03a": Decimal(50)}
    assert drawn(elder, date(2025, 4, 1)) == {}


def test_four_benefits_stack_to_290_yuan_for_a_disabled_poor_elder_of_82() -> None:
    load("national", "luliang")
    elder = make_elder(
        date(1942, 1, 10),
        low_income_allowance=True,
        disability_type="肢体",
        disability_level=1,
        long_term_care=True,
        ability_level=(3, date(2024, 3, 1)),
    )
    run(date(2024, 6, 1))
    assert drawn(elder, date(2024, 6, 1)) == {
        "L03a": Decimal(50),
        "L19": Decimal(50),
        "L21": Decimal(100),
        "L22": Decimal(90),
    }
    assert "L20" not in outcomes(elder, date(2024, 6, 1))


def test_a_destitute_elder_at_home_has_no_disability_benefits_beside_the_destitute_ones() -> None:
    load("national", "luliang")
    elder = make_elder(
        date(1942, 1, 10),
        destitute="分散",
        disability_type="肢体",
        disability_level=1,
        long_term_care=True,
        ability_level=(3, date(2024, 3, 1)),
    )
    run(date(2024, 6, 1))
    assert drawn(elder, date(2024, 6, 1)) == {
        "L03a": Decimal(50),
        "L16": Decimal("910.00"),
        "L19": Decimal(50),
    }
    found = outcomes(elder, date(2024, 6, 1))
    assert found["L20"] == "应发", "decided and counted though its standard is pending"
    assert not {"L21", "L22"} & found.keys()


def test_the_allowance_of_700_gives_a_supplement_of_210_and_910_for_the_destitute() -> None:
    load("national", "chencang")
    poor = make_elder(date(1950, 1, 1), hukou=CHENCANG_VILLAGE, low_income_allowance=True)
    destitute = make_elder(date(1960, 1, 1), hukou=CHENCANG_VILLAGE, destitute="分散")
    run(date(2024, 6, 1), CHENCANG)
    assert drawn(poor, date(2024, 6, 1)) == {"C09": Decimal("210.00")}
    assert drawn(destitute, date(2024, 6, 1)) == {"C10": Decimal("910.00")}


def test_an_expired_disability_certificate_stops_and_the_renewed_one_pays_from_its_month() -> None:
    load("national", "luliang")
    certificate = (1, date(2023, 1, 1), date(2025, 6, 1))
    elder = make_elder(date(1950, 1, 1), long_term_care=True, disability_level=certificate)
    add(elder, Kind.DISABILITY_LEVEL, "1", date(2025, 9, 10))
    span = months(date(2025, 4, 1), date(2025, 10, 1))
    run_through(span[0], span[-1])
    paid = [month.month for month in span if "L21" in drawn(elder, month)]
    assert paid == [4, 5, 9, 10]


def test_a_certificate_dated_back_is_paid_back_three_months_at_most() -> None:
    load("national", "luliang")
    elder = make_elder(date(1950, 1, 1), long_term_care=True)
    run_through(date(2025, 4, 1), date(2025, 8, 1))
    add(elder, Kind.DISABILITY_LEVEL, "2", date(2025, 3, 1))
    run(date(2025, 9, 1))
    assert due_lines(elder, date(2025, 9, 1)) == {
        ("L21", month): ("补发", Decimal(90)) for month in months(date(2025, 6, 1), date(2025, 8, 1))
    }


def test_pending_items_are_decided_without_money() -> None:
    load("national", "chencang")
    elder = make_elder(date(1950, 1, 1), hukou=CHENCANG_VILLAGE)
    run(date(2024, 6, 1), CHENCANG)
    assert outcomes(elder, date(2024, 6, 1))["C04"] == "应发"
    assert drawn(elder, date(2024, 6, 1)) == {}
    assert ItemVersion.objects.get(item__code="C04").pending
