"""Rules of the run: what repeats, what makes a revision, who is decided (design §2)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from catalog.policy import Policy
from eldercare.choices import Kind
from eldercare.models import Elder, MonthlyFacts
from subsidies.models import Entitlement, Month
from subsidies.services.chunk import ChunkTask, chunk_decide
from subsidies.services.month import MonthRefusedError
from tests.registry import add, make_elder
from tests.subsidies.county import (
    ELSEWHERE,
    LULIANG,
    OTHER_VILLAGE,
    VILLAGE,
    counted,
    drawn,
    due_lines,
    item,
    load,
    outcomes,
    publish_list,
    run,
    run_through,
    snapshot,
)
from visits.models import Obligation

pytestmark = pytest.mark.django_db(transaction=True)
MAY, JUNE, JULY = date(2024, 5, 1), date(2024, 6, 1), date(2024, 7, 1)
TABLES = (
    "eldercare_monthlyfacts",
    "subsidies_entitlement",
    "subsidies_itemcount",
    "subsidies_adjustment",
    "subsidies_month",
    "visits_obligation",
)


def two_items() -> None:
    """NEXT by opening facts, SAME by closing ones, ALL counted."""
    publish_list(
        item("NEXT", "低保"),
        item("SAME", "低保", start="当月", amount=30),
        item("ALL", "年龄 >= 60", track="计数", amount=None, form="服务"),
    )


def contents() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the month's tables."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


def end(elder: Elder, kind: Kind, day: date) -> None:
    """End a circumstance on the day before."""
    row = elder.circumstances.get(kind=kind)
    row.valid = type(row.valid)(row.valid.lower, day)
    row.save()


def test_running_again_with_unchanged_facts_writes_nothing() -> None:
    two_items()
    make_elder(date(1940, 1, 1), low_income_allowance=True)
    make_elder(date(1950, 6, 11), low_income_allowance=(True, date(2024, 6, 20)))
    run_through(MAY, JUNE)
    before = contents()
    month = run(JUNE)
    assert contents() == before
    assert month.revision == 1


def test_changed_facts_make_a_new_revision_and_the_former_stays_readable() -> None:
    two_items()
    kept, changed = (make_elder(date(1940, 1, day), low_income_allowance=True) for day in (1, 2))
    first = run(JUNE)
    end(changed, Kind.LOW_INCOME_ALLOWANCE, date(2024, 5, 1))
    second = run(JUNE)
    assert (first.revision, second.revision) == (1, 2)
    assert outcomes(changed, JUNE) == {}
    assert outcomes(changed, JUNE, revision=1) == {"NEXT": "应发", "SAME": "应发"}
    assert outcomes(kept, JUNE) == outcomes(kept, JUNE, revision=1) == {"NEXT": "应发", "SAME": "应发"}
    assert Entitlement.objects.filter(elder=kept).count() == 2, "an unchanged elder keeps the rows that stand"


def test_changing_back_gives_the_figures_of_the_first_revision() -> None:
    two_items()
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    first = snapshot(run(JUNE))
    end(elder, Kind.LOW_INCOME_ALLOWANCE, date(2024, 5, 1))
    run(JUNE)
    elder.circumstances.filter(kind=Kind.LOW_INCOME_ALLOWANCE).delete()
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2020, 1, 1))
    third = run(JUNE)
    assert third.revision == 3
    assert snapshot(third) == first


def test_a_same_month_item_pays_the_month_in_which_the_fact_is_lost() -> None:
    two_items()
    elder = make_elder(date(1940, 1, 1), low_income_allowance=(True, date(2020, 1, 1), date(2024, 6, 10)))
    run_through(JUNE, JULY)
    assert outcomes(elder, JUNE) == {"NEXT": "应发", "SAME": "应发"}
    assert outcomes(elder, JULY) == {}


@pytest.mark.parametrize(
    ("gained", "june"),
    [
        (date(2024, 6, 1), {"NEXT": "应发", "SAME": "应发"}),
        (date(2024, 6, 2), {"SAME": "应发"}),
        (date(2024, 6, 30), {"SAME": "应发"}),
        (date(2024, 7, 1), {}),
    ],
)
def test_a_next_month_item_does_not_pay_the_month_in_which_the_fact_is_gained(
    gained: date, june: dict[str, str]
) -> None:
    two_items()
    elder = make_elder(date(1940, 1, 1), low_income_allowance=(True, gained))
    run_through(JUNE, JULY)
    assert outcomes(elder, JUNE) == june
    assert outcomes(elder, JULY) == {"NEXT": "应发", "SAME": "应发"}


@pytest.mark.parametrize("kind", [Kind.DEATH, Kind.MOVED_OUT])
@pytest.mark.parametrize(
    ("day", "persons"),
    [(date(2024, 5, 31), 0), (date(2024, 6, 1), 1), (date(2024, 6, 30), 1), (date(2024, 7, 1), 1)],
)
def test_who_left_before_the_first_is_not_decided_and_the_month_of_leaving_is_paid(
    kind: Kind, day: date, persons: int
) -> None:
    two_items()
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    add(elder, kind, "是", day)
    month = run(JUNE)
    assert month.persons == persons
    assert len(outcomes(elder, JUNE)) == 2 * persons
    assert sum(counted(month).values()) == persons


@pytest.mark.parametrize(
    ("hukou", "residence", "persons"),
    [(VILLAGE, VILLAGE, 1), (VILLAGE, ELSEWHERE, 1), (ELSEWHERE, VILLAGE, 1), (ELSEWHERE, ELSEWHERE, 0)],
)
def test_who_neither_is_registered_nor_lives_in_the_county_is_not_among_its_persons(
    hukou: str, residence: str, persons: int
) -> None:
    publish_list(item("HUKOU", "户籍在本县"), item("HERE", "居住在本县"))
    elder = make_elder(date(1940, 1, 1), hukou=hukou, residence=residence)
    assert run(JUNE).persons == persons
    expected = {code for code, area in (("HUKOU", hukou), ("HERE", residence)) if area == VILLAGE}
    assert outcomes(elder, JUNE).keys() == (expected if persons else set())


def test_who_is_registered_outside_is_counted_where_he_lives() -> None:
    publish_list(item("HERE", "居住在本县"))
    elder = make_elder(date(1940, 1, 1), hukou=ELSEWHERE, residence=OTHER_VILLAGE)
    run(JUNE)
    assert MonthlyFacts.objects.get(elder=elder).area_code == OTHER_VILLAGE
    assert Entitlement.objects.get(elder=elder).area_code == OTHER_VILLAGE


def test_an_unknown_fact_is_not_true_and_its_negation_neither() -> None:
    publish_list(item("LOW", "能力等级 >= 2"), item("NOT", "非 (能力等级 >= 2)"))
    known = make_elder(date(1940, 1, 1), ability_level=(1, date(2024, 1, 1)))
    unknown = make_elder(date(1940, 1, 2))
    run(JUNE)
    assert outcomes(known, JUNE) == {"NOT": "应发"}
    assert outcomes(unknown, JUNE) == {}


def test_an_assessment_is_known_for_twelve_months_from_its_day() -> None:
    publish_list(item("CARE", "能力等级 >= 2", start="次月"))
    elder = make_elder(date(1940, 1, 1), ability_level=(3, date(2023, 6, 1)))
    last_day = make_elder(date(1940, 1, 2), ability_level=(3, date(2023, 6, 2)))
    run(JUNE)
    assert outcomes(elder, JUNE) == {}
    assert outcomes(last_day, JUNE) == {"CARE": "应发"}


def test_a_back_dated_fact_pays_only_the_months_that_the_item_looks_back() -> None:
    publish_list(item("TWO", "低保", lookback=2), item("NONE", "低保", lookback=0))
    elder = make_elder(date(1940, 1, 1))
    run_through(date(2024, 2, 1), JUNE)
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2024, 1, 1))
    run(JULY)
    assert due_lines(elder, JULY) == {
        ("TWO", MAY): ("补发", Decimal(50)),
        ("TWO", JUNE): ("补发", Decimal(50)),
    }
    assert drawn(elder, JULY) == {"TWO": Decimal(50), "NONE": Decimal(50)}


def test_back_pay_is_not_taken_back_when_its_month_leaves_the_look_back() -> None:
    publish_list(item("TWO", "低保", lookback=2), item("LONG", "年龄 >= 60", lookback=24))
    elder = make_elder(date(1940, 1, 1))
    run_through(MAY, JUNE)
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2024, 1, 1))
    run_through(JULY, date(2024, 9, 1))
    assert due_lines(elder, JULY).keys() == {("TWO", MAY), ("TWO", JUNE)}
    assert due_lines(elder, date(2024, 8, 1)) == due_lines(elder, date(2024, 9, 1)) == {}


def test_a_month_that_no_later_one_has_settled_is_corrected_in_itself() -> None:
    two_items()
    elder = make_elder(date(1940, 1, 1))
    run(JUNE)
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2024, 1, 1))
    run(JUNE)
    run(JULY)
    assert drawn(elder, JUNE) == {"NEXT": Decimal(50), "SAME": Decimal(30)}
    assert due_lines(elder, JULY) == {}


def test_the_due_lines_of_a_settled_run_stay_and_later_news_goes_to_the_newest_run() -> None:
    publish_list(item("TWO", "低保"))
    elder = make_elder(date(1940, 1, 1))
    run(MAY)
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2024, 1, 1))
    run_through(JUNE, JULY)
    assert due_lines(elder, JUNE) == {("TWO", MAY): ("补发", Decimal(50))}
    end(elder, Kind.LOW_INCOME_ALLOWANCE, date(2024, 2, 1))
    run(JULY)
    run(JUNE)
    assert due_lines(elder, JUNE) == {("TWO", MAY): ("补发", Decimal(50))}
    assert due_lines(elder, JULY) == {
        ("TWO", MAY): ("追缴", Decimal(-50)),
        ("TWO", JUNE): ("追缴", Decimal(-50)),
    }


def test_an_item_that_has_ended_is_still_recovered_for_its_last_months() -> None:
    publish_list(item("OLD", "年龄 >= 80", to=date(2024, 6, 30)), item("NEW", "年龄 >= 80"))
    elder = make_elder(date(1940, 1, 1))
    run_through(MAY, JUNE)
    add(elder, Kind.DEATH, "是", date(2024, 5, 20))
    run(JULY)
    assert due_lines(elder, JULY) == {
        ("OLD", JUNE): ("追缴", Decimal(-50)),
        ("NEW", JUNE): ("追缴", Decimal(-50)),
    }


def test_running_one_township_decides_it_alone_and_the_whole_run_adds_the_rest() -> None:
    two_items()
    here = make_elder(date(1940, 1, 1), low_income_allowance=True)
    there = make_elder(date(1940, 1, 2), hukou=OTHER_VILLAGE, low_income_allowance=True)
    assert run(JUNE, area="530322101000").persons == 1
    assert outcomes(there, JUNE) == {}
    assert run(JUNE).persons == 2
    assert outcomes(here, JUNE) == outcomes(there, JUNE) == {"NEXT": "应发", "SAME": "应发"}


def test_who_moved_between_townships_owes_nothing_when_one_of_them_is_run_alone() -> None:
    publish_list(item("POOR", "低保"))
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    for village in (VILLAGE, OTHER_VILLAGE):
        make_elder(date(1940, 1, 2), hukou=village)
    run_through(MAY, JUNE)
    elder.circumstances.filter(kind=Kind.HUKOU).delete()
    add(elder, Kind.HUKOU, OTHER_VILLAGE, date(2020, 1, 1))
    Elder.objects.filter(pk=elder.pk).update(hukou_code=OTHER_VILLAGE, residence_code=OTHER_VILLAGE)
    for area in ("530322102000", "530322101000"):
        run(JULY, area=area)
        assert due_lines(elder, JULY) == {}


def test_a_township_that_appears_later_is_decided() -> None:
    two_items()
    make_elder(date(1940, 1, 1), low_income_allowance=True)
    run(JUNE)
    elder = make_elder(date(1940, 1, 2), hukou=OTHER_VILLAGE, low_income_allowance=True)
    assert run(JUNE).persons == 2
    assert outcomes(elder, JUNE) == {"NEXT": "应发", "SAME": "应发"}


def test_a_township_without_elders_is_refused_and_nothing_is_published() -> None:
    two_items()
    make_elder(date(1940, 1, 1), low_income_allowance=True)
    with pytest.raises(MonthRefusedError, match="区划 530322999000 没有登记的老年人"):
        run(JUNE, area="530322999000")
    assert not Month.objects.filter(revision__gt=0).exists()


def test_a_month_before_the_list_is_refused() -> None:
    two_items()
    with pytest.raises(MonthRefusedError, match="2022年12月没有适用于 530322000000 的服务清单"):
        run(date(2022, 12, 1))


def test_two_counties_with_the_same_elder_decide_him_each_by_his_own_part() -> None:
    publish_list(item("HUKOU", "户籍在本县"), item("HERE", "居住在本县"))
    publish_list(
        item("HUKOU", "户籍在本县"), item("HERE", "居住在本县"), area="530324000000", code="neighbour"
    )
    elder = make_elder(date(1940, 1, 1), hukou=VILLAGE, residence=ELSEWHERE)
    run(JUNE, LULIANG)
    run(JUNE, "530324000000")
    rows = Entitlement.objects.filter(elder=elder).values_list("county_code", "item__code")
    assert set(rows) == {(LULIANG, "HUKOU"), ("530324000000", "HERE")}


def test_a_late_registered_elder_is_paid_back_but_was_not_to_be_visited_then() -> None:
    load("national", "luliang")
    make_elder(date(1940, 1, 1), lives_alone=True)
    run(MAY)
    late = make_elder(date(1940, 1, 1), lives_alone=True, since=date(2024, 1, 1))
    run(JUNE)
    assert due_lines(late, JUNE) == {("L03a", MAY): ("补发", Decimal(50))}
    assert [row.month for row in Obligation.objects.filter(elder=late)] == [JUNE]


def test_a_death_reported_late_exempts_the_earlier_months_visit() -> None:
    load("national", "luliang")
    elder = make_elder(date(1940, 1, 1), lives_alone=True)
    run(MAY)
    add(elder, Kind.DEATH, "是", date(2024, 5, 20))
    run(JUNE)
    assert Obligation.objects.get(elder=elder).exempt_from == date(2024, 5, 20)


def test_an_unchanged_earlier_month_is_not_decided_again(monkeypatch: pytest.MonkeyPatch) -> None:
    two_items()
    make_elder(date(1940, 1, 1), low_income_allowance=True)
    run(MAY)
    decided: list[date] = []

    def noting(*, task: ChunkTask, policy: Policy) -> int:
        decided.append(task.month)
        return chunk_decide(task=task, policy=policy)

    monkeypatch.setattr("subsidies.services.month.chunk_decide", noting)
    run(JUNE)
    assert decided == [JUNE]
