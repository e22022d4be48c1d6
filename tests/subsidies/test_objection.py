"""What keeps one line back while the others go on: objections during public notice, and holds by who checks."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Assignment, User
from subsidies.choices import BatchState, ObjectionState, PaymentState
from subsidies.models import Batch, Objection, Payment
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch_step import batch_reject
from subsidies.services.notice import notices_end
from subsidies.services.objection import (
    objection_decide,
    objection_record,
    payment_hold,
    payment_release,
)
from tests.subsidies.batches import WAY, booked, draft, elder_in, publish_items, walk
from tests.subsidies.county import OTHER_VILLAGE, VILLAGE
from tests.subsidies.money import Staff, staff

pytestmark = pytest.mark.django_db
UNCONFIRMED = WAY[:5]


@pytest.fixture
def people(db: None) -> Staff:
    """One item with a notice of 7 days, and who handles money."""
    publish_items(notice_days=7)
    return staff()


@pytest.fixture
def batch(people: Staff) -> Batch:
    """A draft of 50 元 in 甲镇 and 70 元 in 乙镇."""
    return draft(people, (elder_in(VILLAGE), "POOR", "50.00"), (elder_in(OTHER_VILLAGE), "POOR", "70.00"))


def first(batch: Batch) -> Payment:
    return batch.payments.get(number=1)


def sums(batch: Batch) -> tuple[int, Decimal]:
    batch.refresh_from_db()
    return batch.lines, batch.amount


def objected(batch: Batch, people: Staff, text: str = "此人已外迁") -> Objection:
    walk(batch, people, BatchState.NOTICE)
    return objection_record(payment_id=first(batch).pk, text=text, actor=people.lead_a)


def test_an_objection_holds_its_line_and_the_sums_follow(people: Staff, batch: Batch) -> None:
    objected(batch, people)
    assert first(batch).state == PaymentState.HELD
    assert sums(batch) == (1, Decimal("70.00"))
    assert batch.payments.get(number=2).state == PaymentState.PENDING


def test_an_open_objection_does_not_stop_the_others(people: Staff, batch: Batch) -> None:
    objected(batch, people)
    walk(batch, people, BatchState.SENT)
    assert sums(batch) == (1, Decimal("70.00"))
    assert booked() == {"补贴支出": Decimal("70.00"), "银行在途": Decimal("-70.00")}


def test_an_objection_found_wrong_before_confirmation_brings_the_line_back(
    people: Staff, batch: Batch
) -> None:
    objection = objected(batch, people)
    objection_decide(objection_id=objection.pk, upheld=False, finding="仍居住在本村", actor=people.chief)
    assert first(batch).state == PaymentState.PENDING
    assert sums(batch) == (2, Decimal("120.00"))


def test_an_objection_found_wrong_between_notice_and_confirmation_still_brings_it_back(
    people: Staff, batch: Batch
) -> None:
    objection = objected(batch, people)
    walk(batch, people, BatchState.FINANCE)
    objection_decide(objection_id=objection.pk, upheld=False, finding="仍居住在本村", actor=people.chief)
    walk(batch, people, BatchState.CONFIRMED)
    assert sums(batch) == (2, Decimal("120.00"))


def test_an_objection_found_wrong_after_confirmation_makes_the_line_void(people: Staff, batch: Batch) -> None:
    objection = objected(batch, people)
    walk(batch, people, BatchState.CONFIRMED)
    objection_decide(objection_id=objection.pk, upheld=False, finding="仍居住在本村", actor=people.chief)
    assert first(batch).state == PaymentState.VOID
    assert sums(batch) == (1, Decimal("70.00")), "what was confirmed stays as it was"


def test_an_upheld_objection_makes_the_line_void(people: Staff, batch: Batch) -> None:
    objection = objected(batch, people)
    decided = objection_decide(
        objection_id=objection.pk, upheld=True, finding="已于三月迁出", actor=people.chief
    )
    assert (decided.state, decided.finding, decided.decided_by) == (
        ObjectionState.UPHELD,
        "已于三月迁出",
        people.chief,
    )
    assert first(batch).state == PaymentState.VOID
    walk(batch, people, BatchState.CLOSED)


def test_an_objection_to_a_batch_sent_back_meanwhile_is_answered_and_its_line_stays_void(
    people: Staff, batch: Batch
) -> None:
    objection = objected(batch, people)
    batch_reject(batch_id=batch.pk, actor=people.chief, note="重做")
    objection_decide(objection_id=objection.pk, upheld=False, finding="查无此事", actor=people.chief)
    assert first(batch).state == PaymentState.VOID


@pytest.mark.parametrize("state", [state for state in WAY if state != BatchState.NOTICE])
def test_objections_are_taken_down_during_notice_alone(
    people: Staff, batch: Batch, state: BatchState
) -> None:
    walk(batch, people, state)
    with pytest.raises(MoneyRefusedError, match="公示期间才能登记异议"):
        objection_record(payment_id=first(batch).pk, text="不符", actor=people.lead_a)


@pytest.mark.parametrize(("days", "taken"), [(7, True), (8, False)])
def test_the_last_day_of_notice_still_takes_objections(
    people: Staff, batch: Batch, monkeypatch: pytest.MonkeyPatch, days: int, taken: bool
) -> None:
    walk(batch, people, BatchState.NOTICE)
    later = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(timezone, "now", lambda: later)
    if taken:
        assert objection_record(payment_id=first(batch).pk, text="不符", actor=people.lead_a).pk
        return
    with pytest.raises(MoneyRefusedError, match="现为“财政确认”"):
        objection_record(payment_id=first(batch).pk, text="不符", actor=people.lead_a)


def test_the_same_objection_twice_is_one(people: Staff, batch: Batch) -> None:
    once = objected(batch, people)
    assert objected(batch, people) == once
    assert Objection.objects.count() == 1
    with pytest.raises(MoneyRefusedError, match=r"甲镇核实 于 .* 受理"):
        objection_record(payment_id=first(batch).pk, text="此人已外迁", actor=people.chief)


def test_a_second_decision_says_who_decided(people: Staff, batch: Batch) -> None:
    objection = objected(batch, people)
    once = objection_decide(objection_id=objection.pk, upheld=True, finding="属实", actor=people.chief)
    again = objection_decide(objection_id=objection.pk, upheld=True, finding="属实", actor=people.chief)
    assert again == once
    with pytest.raises(MoneyRefusedError, match=r"已由 审批 于 .* 处理：成立"):
        objection_decide(objection_id=objection.pk, upheld=False, finding="不属实", actor=staff().chief)


def test_who_took_the_objection_down_does_not_decide_it(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.NOTICE)
    objection = objection_record(payment_id=first(batch).pk, text="不符", actor=people.chief)
    with pytest.raises(MoneyRefusedError, match="受理异议的人"):
        objection_decide(objection_id=objection.pk, upheld=True, finding="属实", actor=people.chief)


def test_the_maker_does_not_decide_objections_to_his_batch(people: Staff, batch: Batch) -> None:
    objection = objected(batch, people)
    Assignment.objects.create(user=people.maker, role=Role.BUREAU_CHIEF, area_id="530322000000")
    maker = User.objects.get(pk=people.maker.pk)
    with pytest.raises(MoneyRefusedError, match="批次的制单人不能处理"):
        objection_decide(objection_id=objection.pk, upheld=False, finding="不属实", actor=maker)


@pytest.mark.parametrize(
    ("person", "able"),
    [
        ("maker", True),
        ("lead_a", True),
        ("lead_b", False),
        ("chief", True),
        ("finance", False),
    ],
)
def test_objections_are_taken_down_by_the_offices_of_the_village(
    people: Staff, batch: Batch, person: str, able: bool
) -> None:
    walk(batch, people, BatchState.NOTICE)
    actor = getattr(people, person)
    if able:
        assert objection_record(payment_id=first(batch).pk, text="不符", actor=actor).received_by == actor
        return
    with pytest.raises(MoneyRefusedError, match="没有办理这一行的权限"):
        objection_record(payment_id=first(batch).pk, text="不符", actor=actor)


@pytest.mark.parametrize("person", ["maker", "lead_a", "finance"])
def test_objections_are_decided_by_the_bureau(people: Staff, batch: Batch, person: str) -> None:
    objection = objected(batch, people)
    with pytest.raises(MoneyRefusedError, match="审批批次"):
        objection_decide(
            objection_id=objection.pk, upheld=True, finding="属实", actor=getattr(people, person)
        )


@pytest.mark.parametrize("text", ["", "  ", "字" * 501])
def test_an_objection_says_something_short(people: Staff, batch: Batch, text: str) -> None:
    with pytest.raises(MoneyRefusedError, match="请填写异议内容，最多 500 个字"):
        objected(batch, people, text)


@pytest.mark.parametrize("state", UNCONFIRMED)
def test_a_line_can_be_held_until_finance_confirms(people: Staff, batch: Batch, state: BatchState) -> None:
    walk(batch, people, state)
    held = payment_hold(payment_id=first(batch).pk, reason="核实账户", actor=people.lead_a)
    assert held.state == PaymentState.HELD
    assert sums(batch) == (1, Decimal("70.00"))
    entry = AuditEntry.objects.get(action="暂缓发放明细")
    assert entry.data == {"line": 1, "reason": "核实账户"}


@pytest.mark.parametrize("state", WAY[5:])
def test_a_confirmed_line_cannot_be_held(people: Staff, batch: Batch, state: BatchState) -> None:
    walk(batch, people, state)
    with pytest.raises(MoneyRefusedError, match="不能暂缓"):
        payment_hold(payment_id=first(batch).pk, reason="核实账户", actor=people.lead_a)


def test_a_lead_holds_no_line_of_another_township(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    with pytest.raises(MoneyRefusedError, match="没有办理这一行的权限"):
        payment_hold(payment_id=first(batch).pk, reason="核实账户", actor=people.lead_b)


def test_an_elder_living_in_another_county_is_no_business_of_that_countys_lead(people: Staff) -> None:
    outside = draft(people, (elder_in("530324101201"), "POOR", "50"))
    other = staff("530324000000")
    with pytest.raises(MoneyRefusedError, match="没有办理这一行的权限"):
        payment_hold(payment_id=first(outside).pk, reason="核实账户", actor=other.lead_a)
    assert payment_hold(payment_id=first(outside).pk, reason="核实账户", actor=people.chief).pk


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (BatchState.TOWNSHIP, PaymentState.PENDING),
        (BatchState.APPROVAL, PaymentState.PENDING),
        (BatchState.NOTICE, PaymentState.VOID),
        (BatchState.FINANCE, PaymentState.VOID),
        (BatchState.CONFIRMED, PaymentState.VOID),
    ],
)
def test_a_released_line_comes_back_only_into_what_is_not_approved_yet(
    people: Staff, batch: Batch, state: BatchState, after: PaymentState
) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    payment_hold(payment_id=first(batch).pk, reason="核实账户", actor=people.lead_a)
    walk(batch, people, state)
    released = payment_release(payment_id=first(batch).pk, reason="已核实", actor=people.lead_a)
    assert released.state == after
    assert sums(batch) == ((2, Decimal("120.00")) if after == "待发" else (1, Decimal("70.00")))


def test_the_maker_does_not_release_what_was_held_in_his_batch(people: Staff, batch: Batch) -> None:
    payment_hold(payment_id=first(batch).pk, reason="核实账户", actor=people.lead_a)
    with pytest.raises(MoneyRefusedError, match="没有办理这一行的权限"):
        payment_release(payment_id=first(batch).pk, reason="已核实", actor=people.maker)
    Assignment.objects.create(user=people.maker, role=Role.BUREAU_CHIEF, area_id="530322000000")
    with pytest.raises(MoneyRefusedError, match="您是本批次的制单人"):
        payment_release(
            payment_id=first(batch).pk, reason="已核实", actor=User.objects.get(pk=people.maker.pk)
        )


def test_a_line_under_objection_is_released_by_its_decision_alone(people: Staff, batch: Batch) -> None:
    objected(batch, people)
    with pytest.raises(MoneyRefusedError, match="请先处理异议"):
        payment_release(payment_id=first(batch).pk, reason="已核实", actor=people.chief)
    with pytest.raises(MoneyRefusedError, match="因异议已经暂缓"):
        payment_hold(payment_id=first(batch).pk, reason="核实账户", actor=people.lead_a)


@pytest.mark.parametrize("act", [payment_hold, payment_release], ids=["hold", "release"])
def test_holding_and_releasing_twice_changes_nothing(
    people: Staff, batch: Batch, act: Callable[..., Payment]
) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    payment_id = first(batch).pk
    if act is payment_release:
        payment_hold(payment_id=payment_id, reason="核实账户", actor=people.chief)
    once = act(payment_id=payment_id, reason="同前", actor=people.lead_a)
    audited = AuditEntry.objects.count()
    assert act(payment_id=payment_id, reason="同前", actor=people.lead_a).state == once.state
    assert AuditEntry.objects.count() == audited
    with pytest.raises(MoneyRefusedError, match="已由 甲镇核实 于"):
        act(payment_id=payment_id, reason="同前", actor=people.chief)


def test_a_line_that_was_never_held_cannot_be_released(people: Staff, batch: Batch) -> None:
    with pytest.raises(MoneyRefusedError, match="现为“待发”，没有暂缓"):
        payment_release(payment_id=first(batch).pk, reason="已核实", actor=people.chief)


def test_a_notice_ends_with_its_objection_still_open(people: Staff, batch: Batch) -> None:
    objection = objected(batch, people)
    assert notices_end(today=timezone.localdate() + timedelta(days=8)) == 1
    objection.refresh_from_db()
    assert (objection.state, first(batch).state) == (ObjectionState.OPEN, PaymentState.HELD)
