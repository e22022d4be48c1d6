"""Recovery cases: what is claimed, how it comes back, and that nothing is claimed or returned twice."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from eldercare.choices import Kind
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from subsidies.choices import BatchState, PaymentState, RecoveryEntryKind, RecoveryState, StopReason
from subsidies.models import Batch, Recovery, RecoveryEntry, RecoveryLine
from subsidies.refusals import MoneyRefusedError
from subsidies.services.recovery import recoveries_open, recovery_consent, recovery_notify
from subsidies.services.recovery_entry import recovery_offset_book, recovery_repay, recovery_reverse
from subsidies.services.recovery_request import recovery_decide, recovery_request
from tests.conftest import COUNTY, make_user
from tests.registry import add, make_elder
from tests.subsidies.county import ELSEWHERE, due_lines, enrol, item, publish_list, run, run_through
from tests.subsidies.recoveries import (
    a_batch,
    account_sums,
    claimed,
    open_case,
    pay,
    portal_pays,
    repay,
    unbalanced,
)

MARCH, APRIL, MAY, JUNE, JULY = (date(2025, n, 1) for n in range(3, 8))
PAPER = b"%PDF-1.4 consent"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elder(county: Area) -> Elder:
    """Draws C04 (50 元 a month), paid by the portal from March 2025, for March, April and May."""
    publish_list(item("C04", "户籍在本县 且 年龄 >= 70", amount=50), item("C09", "年龄 >= 70", amount=30))
    found = make_elder(date(1940, 1, 1))
    portal_pays("C04", MARCH)
    return found


@pytest.fixture
def clerk(county: Area) -> User:
    return make_user("clerk", Role.BUREAU_CLERK, COUNTY)


@pytest.fixture
def finance(county: Area) -> User:
    return make_user("finance", Role.FINANCE, COUNTY)


@pytest.fixture
def chief(county: Area) -> User:
    return make_user("chief", Role.BUREAU_CHIEF, COUNTY)


@pytest.fixture
def paid(elder: Elder, clerk: User) -> Elder:
    """March, April and May run and paid."""
    for month in (MARCH, APRIL, MAY):
        pay(a_batch(run(month), clerk), elder, "C04")
    return elder


@pytest.fixture
def case(paid: Elder, clerk: User) -> Recovery:
    """The golden death: 2 March, paid through May; April and May are to come back."""
    add(paid, Kind.DEATH, "是", date(2025, 3, 2))
    return open_case(run(MAY), paid, "C04", clerk)


def due_of_c04(elder: Elder, run_month: date) -> dict[date, tuple[str, Decimal]]:
    """Month → 补发 or 追缴 with its sum among a run's due lines for C04."""
    return {month: line for (code, month), line in due_lines(elder, run_month).items() if code == "C04"}


def test_a_death_in_march_paid_through_may_gives_back_april_and_may(paid: Elder, clerk: User) -> None:
    add(paid, Kind.DEATH, "是", date(2025, 3, 2))
    june = run(JUNE)
    assert due_of_c04(paid, JUNE) == {
        APRIL: ("追缴", Decimal("-50.00")),
        MAY: ("追缴", Decimal("-50.00")),
    }
    case = open_case(june, paid, "C04", clerk)
    assert claimed(case) == [("2025-04", 1, Decimal("50.00")), ("2025-05", 1, Decimal("50.00"))]
    assert (case.amount, case.due_stop, case.actual_stop) == (Decimal("100.00"), APRIL, MAY)
    assert account_sums(case) == {"应收追缴": Decimal("100.00"), "补贴支出": Decimal("-100.00")}


def test_moving_out_on_10_march_keeps_march_and_gives_back_april(paid: Elder, clerk: User) -> None:
    paid.circumstances.filter(kind=Kind.HUKOU).update(valid=(date(2020, 1, 1), date(2025, 3, 10)))
    add(paid, Kind.HUKOU, ELSEWHERE, date(2025, 3, 10))
    case = open_case(run(MAY), paid, "C04", clerk, StopReason.MOVED)
    assert [month for month, _, _ in claimed(case)] == ["2025-04", "2025-05"]


def test_what_a_case_claims_is_not_claimed_again_by_the_next_run(case: Recovery, clerk: User) -> None:
    june = run(JUNE)
    assert due_of_c04(case.elder, JUNE) == {}
    with pytest.raises(MoneyRefusedError, match="没有多发"):
        open_case(june, case.elder, "C04", clerk)


def test_opening_again_gives_the_same_case_and_somebody_else_is_told_who_opened_it(
    case: Recovery, clerk: User
) -> None:
    assert open_case(case.run, case.elder, "C04", clerk).pk == case.pk
    other = make_user("other", Role.BUREAU_CLERK, COUNTY)
    with pytest.raises(MoneyRefusedError, match=f"已由 {clerk} 于 .* 立案"):
        open_case(case.run, case.elder, "C04", other)
    assert RecoveryLine.objects.count() == 2


def test_an_older_run_opens_no_case_once_a_newer_month_is_decided(paid: Elder, clerk: User) -> None:
    may = run(MAY)
    add(paid, Kind.DEATH, "是", date(2025, 3, 2))
    run(JUNE)
    with pytest.raises(MoneyRefusedError, match="2025年06月"):
        open_case(may, paid, "C04", clerk)


def test_money_on_its_way_is_claimed_only_after_it_has_arrived(elder: Elder, clerk: User) -> None:
    line = pay(a_batch(run(APRIL), clerk), elder, "C04", state=PaymentState.PENDING)
    add(elder, Kind.DEATH, "是", date(2025, 3, 2))
    april = run(APRIL)
    with pytest.raises(MoneyRefusedError, match=r"50\.00 元还在发放途中"):
        open_case(april, elder, "C04", clerk)
    line.state = PaymentState.PAID
    line.save()
    assert open_case(april, elder, "C04", clerk).amount == Decimal("50.00")


def test_a_suspended_month_takes_nothing_back(paid: Elder, clerk: User) -> None:
    enrol(paid, "C04", MARCH, state="暂停")
    paid.save()
    with pytest.raises(MoneyRefusedError, match="没有多发"):
        open_case(run(MAY), paid, "C04", clerk)


def test_of_an_item_that_the_portal_does_not_pay_the_runs_lines_are_claimed_once(
    elder: Elder, clerk: User
) -> None:
    run_through(MARCH, MAY)
    add(elder, Kind.DEATH, "是", date(2025, 3, 2))
    june = run(JUNE)
    case = open_case(june, elder, "C09", clerk)
    assert [month for month, _, _ in claimed(case)] == ["2025-04", "2025-05"]
    run(JUNE)
    july = run(JULY)
    with pytest.raises(MoneyRefusedError, match="没有多发"):
        open_case(july, elder, "C09", clerk)


def test_several_cases_are_opened_at_once_and_each_refusal_says_why(paid: Elder, clerk: User) -> None:
    alive = make_elder(date(1941, 1, 1))
    add(paid, Kind.DEATH, "是", date(2025, 3, 2))
    june = run(JUNE)
    pairs = [(paid.pk, june.adjustments.get(elder=paid, month=APRIL, item__code="C04").item_id)]
    pairs.append((alive.pk, pairs[0][1]))
    result = recoveries_open(run=june, pairs=pairs, cause="", actor=clerk)
    assert [(case.elder_id, case.cause) for case in result.opened] == [(paid.pk, StopReason.DEATH)]
    assert "没有多发" in result.refused[pairs[1]]


def test_the_family_has_three_months_unless_told_otherwise(case: Recovery, clerk: User) -> None:
    told = recovery_notify(recovery_id=case.pk, on=date(2025, 6, 10), pay_by=None, actor=clerk)
    assert (told.pay_by, told.state) == (date(2025, 9, 10), RecoveryState.NOTIFIED)
    with pytest.raises(MoneyRefusedError, match="已登记 2025-06-10 通知"):
        recovery_notify(recovery_id=case.pk, on=date(2025, 6, 11), pay_by=None, actor=clerk)


@pytest.mark.parametrize(
    ("days", "pay_by_days", "said"), [(1, 10, "不能晚于今天"), (0, -1, "不能早于通知日期")]
)
def test_a_notice_of_tomorrow_or_due_before_it_was_given_is_refused(
    case: Recovery, clerk: User, days: int, pay_by_days: int, said: str
) -> None:
    today = timezone.localdate()
    on, pay_by = today + timedelta(days), today + timedelta(pay_by_days)
    with pytest.raises(MoneyRefusedError, match=said):
        recovery_notify(recovery_id=case.pk, on=on, pay_by=pay_by, actor=clerk)
    assert recovery_notify(recovery_id=case.pk, on=today, pay_by=today, actor=clerk).pay_by == today


def test_it_comes_back_in_parts_until_nothing_is_open(case: Recovery, finance: User) -> None:
    repay(case, "30.00", finance)
    case.refresh_from_db()
    assert case.state == RecoveryState.PARTLY
    with pytest.raises(MoneyRefusedError, match=r"未退金额只有 70\.00 元"):
        repay(case, "70.01", finance)
    repay(case, "70.00", finance)
    case.refresh_from_db()
    assert case.state == RecoveryState.SETTLED
    assert account_sums(case) == {"追缴收回": Decimal("100.00"), "补贴支出": Decimal("-100.00")}
    assert unbalanced() == []


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "0.005"])
def test_nothing_less_than_a_fen_comes_back(case: Recovery, finance: User, amount: str) -> None:
    with pytest.raises(MoneyRefusedError, match="大于 0"):
        repay(case, amount, finance)


def test_the_same_form_books_once_and_not_for_another_sum(case: Recovery, finance: User) -> None:
    key, on = uuid4(), date(2025, 7, 1)
    for _ in range(2):
        recovery_repay(recovery_id=case.pk, amount=Decimal(30), on=on, key=key, actor=finance)
    assert RecoveryEntry.objects.count() == 1
    with pytest.raises(MoneyRefusedError, match="表单"):
        recovery_repay(recovery_id=case.pk, amount=Decimal(40), on=on, key=key, actor=finance)


def test_who_opened_the_case_does_not_book_what_comes_back(case: Recovery, clerk: User) -> None:
    with pytest.raises(MoneyRefusedError, match="立案人不能"):
        repay(case, "10.00", clerk)


def test_a_counter_entry_opens_the_case_again_once(case: Recovery, finance: User) -> None:
    entry = repay(case, "100.00", finance)
    counter = recovery_reverse(entry_id=entry.pk, key=uuid4(), actor=finance, note="登记错户")
    assert (counter.amount, counter.reverses_id) == (Decimal("-100.00"), entry.pk)
    case.refresh_from_db()
    assert case.state == RecoveryState.PROPOSED
    assert recovery_reverse(entry_id=entry.pk, key=uuid4(), actor=finance, note="再点") == counter
    other = make_user("finance2", Role.FINANCE, COUNTY)
    with pytest.raises(MoneyRefusedError, match="已由"):
        recovery_reverse(entry_id=entry.pk, key=uuid4(), actor=other, note="再冲")
    assert account_sums(case) == {"应收追缴": Decimal("100.00"), "补贴支出": Decimal("-100.00")}


def test_a_counter_entry_needs_a_reason_and_is_not_countered_itself(case: Recovery, finance: User) -> None:
    entry = repay(case, "10.00", finance)
    with pytest.raises(MoneyRefusedError, match="理由"):
        recovery_reverse(entry_id=entry.pk, key=uuid4(), actor=finance, note=" ")
    counter = recovery_reverse(entry_id=entry.pk, key=uuid4(), actor=finance, note="登记错户")
    with pytest.raises(MoneyRefusedError, match="冲正不能冲正"):
        recovery_reverse(entry_id=counter.pk, key=uuid4(), actor=finance, note="撤回冲正")


def test_an_offset_is_booked_only_with_consent_and_only_once(
    case: Recovery, clerk: User, finance: User
) -> None:
    june = a_batch(run(JUNE), clerk)
    line = pay(june, case.elder, "C09", amount="30.00", offset="30.00", state=PaymentState.PENDING)
    with pytest.raises(MoneyRefusedError, match="多于同意抵扣"):
        recovery_offset_book(payment=line, actor=finance)
    consent(case, clerk)
    for _ in range(2):
        (entry,) = recovery_offset_book(payment=line, actor=finance)
        assert (entry.kind, entry.amount) == (RecoveryEntryKind.OFFSET, Decimal("30.00"))
    case.refresh_from_db()
    assert case.state == RecoveryState.PARTLY
    with pytest.raises(MoneyRefusedError, match="不能单独冲正"):
        recovery_reverse(entry_id=entry.pk, key=uuid4(), actor=finance, note="误扣")


def test_what_a_batch_under_way_keeps_back_cannot_be_repaid_too(
    case: Recovery, clerk: User, finance: User
) -> None:
    consent(case, clerk)
    batch = a_batch(run(JUNE), clerk, state=BatchState.FINANCE)
    pay(batch, case.elder, "C09", amount="30.00", offset="30.00", state=PaymentState.PENDING)
    with pytest.raises(MoneyRefusedError, match=r"30\.00 元已列入"):
        repay(case, "70.01", finance)
    repay(case, "70.00", finance)


def test_another_countys_lines_keep_nothing_back_for_this_countys_case(
    case: Recovery, clerk: User, finance: User
) -> None:
    consent(case, clerk)
    batch = a_batch(run(JUNE), clerk, state=BatchState.FINANCE)
    line = pay(batch, case.elder, "C09", amount="30.00", offset="30.00", state=PaymentState.PENDING)
    Batch.objects.filter(pk=batch.pk).update(county_code="610304000000")
    line.refresh_from_db()
    line.batch.refresh_from_db()
    with pytest.raises(MoneyRefusedError, match="多于同意抵扣"):
        recovery_offset_book(payment=line, actor=finance)
    repay(case, "100.00", finance)


def test_consent_is_kept_once_and_not_replaced(case: Recovery, clerk: User) -> None:
    consent(case, clerk)
    consent(case, clerk)
    with pytest.raises(MoneyRefusedError, match="不能换掉"):
        recovery_consent(
            recovery_id=case.pk, name="另.pdf", content=b"%PDF-other", on=date(2025, 7, 1), actor=clerk
        )


def consent(case: Recovery, clerk: User) -> None:
    recovery_consent(recovery_id=case.pk, name="同意书.pdf", content=PAPER, on=date(2025, 7, 1), actor=clerk)


def test_a_write_off_takes_the_whole_open_sum_and_two_persons(
    case: Recovery, clerk: User, chief: User, finance: User
) -> None:
    repay(case, "40.00", finance)
    asked = recovery_request(recovery_id=case.pk, kind="核销", reason="家庭困难，无法退回", actor=clerk)
    assert recovery_request(recovery_id=case.pk, kind="核销", reason="再点", actor=clerk) == asked
    with pytest.raises(MoneyRefusedError, match="申请人不能审批"):
        recovery_decide(request_id=asked.pk, approved=True, opinion="", actor=clerk)
    for _ in range(2):
        recovery_decide(request_id=asked.pk, approved=True, opinion="同意", actor=chief)
    case.refresh_from_db()
    assert case.state == RecoveryState.WRITTEN_OFF
    assert account_sums(case) == {
        "补贴支出": Decimal("-100.00"),
        "追缴收回": Decimal("40.00"),
        "追缴核销": Decimal("60.00"),
    }
    assert RecoveryLine.objects.filter(amount__lt=0).count() == 0


def test_a_refused_request_changes_nothing_and_needs_an_opinion(
    case: Recovery, clerk: User, chief: User
) -> None:
    asked = recovery_request(recovery_id=case.pk, kind="撤销", reason="死亡日期有误", actor=clerk)
    with pytest.raises(MoneyRefusedError, match="写明意见"):
        recovery_decide(request_id=asked.pk, approved=False, opinion=" ", actor=chief)
    recovery_decide(request_id=asked.pk, approved=False, opinion="请先更正死亡日期", actor=chief)
    other = make_user("chief2", Role.BUREAU_CHIEF, COUNTY)
    with pytest.raises(MoneyRefusedError, match=r"已由 .* 不批准"):
        recovery_decide(request_id=asked.pk, approved=True, opinion="", actor=other)
    assert not RecoveryEntry.objects.exists()


def test_after_a_cancellation_what_was_returned_already_is_paid_back_by_the_next_run(
    case: Recovery, clerk: User, chief: User, finance: User
) -> None:
    repay(case, "60.00", finance)
    Elder.objects.get(pk=case.elder_id).circumstances.filter(kind=Kind.DEATH).delete()
    asked = recovery_request(recovery_id=case.pk, kind="撤销", reason="误登死亡", actor=clerk)
    recovery_decide(request_id=asked.pk, approved=True, opinion="", actor=chief)
    case.refresh_from_db()
    assert case.state == RecoveryState.CANCELLED
    assert claimed(case) == [
        ("2025-04", 1, Decimal("50.00")),
        ("2025-05", 1, Decimal("50.00")),
        ("2025-05", 2, Decimal("-40.00")),
    ]
    run(JUNE)
    assert due_of_c04(case.elder, JUNE) == {
        APRIL: ("补发", Decimal("50.00")),
        MAY: ("补发", Decimal("10.00")),
    }
    assert unbalanced() == []


def test_what_is_returned_whole_needs_no_cancellation(case: Recovery, clerk: User, finance: User) -> None:
    repay(case, "100.00", finance)
    with pytest.raises(MoneyRefusedError, match="没有未退金额"):
        recovery_request(recovery_id=case.pk, kind="撤销", reason="误登死亡", actor=clerk)


def test_lines_and_entries_are_never_edited_or_deleted(case: Recovery, finance: User) -> None:
    entry = repay(case, "10.00", finance)
    for rows in (RecoveryEntry.objects.filter(pk=entry.pk), RecoveryLine.objects.filter(recovery=case)):
        with pytest.raises(DatabaseError, match="只能追加"), transaction.atomic():
            rows.update(amount=1)
        with pytest.raises(DatabaseError, match="只能追加"), transaction.atomic():
            rows.delete()


def test_every_act_on_a_case_stands_in_the_audit(case: Recovery, clerk: User, finance: User) -> None:
    recovery_notify(recovery_id=case.pk, on=date(2025, 6, 10), pay_by=None, actor=clerk)
    repay(case, "10.00", finance)
    acts = AuditEntry.objects.filter(subject=f"recovery:{case.pk}").order_by("pk")
    assert list(acts.values_list("action", flat=True)) == ["追缴立案", "追缴通知", "追缴退回"]
