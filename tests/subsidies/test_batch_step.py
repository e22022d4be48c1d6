"""The way of a batch: who may take which step in which state, and what every step leaves behind."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Assignment, User
from subsidies.batch_table import TRANSITIONS
from subsidies.choices import BatchAction, BatchState, PaymentState
from subsidies.models import Batch, BatchStep, Entitlement, LedgerEntry, Month, Payment, PaymentTerms
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch_step import (
    batch_approve,
    batch_close,
    batch_confirm,
    batch_reject,
    batch_send,
    batch_submit,
    township_check,
)
from subsidies.services.notice import notices_end
from tests.subsidies.batches import (
    ELSEWHERE,
    JUNE,
    TOWN_A,
    TOWN_B,
    WAY,
    draft,
    elder_in,
    even,
    filed,
    line,
    publish_items,
    returned,
    walk,
)
from tests.subsidies.county import OTHER_VILLAGE, VILLAGE
from tests.subsidies.money import Staff, staff

pytestmark = pytest.mark.django_db
Act = Callable[[Batch, User], Batch]

ACTS: dict[BatchAction, Act] = {
    BatchAction.SUBMIT: lambda batch, actor: batch_submit(batch_id=batch.pk, actor=actor),
    BatchAction.CHECK: lambda batch, actor: township_check(batch_id=batch.pk, township=TOWN_A, actor=actor),
    BatchAction.APPROVE: lambda batch, actor: batch_approve(batch_id=batch.pk, actor=actor),
    BatchAction.CONFIRM: lambda batch, actor: batch_confirm(batch_id=batch.pk, actor=actor),
    BatchAction.SEND: lambda batch, actor: batch_send(batch_id=batch.pk, actor=actor),
    BatchAction.CLOSE: lambda batch, actor: batch_close(batch_id=batch.pk, actor=actor),
    BatchAction.REJECT: lambda batch, actor: batch_reject(batch_id=batch.pk, actor=actor, note="重做"),
}
#: Whose step it is; 退回 depends on the state.
OWN = {
    BatchAction.SUBMIT: "maker",
    BatchAction.CHECK: "lead_a",
    BatchAction.APPROVE: "chief",
    BatchAction.CONFIRM: "finance",
    BatchAction.SEND: "finance",
    BatchAction.CLOSE: "finance",
}
REJECTS = {
    BatchState.TOWNSHIP: "lead_a",
    BatchState.APPROVAL: "chief",
    BatchState.NOTICE: "chief",
    BatchState.FINANCE: "finance",
}
PERSONS = ("maker", "lead_a", "lead_b", "chief", "finance", "finance_two")


@pytest.fixture
def people(db: None) -> Staff:
    """Two items with a notice of 3 days, and who handles money."""
    publish_items(notice_days=3)
    return staff()


@pytest.fixture
def batch(people: Staff) -> Batch:
    """A draft of three lines in two townships, 150.01 元."""
    first, second = elder_in(VILLAGE), elder_in(OTHER_VILLAGE)
    return draft(people, (first, "POOR", "50.00"), (first, "CARE", "50.01"), (second, "POOR", "50.00"))


def grant(user: User, role: Role, area: str = "530322000000") -> User:
    """Another role for a user, as a county short of people would give it."""
    Assignment.objects.create(user=user, role=role, area_id=area)
    return User.objects.get(pk=user.pk)


def prepared(batch: Batch, people: Staff, state: BatchState, action: BatchAction) -> Batch:
    """The batch in a state, with the file and the answers that sending and closing ask for."""
    walk(batch, people, state)
    if action == BatchAction.SEND and state == BatchState.CONFIRMED:
        filed(batch, people)
    if action == BatchAction.CLOSE and state == BatchState.SENT:
        Payment.objects.filter(batch=batch).update(state=PaymentState.PAID)
    return batch


def owner(action: BatchAction, state: BatchState) -> str:
    return REJECTS.get(state, "chief") if action == BatchAction.REJECT else OWN[action]


@pytest.mark.parametrize("state", WAY)
@pytest.mark.parametrize("action", ACTS)
def test_a_step_is_taken_where_the_table_says_so_and_nowhere_else(
    people: Staff, batch: Batch, state: BatchState, action: BatchAction
) -> None:
    prepared(batch, people, state, action)
    steps = BatchStep.objects.filter(batch=batch).count()
    actor = getattr(people, owner(action, state))
    transition = TRANSITIONS.get((state, action))
    if transition is not None:
        act = ACTS[action](batch, actor)
        assert act.state == transition.target
        assert BatchStep.objects.filter(batch=batch, action=action, actor=actor).exists()
    elif BatchStep.objects.filter(batch=batch, action=action, actor=actor).exists():
        assert ACTS[action](batch, actor).state == state
        assert BatchStep.objects.filter(batch=batch).count() == steps, "done before: nothing happens"
    else:
        with pytest.raises(MoneyRefusedError, match=batch.number):
            ACTS[action](batch, actor)
        assert BatchStep.objects.filter(batch=batch).count() == steps


@pytest.mark.parametrize("person", PERSONS)
@pytest.mark.parametrize(
    ("state", "action"), [key for key in TRANSITIONS if key[1] in ACTS], ids=lambda word: str(word)
)
def test_a_step_is_refused_to_everyone_whose_it_is_not(
    people: Staff, batch: Batch, state: BatchState, action: BatchAction, person: str
) -> None:
    prepared(batch, people, state, action)
    able = {owner(action, state)}
    if action in {BatchAction.SEND, BatchAction.CLOSE, BatchAction.CONFIRM} or (
        action == BatchAction.REJECT and state == BatchState.FINANCE
    ):
        able = {"finance", "finance_two"}
    if action == BatchAction.REJECT and state == BatchState.TOWNSHIP:
        able = {"lead_a", "lead_b"}
    actor = getattr(people, person)
    if person in able:
        ACTS[action](batch, actor)
        return
    with pytest.raises(MoneyRefusedError):
        ACTS[action](batch, actor)
    batch.refresh_from_db()
    assert batch.state == state


@pytest.mark.parametrize(
    ("state", "action", "role"),
    [
        (BatchState.TOWNSHIP, BatchAction.CHECK, Role.TOWNSHIP_LEAD),
        (BatchState.TOWNSHIP, BatchAction.REJECT, Role.TOWNSHIP_LEAD),
        (BatchState.APPROVAL, BatchAction.APPROVE, Role.BUREAU_CHIEF),
        (BatchState.APPROVAL, BatchAction.REJECT, Role.BUREAU_CHIEF),
        (BatchState.NOTICE, BatchAction.REJECT, Role.BUREAU_CHIEF),
        (BatchState.FINANCE, BatchAction.CONFIRM, Role.FINANCE),
        (BatchState.FINANCE, BatchAction.REJECT, Role.FINANCE),
        (BatchState.CONFIRMED, BatchAction.SEND, Role.FINANCE),
        (BatchState.RETURNED, BatchAction.CLOSE, Role.FINANCE),
    ],
    ids=str,
)
def test_the_maker_takes_no_later_step_even_with_the_role_for_it(
    people: Staff, batch: Batch, state: BatchState, action: BatchAction, role: Role
) -> None:
    prepared(batch, people, state, action)
    with pytest.raises(MoneyRefusedError, match=r"您已办理批次 .* 的制单"):
        ACTS[action](batch, grant(people.maker, role))
    batch.refresh_from_db()
    assert batch.state == state


def test_who_checked_a_township_does_not_approve(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.APPROVAL)
    with pytest.raises(MoneyRefusedError, match=r"您已办理批次 .* 的核实，不能再审批"):
        batch_approve(batch_id=batch.pk, actor=grant(people.lead_a, Role.BUREAU_CHIEF))


def test_who_approved_does_not_confirm(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.FINANCE)
    with pytest.raises(MoneyRefusedError, match=r"您已办理批次 .* 的审批，不能再财政确认"):
        batch_confirm(batch_id=batch.pk, actor=grant(people.chief, Role.FINANCE))


def test_only_the_maker_submits_his_draft(people: Staff, batch: Batch) -> None:
    other = grant(people.chief, Role.BUREAU_CLERK)
    with pytest.raises(MoneyRefusedError, match="由制单人 制单 提交"):
        batch_submit(batch_id=batch.pk, actor=other)


@pytest.mark.parametrize(
    ("state", "action", "role"),
    [
        (BatchState.DRAFT, BatchAction.SUBMIT, Role.BUREAU_CLERK),
        (BatchState.TOWNSHIP, BatchAction.CHECK, Role.TOWNSHIP_LEAD),
        (BatchState.APPROVAL, BatchAction.APPROVE, Role.BUREAU_CHIEF),
        (BatchState.FINANCE, BatchAction.CONFIRM, Role.FINANCE),
        (BatchState.CONFIRMED, BatchAction.SEND, Role.FINANCE),
        (BatchState.RETURNED, BatchAction.CLOSE, Role.FINANCE),
    ],
    ids=str,
)
def test_a_colleague_of_another_county_is_refused(
    people: Staff, batch: Batch, state: BatchState, action: BatchAction, role: Role
) -> None:
    prepared(batch, people, state, action)
    other = staff("530324000000")
    stranger = {
        Role.BUREAU_CLERK: other.maker,
        Role.TOWNSHIP_LEAD: other.lead_a,
        Role.BUREAU_CHIEF: other.chief,
        Role.FINANCE: other.finance,
    }[role]
    with pytest.raises(MoneyRefusedError, match="权限"):
        ACTS[action](batch, stranger)


def test_a_chief_of_one_township_does_not_approve_for_the_county(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.APPROVAL)
    with pytest.raises(MoneyRefusedError, match="权限"):
        batch_approve(batch_id=batch.pk, actor=grant(people.lead_b, Role.BUREAU_CHIEF, "530322102000"))


def test_who_has_left_takes_no_step(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.APPROVAL)
    people.chief.is_active = False
    with pytest.raises(MoneyRefusedError, match="权限"):
        batch_approve(batch_id=batch.pk, actor=people.chief)


def test_a_second_person_is_told_who_took_the_step_and_when(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.NOTICE)
    step = BatchStep.objects.get(batch=batch, action=BatchAction.APPROVE)
    at = timezone.localtime(step.at)
    with pytest.raises(MoneyRefusedError, match=f"已由 审批 于 {at:%m-%d %H:%M} 审批"):
        batch_approve(batch_id=batch.pk, actor=staff().chief)


def test_every_step_leaves_lines_sums_and_an_audit_row(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.CLOSED)
    history = [(s.action, s.lines, s.amount) for s in BatchStep.objects.filter(batch=batch)]
    whole = (3, Decimal("150.01"))
    assert history == [
        (BatchAction.SUBMIT, *whole),
        (BatchAction.CHECK, 2, Decimal("100.01")),
        (BatchAction.CHECK, 1, Decimal("50.00")),
        (BatchAction.CHECKED, *whole),
        (BatchAction.APPROVE, *whole),
        (BatchAction.NOTICE_END, *whole),
        (BatchAction.CONFIRM, *whole),
        (BatchAction.SEND, *whole),
        (BatchAction.CLOSE, *whole),
    ]
    audited = AuditEntry.objects.filter(subject=f"batch:{batch.number}").order_by("id")
    assert [entry.data["state"] for entry in audited] == [
        step.state for step in BatchStep.objects.filter(batch=batch)
    ]


def test_the_last_township_sends_the_batch_on(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    assert township_check(batch_id=batch.pk, township=TOWN_A, actor=people.lead_a).state == "镇街核实"
    assert township_check(batch_id=batch.pk, township=TOWN_B, actor=people.lead_b).state == "县局审批"


def test_a_lead_checks_no_other_township(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    with pytest.raises(MoneyRefusedError, match="不在您的区划范围内"):
        township_check(batch_id=batch.pk, township=TOWN_B, actor=people.lead_a)


def test_a_township_checked_by_another_lead_says_by_whom(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.TOWNSHIP)
    township_check(batch_id=batch.pk, township=TOWN_A, actor=people.lead_a)
    with pytest.raises(MoneyRefusedError, match=r"已由 甲镇核实 于 .* 核实"):
        township_check(batch_id=batch.pk, township=TOWN_A, actor=staff().lead_a)


def test_a_township_without_lines_cannot_be_checked(people: Staff) -> None:
    batch = walk(draft(people, (elder_in(VILLAGE), "POOR", "50")), people, BatchState.TOWNSHIP)
    with pytest.raises(MoneyRefusedError, match="没有这个镇"):
        township_check(batch_id=batch.pk, township=TOWN_B, actor=people.lead_b)


def test_lines_of_outside_the_county_wait_for_no_lead_and_the_approver_answers_for_them(
    people: Staff,
) -> None:
    batch = draft(people, (elder_in(VILLAGE), "POOR", "50"), (elder_in(ELSEWHERE), "POOR", "60"))
    walk(batch, people, BatchState.APPROVAL)
    assert batch.checks.get(township="").checked_by is None
    walk(batch, people, BatchState.NOTICE)
    outside = batch.checks.get(township="")
    assert (outside.checked_by, outside.lines, outside.amount) == (people.chief, 1, Decimal(60))


def test_a_batch_of_outside_lines_alone_goes_straight_to_approval(people: Staff) -> None:
    batch = draft(people, (elder_in(ELSEWHERE), "POOR", "60"))
    assert batch_submit(batch_id=batch.pk, actor=people.maker).state == BatchState.APPROVAL


def test_a_lead_without_lines_in_the_batch_does_not_send_it_back(people: Staff) -> None:
    batch = walk(draft(people, (elder_in(VILLAGE), "POOR", "50")), people, BatchState.TOWNSHIP)
    with pytest.raises(MoneyRefusedError, match="没有您负责的镇"):
        batch_reject(batch_id=batch.pk, actor=people.lead_b, note="不对")


@pytest.mark.parametrize("state", REJECTS)
def test_a_rejected_batch_is_void_with_all_its_lines(people: Staff, batch: Batch, state: BatchState) -> None:
    walk(batch, people, state)
    rejected = batch_reject(batch_id=batch.pk, actor=getattr(people, REJECTS[state]), note="金额有误")
    assert (rejected.state, rejected.lines, rejected.amount) == ("作废", 0, Decimal(0))
    assert set(batch.payments.values_list("state", flat=True)) == {PaymentState.VOID}
    step = BatchStep.objects.get(batch=batch, action=BatchAction.REJECT)
    assert (step.note, step.lines, step.amount) == ("金额有误", 3, Decimal("150.01"))
    assert not LedgerEntry.objects.filter(batch=batch).exists()


@pytest.mark.parametrize("state", [s for s in WAY if s not in REJECTS])
def test_a_draft_and_what_is_confirmed_cannot_be_sent_back(
    people: Staff, batch: Batch, state: BatchState
) -> None:
    walk(batch, people, state)
    for actor in (people.lead_a, people.chief, people.finance):
        with pytest.raises(MoneyRefusedError):
            batch_reject(batch_id=batch.pk, actor=actor, note="不对")
    batch.refresh_from_db()
    assert batch.state == state


def test_a_rejection_needs_a_reason(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.APPROVAL)
    with pytest.raises(MoneyRefusedError, match="请填写退回理由"):
        batch_reject(batch_id=batch.pk, actor=people.chief, note="  ")


@pytest.mark.parametrize(("length", "taken"), [(200, True), (201, False)])
def test_a_note_has_room_for_200_characters(people: Staff, batch: Batch, length: int, taken: bool) -> None:
    act = partial(batch_submit, batch_id=batch.pk, actor=people.maker, note="字" * length)
    if taken:
        assert act().state == BatchState.TOWNSHIP
        return
    with pytest.raises(MoneyRefusedError, match="最多 200 个字"):
        act()


def rerun(batch: Batch, code: str, amount: str) -> None:
    """The month was run again and now entitles to another sum."""
    Month.objects.filter(pk=batch.month_id).update(revision=2)
    row = batch.payments.filter(item__code=code).order_by("number")[0]
    old = Entitlement.objects.filter(elder=row.elder, item=row.item, month=JUNE)
    old.update(rev_to=2)
    kept = old.get()
    Entitlement.objects.create(
        month=JUNE,
        county_code=kept.county_code,
        elder=row.elder,
        item=row.item,
        item_version=kept.item_version,
        area_code=kept.area_code,
        outcome=kept.outcome,
        amount=Decimal(amount),
        rev_from=2,
    )


@pytest.mark.parametrize("state", [BatchState.APPROVAL, BatchState.FINANCE])
def test_what_is_too_much_by_a_later_run_is_neither_approved_nor_confirmed(
    people: Staff, batch: Batch, state: BatchState
) -> None:
    walk(batch, people, state)
    rerun(batch, "POOR", "30")
    action = BatchAction.APPROVE if state == BatchState.APPROVAL else BatchAction.CONFIRM
    with pytest.raises(MoneyRefusedError, match=r"有 1 行按最新资料不应发或多发，共 20.00 元；请退回"):
        ACTS[action](batch, getattr(people, OWN[action]))
    batch.refresh_from_db()
    assert batch.state == state


@pytest.mark.parametrize("state", [BatchState.APPROVAL, BatchState.FINANCE])
def test_a_later_run_that_only_gives_more_stops_nothing(
    people: Staff, batch: Batch, state: BatchState
) -> None:
    walk(batch, people, state)
    rerun(batch, "POOR", "70")
    action = BatchAction.APPROVE if state == BatchState.APPROVAL else BatchAction.CONFIRM
    assert ACTS[action](batch, getattr(people, OWN[action])).state != state


def test_a_batch_is_not_sent_without_its_file_or_before_it_was_fetched(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.CONFIRMED)
    with pytest.raises(MoneyRefusedError, match="还没有银行文件"):
        batch_send(batch_id=batch.pk, actor=people.finance)
    file = filed(batch, people, downloads=0)
    with pytest.raises(MoneyRefusedError, match="还没有下载"):
        batch_send(batch_id=batch.pk, actor=people.finance)
    file.downloads = 1
    file.save()
    assert batch_send(batch_id=batch.pk, actor=people.finance).state == BatchState.SENT


def test_a_file_that_says_another_sum_is_not_sent(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.CONFIRMED)
    file = filed(batch, people)
    file.amount -= Decimal("0.01")
    file.save()
    with pytest.raises(MoneyRefusedError, match=r"150.00 元，与批次 3 笔 150.01 元不符"):
        batch_send(batch_id=batch.pk, actor=people.finance)


@pytest.mark.parametrize("state", [PaymentState.PENDING, PaymentState.PROCESSING])
def test_a_batch_with_a_line_that_the_bank_has_not_answered_is_not_closed(
    people: Staff, batch: Batch, state: PaymentState
) -> None:
    walk(batch, people, BatchState.RETURNED)
    Payment.objects.filter(batch=batch, number=1).update(state=state)
    with pytest.raises(MoneyRefusedError, match="还有 1 行没有银行结果"):
        batch_close(batch_id=batch.pk, actor=people.finance)


def test_a_batch_with_failed_lines_is_closed(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.SENT)
    returned(batch, people, batch.payments.get(number=1).elder)
    assert batch_close(batch_id=batch.pk, actor=people.finance_two).state == BatchState.CLOSED


def test_a_batch_with_a_held_line_is_not_closed(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.RETURNED)
    Payment.objects.filter(batch=batch, number=1).update(state=PaymentState.HELD)
    with pytest.raises(MoneyRefusedError, match="还有 1 行暂缓未处理"):
        batch_close(batch_id=batch.pk, actor=people.finance)


def test_an_empty_batch_goes_nowhere(people: Staff, batch: Batch) -> None:
    Payment.objects.filter(batch=batch).update(state=PaymentState.HELD)
    with pytest.raises(MoneyRefusedError, match="没有要发的行"):
        batch_submit(batch_id=batch.pk, actor=people.maker)


def test_a_reissue_needs_no_second_notice(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.SENT)
    failed = batch.payments.get(number=1)
    returned(batch, people, failed.elder)
    again = draft(people, kind="重发")
    line(again, failed.elder, failed.item, "50.00", reissues=failed)
    walk(again, people, BatchState.APPROVAL)
    assert batch_approve(batch_id=again.pk, actor=people.chief).state == BatchState.FINANCE


@pytest.mark.parametrize("days", [0, 1, 7])
def test_a_notice_runs_for_its_days_after_the_day_of_approval(people: Staff, batch: Batch, days: int) -> None:
    PaymentTerms.objects.update(notice_days=0)
    PaymentTerms.objects.filter(item__code="CARE").update(notice_days=days)
    walk(batch, people, BatchState.APPROVAL)
    approved = batch_approve(batch_id=batch.pk, actor=people.chief)
    today = timezone.localdate()
    if not days:
        assert (approved.state, approved.notice_from, approved.notice_key) == ("财政确认", None, None)
        return
    assert (approved.state, approved.notice_from) == (BatchState.NOTICE, today)
    assert approved.notice_until == today + timedelta(days=days)
    assert notices_end(today=today + timedelta(days=days)) == 0
    assert notices_end(today=today + timedelta(days=days + 1)) == 1
    assert notices_end(today=today + timedelta(days=days + 1)) == 0
    batch.refresh_from_db()
    assert batch.state == BatchState.FINANCE
    assert even(batch)
