"""What is learned after a draft was made keeps its lines from being paid wrongly, at every step that is left."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import Elder
from eldercare.services.circumstance import circumstance_set
from operations.models import StoredFile
from subsidies.anomalies import anomalies_held
from subsidies.choices import AnomalyKind, AnomalyState, BatchKind, BatchState, Outcome, PaymentState, Verdict
from subsidies.models import Anomaly, Batch, Entitlement, Month, Payment, ReturnFile, ReturnRow
from subsidies.refusals import MoneyRefusedError
from subsidies.services.bank import bank_file_make
from subsidies.services.batch_step import batch_approve, batch_confirm, batch_send, batch_submit
from subsidies.services.objection import payment_hold
from tests.subsidies.batches import (
    JUNE,
    draft,
    elder_in,
    filed,
    line,
    publish_items,
    returned,
    walk,
)
from tests.subsidies.county import LULIANG, VILLAGE
from tests.subsidies.money import Staff, account, built, staff

pytestmark = pytest.mark.django_db
JULY = date(2024, 7, 1)
Step = Callable[[Batch, Staff], Batch]

STEPS: dict[BatchState, Step] = {
    BatchState.DRAFT: lambda batch, people: batch_submit(batch_id=batch.pk, actor=people.maker),
    BatchState.APPROVAL: lambda batch, people: batch_approve(batch_id=batch.pk, actor=people.chief),
    BatchState.FINANCE: lambda batch, people: batch_confirm(batch_id=batch.pk, actor=people.finance),
    BatchState.CONFIRMED: lambda batch, people: batch_send(batch_id=batch.pk, actor=people.finance),
}
ANSWERED = (BatchState.APPROVAL, BatchState.FINANCE)


@pytest.fixture
def people(db: None) -> Staff:
    """Two items without notice, and who handles money."""
    publish_items()
    return staff()


@pytest.fixture
def batch(people: Staff) -> Batch:
    """A draft of June with a line for each of two elders."""
    return draft(people, (elder_in(VILLAGE), "POOR", "50"), (elder_in(VILLAGE), "POOR", "50"))


@pytest.fixture
def failed(people: Staff) -> Payment:
    """A line that the bank could not pay in, beside one that it paid."""
    first = draft(people, (elder_in(VILLAGE), "POOR", "50"), (elder_in(VILLAGE), "POOR", "50"))
    walk(first, people, BatchState.SENT)
    lost = first.payments.get(number=1)
    returned(first, people, lost.elder)
    lost.refresh_from_db()
    return lost


def reissued(failed: Payment, people: Staff) -> Batch:
    """A draft that pays the line again."""
    again = draft(people, kind=BatchKind.REISSUE)
    line(again, failed.elder, failed.item, "50", reissues=failed)
    Batch.objects.filter(pk=again.pk).update(lines=1, amount=Decimal(50))
    return again


def say(payment: Payment, *verdicts: str) -> None:
    """The bank says more about a line, file after file."""
    for verdict in verdicts:
        key = f"{ReturnFile.objects.count():x}".rjust(64, "f")
        stored = StoredFile.objects.create(name="r.csv", size=1, sha256=key, content="r")
        file = ReturnFile.objects.create(batch=payment.batch, stored=stored, name="r.csv", sha256=key)
        ReturnRow.objects.create(file=file, number=1, payment=payment, verdict=verdict, amount=payment.amount)


def suspend(payment: Payment) -> None:
    """The month was run again and the enrolment is suspended by now."""
    rows = Entitlement.objects.filter(month=payment.month, elder=payment.elder, item=payment.item)
    rows.update(outcome=Outcome.SUSPENDED)


def anomaly(elder: Elder, month: date, state: str, people: Staff, code: str | None = None) -> Anomaly:
    """A decided anomaly of a month's run."""
    run, _ = Month.objects.get_or_create(county_code=LULIANG, month=month, defaults={"revision": 1})
    return Anomaly.objects.create(
        run=run,
        elder=elder,
        item=Item.objects.get(code=code) if code else None,
        kind=AnomalyKind.HOLDER,
        detail="户名不是本人",
        fingerprint="x",
        area_code=elder.hukou_code,
        state=state,
        decided_by=people.chief,
        decided_at=timezone.now(),
    )


def hold(payment: Payment, people: Staff) -> None:
    payment_hold(payment_id=payment.pk, reason="情况有变", actor=people.maker)


def refused(state: BatchState, batch: Batch, people: Staff, why: str) -> None:
    """The step of this state is refused and leaves the batch where it is."""
    with pytest.raises(MoneyRefusedError, match=why):
        STEPS[state](batch, people)
    batch.refresh_from_db()
    assert batch.state == state


@pytest.mark.parametrize("state", STEPS)
def test_a_reissue_of_what_the_bank_says_it_paid_goes_no_further(
    people: Staff, failed: Payment, state: BatchState
) -> None:
    batch = walk(reissued(failed, people), people, state)
    if state == BatchState.CONFIRMED:
        filed(batch, people)
    say(failed, Verdict.CONFLICT, Verdict.REPEATED)
    refused(state, batch, people, "有 1 行是重发，但银行又报原来那一笔已成功")


@pytest.mark.parametrize("state", STEPS)
def test_a_reissue_of_what_the_bank_says_failed_goes_on(
    people: Staff, failed: Payment, state: BatchState
) -> None:
    batch = walk(reissued(failed, people), people, state)
    if state == BatchState.CONFIRMED:
        filed(batch, people)
    say(failed, Verdict.REPEATED)
    assert STEPS[state](batch, people).state != state


def test_the_bank_file_of_such_a_reissue_is_not_made(people: Staff, failed: Payment) -> None:
    batch = walk(reissued(failed, people), people, BatchState.CONFIRMED)
    say(failed, Verdict.CONFLICT)
    with pytest.raises(MoneyRefusedError, match="请不要报送，先向银行核实"):
        bank_file_make(batch_id=batch.pk, profile_id=0, actor=people.finance)


def test_a_second_reissue_stops_too_when_the_first_line_was_paid_after_all(
    people: Staff, failed: Payment
) -> None:
    again = walk(reissued(failed, people), people, BatchState.SENT)
    returned(again, people, failed.elder)
    third = reissued(again.payments.get(), people)
    say(failed, Verdict.CONFLICT)
    refused(BatchState.DRAFT, third, people, "有 1 行是重发")


@pytest.mark.parametrize(
    ("said", "again"), [([Verdict.CONFLICT, Verdict.REPEATED], False), ([Verdict.REPEATED], True)], ids=str
)
def test_what_the_bank_once_said_it_paid_is_not_drafted_again_however_often_it_repeats_the_failure(
    people: Staff, failed: Payment, said: list[str], again: bool
) -> None:
    account(failed.elder)
    say(failed, *said)
    if again:
        assert built(failed.batch.month, people.maker, BatchKind.REISSUE).payments.get().reissues == failed
        return
    with pytest.raises(MoneyRefusedError, match="没有可以重发的失败明细"):
        built(failed.batch.month, people.maker, BatchKind.REISSUE)


@pytest.mark.parametrize("state", [AnomalyState.HELD, AnomalyState.CLEARED])
def test_a_reissue_of_an_older_run_follows_what_a_clerk_decided_in_a_later_one(
    people: Staff, failed: Payment, state: AnomalyState
) -> None:
    account(failed.elder)
    anomaly(failed.elder, JULY, state, people)
    if state == AnomalyState.CLEARED:
        assert built(failed.batch.month, people.maker, BatchKind.REISSUE).lines == 1
        return
    with pytest.raises(MoneyRefusedError, match="1 条已按异常暂缓"):
        built(failed.batch.month, people.maker, BatchKind.REISSUE)


@pytest.mark.parametrize("state", ANSWERED)
def test_what_was_suspended_since_the_draft_is_not_paid(
    people: Staff, batch: Batch, state: BatchState
) -> None:
    walk(batch, people, state)
    suspend(batch.payments.get(number=1))
    refused(state, batch, people, r"有 1 行已暂停享受。请在名单中暂缓这些行，或退回重做")


@pytest.mark.parametrize("state", ANSWERED)
@pytest.mark.parametrize("kind", [Kind.DEATH, Kind.MOVED_OUT])
@pytest.mark.parametrize(("on", "stops"), [(date(2024, 5, 31), True), (date(2024, 6, 1), False)], ids=str)
def test_who_is_gone_before_the_month_is_not_paid_for_it_although_it_was_not_run_again(
    people: Staff, batch: Batch, state: BatchState, kind: Kind, on: date, stops: bool
) -> None:
    walk(batch, people, state)
    circumstance_set(
        elder=batch.payments.get(number=1).elder, kind=kind, value="是", starts=on, source="村报"
    )
    if stops:
        refused(state, batch, people, r"有 1 行的老年人已登记去世或迁出。请重新核定后退回重做，或")
    else:
        assert STEPS[state](batch, people).state != state


@pytest.mark.parametrize(("back", "stops"), [(date(2024, 6, 30), False), (date(2024, 7, 1), True)], ids=str)
def test_who_came_back_before_the_month_was_over_is_paid(
    people: Staff, batch: Batch, back: date, stops: bool
) -> None:
    walk(batch, people, BatchState.APPROVAL)
    batch.payments.get(number=1).elder.circumstances.create(
        kind=Kind.MOVED_OUT, value="是", valid=(date(2024, 1, 1), back), source="村报"
    )
    if stops:
        refused(BatchState.APPROVAL, batch, people, "去世或迁出")
    else:
        assert STEPS[BatchState.APPROVAL](batch, people).state == BatchState.FINANCE


@pytest.mark.parametrize("state", ANSWERED)
def test_what_a_clerk_holds_back_after_the_submission_is_not_paid(
    people: Staff, batch: Batch, state: BatchState
) -> None:
    walk(batch, people, state)
    anomaly(batch.payments.get(number=1).elder, JUNE, AnomalyState.HELD, people)
    refused(state, batch, people, r"有 1 条异常已决定暂缓。请在名单中暂缓这些行")


@pytest.mark.parametrize("state", ANSWERED)
def test_with_the_lines_held_the_rest_of_the_batch_goes_on(
    people: Staff, batch: Batch, state: BatchState
) -> None:
    walk(batch, people, state)
    own = batch.payments.get(number=1)
    suspend(own)
    anomaly(own.elder, JUNE, AnomalyState.HELD, people)
    circumstance_set(elder=own.elder, kind=Kind.DEATH, value="是", starts=date(2024, 5, 1), source="村报")
    refused(state, batch, people, "有 1 行已暂停享受；有 1 条异常已决定暂缓；有 1 行的老年人已登记去世或迁出")
    hold(own, people)
    assert STEPS[state](batch, people).state != state
    own.refresh_from_db()
    assert own.state == PaymentState.HELD


@pytest.mark.parametrize("code", [None, "POOR"])
@pytest.mark.parametrize(
    ("earlier", "own", "later", "held"),
    [
        (None, None, "暂缓", True),
        (None, "放行", "暂缓", True),
        (None, "暂缓", "放行", False),
        (None, "暂缓", None, True),
        ("暂缓", None, None, False),
    ],
)
def test_the_newest_decision_from_the_batchs_run_on_holds(
    people: Staff, batch: Batch, code: str | None, earlier: str, own: str, later: str, held: bool
) -> None:
    elder = batch.payments.get(number=1).elder
    for month, state in ((date(2024, 5, 1), earlier), (JUNE, own), (JULY, later)):
        if state:
            anomaly(elder, month, state, people, code)
    assert anomalies_held(batch).exists() == held
