"""Portal = bank = ledger: figures, differences, and the lists behind them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subsidies.choices import PaymentState
from subsidies.models import Batch, Payment
from subsidies.reconciliation import (
    Figures,
    bank_rows,
    by_batch,
    by_item,
    reconciliation_rows,
    summed,
    total,
    unsettled_rows,
)
from tests.subsidies.bank import NOVEMBER, answered, confirmed, county, file_of, line, row, sent
from tests.subsidies.county import LULIANG
from tests.subsidies.money import Staff, without_triggers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(db: None) -> Staff:
    return county()


@pytest.fixture
def batch(people: Staff) -> Batch:
    return sent(people)


def figures(batch: Batch) -> Figures:
    return total(reconciliation_rows(county_code=LULIANG, batch_id=batch.pk))


def three_ways(batch: Batch) -> tuple[Decimal, Decimal, Decimal]:
    found = figures(batch)
    return found.portal, found.bank, found.ledger


def test_what_the_bank_has_is_open_until_it_answers(batch: Batch) -> None:
    found = figures(batch)
    assert (found.sent_lines, found.sent, found.open_lines, found.open) == (3, Decimal(150), 3, Decimal(150))
    assert three_ways(batch) == (Decimal(0), Decimal(0), Decimal(0))


def test_a_batch_that_the_bank_does_not_have_is_no_matter_of_reconciliation(people: Staff) -> None:
    batch = confirmed(people)
    assert reconciliation_rows(county_code=LULIANG, batch_id=batch.pk) == []


def test_after_the_return_all_three_say_the_same(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1), row(batch, 2, "失败"), row(batch, 3, "处理中"))
    found = figures(batch)
    assert three_ways(batch) == (Decimal(50), Decimal(50), Decimal(50))
    assert [found.bank_difference, found.ledger_difference] == [0, 0] and found.ties
    assert [found.failed_lines, found.failed, found.open_lines, found.open] == [1, 50, 1, 50]


def test_money_sent_back_counts_no_more_on_any_side(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1), row(batch, 2))
    answered(batch, people, row(batch, 2, "退票"))
    assert three_ways(batch) == (Decimal(50), Decimal(50), Decimal(50))


def test_a_line_changed_behind_the_bank_s_back_shows_as_a_difference(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1))
    Payment.objects.filter(batch=batch, number=2).update(state=PaymentState.PAID)
    found = figures(batch)
    assert [found.portal, found.bank_difference, found.ledger_difference] == [100, 50, 50]
    assert not found.ties


def test_rows_to_look_into_are_counted_and_listed(batch: Batch, people: Staff) -> None:
    answered(
        batch,
        people,
        row(batch, 1),
        row(batch, 2, amount=49),
        row(batch, 9),
        row(batch, 3, "好像"),
        row(batch, 1),
    )
    assert figures(batch).unsettled == 3
    assert [r.verdict for r in unsettled_rows(batch_id=batch.pk)] == ["金额不符", "未知", "无法识别"]


def test_a_failed_line_given_up_was_sent_all_the_same(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1, "失败"))
    Payment.objects.filter(batch=batch, number=1).update(state=PaymentState.VOID)
    found = figures(batch)
    assert (found.sent_lines, found.sent, found.failed_lines) == (3, Decimal(150), 0)


def test_what_was_kept_back_is_no_money_of_the_bank(people: Staff) -> None:
    batch = confirmed(people)
    without_triggers('UPDATE subsidies_payment SET "offset" = 50 WHERE number = 1')
    Batch.objects.filter(pk=batch.pk).update(amount=Decimal(100))
    file_of(batch, people)
    Payment.objects.filter(batch=batch, number=1).update(state=PaymentState.PAID)
    Batch.objects.filter(pk=batch.pk).update(state="已报银行")
    found = figures(batch)
    assert [found.sent_lines, found.sent, found.portal_lines, found.portal] == [2, 100, 0, 0]


def test_the_banks_figure_is_the_sum_of_its_list(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1), row(batch, 2), row(batch, 3, "处理中"))
    answered(batch, people, row(batch, 2, "退票"))
    rows: Any = bank_rows(batch_id=batch.pk, item_id=line(batch, 1).item_id)
    assert [one.counts for one in rows] == [50, 50, -50]
    assert figures(batch).bank == 50


def test_figures_add_up_by_batch_and_item(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1), row(batch, 8))
    rows = reconciliation_rows(county_code=LULIANG, month=NOVEMBER)
    assert {found.month for found in rows} == {NOVEMBER}
    assert list(summed(rows, by_batch)) == [(batch.pk, batch.number)]
    items = summed(rows, by_item)
    assert [name[1] for name in items] == ["POOR", ""], "rows of no line belong to no item"
    assert [found.unsettled for found in items.values()] == [0, 1]
    assert reconciliation_rows(county_code=LULIANG, month=date(2024, 10, 1)) == []
    assert reconciliation_rows(county_code="610304000000") == []
    assert len(reconciliation_rows(county_code=LULIANG, item_id=line(batch, 1).item_id)) == 1


def test_one_query_is_enough(batch: Batch) -> None:
    with CaptureQueriesContext(connection) as captured:
        reconciliation_rows(county_code=LULIANG)
    assert len(captured) == 1
