"""Batches for tests of the workflow: made of plain lines, and taken step by step to where a test begins."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection
from django.utils import timezone

from catalog.models import Item
from eldercare.models import Elder
from eldercare.services.monthly_facts import partition_ensure
from operations.crypto import blind_index, encrypt
from operations.models import StoredFile
from organization.models import User
from subsidies.choices import BatchKind, BatchState, LineKind, Outcome, PaymentState
from subsidies.models import (
    BankFile,
    BankProfile,
    Batch,
    Entitlement,
    LedgerEntry,
    Month,
    Payment,
    PaymentTerms,
    ReturnFile,
)
from subsidies.services.batch_step import (
    batch_approve,
    batch_close,
    batch_confirm,
    batch_send,
    batch_submit,
    township_check,
)
from subsidies.services.ledger import LineChange, return_post
from subsidies.services.notice import notices_end
from tests.registry import make_elder
from tests.subsidies.county import LULIANG, OTHER_VILLAGE, VILLAGE, item, publish_list
from tests.subsidies.money import Staff

JUNE = date(2024, 6, 1)
TOWN_A, TOWN_B = VILLAGE[:9], OTHER_VILLAGE[:9]
ELSEWHERE = "530324101201"
#: The way, in order.
WAY: Final = (
    BatchState.DRAFT,
    BatchState.TOWNSHIP,
    BatchState.APPROVAL,
    BatchState.NOTICE,
    BatchState.FINANCE,
    BatchState.CONFIRMED,
    BatchState.SENT,
    BatchState.RETURNED,
    BatchState.CLOSED,
)


def publish_items(*, notice_days: int = 0) -> None:
    """POOR and CARE, paid by the portal from June 2024 on."""
    publish_list(item("POOR", "低保"), item("CARE", "低保", number=2))
    for row in Item.objects.all():
        PaymentTerms.objects.create(item=row, first_month=JUNE, notice_days=notice_days)


def elder_in(village: str, name: str = "张小测") -> Elder:
    """An elder who lives there."""
    return make_elder(date(1940, 1, 1), hukou=village, name=name, low_income_allowance=True)


def draft(
    people: Staff, *given: tuple[Elder, str, str], month: date = JUNE, kind: str = BatchKind.REGULAR
) -> Batch:
    """A draft of (elder, item code, 元) lines that the published month entitles to; the lines of one elder each."""
    run, _ = Month.objects.get_or_create(county_code=LULIANG, month=month, defaults={"revision": 1})
    with connection.cursor() as cursor:
        partition_ensure(cursor, "subsidies_entitlement", month)
    batch = Batch.objects.create(
        county_code=LULIANG,
        number=f"530322-{month:%Y%m}-{Batch.objects.count() + 1:02d}",
        month=run,
        kind=kind,
        revision=run.revision,
        made_by=people.maker,
    )
    for number, (elder, code, amount) in enumerate(given, 1):
        row = Item.objects.get(code=code)
        entitle(elder, row, amount, run)
        line(batch, elder, row, amount, number=number)
    batch.lines = len(given)
    batch.amount = sum((Decimal(amount) for _, _, amount in given), Decimal(0))
    batch.save()
    return batch


def entitle(elder: Elder, row: Item, amount: str, run: Month) -> None:
    """What a run would have published, once."""
    Entitlement.objects.get_or_create(
        month=run.month,
        county_code=run.county_code,
        elder=elder,
        item=row,
        rev_from=1,
        defaults={
            "item_version": row.versions.get(),
            "area_code": elder.hukou_code,
            "amount": Decimal(amount),
            "outcome": Outcome.DUE,
        },
    )


def line(
    batch: Batch,
    elder: Elder,
    row: Item,
    amount: str,
    *,
    number: int = 1,
    offset: str = "0",
    reissues: Payment | None = None,
) -> Payment:
    """One line of a batch, to a fictional account."""
    account = f"6200000000{elder.pk:09d}"
    month = reissues.month if reissues else batch.month.month
    sequence = Payment.objects.filter(elder=elder, item=row, month=month).count() + 1
    return Payment.objects.create(
        batch=batch,
        number=number,
        elder=elder,
        item=row,
        month=month,
        kind=LineKind.REGULAR,
        sequence=sequence,
        amount=Decimal(amount),
        offset=Decimal(offset),
        area_code=elder.hukou_code,
        bank="测试农商行",
        holder=elder.name,
        account_cipher=encrypt(account),
        account_index=blind_index(account),
        state=PaymentState.PENDING,
        reissues=reissues,
    )


def filed(batch: Batch, people: Staff, *, downloads: int = 1) -> BankFile:
    """The bank's file as if made and fetched."""
    profile, _ = BankProfile.objects.get_or_create(
        county_code=LULIANG, name="测试格式", defaults={"layout": {}, "return_layout": {}}
    )
    stored = StoredFile.objects.create(name="a.csv", size=1, sha256="0" * 64, content="a")
    rows = [p for p in batch.payments.filter(state=PaymentState.PENDING) if p.amount > p.offset]
    return BankFile.objects.create(
        batch=batch,
        profile=profile,
        stored=stored,
        sha256="0" * 64,
        lines=len(rows),
        amount=sum((p.amount - p.offset for p in rows), Decimal("0.00")),
        downloads=downloads,
        made_by=people.finance,
    )


def returned(batch: Batch, people: Staff, *failed: Elder) -> ReturnFile:
    """The bank's answer to everything under way, posted: paid, but for the lines of some elders."""
    stored = StoredFile.objects.create(name="r.csv", size=1, sha256="1" * 64, content="r")
    file = ReturnFile.objects.create(
        batch=batch, stored=stored, name="r.csv", sha256=f"{batch.return_files.count():064d}"
    )
    changes = []
    for payment in batch.payments.filter(state=PaymentState.PENDING):
        to = PaymentState.FAILED if payment.elder in failed else PaymentState.PAID
        changes.append(LineChange(payment.item_id, payment.state, to, payment.amount - payment.offset))
        payment.state = to
        payment.save()
    return_post(file=file, changes=changes, actor=people.finance)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.RETURNED)
    return file


def walk(batch: Batch, people: Staff, until: str) -> Batch:
    """Take a draft to a state by the services, each step by the person whose it is."""
    after_notice = timezone.localdate() + timedelta(days=100)
    steps: Sequence[tuple[str, Callable[[], object]]] = (
        (BatchState.DRAFT, lambda: batch_submit(batch_id=batch.pk, actor=people.maker)),
        (BatchState.TOWNSHIP, lambda: check_all(batch, people)),
        (BatchState.APPROVAL, lambda: batch_approve(batch_id=batch.pk, actor=people.chief)),
        (BatchState.NOTICE, lambda: notices_end(today=after_notice)),
        (BatchState.FINANCE, lambda: batch_confirm(batch_id=batch.pk, actor=people.finance)),
        (BatchState.CONFIRMED, lambda: (filed(batch, people), sent(batch, people.finance))),
        (BatchState.SENT, lambda: returned(batch, people)),
        (BatchState.RETURNED, lambda: batch_close(batch_id=batch.pk, actor=people.finance)),
    )
    for state, step in steps:
        batch.refresh_from_db()
        if WAY.index(BatchState(batch.state)) >= WAY.index(BatchState(until)):
            break
        if batch.state == state:
            step()
    batch.refresh_from_db()
    return batch


def sent(batch: Batch, actor: User) -> Batch:
    """The batch goes to the bank."""
    return batch_send(batch_id=batch.pk, actor=actor)


def check_all(batch: Batch, people: Staff) -> None:
    """Both leads find their townships right."""
    for township, lead in ((TOWN_A, people.lead_a), (TOWN_B, people.lead_b)):
        if batch.checks.filter(township=township).exists():
            township_check(batch_id=batch.pk, township=township, actor=lead)


def booked(code: str = "POOR", **where: object) -> dict[str, Decimal]:
    """Account → debit − credit of an item, sources together; accounts that are even left out."""
    sums: dict[str, Decimal] = {}
    for entry in LedgerEntry.objects.filter(item__code=code, **where):
        sums[entry.account] = sums.get(entry.account, Decimal(0)) + entry.debit - entry.credit
    return {account: amount for account, amount in sums.items() if amount}


def by_source(account: str, code: str = "POOR", **where: object) -> dict[str, Decimal]:
    """Source → debit − credit of an item's account."""
    sums: dict[str, Decimal] = {}
    for entry in LedgerEntry.objects.filter(item__code=code, account=account, **where):
        sums[entry.source] = sums.get(entry.source, Decimal(0)) + entry.debit - entry.credit
    return sums


def even(batch: Batch) -> bool:
    """Debit = credit of every event and item of the batch."""
    sums: dict[tuple[str, int], Decimal] = {}
    for entry in LedgerEntry.objects.filter(batch=batch):
        key = (entry.event, entry.item_id)
        sums[key] = sums.get(key, Decimal(0)) + entry.debit - entry.credit
    return not any(sums.values())
