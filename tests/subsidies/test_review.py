"""A month by exception: figures and lists of what changed tie, within areas."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import Elder
from subsidies.models import Anomaly, Month
from subsidies.review import (
    CHANGED,
    NEW,
    STOPPED,
    Cell,
    adjustment_cells,
    anomaly_cells,
    change_cells,
    change_keys,
    changed_lines,
    lines_at,
    month_before,
)
from tests.registry import add, make_elder
from tests.subsidies.county import OTHER_VILLAGE, VILLAGE, item, publish_list, run

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
COUNTY, TOWN_A, TOWN_B = "530322", "530322101", "530322102"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def april() -> Month:
    """March and April: one stays, one turns 80, one dies, one turns 100, one moves from 甲镇 to 乙镇."""
    publish_list(
        item("A1", "年龄 >= 80", amount=[{"if": "年龄 >= 100", "pay": 300}, {"if": "年龄 >= 80", "pay": 50}])
    )
    make_elder(date(1940, 1, 1), name="不变")
    make_elder(date(1946, 3, 10), name="新增", hukou=OTHER_VILLAGE)
    gone = make_elder(date(1940, 1, 1), name="停发")
    add(gone, Kind.DEATH, "是", date(2026, 3, 12))
    make_elder(date(1926, 3, 10), name="变更")
    moved = make_elder(date(1940, 1, 1), name="搬家", hukou=OTHER_VILLAGE, since=date(2026, 3, 5))
    add(moved, Kind.HUKOU, VILLAGE, date(2020, 1, 1), date(2026, 3, 5))
    run(MARCH)
    return run(APRIL)


def cells(month: Month, *prefixes: str) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """(kind, township) → lines and money."""
    found = change_cells(month, month_before(month), prefixes)
    return {(cell.kind, cell.township): (cell.lines, cell.amount) for cell in found}


def test_only_what_changed_is_counted_with_its_money(april: Month) -> None:
    assert cells(april, COUNTY) == {
        (NEW, TOWN_B): (1, Decimal(50)),
        (STOPPED, TOWN_A): (1, Decimal(50)),
        (CHANGED, TOWN_A): (1, Decimal(250)),
    }


def test_who_moved_is_stopped_in_one_township_and_new_in_the_other(april: Month) -> None:
    assert cells(april, TOWN_A)[STOPPED, TOWN_A] == (2, Decimal(100))
    assert cells(april, TOWN_B) == {(NEW, TOWN_B): (2, Decimal(100))}


@pytest.mark.parametrize("prefixes", [[COUNTY], [TOWN_A], [TOWN_B], [TOWN_A, TOWN_B], []])
def test_every_list_is_as_long_as_its_figure(april: Month, prefixes: list[str]) -> None:
    before = month_before(april)
    figures = change_cells(april, before, prefixes)
    for kind in (NEW, STOPPED, CHANGED):
        keys = change_keys(april, before, kind, prefixes)
        rows = changed_lines(april, before, kind, prefixes)
        assert {(row.area_code, row.elder_id, row.item_id) for row in rows} == set(keys), kind
        assert len(keys) == sum(cell.lines for cell in figures if cell.kind == kind), kind


def test_lines_are_found_again_in_the_order_of_their_keys(april: Month) -> None:
    keys = change_keys(april, month_before(april), NEW, [COUNTY]) + change_keys(
        april, month_before(april), CHANGED, [COUNTY]
    )
    assert [(row.elder_id, row.item_id) for row in lines_at(april, keys)] == [key[1:] for key in keys]


def test_without_a_month_before_every_line_is_new(april: Month) -> None:
    march = Month.objects.get(month=MARCH)
    assert month_before(march) is None
    assert {kind for kind, _ in cells(march, COUNTY)} == {NEW}


def test_a_month_that_is_not_the_one_directly_before_is_not_compared(april: Month) -> None:
    assert month_before(run(date(2026, 6, 1))) is None


def test_back_pay_and_recoveries_are_counted_apart(april: Month) -> None:
    one = Elder.objects.get(name="不变")
    add(one, Kind.DEATH, "是", date(2026, 2, 2))
    late = make_elder(date(1940, 1, 1), name="补登")
    run(APRIL)
    code = Item.objects.get(code="A1").pk
    assert set(adjustment_cells(april, [COUNTY])) == {
        Cell("back", code, TOWN_A, 1, Decimal(50)),
        Cell("recovery", code, TOWN_A, 1, Decimal(-50)),
    }
    assert late.adjustments.get().kind == "补发"


def test_only_undecided_anomalies_are_counted(april: Month) -> None:
    elder = Elder.objects.get(name="不变")
    row = Anomaly.objects.create(
        run=april, elder=elder, kind="没有账户", detail="没有账户", fingerprint="f", area_code=VILLAGE
    )
    assert anomaly_cells(april, [COUNTY]) == [Cell("anomaly", None, TOWN_A, 1, Decimal(0))]
    Anomaly.objects.filter(pk=row.pk).update(state="暂缓", decided_at="2026-04-02T00:00:00Z")
    assert anomaly_cells(april, [COUNTY]) == []
