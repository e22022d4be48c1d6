"""A return file of another batch is not taken in, whatever the bank's format says of batches."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.utils import timezone

from subsidies.choices import BatchAction, BatchState, PaymentState
from subsidies.models import Batch, BatchStep, ReturnFile
from subsidies.refusals import MoneyRefusedError
from subsidies.services.bank_return import return_import
from tests.subsidies.bank import book, county, profile, row, sent, states, verdicts
from tests.subsidies.money import Staff

pytestmark = pytest.mark.django_db(transaction=True)
PIPED = "竖线分隔文本（GBK）"
OCTOBER = "530322-202410-01"


@pytest.fixture
def people(db: None) -> Staff:
    return county()


@pytest.fixture
def batch(people: Staff) -> Batch:
    """Two lines of 50 元 that the bank got today; its returns are piped texts."""
    batch = sent(people, 2, PIPED)
    BatchStep.objects.create(
        batch=batch, action=BatchAction.SEND, state=BatchState.SENT, actor=people.finance, lines=2, amount=100
    )
    return batch


def piped(head: str, day: date) -> bytes:
    rows = [f"{number}|||50.00|成功|||{day:%Y%m%d}" for number in (1, 2)]
    return "".join(f"{line}\r\n" for line in (head, *rows)).encode("gbk")


def take(batch: Batch, people: Staff, content: bytes) -> ReturnFile:
    return return_import(batch_id=batch.pk, name="回盘.txt", content=content, actor=people.finance)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(MoneyRefusedError) as caught:
        act()
    return str(caught.value)


def untouched(batch: Batch) -> bool:
    return not ReturnFile.objects.filter(batch=batch).exists() and states(batch) == [PaymentState.PENDING] * 2


def test_a_row_of_totals_that_names_another_batch_refuses_the_file(batch: Batch, people: Staff) -> None:
    content = piped(f"{OCTOBER}|2|100.00", timezone.localdate())
    assert refusal(lambda: take(batch, people, content)) == (
        f"文件汇总行写的批次号是 {OCTOBER}，不是本批次 {batch}，没有导入；请核对是否选错文件，或到该批次导入"
    )
    assert untouched(batch)


def test_a_row_of_totals_that_names_this_batch_is_taken_whatever_its_days(
    batch: Batch, people: Staff
) -> None:
    file = take(batch, people, piped(f"{batch.number}|2|100.00", date(2024, 11, 21)))
    assert verdicts(file) == ["成功", "成功"]


def test_without_any_batch_number_money_that_arrived_before_the_sending_refuses_the_file(
    batch: Batch, people: Staff
) -> None:
    today = timezone.localdate()
    yesterday = today - timedelta(days=1)
    assert refusal(lambda: take(batch, people, piped("合计|2", yesterday))) == (
        f"文件里没有批次号，而最早的入账日期 {yesterday} 早于本批次 {batch} 报送银行的日期 {today}，没有导入；"
        "请核对是否选了以前批次的回盘"
    )
    assert untouched(batch)


def test_without_any_batch_number_money_that_arrived_on_the_day_of_the_sending_is_taken(
    batch: Batch, people: Staff
) -> None:
    assert verdicts(take(batch, people, piped("合计|2", timezone.localdate()))) == ["成功", "成功"]


def test_a_file_with_a_batch_column_is_not_judged_by_its_days(batch: Batch, people: Staff) -> None:
    file = batch.bank_file
    file.profile = profile("通用 Excel")
    file.save()
    assert verdicts(take(batch, people, book(row(batch, 1, day="2024-11-21")))) == ["成功"]


def test_the_bytes_of_another_batchs_return_are_refused_naming_it(batch: Batch, people: Staff) -> None:
    content = piped("合计|2", timezone.localdate())
    take(batch, people, content)
    other = sent(people, 2, PIPED)
    assert refusal(lambda: take(other, people, content)) == (
        f"这个文件已作为批次 {batch} 的回盘导入过，不能再导入批次 {other}；"
        "请核对是否选错文件，并向银行取本批次的回盘"
    )
    assert untouched(other)
