"""Recovery through everything around it: real batches, the bank's answer, offsets, and the runs after."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from eldercare.choices import Kind
from eldercare.models import Elder
from subsidies.choices import Account, RecoveryEntryKind, RecoveryState, StopReason
from subsidies.invariants import invariants_check
from subsidies.models import LedgerEntry, Month, Payment, Recovery
from subsidies.services.batch import batch_build
from subsidies.services.recovery import recovery_consent, recovery_notify
from subsidies.services.recovery_entry import recovery_repay
from subsidies.services.recovery_request import recovery_decide, recovery_request
from tests.registry import add, make_elder
from tests.subsidies.county import due_lines, item, publish_list, run
from tests.subsidies.money import Staff, account, staff, terms
from tests.subsidies.passage import answered, closed, paid_out, sent
from tests.subsidies.recoveries import open_case, unbalanced

MARCH, APRIL, MAY, JUNE, JULY, AUGUST = (date(2025, n, 1) for n in range(3, 9))
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def who() -> Staff:
    """POOR (100 元, 低保) and OLD (80 元, from 70 on), both paid by the portal from March 2025 on."""
    publish_list(item("POOR", "低保", amount=100), item("OLD", "年龄 >= 70", amount=80, number=2))
    for code in ("POOR", "OLD"):
        terms(code, MARCH)
    return staff()


@pytest.fixture
def elder(who: Staff) -> Elder:
    """Paid both for March, April and May."""
    found = make_elder(date(1940, 1, 1), low_income_allowance=True)
    account(found)
    for month in (MARCH, APRIL, MAY):
        paid_out(run(month), who)
    return found


def lost_in_april(elder: Elder) -> Month:
    """It turns out in June that 低保 ended with March."""
    held = elder.circumstances.get(kind=Kind.LOW_INCOME_ALLOWANCE)
    held.valid = (held.valid.lower, APRIL)
    held.save()
    return run(JUNE)


def restored(elder: Elder) -> None:
    """It never ended."""
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", APRIL)


def sound() -> list[str]:
    return [finding.name for finding in invariants_check() if finding.broken] + unbalanced()


def receivable() -> Decimal:
    """Debit − credit of 应收追缴."""
    rows = LedgerEntry.objects.filter(account=Account.RECEIVABLE)
    return sum((row.debit - row.credit for row in rows), Decimal(0))


def consent(case: Recovery, who: Staff) -> None:
    recovery_consent(
        recovery_id=case.pk, name="同意书.pdf", content=b"%PDF-1", on=date(2025, 6, 20), actor=who.maker
    )


def test_with_consent_the_next_batches_keep_back_until_nothing_is_open(elder: Elder, who: Staff) -> None:
    june = lost_in_april(elder)
    case = open_case(june, elder, "POOR", who.maker, StopReason.STATUS_LOST)
    assert case.amount == Decimal(200)
    recovery_notify(recovery_id=case.pk, on=date(2025, 6, 10), pay_by=None, actor=who.maker)
    consent(case, who)
    for month, offset, left in ((JUNE, 80, 120), (JULY, 80, 40), (AUGUST, 40, 0)):
        batch = sent(batch_build(month=run(month), kind="发放", actor=who.maker), who)
        line = Payment.objects.get(batch=batch)
        assert (line.amount, line.offset) == (Decimal(80), Decimal(offset))
        if line.amount > line.offset:
            answered(batch, who)
        closed(batch, who)
        assert (receivable(), sound()) == (Decimal(left), [])
    case.refresh_from_db()
    assert case.state == RecoveryState.SETTLED
    assert set(case.entries.values_list("kind", flat=True)) == {RecoveryEntryKind.OFFSET}


def test_without_consent_nothing_is_kept_back(elder: Elder, who: Staff) -> None:
    june = lost_in_april(elder)
    open_case(june, elder, "POOR", who.maker, StopReason.STATUS_LOST)
    paid_out(june, who)
    assert [line.offset for line in Payment.objects.filter(batch__month=june)] == [Decimal(0)]


def test_a_line_that_fails_keeps_its_offset_and_is_reissued_by_the_rest(elder: Elder, who: Staff) -> None:
    june = lost_in_april(elder)
    case = open_case(june, elder, "POOR", who.maker, StopReason.STATUS_LOST)
    recovery_repay(
        recovery_id=case.pk, amount=Decimal(150), on=date(2025, 6, 12), key=uuid4(), actor=who.finance
    )
    consent(case, who)
    batch = paid_out(june, who, {1: ("失败", "已销户")})
    line = Payment.objects.get(batch=batch)
    assert (line.amount, line.offset) == (Decimal(80), Decimal(50))
    case.refresh_from_db()
    assert (case.state, receivable()) == (RecoveryState.SETTLED, Decimal(0))
    again = paid_out(june, who, kind="重发")
    assert [row.amount for row in Payment.objects.filter(batch=again)] == [Decimal(30)]
    run(JULY)
    assert due_lines(elder, JULY) == {}
    assert sound() == []


def test_a_case_cancelled_after_a_part_came_back_pays_that_part_back(elder: Elder, who: Staff) -> None:
    case = open_case(lost_in_april(elder), elder, "POOR", who.maker, StopReason.STATUS_LOST)
    recovery_repay(
        recovery_id=case.pk, amount=Decimal(130), on=date(2025, 6, 12), key=uuid4(), actor=who.finance
    )
    restored(elder)
    asked = recovery_request(recovery_id=case.pk, kind="撤销", reason="低保一直有效", actor=who.maker)
    recovery_decide(request_id=asked.pk, approved=True, opinion="", actor=who.chief)
    july = run(JULY)
    lines = {month: line for (code, month), line in due_lines(elder, JULY).items() if code == "POOR"}
    assert lines[APRIL] == ("补发", Decimal(100))
    assert lines[MAY] == ("补发", Decimal(30))
    paid_out(july, who)
    run(AUGUST)
    assert due_lines(elder, AUGUST) == {}
    assert sound() == []


def test_what_is_still_too_much_after_a_cancellation_is_claimed_anew_from_the_next_run(
    elder: Elder, who: Staff
) -> None:
    june = lost_in_april(elder)
    case = open_case(june, elder, "POOR", who.maker, StopReason.STATUS_LOST)
    asked = recovery_request(recovery_id=case.pk, kind="撤销", reason="先核实再立案", actor=who.maker)
    recovery_decide(request_id=asked.pk, approved=True, opinion="", actor=who.chief)
    assert receivable() == 0
    july = run(JULY)
    assert due_lines(elder, JULY)["POOR", APRIL] == ("追缴", Decimal(-100))
    assert open_case(july, elder, "POOR", who.maker, StopReason.STATUS_LOST).amount == Decimal(200)
    assert sound() == []
