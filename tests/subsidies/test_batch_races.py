"""Two persons, or one with two clicks, at a batch at once; each race is first won with the lock off."""

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection

from organization.models import User
from subsidies.choices import BatchAction, BatchState, PaymentState
from subsidies.county_lock import county_locked
from subsidies.models import Batch, BatchStep, LedgerEntry, Payment
from subsidies.refusals import MoneyRefusedError
from subsidies.services import batch_step
from subsidies.services.batch_step import batch_approve, batch_confirm, batch_reject, township_check
from subsidies.services.batch_transition import transition_open, transition_write
from subsidies.services.ledger import confirm_post
from subsidies.services.objection import objection_decide, objection_record
from tests.races import IN_VAIN, SURELY, at_once, met_after, met_before, raised
from tests.subsidies.batches import JUNE, TOWN_A, booked, draft, elder_in, even, publish_items, walk
from tests.subsidies.county import LULIANG, VILLAGE, item, publish_list, run
from tests.subsidies.money import Staff, account, built, staff, terms

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(db: None) -> Staff:
    """An item without notice, and who handles money."""
    publish_items(notice_days=0)
    return staff()


@pytest.fixture
def batch(people: Staff) -> Batch:
    """A draft of one line, 50 元."""
    return draft(people, (elder_in(VILLAGE), "POOR", "50.00"))


def unlocked(batch_id: int) -> Batch:
    """The batch as read without a lock."""
    return Batch.objects.select_related("month", "made_by").get(pk=batch_id)


def approvals(batch: Batch) -> int:
    return BatchStep.objects.filter(batch=batch, action=BatchAction.APPROVE).count()


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_step, "batch_lock", unlocked)
    monkeypatch.setattr(batch_step, "county_lock_or_refuse", lambda county_code: None)


def one_refused(results: list[Any]) -> bool:
    """One step went through and the other was told so in a sentence."""
    return [type(error) for error in raised(results)] == [MoneyRefusedError]


def approve_twice(
    people: Staff, batch: Batch, second: User, monkeypatch: pytest.MonkeyPatch, wait: float
) -> list[Any]:
    """Two approvals that meet once nothing stands against either."""
    monkeypatch.setattr(batch_step, "transition_write", met_before(transition_write, wait))
    return at_once(
        lambda: batch_approve(batch_id=batch.pk, actor=people.chief),
        lambda: batch_approve(batch_id=batch.pk, actor=second),
    )


def test_without_the_locks_two_approvers_both_approve(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    without_locks(monkeypatch)
    assert raised(approve_twice(people, batch, staff().chief, monkeypatch, SURELY)) == []
    assert approvals(batch) == 2


def test_of_two_approvers_one_approves_and_the_other_is_refused(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    second = staff().chief
    results = approve_twice(people, batch, second, monkeypatch, IN_VAIN)
    assert one_refused(results)
    assert approvals(batch) == 1
    refused = people.chief if raised(results[:1]) else second
    with pytest.raises(MoneyRefusedError, match=r"已由 审批 于 .* 审批"):
        batch_approve(batch_id=batch.pk, actor=refused)


def test_the_batchs_own_lock_keeps_two_approvers_apart_without_the_countys(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    monkeypatch.setattr(batch_step, "county_lock_or_refuse", lambda county_code: None)
    results = approve_twice(people, batch, staff().chief, monkeypatch, IN_VAIN)
    assert approvals(batch) == len(raised(results)) == 1
    assert "已由 审批 于" in str(raised(results)[0])


def confirm_twice(people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch, wait: float) -> list[Any]:
    """Two clicks on confirm that meet once nothing stands against either, before the ledger is written."""
    monkeypatch.setattr(batch_step, "confirm_post", met_before(confirm_post, wait))
    return at_once(*[lambda: batch_confirm(batch_id=batch.pk, actor=people.finance)] * 2)


def test_without_the_locks_a_double_click_on_confirm_is_stopped_by_the_ledger_alone(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.FINANCE)
    without_locks(monkeypatch)
    results = confirm_twice(people, batch, monkeypatch, SURELY)
    assert [type(error) for error in raised(results)] == [IntegrityError]


def test_a_double_click_on_confirm_books_once_and_both_see_it_done(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.FINANCE)
    monkeypatch.setattr(batch_step, "county_lock_or_refuse", lambda county_code: None)
    assert raised(confirm_twice(people, batch, monkeypatch, IN_VAIN)) == []
    assert LedgerEntry.objects.filter(batch=batch).count() == 2
    assert BatchStep.objects.filter(batch=batch, action=BatchAction.CONFIRM).count() == 1


def check_twice(people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch, wait: float) -> list[Any]:
    """Two leads of one township whose checks meet once neither has found it checked."""
    second = staff().lead_a
    monkeypatch.setattr(batch_step, "_township_sums", met_after(batch_step._township_sums, wait))
    return at_once(
        lambda: township_check(batch_id=batch.pk, township=TOWN_A, actor=people.lead_a),
        lambda: township_check(batch_id=batch.pk, township=TOWN_A, actor=second),
    )


def test_without_the_lock_two_leads_both_check_one_township(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    without_locks(monkeypatch)
    assert raised(check_twice(people, batch, monkeypatch, SURELY)) == []
    assert BatchStep.objects.filter(batch=batch, action=BatchAction.CHECKED).count() == 2


def test_of_two_leads_one_checks_and_the_batch_steps_on_once(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    assert one_refused(check_twice(people, batch, monkeypatch, IN_VAIN))
    assert BatchStep.objects.filter(batch=batch, action=BatchAction.CHECKED).count() == 1


def approve_and_reject(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch, wait: float
) -> list[Any]:
    """An approval and a rejection that meet once nothing stands against either."""
    second = staff().chief
    monkeypatch.setattr(batch_step, "transition_write", met_before(transition_write, wait))
    return at_once(
        lambda: batch_approve(batch_id=batch.pk, actor=people.chief),
        lambda: batch_reject(batch_id=batch.pk, actor=second, note="重做"),
    )


def test_without_the_locks_a_batch_is_approved_and_rejected_at_once(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    without_locks(monkeypatch)
    assert raised(approve_and_reject(people, batch, monkeypatch, SURELY)) == []


def test_a_batch_is_approved_or_rejected_never_both(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    results = approve_and_reject(people, batch, monkeypatch, IN_VAIN)
    batch.refresh_from_db()
    assert len(raised(results)) == 1
    states = set(batch.payments.values_list("state", flat=True))
    assert (batch.state, states) in [
        (BatchState.FINANCE, {PaymentState.PENDING}),
        (BatchState.VOID, {PaymentState.VOID}),
    ]


@pytest.fixture
def under_way() -> Iterator[None]:
    """A run of the county that goes on in another connection."""
    started, over = threading.Event(), threading.Event()

    def hold() -> None:
        with county_locked(LULIANG):
            started.set()
            over.wait()
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    started.wait(SURELY)
    yield
    over.set()
    thread.join()


@pytest.mark.parametrize("state", [BatchState.APPROVAL, BatchState.FINANCE])
def test_nothing_is_approved_or_confirmed_while_the_month_is_run(
    people: Staff, batch: Batch, under_way: None, state: BatchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(batch_step, "county_lock_or_refuse", lambda county_code: None)
        walk(batch, people, state)
    with pytest.raises(MoneyRefusedError, match="本县正在核定月份"):
        if state == BatchState.APPROVAL:
            batch_approve(batch_id=batch.pk, actor=people.chief)
        else:
            batch_confirm(batch_id=batch.pk, actor=people.finance)
    batch.refresh_from_db()
    assert batch.state == state


def test_a_run_waits_until_an_approval_is_through(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    order: list[str] = []
    approving, over = threading.Event(), threading.Event()

    def slowly(**given: Any) -> object:
        found = transition_open(**given)
        approving.set()
        over.wait(IN_VAIN)
        order.append("approved")
        return found

    def run_month() -> None:
        approving.wait(SURELY)
        with county_locked(LULIANG):
            order.append("run")
        over.set()
        connection.close()

    monkeypatch.setattr(batch_step, "transition_open", slowly)
    thread = threading.Thread(target=run_month)
    thread.start()
    batch_approve(batch_id=batch.pk, actor=people.chief)
    thread.join()
    assert order == ["approved", "run"]
    assert connection.connection is not None


def decide_and_confirm(people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """An objection is dismissed in the moment in which finance confirms."""
    objection = objection_record(payment_id=batch.payments.get(number=1).pk, text="不符", actor=people.lead_a)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.FINANCE)
    monkeypatch.setattr(batch_step, "confirm_post", met_before(confirm_post, IN_VAIN))
    return at_once(
        lambda: batch_confirm(batch_id=batch.pk, actor=people.finance),
        lambda: objection_decide(
            objection_id=objection.pk, upheld=False, finding="不属实", actor=people.chief
        ),
    )


def test_a_line_that_comes_back_while_finance_confirms_is_in_the_sum_or_void(
    people: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = draft(people, (elder_in(VILLAGE), "POOR", "50.00"), (elder_in(VILLAGE), "POOR", "70.00"))
    walk(batch, people, BatchState.FINANCE)
    Batch.objects.filter(pk=batch.pk).update(
        state=BatchState.NOTICE, notice_from="2000-01-01", notice_until="2100-01-01"
    )
    assert raised(decide_and_confirm(people, batch, monkeypatch)) == []
    batch.refresh_from_db()
    line = batch.payments.get(number=1)
    whole = Decimal("120.00") if line.state == PaymentState.PENDING else Decimal("70.00")
    assert (batch.amount, booked()["补贴支出"]) == (whole, whole)
    assert even(batch)


def test_a_real_run_built_batch_goes_all_the_way(db: None) -> None:
    publish_list(item("AGED", "年龄 >= 80"), code="other-list")
    people = staff()
    first, second = elder_in(VILLAGE), elder_in("530322102201")
    for elder in (first, second):
        account(elder)
    terms("AGED", JUNE, notice_days=7)
    batch = built(run(JUNE), people.maker)
    walk(batch, people, BatchState.CLOSED)
    assert (batch.lines, batch.amount) == (2, Decimal("100.00"))
    assert set(Payment.objects.values_list("state", flat=True)) == {PaymentState.PAID}
    assert booked("AGED") == {"补贴支出": Decimal("100.00"), "财政拨款": Decimal("-100.00")}
    with pytest.raises(MoneyRefusedError, match="都已发放或在途"):
        built(run(JUNE), people.maker)
