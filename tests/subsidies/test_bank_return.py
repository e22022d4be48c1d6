"""Taking in what the bank returns: whole, partial, twice, reordered, foreign, contradicting; and who may."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from operations.crypto import decrypt
from operations.models import AuditEntry, Job, StoredFile
from operations.services.job import job_run
from operations.services.stored_file import stored_file_read
from subsidies.bank_tasks import bank_return_request
from subsidies.choices import Account, BatchAction, BatchKind, BatchState, PaymentState, ReturnReason
from subsidies.models import Batch, LedgerEntry, Payment, ReturnFile, ReturnRow
from subsidies.refusals import MoneyRefusedError
from subsidies.services import bank_return as service
from subsidies.services.bank_return import return_import
from subsidies.services.batch_step import batch_close
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.subsidies.bank import (
    NOVEMBER,
    answered,
    book,
    confirmed,
    county,
    file_of,
    line,
    owed,
    row,
    sent,
    states,
    verdicts,
)
from tests.subsidies.county import run
from tests.subsidies.money import Staff, account, built, void, without_triggers

pytestmark = pytest.mark.django_db(transaction=True)
PAID, FAILED, PENDING, PROCESSING = (
    PaymentState.PAID, PaymentState.FAILED, PaymentState.PENDING, PaymentState.PROCESSING,
)  # fmt: skip


@pytest.fixture
def people(db: None) -> Staff:
    return county()


@pytest.fixture
def batch(people: Staff) -> Batch:
    """Three lines of 50 元 that the bank has."""
    return sent(people)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(MoneyRefusedError) as caught:
        act()
    return str(caught.value)


def everything(batch: Batch) -> tuple[object, ...]:
    """All that a return may change."""
    lines = Payment.objects.filter(batch=batch).order_by("number")
    batch.refresh_from_db()
    return (
        batch.state,
        list(lines.values_list("number", "state", "reason", "paid_on")),
        ReturnRow.objects.count(),
        LedgerEntry.objects.count(),
        batch.steps.count(),
    )


def balance(account_name: str) -> Decimal:
    """Debit − credit of an account."""
    entries = LedgerEntry.objects.filter(account=account_name)
    return sum((entry.debit - entry.credit for entry in entries), Decimal(0))


def test_a_whole_return_pays_and_fails_lines_with_day_and_reason(batch: Batch, people: Staff) -> None:
    file = answered(batch, people, row(batch, 1), row(batch, 2, "失败"), row(batch, 3))
    assert states(batch) == [PAID, FAILED, PAID]
    assert line(batch, 1).paid_on == date(2024, 11, 21)
    assert (line(batch, 2).reason, line(batch, 2).paid_on) == (ReturnReason.CLOSED, None)
    assert (file.rows, file.counts) == (3, {"成功": 2, "失败": 1})
    batch.refresh_from_db()
    assert batch.state == BatchState.RETURNED


def test_every_row_is_kept_with_what_it_did(batch: Batch, people: Staff) -> None:
    file = answered(batch, people, row(batch, 2, "失败"))
    kept = ReturnRow.objects.get(file=file)
    assert (kept.number, kept.payment, kept.verdict) == (2, line(batch, 2), "失败")
    assert (kept.reason, kept.bank_text, kept.amount) == (ReturnReason.CLOSED, "失败 已销户", Decimal(50))


def test_the_ledger_follows(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1), row(batch, 2, "失败"), row(batch, 3))
    accounts = (Account.IN_TRANSIT, Account.UNPAID, Account.CASH)
    assert [balance(name) for name in accounts] == [0, -50, -100]


def test_step_and_audit_tell_of_the_import(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1), row(batch, 2, "失败"))
    step = batch.steps.get(action=BatchAction.RETURN)
    assert (step.state, step.note, step.actor) == (
        BatchState.RETURNED,
        "成功 1 行，失败 1 行",
        people.finance,
    )
    entry = AuditEntry.objects.get(action="批次导入回盘")
    assert entry.data["counts"] == {"成功": 1, "失败": 1}


def test_a_partial_return_leaves_the_others_open_until_the_next(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 3))
    assert states(batch) == [PENDING, PENDING, PAID]
    answered(batch, people, row(batch, 1), row(batch, 2))
    assert states(batch) == [PAID, PAID, PAID]


def test_the_same_file_twice_changes_nothing_but_the_audit(batch: Batch, people: Staff) -> None:
    content = book(row(batch, 1), row(batch, 2, "失败"), row(batch, 3))
    first = return_import(batch_id=batch.pk, name="a.xlsx", content=content, actor=people.finance)
    before = everything(batch)
    again = return_import(batch_id=batch.pk, name="b.xlsx", content=content, actor=people.finance_two)
    assert again == first
    assert everything(batch) == before
    entry = AuditEntry.objects.get(action="重复导入回盘")
    assert (entry.actor, entry.data["name"]) == (people.finance_two, "b.xlsx")


def test_the_same_results_in_another_file_are_repetitions(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1), row(batch, 2, "失败"))
    ledger = LedgerEntry.objects.count()
    file = answered(batch, people, row(batch, 2, "失败"), row(batch, 1), row(batch, 3))
    assert verdicts(file) == ["重复", "重复", "成功"]
    assert states(batch) == [PAID, FAILED, PAID]
    assert LedgerEntry.objects.count() == ledger + 2


def test_rows_of_another_batch_are_listed_as_unknown(batch: Batch, people: Staff) -> None:
    file = answered(batch, people, row(batch, 1), row(batch, 2, of="530322-202410-01"))
    assert verdicts(file) == ["成功", "未知"]
    assert states(batch) == [PAID, PENDING, PENDING]
    kept = ReturnRow.objects.get(verdict="未知")
    assert (kept.payment, kept.bank_text) == (None, "批次 530322-202410-01，序号 2：成功")


def test_a_line_number_that_is_not_in_the_batch_is_unknown(batch: Batch, people: Staff) -> None:
    file = answered(batch, people, row(batch, 3), row(batch, 4), row(batch, 0))
    assert verdicts(file) == ["成功", "未知", "未知"]
    assert ReturnRow.objects.filter(bank_text="序号 4：成功").count() == 1


def test_a_file_of_another_batch_alone_is_refused(batch: Batch, people: Staff) -> None:
    said = refusal(lambda: answered(batch, people, row(batch, 1, of="530322-202410-01")))
    assert said == f"文件里写的批次号是 530322-202410-01，不是本批次 {batch}；请到该批次导入"
    assert not ReturnFile.objects.exists()


def test_without_a_batch_number_the_row_belongs_to_the_batch_it_was_sent_to(
    batch: Batch, people: Staff
) -> None:
    assert verdicts(answered(batch, people, row(batch, 1, of=""))) == ["成功"]


@pytest.mark.parametrize("amount", ["49.99", "50.01", -50])
def test_another_amount_is_listed_and_changes_nothing(batch: Batch, people: Staff, amount: object) -> None:
    file = answered(batch, people, row(batch, 1, amount=amount))
    assert verdicts(file) == ["金额不符"]
    assert file.results.get().payment == line(batch, 1)
    assert states(batch) == [PENDING] * 3
    batch.refresh_from_db()
    assert batch.state == BatchState.SENT, "nothing of it has come back"


def test_the_amount_is_what_the_bank_was_to_pay_after_an_offset(people: Staff) -> None:
    batch = confirmed(people)
    without_triggers('UPDATE subsidies_payment SET "offset" = 20 WHERE number = 1')
    without_triggers('UPDATE subsidies_payment SET "offset" = 50 WHERE number = 2')
    Batch.objects.filter(pk=batch.pk).update(amount=Decimal(80))
    file_of(batch, people)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.SENT)
    batch.refresh_from_db()
    file = answered(
        batch, people, row(batch, 1), row(batch, 1, amount=30), row(batch, 2), row(batch, 2, amount=0)
    )
    assert verdicts(file) == ["金额不符", "成功", "未知", "未知"]


def test_another_account_is_listed_and_changes_nothing(batch: Batch, people: Staff) -> None:
    first = decrypt(line(batch, 1).account_cipher)
    spaced = f"{first[:4]} {first[4:]}"
    file = answered(
        batch,
        people,
        row(batch, 1, account=spaced),
        row(batch, 2, account=first),
        row(batch, 3, account=f"6200****{decrypt(line(batch, 3).account_cipher)[-4:]}"),
    )
    assert verdicts(file) == ["成功", "账号不符", "成功"]
    assert states(batch) == [PAID, PENDING, PAID]


def test_a_masked_account_that_ends_otherwise_is_another_account(batch: Batch, people: Staff) -> None:
    file = answered(
        batch, people, row(batch, 1, account="6200****999"), row(batch, 2, account="6200****9999")
    )
    assert verdicts(file) == ["成功", "账号不符"]
    assert states(batch) == [PAID, PENDING, PENDING]


def test_a_line_under_way_at_the_bank_is_settled_by_a_later_file(batch: Batch, people: Staff) -> None:
    file = answered(batch, people, row(batch, 1, "处理中"), row(batch, 2, "处理中"))
    assert verdicts(file) == ["处理中", "处理中"]
    assert states(batch) == [PROCESSING, PROCESSING, PENDING]
    answered(batch, people, row(batch, 1), row(batch, 2, "失败"), row(batch, 3))
    assert states(batch) == [PAID, FAILED, PAID]
    assert balance(Account.IN_TRANSIT) == 0


def test_older_news_that_comes_late_changes_nothing(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1), row(batch, 2, "失败"))
    file = answered(batch, people, row(batch, 1, "处理中"), row(batch, 2, "处理中"))
    assert verdicts(file) == ["重复", "重复"]
    assert states(batch) == [PAID, FAILED, PENDING]


def test_money_sent_back_after_a_success_is_unpaid_again(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1), row(batch, 2), row(batch, 3))
    file = answered(batch, people, row(batch, 2, "退票", reason="长期不动户"))
    assert verdicts(file) == ["失败"]
    back = line(batch, 2)
    assert (back.state, back.reason, back.paid_on) == (FAILED, ReturnReason.DORMANT, None)
    assert [balance(name) for name in (Account.CASH, Account.UNPAID)] == [-100, -50]


def test_a_success_after_a_failure_is_a_contradiction_and_changes_nothing(
    batch: Batch, people: Staff
) -> None:
    answered(batch, people, row(batch, 2, "失败"))
    file = answered(batch, people, row(batch, 2))
    assert verdicts(file) == ["矛盾"]
    assert line(batch, 2).state == FAILED


def test_a_file_that_says_both_of_an_open_line_proves_neither(batch: Batch, people: Staff) -> None:
    file = answered(batch, people, row(batch, 1), row(batch, 2), row(batch, 2, "失败"), row(batch, 2))
    assert verdicts(file) == ["成功", "矛盾", "矛盾", "矛盾"]
    assert states(batch) == [PAID, PENDING, PENDING]


def test_a_file_that_repeats_a_known_success_and_adds_its_return_is_a_return(
    batch: Batch, people: Staff
) -> None:
    answered(batch, people, row(batch, 2))
    file = answered(batch, people, row(batch, 2), row(batch, 2, "退票"))
    assert verdicts(file) == ["重复", "失败"]
    assert line(batch, 2).state == FAILED


def test_a_line_twice_with_the_same_result_counts_once(batch: Batch, people: Staff) -> None:
    file = answered(batch, people, row(batch, 1), row(batch, 1), row(batch, 2, "处理中"), row(batch, 2))
    assert verdicts(file) == ["成功", "重复", "重复", "成功"]
    assert balance(Account.CASH) == -100


def test_what_cannot_be_read_is_listed_with_the_words_of_the_file(batch: Batch, people: Staff) -> None:
    file = answered(batch, people, row(batch, 1, "好像成功"), row(batch, 2))
    assert verdicts(file) == ["无法识别", "成功"]
    kept = file.results.get(verdict="无法识别")
    assert (kept.payment, kept.bank_text) == (line(batch, 1), "无法识别：状态“好像成功”")


def test_a_held_line_was_never_with_the_bank(people: Staff) -> None:
    batch = sent(people)
    Payment.objects.filter(batch=batch, number=1).update(state=PaymentState.HELD)
    assert verdicts(answered(batch, people, row(batch, 1), row(batch, 2))) == ["未知", "成功"]


def test_a_failed_line_given_up_later_is_known_still(batch: Batch, people: Staff) -> None:
    answered(batch, people, row(batch, 1, "失败"))
    Payment.objects.filter(batch=batch, number=1).update(state=PaymentState.VOID)
    file = answered(batch, people, row(batch, 1, "失败", day="2024-11-22"), row(batch, 1))
    assert verdicts(file) == ["重复", "矛盾"]
    assert line(batch, 1).state == PaymentState.VOID


@pytest.mark.parametrize("state", ["草稿", "财政确认", "待报银行"])
def test_a_batch_that_the_bank_does_not_have_takes_no_return(people: Staff, state: str) -> None:
    batch = confirmed(people)
    Batch.objects.filter(pk=batch.pk).update(state=state)
    said = refusal(lambda: answered(batch, people, row(batch, 1)))
    assert said.startswith(f"批次 {batch} 现为“{state}”，还没有报送银行，不能导入回盘")


def test_a_void_batch_takes_no_return(people: Staff) -> None:
    batch = confirmed(people)
    void(batch)
    assert "已作废，没有报送银行" in refusal(lambda: answered(batch, people, row(batch, 1)))


def test_the_maker_of_the_batch_takes_no_return_in(batch: Batch, people: Staff) -> None:
    said = refusal(
        lambda: return_import(batch_id=batch.pk, name="a", content=book(row(batch, 1)), actor=people.maker)
    )
    assert "没有“银行文件与回盘”的权限" in said


def test_a_file_of_which_nothing_can_be_read_is_refused(batch: Batch, people: Staff) -> None:
    said = refusal(lambda: answered(batch, people, row(batch, 1, "好"), row(batch, 2, "好")))
    assert said.startswith("文件里 2 行都无法识别（首行无法识别：状态“好”），没有导入；请核对是否选错文件")
    assert not ReturnFile.objects.exists()


def test_an_empty_list_is_refused(batch: Batch, people: Staff) -> None:
    assert refusal(lambda: answered(batch, people)) == "文件里没有一行回盘结果；请核对是否选错文件"


def closed(batch: Batch, people: Staff) -> Batch:
    answered(batch, people, row(batch, 1), row(batch, 2), row(batch, 3, "失败"))
    batch_close(batch_id=batch.pk, actor=people.finance_two)
    batch.refresh_from_db()
    return batch


def test_a_return_after_closing_opens_the_batch_again(batch: Batch, people: Staff) -> None:
    closed(batch, people)
    answered(batch, people, row(batch, 1, "退票"), row(batch, 2))
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == (BatchState.RETURNED, [FAILED, PAID, FAILED])
    step = batch.steps.filter(action=BatchAction.RETURN).last()
    assert step is not None and step.note == "关闭后退票，重新打开：失败 1 行，重复 1 行"
    batch_close(batch_id=batch.pk, actor=people.finance_two)


def test_after_closing_a_file_without_returned_money_is_refused(batch: Batch, people: Staff) -> None:
    before = everything(closed(batch, people))
    said = refusal(lambda: answered(batch, people, row(batch, 3), row(batch, 2)))
    assert said == f"批次 {batch} 已关闭，关闭后只收退票；这个文件里没有已发明细的退票，没有导入"
    assert everything(batch) == before


def test_golden_one_of_three_is_closed_stays_unpaid_and_the_reissue_names_the_failed_line(
    batch: Batch, people: Staff
) -> None:
    answered(batch, people, row(batch, 1), row(batch, 2, "失败"), row(batch, 3))
    failed = line(batch, 2)
    assert owed(failed.elder) == Decimal(50)
    account_of = failed.elder.bank_accounts.get()
    account_of.delete()
    account(failed.elder)
    again = built(run(NOVEMBER), people.maker, BatchKind.REISSUE)
    reissue = Payment.objects.get(batch=again)
    assert (reissue.reissues, reissue.amount, reissue.month) == (failed, Decimal(50), NOVEMBER)
    assert balance(Account.UNPAID) == -50


def test_the_job_takes_the_kept_file_in(batch: Batch, people: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subsidies.bank_tasks.job_run.delay", lambda job_id: None)
    content = book(row(batch, 1), row(batch, 2, "失败"))
    jobs = [
        bank_return_request(batch_id=batch.pk, name="回.xlsx", content=content, created_by=people.finance)
        for _ in range(2)
    ]
    assert jobs[0] == jobs[1]
    job_run(job_id=str(jobs[0].pk))
    job = Job.objects.get()
    assert job.state == Job.State.DONE
    assert (job.result["成功"], job.result["失败"], job.result["repeated"]) == (1, 1, False)
    file = ReturnFile.objects.get()
    assert (file.stored_id, file.name) == (StoredFile.objects.get(pk=job.params["stored"]).pk, "回.xlsx")


def test_a_file_that_cannot_be_read_fails_the_job_and_stays_kept(
    batch: Batch, people: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subsidies.bank_tasks.job_run.delay", lambda job_id: None)
    job = bank_return_request(
        batch_id=batch.pk, name="扫描.pdf", content=b"%PDF-1.7", created_by=people.finance
    )
    job_run(job_id=str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.FAILED and "这是PDF 文件" in job.error
    kept = StoredFile.objects.get(pk=job.params["stored"])
    assert stored_file_read(stored=kept) == b"%PDF-1.7"


def import_twice_at_once(batch: Batch, people: Staff, monkeypatch: pytest.MonkeyPatch, wait: float) -> None:
    """Two files with the same results come at once; both are judged before either is written."""
    monkeypatch.setattr(service, "_counts", met_after(service._counts, wait))

    def take(day: str) -> None:
        answered(batch, people, *(row(batch, n, day=day) for n in (1, 2, 3)))

    assert raised(at_once(lambda: take("2024-11-21"), lambda: take("2024-11-22"))) == []


def test_without_the_lock_two_files_at_once_pay_twice(
    batch: Batch, people: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        service, "batch_lock", lambda pk: Batch.objects.select_related("made_by", "month").get(pk=pk)
    )
    import_twice_at_once(batch, people, monkeypatch, SURELY)
    assert ReturnRow.objects.filter(verdict="成功").count() == 6
    assert balance(Account.CASH) == -300


def test_two_files_at_once_pay_once(batch: Batch, people: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    import_twice_at_once(batch, people, monkeypatch, IN_VAIN)
    assert ReturnRow.objects.filter(verdict="成功").count() == 3
    assert ReturnRow.objects.filter(verdict="重复").count() == 3
    assert balance(Account.CASH) == -150
