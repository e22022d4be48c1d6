"""Helpers of tests about recovery: payments as if they had gone through the bank, cases, and what the ledger says."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

from django.db.models import Sum

from catalog.models import Item
from eldercare.models import Elder
from operations.crypto import blind_index, encrypt
from organization.models import User
from subsidies.choices import BatchKind, BatchState, LineKind, PaymentState, StopReason
from subsidies.models import Batch, LedgerEntry, Month, Payment, PaymentTerms, Recovery, RecoveryEntry
from subsidies.services.recovery import recovery_open
from subsidies.services.recovery_entry import recovery_repay

ACCOUNT = "6217000099001234567"


def portal_pays(code: str, first: date) -> None:
    """Let the portal pay an item from a month on."""
    PaymentTerms.objects.create(item=Item.objects.get(code=code), first_month=first)


def a_batch(run: Month, actor: User, state: BatchState = BatchState.CLOSED) -> Batch:
    """A batch of a month's run."""
    number = f"530322-{run.month:%Y%m}-{Batch.objects.count() + 1:02d}"
    return Batch.objects.create(
        county_code=run.county_code,
        number=number,
        month=run,
        kind=BatchKind.REGULAR,
        state=state,
        revision=run.revision,
        made_by=actor,
    )


def pay(
    batch: Batch,
    elder: Elder,
    code: str,
    month: date | None = None,
    *,
    amount: str = "50.00",
    offset: str = "0.00",
    state: PaymentState = PaymentState.PAID,
) -> Payment:
    """One line of a batch, for the batch's own month unless said otherwise."""
    month = month or batch.month.month
    item = Item.objects.get(code=code)
    return Payment.objects.create(
        batch=batch,
        number=batch.payments.count() + 1,
        elder=elder,
        item=item,
        month=month,
        kind=LineKind.REGULAR if month == batch.month.month else LineKind.BACK_PAY,
        sequence=Payment.objects.filter(elder=elder, item=item, month=month).count() + 1,
        amount=Decimal(amount),
        offset=Decimal(offset),
        area_code="530322101201",
        holder=elder.name,
        account_cipher=encrypt(ACCOUNT),
        account_index=blind_index(ACCOUNT),
        state=state,
    )


def open_case(run: Month, elder: Elder, code: str, actor: User, cause: str = StopReason.DEATH) -> Recovery:
    """Open a case for one elder and item."""
    item = Item.objects.get(code=code)
    return recovery_open(run=run, elder_id=elder.pk, item_id=item.pk, cause=cause, actor=actor)


def repay(case: Recovery, amount: str, actor: User) -> RecoveryEntry:
    """Book money that came back today."""
    return recovery_repay(
        recovery_id=case.pk, amount=Decimal(amount), on=date(2026, 1, 5), key=uuid4(), actor=actor
    )


def claimed(case: Recovery) -> list[tuple[str, int, Decimal]]:
    """(month, sequence, 元) of a case's lines."""
    return [(f"{line.month:%Y-%m}", line.sequence, line.amount) for line in case.lines.all()]


def account_sums(case: Recovery) -> dict[str, Decimal]:
    """Account → debit − credit of a case; accounts at zero left out."""
    rows = LedgerEntry.objects.filter(recovery=case).values_list("account").order_by("account")
    sums = rows.annotate(debit=Sum("debit"), credit=Sum("credit"))
    return {account: debit - credit for account, debit, credit in sums if debit != credit}


def unbalanced() -> list[str]:
    """Events whose debit and credit differ for some item."""
    rows = (
        LedgerEntry.objects.order_by()
        .values_list("event", "item")
        .annotate(debit=Sum("debit"), credit=Sum("credit"))
    )
    return [event for event, _, debit, credit in rows if debit != credit]
