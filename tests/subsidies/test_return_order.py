"""However the bank cuts, orders and repeats its files, a batch ends the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subsidies.choices import PaymentState, Verdict
from subsidies.models import Batch, LedgerEntry, Payment, ReturnFile, ReturnRow
from subsidies.refusals import MoneyRefusedError
from subsidies.services.bank_return import return_import
from tests.subsidies.bank import county, sent
from tests.subsidies.money import Staff

pytestmark = pytest.mark.django_db(transaction=True)
LINES = 4
#: What a bank may say of one line over time, and where that leaves it.
STORIES = {
    (): PaymentState.PENDING,
    ("处理中",): PaymentState.PROCESSING,
    ("成功",): PaymentState.PAID,
    ("失败",): PaymentState.FAILED,
    ("处理中", "成功"): PaymentState.PAID,
    ("处理中", "失败"): PaymentState.FAILED,
}
UNREADABLE = ["x|||50.00|成功|||", "3|||50.00|哦|||"]
NOISE = ["99|||50.00|成功|||", "1|||49.99|失败|||", "2|0000||50.00|成功|||", *UNREADABLE]
Files = list[list[str]]
Line = tuple[str, str, date | None]
quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def people(db: None) -> Staff:
    return county()


@pytest.fixture
def batch(people: Staff) -> Batch:
    """Four lines of 50 元 that the bank has; its returns are piped texts."""
    return sent(people, LINES, "竖线分隔文本（GBK）")


def said(number: int, result: str) -> str:
    return f"{number}|||50.00|{result}||{'已销户' if result == '失败' else ''}|20241121"


def content_of(rows: list[str]) -> bytes:
    return "".join(f"{row}\r\n" for row in ("控制行", *rows)).encode("gbk")


@contextmanager
def undone() -> Iterator[None]:
    """Each example begins with the batch as the bank got it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def outcome(batch: Batch, people: Staff, files: Files) -> tuple[list[Line], dict[str, Decimal]]:
    """Lines and balances after the files; each row is accounted for by then."""
    with undone():
        taken: set[int] = set()
        for rows in files:
            if all(row in UNREADABLE for row in rows):
                with pytest.raises(MoneyRefusedError):
                    return_import(
                        batch_id=batch.pk, name="回", content=content_of(rows), actor=people.finance
                    )
                continue
            file = return_import(batch_id=batch.pk, name="回", content=content_of(rows), actor=people.finance)
            taken.add(file.pk)
            assert sum(file.counts.values()) == file.rows == len(rows) == file.results.count()
        assert ReturnFile.objects.count() == len(taken)
        lines = Payment.objects.filter(batch=batch).order_by("number")
        balances: dict[str, Decimal] = {}
        for entry in LedgerEntry.objects.all():
            balances[entry.account] = balances.get(entry.account, Decimal(0)) + entry.debit - entry.credit
        paid = ReturnRow.objects.filter(verdict=Verdict.PAID).values("payment").distinct().count()
        assert ReturnRow.objects.filter(verdict=Verdict.PAID).count() == paid, "nobody is paid twice"
        return list(lines.values_list("state", "reason", "paid_on")), balances


@st.composite
def cut(draw: st.DrawFn, rows: list[str]) -> Files:
    """The rows in any order, some several times, in one to four files, of which some come again."""
    again = draw(st.lists(st.sampled_from(rows), max_size=4)) if rows else []
    shuffled = draw(st.permutations(rows + again))
    marks = draw(st.lists(st.integers(0, 3), min_size=len(shuffled), max_size=len(shuffled)))
    files = [[row for row, mark in zip(shuffled, marks, strict=True) if mark == place] for place in range(4)]
    files = [rows for rows in files if rows]
    return [*files, *draw(st.lists(st.sampled_from(files), max_size=2))] if files else []


@given(data=st.data(), stories=st.lists(st.sampled_from(sorted(STORIES)), min_size=LINES, max_size=LINES))
@quick
def test_any_order_cut_and_repetition_ends_in_the_same_state(
    batch: Batch, people: Staff, data: st.DataObject, stories: list[tuple[str, ...]]
) -> None:
    rows = [said(number, result) for number, story in enumerate(stories, 1) for result in story]
    noise = data.draw(st.lists(st.sampled_from(NOISE), max_size=3))
    plain = outcome(batch, people, [rows] if rows else [])
    states = [state for state, _, _ in plain[0]]
    assert states == [STORIES[story] for story in stories]
    assert outcome(batch, people, data.draw(cut(rows + noise))) == plain


@given(data=st.data())
@quick
def test_money_sent_back_ends_unpaid_whichever_file_comes_first(
    batch: Batch, people: Staff, data: st.DataObject
) -> None:
    first, back = [said(1, "成功"), said(2, "成功")], [said(1, "退票"), said(3, "失败")]
    files = data.draw(st.permutations([first, back, [said(4, "处理中")]]))
    states, balances = outcome(batch, people, [*files, *data.draw(st.permutations(files))])
    assert [state for state, _, _ in states] == ["失败", "已发", "失败", "处理中"]
    assert balances == {
        "补贴支出": 200, "应付补贴": 0, "银行在途": -50, "应付未付": -100, "财政拨款": -50,
    }  # fmt: skip
