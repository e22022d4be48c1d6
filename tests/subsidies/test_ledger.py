"""What each step of money writes into the ledger, and that it ties after every one."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from catalog.models import Item
from operations.models import StoredFile
from subsidies.choices import (
    BatchKind,
    BatchState,
    FundSource,
    PaymentState,
    RecoveryEntryKind,
    RecoveryState,
    StopReason,
)
from subsidies.models import Batch, Funding, LedgerEntry, Payment, Recovery, RecoveryEntry, ReturnFile
from subsidies.refusals import MoneyRefusedError
from subsidies.services.ledger import (
    LineChange,
    confirm_post,
    recovery_entry_post,
    recovery_open_post,
    return_post,
    send_post,
    unpaid_cancel_post,
)
from tests.subsidies.batches import (
    JUNE,
    booked,
    by_source,
    draft,
    elder_in,
    even,
    line,
    publish_items,
    returned,
    walk,
)
from tests.subsidies.county import OTHER_VILLAGE, VILLAGE
from tests.subsidies.money import Staff, staff

pytestmark = pytest.mark.django_db
FISCAL, LOTTERY = FundSource.FISCAL, FundSource.LOTTERY


@pytest.fixture
def people(db: None) -> Staff:
    """POOR is paid to 40 % by 财政 and to 60 % by 彩票公益金, CARE by 财政 alone."""
    publish_items()
    fund("40", "60", JUNE)
    return staff()


def fund(fiscal: str, lottery: str, first: date) -> None:
    poor = Item.objects.get(code="POOR")
    for source, share in ((FISCAL, fiscal), (LOTTERY, lottery)):
        Funding.objects.create(item=poor, source=source, first_month=first, share=Decimal(share))


@pytest.fixture
def batch(people: Staff) -> Batch:
    """Three elders with 33.34, 33.33 and 33.34 of POOR; the first also has 12.50 of CARE."""
    one, two, three = elder_in(VILLAGE), elder_in(OTHER_VILLAGE), elder_in(VILLAGE)
    return draft(
        people,
        (one, "POOR", "33.34"),
        (two, "POOR", "33.33"),
        (three, "POOR", "33.34"),
        (one, "CARE", "12.50"),
    )


def answer(batch: Batch, people: Staff, *changes: tuple[Payment, str]) -> ReturnFile:
    """A return file about single lines."""
    stored = StoredFile.objects.create(name="r", size=1, sha256="2" * 64, content="r")
    made = ReturnFile.objects.create(
        batch=batch, stored=stored, name="r", sha256=f"{ReturnFile.objects.count():064d}"
    )
    found = []
    for payment, state in changes:
        found.append(LineChange(payment.item_id, payment.state, state, payment.amount - payment.offset))
        payment.state = state
        payment.save()
    return_post(file=made, changes=found, actor=people.finance)
    return made


def poor(batch: Batch) -> list[Payment]:
    return list(batch.payments.filter(item__code="POOR").order_by("number"))


def test_nothing_is_booked_before_finance_confirms(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.FINANCE)
    assert not LedgerEntry.objects.exists()


def test_confirming_books_what_is_owed_by_item_and_source(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.CONFIRMED)
    assert booked("POOR") == {"补贴支出": Decimal("100.01"), "应付补贴": Decimal("-100.01")}
    assert booked("CARE") == {"补贴支出": Decimal("12.50"), "应付补贴": Decimal("-12.50")}
    assert by_source("补贴支出") == {FISCAL: Decimal("40.00"), LOTTERY: Decimal("60.01")}
    assert by_source("补贴支出", "CARE") == {FISCAL: Decimal("12.50")}
    assert set(by_source("应付补贴")) == {""}
    assert even(batch)


def test_sending_moves_it_to_the_bank(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.SENT)
    assert booked("POOR") == {"补贴支出": Decimal("100.01"), "银行在途": Decimal("-100.01")}
    assert even(batch)


def test_what_the_bank_pays_in_is_cash_of_its_sources_and_the_pieces_tie_to_the_cent(
    people: Staff, batch: Batch
) -> None:
    walk(batch, people, BatchState.SENT)
    for number, payment in enumerate(poor(batch), 1):
        answer(batch, people, (payment, PaymentState.PAID))
        sums = by_source("财政拨款")
        assert sum(sums.values()) == -sum((p.amount for p in poor(batch)[:number]), Decimal(0))
        assert even(batch)
    assert by_source("财政拨款") == {FISCAL: Decimal("-40.00"), LOTTERY: Decimal("-60.01")}
    assert booked("POOR") == {"补贴支出": Decimal("100.01"), "财政拨款": Decimal("-100.01")}


def test_what_the_bank_cannot_pay_in_stays_owed(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.SENT)
    one, two, three = poor(batch)
    answer(
        batch,
        people,
        (one, PaymentState.PAID),
        (two, PaymentState.FAILED),
        (three, PaymentState.PROCESSING),
    )
    left = {"应付未付": Decimal("-33.33"), "银行在途": Decimal("-33.34"), "财政拨款": Decimal("-33.34")}
    assert booked("POOR") == {"补贴支出": Decimal("100.01")} | left
    answer(batch, people, (three, PaymentState.PAID))
    assert booked("POOR")["财政拨款"] == Decimal("-66.68")
    assert even(batch)


def test_money_sent_back_later_is_owed_again_and_its_sources_get_it_back(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.SENT)
    returned(batch, people)
    one, two, three = poor(batch)
    answer(batch, people, (two, PaymentState.FAILED))
    assert booked("POOR")["应付未付"] == Decimal("-33.33")
    assert by_source("财政拨款") == {FISCAL: Decimal("-26.67"), LOTTERY: Decimal("-40.01")}
    answer(batch, people, (one, PaymentState.FAILED), (three, PaymentState.FAILED))
    assert by_source("财政拨款") == {FISCAL: Decimal(0), LOTTERY: Decimal(0)}
    assert even(batch)


def test_paid_and_sent_back_in_one_file_are_two_events(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.SENT)
    one, two, _ = poor(batch)
    answer(batch, people, (one, PaymentState.PAID))
    file = answer(batch, people, (one, PaymentState.FAILED), (two, PaymentState.PAID))
    events = set(
        LedgerEntry.objects.filter(event__startswith=f"return:{file.pk}").values_list("event", flat=True)
    )
    assert events == {f"return:{file.pk}:paid", f"return:{file.pk}:bounced"}
    assert booked("POOR")["财政拨款"] == Decimal("-33.33")


def test_a_file_that_changes_nothing_books_nothing(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.SENT)
    before = LedgerEntry.objects.count()
    answer(batch, people, (poor(batch)[0], PaymentState.PROCESSING))
    assert LedgerEntry.objects.count() == before


def test_a_change_that_no_return_can_make_is_an_error(people: Staff, batch: Batch) -> None:
    walk(batch, people, BatchState.SENT)
    payment = poor(batch)[0]
    payment.state = PaymentState.FAILED
    with pytest.raises(ValueError, match="失败 → 已发"):
        answer(batch, people, (payment, PaymentState.PAID))


def failed_batch(people: Staff, batch: Batch) -> Payment:
    walk(batch, people, BatchState.SENT)
    failed = poor(batch)[0]
    returned(batch, people, failed.elder)
    failed.refresh_from_db()
    return failed


def reissue(people: Staff, failed: Payment, amount: str) -> Batch:
    again = draft(people, kind=BatchKind.REISSUE)
    line(again, failed.elder, failed.item, amount, reissues=failed)
    return again


def test_a_reissue_pays_what_is_owed_without_new_expense(people: Staff, batch: Batch) -> None:
    failed = failed_batch(people, batch)
    again = walk(reissue(people, failed, "33.34"), people, BatchState.CONFIRMED)
    assert not LedgerEntry.objects.filter(batch=again).exists()
    walk(again, people, BatchState.SENT)
    assert booked("POOR", batch=again) == {"应付未付": Decimal("33.34"), "银行在途": Decimal("-33.34")}
    walk(again, people, BatchState.CLOSED)
    assert booked("POOR") == {"补贴支出": Decimal("100.01"), "财政拨款": Decimal("-100.01")}
    assert even(again)


def test_a_reissue_of_less_gives_up_the_difference(people: Staff, batch: Batch) -> None:
    failed = failed_batch(people, batch)
    again = walk(reissue(people, failed, "20.00"), people, BatchState.CONFIRMED)
    assert booked("POOR", batch=again) == {"应付未付": Decimal("13.34"), "补贴支出": Decimal("-13.34")}
    assert by_source("补贴支出", batch=again) == {FISCAL: Decimal("-5.34"), LOTTERY: Decimal("-8.00")}
    walk(again, people, BatchState.CLOSED)
    assert booked("POOR") == {"补贴支出": Decimal("86.67"), "财政拨款": Decimal("-86.67")}
    assert even(again)


def test_a_failed_line_given_up_leaves_expense_and_debt(people: Staff, batch: Batch) -> None:
    failed = failed_batch(people, batch)
    unpaid_cancel_post(payment_ids=[failed.pk], actor=people.maker, note="不再应发")
    assert booked("POOR", batch=batch) == {"补贴支出": Decimal("66.67"), "财政拨款": Decimal("-66.67")}
    assert by_source("补贴支出") == {FISCAL: Decimal("26.67"), LOTTERY: Decimal("40.00")}
    assert even(batch)


def test_what_is_kept_back_waits_for_the_case_that_it_pays(people: Staff) -> None:
    elder = elder_in(VILLAGE)
    batch = draft(people)
    line(batch, elder, Item.objects.get(code="POOR"), "50.00", offset="20.00")
    confirm_post(batch=batch, actor=people.finance)
    assert booked("POOR")["应付补贴"] == Decimal("-50.00")
    send_post(batch=batch, actor=people.finance)
    assert booked("POOR") == {
        "补贴支出": Decimal("50.00"),
        "银行在途": Decimal("-30.00"),
        "抵扣往来": Decimal("-20.00"),
    }
    assert even(batch)


def test_the_same_event_is_booked_once(people: Staff, batch: Batch) -> None:
    confirm_post(batch=batch, actor=people.finance)
    with pytest.raises(IntegrityError), transaction.atomic():
        confirm_post(batch=batch, actor=people.finance)


def test_the_shares_of_the_month_apply_and_a_later_change_turns_no_source_the_wrong_way(
    people: Staff, batch: Batch
) -> None:
    fund("100", "0", date(2024, 7, 1))
    walk(batch, people, BatchState.CONFIRMED)
    assert by_source("补贴支出") == {FISCAL: Decimal("40.00"), LOTTERY: Decimal("60.01")}
    later = draft(people, (elder_in(VILLAGE), "POOR", "10.01"), month=date(2024, 7, 1))
    walk(later, people, BatchState.CONFIRMED)
    assert by_source("补贴支出", batch=later) == {FISCAL: Decimal("10.01")}


@pytest.fixture
def recovery(people: Staff, batch: Batch) -> Recovery:
    """A case of 100.01, just opened."""
    elder = elder_in(VILLAGE)
    case = Recovery.objects.create(
        county_code=batch.county_code,
        elder=elder,
        item=Item.objects.get(code="POOR"),
        run=batch.month,
        state=RecoveryState.PROPOSED,
        cause=StopReason.DEATH,
        area_code=VILLAGE,
        due_stop=JUNE,
        actual_stop=JUNE,
        amount=Decimal("100.01"),
        made_by=people.maker,
    )
    recovery_open_post(recovery=case, actor=people.maker)
    return case


def entry(
    recovery: Recovery, kind: RecoveryEntryKind, amount: str, reverses: RecoveryEntry | None = None
) -> RecoveryEntry:
    made = RecoveryEntry.objects.create(
        recovery=recovery, kind=kind, amount=Decimal(amount), on=JUNE, key=uuid4(), reverses=reverses
    )
    recovery_entry_post(entry=made, actor=None)
    return made


def test_what_is_to_come_back_leaves_the_expense(people: Staff, recovery: Recovery) -> None:
    assert booked() == {"应收追缴": Decimal("100.01"), "补贴支出": Decimal("-100.01")}
    assert by_source("补贴支出") == {FISCAL: Decimal("-40.00"), LOTTERY: Decimal("-60.01")}


@pytest.mark.parametrize(
    ("kind", "account"),
    [
        (RecoveryEntryKind.REPAID, "追缴收回"),
        (RecoveryEntryKind.WRITE_OFF, "追缴核销"),
        (RecoveryEntryKind.CANCEL, "补贴支出"),
    ],
)
def test_an_entry_lowers_the_receivable_and_its_counter_entry_raises_it_again(
    recovery: Recovery, kind: RecoveryEntryKind, account: str
) -> None:
    opened = booked()
    made = entry(recovery, kind, "30.01")
    assert booked()["应收追缴"] == Decimal("70.00")
    assert booked().get(account, 0) == opened.get(account, 0) + Decimal("30.01")
    entry(recovery, RecoveryEntryKind.REVERSAL, "-30.01", reverses=made)
    assert booked() == opened


def test_what_comes_back_in_parts_ties_by_source(recovery: Recovery) -> None:
    for part in ("33.34", "33.33", "33.34"):
        entry(recovery, RecoveryEntryKind.REPAID, part)
    assert by_source("追缴收回") == {FISCAL: Decimal("40.00"), LOTTERY: Decimal("60.01")}
    assert "应收追缴" not in booked()


def test_an_offset_takes_what_its_batch_put_aside_and_cannot_be_booked_back(recovery: Recovery) -> None:
    made = entry(recovery, RecoveryEntryKind.OFFSET, "10.00")
    assert booked()["抵扣往来"] == Decimal("10.00")
    assert booked()["应收追缴"] == recovery.amount - Decimal("10.00")
    with pytest.raises(MoneyRefusedError, match="抵扣已随批次报送银行，不能冲正"):
        entry(recovery, RecoveryEntryKind.REVERSAL, "-10.00", reverses=made)
