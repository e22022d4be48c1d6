"""Giving up what the bank could not pay in and what is not due any more."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Sum

from eldercare.choices import Kind
from eldercare.models import Elder
from eldercare.services.monthly_facts import elders_touch
from operations.models import AuditEntry, StoredFile
from subsidies.choices import BatchKind, PaymentState
from subsidies.models import LedgerEntry, Payment, Recovery, ReturnFile, ReturnRow
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch import batch_build
from subsidies.services.recovery_request import recovery_decide, recovery_request
from subsidies.services.unpaid import unpaid_cancel
from tests.registry import add, make_elder
from tests.subsidies.county import enrol, item, publish_list, run
from tests.subsidies.money import Staff, account, arrive, built, lines, staff, terms
from tests.subsidies.recoveries import open_case

pytestmark = pytest.mark.django_db(transaction=True)
FEBRUARY = date(2025, 2, 1)
REASON = "已去世"


@pytest.fixture
def people(db: None) -> Staff:
    """POOR pays 50 a month to 低保, by the portal from February on."""
    publish_list(item("POOR", "低保"))
    terms("POOR", FEBRUARY)
    return staff()


@pytest.fixture
def failed(people: Staff) -> Payment:
    """A line of February that the bank could not pay in."""
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    account(elder)
    batch = built(run(FEBRUARY), people.maker)
    arrive(batch, elder)
    return batch.payments.get()


def lose(elder: Elder) -> None:
    """The newest facts entitle the elder to nothing."""
    elder.circumstances.filter(kind=Kind.LOW_INCOME_ALLOWANCE).delete()
    run(FEBRUARY)


def cancel(line: Payment, people: Staff) -> int:
    return unpaid_cancel(payment_ids=[line.pk], actor=people.maker, reason=REASON)


def test_what_is_not_due_any_more_is_given_up(people: Staff, failed: Payment) -> None:
    lose(failed.elder)
    assert cancel(failed, people) == 1
    failed.refresh_from_db()
    assert (failed.state, failed.reason) == (PaymentState.VOID, "已销户")


def test_the_debt_and_the_expense_leave_the_ledger(people: Staff, failed: Payment) -> None:
    lose(failed.elder)
    cancel(failed, people)
    sums = LedgerEntry.objects.values_list("account").annotate(Sum("debit"), Sum("credit"))
    assert set(sums) == {("应付未付", Decimal(50), Decimal(0)), ("补贴支出", Decimal(0), Decimal(50))}


def test_what_is_still_due_is_refused(people: Staff, failed: Payment) -> None:
    with pytest.raises(MoneyRefusedError, match=r"仍应发 50.00 元"):
        cancel(failed, people)
    failed.refresh_from_db()
    assert failed.state == PaymentState.FAILED


def test_a_suspended_month_is_refused(people: Staff, failed: Payment) -> None:
    enrol(failed.elder, "POOR", FEBRUARY, state="暂停")
    elders_touch(elder_ids=[failed.elder_id])
    run(FEBRUARY)
    with pytest.raises(MoneyRefusedError, match="暂停"):
        cancel(failed, people)


@pytest.mark.parametrize("said", [["矛盾"], ["矛盾", "重复"]])
def test_a_line_of_which_the_bank_says_two_things_is_refused(
    people: Staff, failed: Payment, said: list[str]
) -> None:
    lose(failed.elder)
    stored = StoredFile.objects.create(name="回盘.txt", size=1, sha256="0" * 64, content="r")
    file = ReturnFile.objects.create(batch=failed.batch, stored=stored, name="回盘.txt", sha256="0" * 64)
    for number, verdict in enumerate(said, 1):
        ReturnRow.objects.create(
            file=file, number=number, payment=failed, verdict=verdict, amount=failed.amount
        )
    with pytest.raises(MoneyRefusedError, match="先向银行核实"):
        cancel(failed, people)


def test_what_is_paid_again_is_refused(people: Staff, failed: Payment) -> None:
    again = batch_build(month=failed.batch.month, kind=BatchKind.REISSUE, actor=people.maker)
    with pytest.raises(MoneyRefusedError, match=again.number):
        cancel(failed, people)


def test_the_last_of_a_chain_is_given_up_and_the_first_stays_settled_by_it(
    people: Staff, failed: Payment
) -> None:
    again = batch_build(month=failed.batch.month, kind=BatchKind.REISSUE, actor=people.maker)
    arrive(again, failed.elder)
    lose(failed.elder)
    cancel(again.payments.get(), people)
    with pytest.raises(MoneyRefusedError, match="没有可以重发的失败明细"):
        batch_build(month=run(FEBRUARY), kind=BatchKind.REISSUE, actor=people.maker)
    with pytest.raises(MoneyRefusedError, match="已在批次"):
        cancel(failed, people)


def test_entitled_again_after_it_was_given_up_is_a_new_line(people: Staff, failed: Payment) -> None:
    lose(failed.elder)
    cancel(failed, people)
    add(failed.elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2020, 1, 1))
    batch = built(run(FEBRUARY), people.maker)
    assert lines(batch) == {(failed.elder_id, FEBRUARY): ("正常", Decimal(50))}


def test_a_second_click_changes_nothing_and_another_person_is_told_who_did_it(
    people: Staff, failed: Payment
) -> None:
    lose(failed.elder)
    assert [cancel(failed, people), cancel(failed, people)] == [1, 0]
    with pytest.raises(MoneyRefusedError, match="已由 制单 于"):
        unpaid_cancel(payment_ids=[failed.pk], actor=people.maker_two, reason=REASON)
    assert AuditEntry.objects.filter(action="核销应付未付").count() == 1


def test_a_paid_line_is_refused(people: Staff, failed: Payment) -> None:
    Payment.objects.filter(pk=failed.pk).update(state=PaymentState.PAID, reason="")
    with pytest.raises(MoneyRefusedError, match="只有发放失败的明细"):
        cancel(failed, people)


def test_a_reason_is_asked_for_and_the_right_too(people: Staff, failed: Payment) -> None:
    lose(failed.elder)
    with pytest.raises(MoneyRefusedError, match="理由"):
        unpaid_cancel(payment_ids=[failed.pk], actor=people.maker, reason=" ")
    with pytest.raises(MoneyRefusedError, match="权限"):
        unpaid_cancel(payment_ids=[failed.pk], actor=people.lead_a, reason=REASON)


def sent_back_after_a_claim(people: Staff) -> tuple[Payment, Recovery]:
    """February was paid, is claimed after a death became known, and then comes back from the bank."""
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    account(elder)
    batch = built(run(FEBRUARY), people.maker)
    arrive(batch)
    elder.circumstances.filter(kind=Kind.LOW_INCOME_ALLOWANCE).delete()
    case = open_case(run(FEBRUARY), elder, "POOR", people.maker)
    line = batch.payments.get()
    Payment.objects.filter(pk=line.pk).update(state=PaymentState.FAILED, reason="已销户", paid_on=None)
    return line, case


def test_what_comes_back_from_the_bank_while_it_is_claimed_is_not_paid_again(people: Staff) -> None:
    line, _ = sent_back_after_a_claim(people)
    with pytest.raises(MoneyRefusedError, match="没有可以重发的失败明细"):
        built(run(FEBRUARY), people.maker, BatchKind.REISSUE)
    with pytest.raises(MoneyRefusedError, match="请先撤销追缴"):
        cancel(line, people)


def test_the_claim_cancelled_what_came_back_is_given_up_or_paid_as_it_is_due(people: Staff) -> None:
    line, case = sent_back_after_a_claim(people)
    request = recovery_request(recovery_id=case.pk, kind="撤销", reason="银行已退票", actor=people.maker)
    recovery_decide(request_id=request.pk, approved=True, opinion="同意", actor=people.chief)
    assert cancel(line, people) == 1


def test_what_was_claimed_before_the_line_was_made_does_not_hold_the_line_up(people: Staff) -> None:
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    account(elder)
    arrive(built(run(FEBRUARY), people.maker))
    elder.circumstances.filter(kind=Kind.LOW_INCOME_ALLOWANCE).delete()
    open_case(run(FEBRUARY), elder, "POOR", people.maker)
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2020, 1, 1))
    second = built(run(FEBRUARY), people.maker)
    arrive(second, elder)
    again = built(run(FEBRUARY), people.maker, BatchKind.REISSUE)
    assert again.payments.get().reissues == second.payments.get()
