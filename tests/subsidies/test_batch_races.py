"""Two persons, or one with two clicks, at a batch at once; each race is first won with the lock off."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal

import pytest
from django.db import connection

from organization.models import User
from subsidies.choices import BatchAction, BatchState, PaymentState
from subsidies.county_lock import county_locked
from subsidies.models import Batch, BatchStep, LedgerEntry, Payment
from subsidies.refusals import MoneyRefusedError
from subsidies.services import batch_step
from subsidies.services.batch_step import batch_approve, batch_confirm, batch_reject, township_check
from subsidies.services.batch_transition import transition_open
from subsidies.services.objection import objection_decide, objection_record
from tests.subsidies.batches import JUNE, TOWN_A, booked, draft, elder_in, even, publish_items, walk
from tests.subsidies.county import LULIANG, VILLAGE, item, publish_list, run
from tests.subsidies.money import Staff, account, built, staff, terms

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 1.5
Step = Callable[[], object]


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


def at_once(monkeypatch: pytest.MonkeyPatch, *steps: Step) -> list[BaseException | None]:
    """Take the steps in threads that meet, if nothing keeps them apart, once each has been let through.

    Returns per step what was raised.
    """
    meeting = threading.Barrier(len(steps))
    opened = transition_open

    def meet_after(**given: object) -> object:
        found = opened(**given)  # type: ignore[arg-type]  # passed on as it came
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=WAIT)
        return found

    monkeypatch.setattr(batch_step, "transition_open", meet_after)
    results: list[BaseException | None] = [None] * len(steps)

    def body(place: int) -> None:
        try:
            steps[place]()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=body, args=(place,)) for place in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def approvals(batch: Batch) -> int:
    return BatchStep.objects.filter(batch=batch, action=BatchAction.APPROVE).count()


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_step, "batch_lock", unlocked)
    monkeypatch.setattr(batch_step, "county_lock_or_refuse", lambda county_code: None)


def test_without_the_locks_two_approvers_both_approve(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    second = staff().chief
    without_locks(monkeypatch)
    results = at_once(
        monkeypatch,
        lambda: batch_approve(batch_id=batch.pk, actor=people.chief),
        lambda: batch_approve(batch_id=batch.pk, actor=second),
    )
    assert results == [None, None]
    assert approvals(batch) == 2


def test_of_two_approvers_one_approves_and_the_other_is_refused(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    second = staff().chief
    results = at_once(
        monkeypatch,
        lambda: batch_approve(batch_id=batch.pk, actor=people.chief),
        lambda: batch_approve(batch_id=batch.pk, actor=second),
    )
    assert sorted(type(result).__name__ for result in results) == ["MoneyRefusedError", "NoneType"]
    assert approvals(batch) == 1
    with pytest.raises(MoneyRefusedError, match=r"已由 审批 于 .* 审批"):
        batch_approve(batch_id=batch.pk, actor=people.chief if results[0] else second)


def test_the_batchs_own_lock_keeps_two_approvers_apart_without_the_countys(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    second = staff().chief
    monkeypatch.setattr(batch_step, "county_lock_or_refuse", lambda county_code: None)
    results = at_once(
        monkeypatch,
        lambda: batch_approve(batch_id=batch.pk, actor=people.chief),
        lambda: batch_approve(batch_id=batch.pk, actor=second),
    )
    refused = [result for result in results if result is not None]
    assert approvals(batch) == len(refused) == 1
    assert "已由 审批 于" in str(refused[0])


def test_without_the_locks_a_double_click_on_confirm_is_stopped_by_the_ledger_alone(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.FINANCE)
    without_locks(monkeypatch)
    results = at_once(monkeypatch, *[lambda: batch_confirm(batch_id=batch.pk, actor=people.finance)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["IntegrityError", "NoneType"]


def test_a_double_click_on_confirm_books_once_and_both_see_it_done(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.FINANCE)
    monkeypatch.setattr(batch_step, "county_lock_or_refuse", lambda county_code: None)
    results = at_once(monkeypatch, *[lambda: batch_confirm(batch_id=batch.pk, actor=people.finance)] * 2)
    assert results == [None, None]
    assert LedgerEntry.objects.filter(batch=batch).count() == 2
    assert BatchStep.objects.filter(batch=batch, action=BatchAction.CONFIRM).count() == 1


def check_twice(people: Staff, batch: Batch) -> tuple[Step, Step]:
    second = staff().lead_a
    return (
        lambda: township_check(batch_id=batch.pk, township=TOWN_A, actor=people.lead_a),
        lambda: township_check(batch_id=batch.pk, township=TOWN_A, actor=second),
    )


def test_without_the_lock_two_leads_both_check_one_township(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    without_locks(monkeypatch)
    assert at_once(monkeypatch, *check_twice(people, batch)) == [None, None]
    assert BatchStep.objects.filter(batch=batch, action=BatchAction.CHECKED).count() == 2


def test_of_two_leads_one_checks_and_the_batch_steps_on_once(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    results = at_once(monkeypatch, *check_twice(people, batch))
    assert sorted(type(result).__name__ for result in results) == ["MoneyRefusedError", "NoneType"]
    assert BatchStep.objects.filter(batch=batch, action=BatchAction.CHECKED).count() == 1


def test_without_the_locks_a_batch_is_approved_and_rejected_at_once(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    second = staff().chief
    without_locks(monkeypatch)
    steps = approve_and_reject(people.chief, second, batch)
    assert at_once(monkeypatch, *steps) == [None, None]


def test_a_batch_is_approved_or_rejected_never_both(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    results = at_once(monkeypatch, *approve_and_reject(people.chief, staff().chief, batch))
    batch.refresh_from_db()
    assert sum(result is None for result in results) == 1
    states = set(batch.payments.values_list("state", flat=True))
    assert (batch.state, states) in [
        (BatchState.FINANCE, {PaymentState.PENDING}),
        (BatchState.VOID, {PaymentState.VOID}),
    ]


def approve_and_reject(first: User, second: User, batch: Batch) -> tuple[Step, Step]:
    return (
        lambda: batch_approve(batch_id=batch.pk, actor=first),
        lambda: batch_reject(batch_id=batch.pk, actor=second, note="重做"),
    )


@pytest.fixture
def under_way() -> Iterator[None]:
    """A run of the county that goes on in another connection."""
    started, over = threading.Event(), threading.Event()

    def hold() -> None:
        with county_locked(LULIANG):
            started.set()
            over.wait(WAIT * 10)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    started.wait(WAIT * 10)
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
    approving = threading.Event()
    opened = transition_open

    def slowly(**given: object) -> object:
        found = opened(**given)  # type: ignore[arg-type]  # passed on as it came
        approving.set()
        threading.Event().wait(0.5)
        order.append("approved")
        return found

    def run_month() -> None:
        approving.wait(WAIT * 10)
        with county_locked(LULIANG):
            order.append("run")
        connection.close()

    monkeypatch.setattr(batch_step, "transition_open", slowly)
    thread = threading.Thread(target=run_month)
    thread.start()
    batch_approve(batch_id=batch.pk, actor=people.chief)
    thread.join()
    assert order == ["approved", "run"]
    assert connection.connection is not None


def decide_and_confirm(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> list[BaseException | None]:
    """An objection is dismissed in the moment in which finance confirms."""
    objection = objection_record(payment_id=batch.payments.get(number=1).pk, text="不符", actor=people.lead_a)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.FINANCE)
    return at_once(
        monkeypatch,
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
    assert decide_and_confirm(people, batch, monkeypatch) == [None, None]
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
