"""The way of a batch through the real services: from a draft to the bank and back."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from operations.crypto import decrypt
from subsidies.choices import BatchKind, PaymentState
from subsidies.models import BankFile, BankProfile, Batch, Month, Payment, ReturnFile
from subsidies.services.bank import bank_file_download, bank_file_make
from subsidies.services.bank_profile import bank_profiles_ensure
from subsidies.services.bank_return import return_import
from subsidies.services.batch import batch_build
from subsidies.services.batch_step import (
    batch_approve,
    batch_close,
    batch_confirm,
    batch_send,
    batch_submit,
    township_check,
)
from tests.subsidies.money import Staff

PROFILE = "竖线分隔文本（GBK）"
PAID, FAILED, PROCESSING = "成功", "失败", "处理中"
#: Line number → what the bank says of it and why.
Answers = Mapping[int, tuple[str, str]]


def profile_of(county_code: str) -> BankProfile:
    """The shipped delimited profile."""
    bank_profiles_ensure(county_code=county_code)
    return BankProfile.objects.get(county_code=county_code, name=PROFILE)


def checked(batch: Batch, who: Staff) -> Batch:
    """Submitted, and found right by every township."""
    batch = batch_submit(batch_id=batch.pk, actor=who.maker)
    leads = (who.lead_a, who.lead_b)
    for check in batch.checks.exclude(township="").order_by("township"):
        lead = next(lead for lead in leads if lead.area_prefixes()[0] == check.township)
        batch = township_check(batch_id=batch.pk, township=check.township, actor=lead)
    return batch


def confirmed(batch: Batch, who: Staff) -> Batch:
    """Approved and confirmed; the items ask for no notice."""
    batch = batch_approve(batch_id=checked(batch, who).pk, actor=who.chief)
    return batch_confirm(batch_id=batch.pk, actor=who.finance)


def sent(batch: Batch, who: Staff) -> Batch:
    """With the bank."""
    batch = confirmed(batch, who)
    file = bank_file_made(batch, who)
    bank_file_download(bank_file_id=file.pk, actor=who.finance)
    return batch_send(batch_id=batch.pk, actor=who.finance)


def bank_file_made(batch: Batch, who: Staff) -> BankFile:
    """The payment file in the shipped delimited profile."""
    profile = profile_of(batch.county_code)
    return bank_file_make(batch_id=batch.pk, profile_id=profile.pk, actor=who.finance)


def answer_bytes(lines: Sequence[Payment], answers: Answers | None = None, day: date | None = None) -> bytes:
    """A return file for these lines; success where `answers` says nothing."""
    rows = []
    for line in lines:
        state, reason = (answers or {}).get(line.number, (PAID, ""))
        account, paid = decrypt(line.account_cipher), line.amount - line.offset
        on = f"{day or date(2026, 1, 5):%Y%m%d}" if state == PAID else ""
        rows.append(f"{line.number}|{account}|{line.holder}|{paid}|{state}||{reason}|{on}")
    total = sum((line.amount - line.offset for line in lines), Decimal(0))
    head = f"{lines[0].batch.number}|{len(lines)}|{total}" if lines else ""
    return "\r\n".join([head, *rows, ""]).encode("gbk")


def awaited(batch: Batch) -> list[Payment]:
    """Lines of which the bank has said nothing final yet."""
    open_states = [PaymentState.PENDING, PaymentState.PROCESSING]
    return list(Payment.objects.filter(batch=batch, state__in=open_states).order_by("number"))


def answered(batch: Batch, who: Staff, answers: Answers | None = None) -> ReturnFile:
    """The bank's return for all lines that wait."""
    content = answer_bytes(awaited(batch), answers)
    return return_import(batch_id=batch.pk, name="回盘.txt", content=content, actor=who.finance)


def closed(batch: Batch, who: Staff) -> Batch:
    """Closed by the second person of finance."""
    return batch_close(batch_id=batch.pk, actor=who.finance_two)


def paid_out(
    month: Month, who: Staff, answers: Answers | None = None, kind: str = BatchKind.REGULAR
) -> Batch:
    """A whole batch of the month, built, brought to the bank, answered and closed."""
    month.refresh_from_db()
    batch = sent(batch_build(month=month, kind=kind, actor=who.maker), who)
    answered(batch, who, answers)
    return closed(batch, who)
