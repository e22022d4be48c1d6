"""New versions of the list: what they decide again and what they leave alone (design §2)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from subsidies.models import Month
from tests.registry import make_elder
from tests.subsidies.county import drawn, due_lines, item, publish_list, run, run_through, snapshot

pytestmark = pytest.mark.django_db(transaction=True)
FEBRUARY, MARCH, APRIL, MAY = (date(2025, month, 1) for month in (2, 3, 4, 5))


def publish(amount: int, since: date, *more: dict[str, Any], age: int = 80) -> None:
    """The county's list with the allowance as of a day."""
    publish_list(item("AGE", f"年龄 >= {age}", amount=amount, **{"from": since}), *more)


def test_march_recomputes_to_its_figures_after_a_new_version_from_april() -> None:
    publish(50, date(2023, 1, 1))
    old, young = make_elder(date(1940, 1, 1)), make_elder(date(1950, 1, 1))
    march = run(MARCH)
    before = snapshot(march)
    publish(60, date(2025, 4, 1), age=70)
    again = run(MARCH)
    assert (again.revision, snapshot(again)) == (1, before)
    run(APRIL)
    assert (drawn(old, APRIL), drawn(young, APRIL)) == ({"AGE": Decimal(60)}, {"AGE": Decimal(60)})
    assert due_lines(old, APRIL) == {}
    assert snapshot(Month.objects.get(month=MARCH)) == before


def test_a_month_emptied_and_run_again_under_the_later_list_gives_its_old_figures() -> None:
    publish(50, date(2023, 1, 1))
    make_elder(date(1940, 1, 1))
    before = snapshot(run(MARCH))
    publish(60, date(2025, 4, 1))
    Month.objects.all().delete()
    assert snapshot(run(MARCH)) == before


def test_a_new_version_inside_the_month_decides_the_month_again() -> None:
    publish(50, date(2023, 1, 1))
    elder = make_elder(date(1940, 1, 1))
    run(APRIL)
    publish(60, date(2025, 4, 30))
    assert run(APRIL).revision == 2
    assert drawn(elder, APRIL) == {"AGE": Decimal(60)}
    assert drawn(elder, APRIL, revision=1) == {"AGE": Decimal(50)}


def test_a_version_from_the_first_of_the_next_month_leaves_the_month_alone() -> None:
    publish(50, date(2023, 1, 1))
    make_elder(date(1940, 1, 1))
    run(APRIL)
    publish(60, date(2025, 5, 1))
    assert run(APRIL).revision == 1


def test_a_rate_raised_with_effect_back_pays_the_difference_of_the_past_months() -> None:
    rates = [{"name": "标准", "values": [{"from": date(2023, 1, 1), "amount": 700}]}]
    terms = item("RATE", "低保", amount="0.3 * 标准")
    publish_list(terms, rates=rates)
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    run_through(FEBRUARY, APRIL)
    rates[0]["values"] = [*rates[0]["values"], {"from": date(2025, 3, 1), "amount": 750}]
    publish_list(terms, rates=rates)
    run(MAY)
    assert drawn(elder, MAY) == {"RATE": Decimal("225.00")}
    assert due_lines(elder, MAY) == {
        ("RATE", MARCH): ("补发", Decimal("15.00")),
        ("RATE", APRIL): ("补发", Decimal("15.00")),
    }


def test_a_repealed_item_ends_with_the_month_of_its_last_day() -> None:
    publish_list(item("AGE", "年龄 >= 80"), item("OTHER", "年龄 >= 80"))
    elder = make_elder(date(1940, 1, 1))
    run(MARCH)
    publish_list(item("AGE", "年龄 >= 80", to=date(2025, 4, 29)), item("OTHER", "年龄 >= 80"))
    run(APRIL)
    assert drawn(elder, MARCH) == {"AGE": Decimal(50), "OTHER": Decimal(50)}
    assert drawn(elder, APRIL) == {"OTHER": Decimal(50)}


def test_an_item_ended_after_it_was_settled_is_recovered() -> None:
    end = item("END", "年龄 >= 80", amount=7, lookback=24)
    publish(50, date(2023, 1, 1), end)
    elder = make_elder(date(1940, 1, 1))
    run_through(MARCH, APRIL)
    publish(50, date(2023, 1, 1), {**end, "to": date(2025, 3, 31)})
    run(MAY)
    assert due_lines(elder, MAY) == {("END", APRIL): ("追缴", Decimal("-7.00"))}
