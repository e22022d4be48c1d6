"""What lowers or raises the open sum of a recovery case; nothing is edited, only counter-entries undo.

Locks: the elder's cases in order of their ids, so that two acts on one case, or on two cases that share an offset,
follow each other. What changes a sum also keeps the county's runs out: a run or the building of a batch reads all
sums at once.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from operations.services.audit import audit_record
from organization.models import User
from subsidies.choices import RecoveryEntryKind
from subsidies.county_lock import KEY
from subsidies.models import Payment, Recovery, RecoveryEntry, RecoveryLine
from subsidies.recovery_selectors import booked_of, open_sums, planned_offsets
from subsidies.recovery_state import offsets_over, recovery_state
from subsidies.refusals import MoneyRefusedError
from subsidies.services.ledger import recovery_entry_post

#: Names the keys of entries that no form brings: an offset of a line, the outcome of a request.
NAMESPACE: Final = UUID("6f1c5b0a-6a3f-5d0f-9a53-2f6b7d3c9e10")


def recovery_repay(
    *, recovery_id: int, amount: Decimal, on: date, key: UUID, actor: User, note: str = ""
) -> RecoveryEntry:
    """Book money that came back; key: the form's own number, by which a second click books nothing."""
    with transaction.atomic():
        recovery = case_locked(recovery_id)
        if known := RecoveryEntry.objects.filter(key=key).first():
            return _booked_before(known, recovery, RecoveryEntryKind.REPAID, amount)
        if recovery.made_by_id == actor.pk:
            raise MoneyRefusedError("立案人不能登记本案的退款，请由财务人员登记")
        if amount <= 0 or amount != amount.quantize(Decimal("0.01")):
            raise MoneyRefusedError("退回金额应大于 0，最多两位小数，例如 150.00")
        if on > timezone.localdate():
            raise MoneyRefusedError("退款日期不能晚于今天，请填写实际到账的日期")
        lowering_refuse(recovery, amount)
        return entry_add(
            recovery=recovery,
            kind=RecoveryEntryKind.REPAID,
            amount=amount,
            on=on,
            key=key,
            actor=actor,
            note=note,
        )


def recovery_offset_book(*, payment: Payment, actor: User) -> list[RecoveryEntry]:
    """Book what a line that goes to the bank keeps back, over the elder's cases of its county with consent,
    oldest first.

    Called in the transaction that sends the batch, elders in order of their ids. A line booked before books nothing.
    """
    with transaction.atomic():
        cases = {
            case.pk: case
            for case in _cases_locked(payment.elder_id, payment.batch.county_code)
            if case.consent_id is not None
        }
        known = list(RecoveryEntry.objects.filter(payment=payment, kind=RecoveryEntryKind.OFFSET))
        if known or not payment.offset:
            return known
        sums = open_sums(cases)
        try:
            parts = offsets_over(open_sums={pk: sums[pk] for pk in sorted(cases)}, amount=payment.offset)
        except ValueError:
            raise MoneyRefusedError(
                f"批次 {payment.batch} 第 {payment.number} 行抵扣 {payment.offset:,.2f} 元，多于同意抵扣而未退的"
                f" {sum(sums.values()):,.2f} 元；请退回批次重做"
            ) from None
        return [
            entry_add(
                recovery=cases[pk],
                kind=RecoveryEntryKind.OFFSET,
                amount=part,
                on=timezone.localdate(),
                key=uuid5(NAMESPACE, f"offset:{payment.pk}:{pk}"),
                actor=actor,
                note=f"批次 {payment.batch} 第 {payment.number} 行",
                payment=payment,
            )
            for pk, part in parts.items()
        ]


def recovery_reverse(*, entry_id: int, key: UUID, actor: User, note: str) -> RecoveryEntry:
    """Take an entry back by a counter-entry, once; the case is open again by its amount (FI6)."""
    with transaction.atomic():
        recovery = case_locked(RecoveryEntry.objects.values_list("recovery_id", flat=True).get(pk=entry_id))
        entry = RecoveryEntry.objects.select_related("recovery", "payment__batch").get(pk=entry_id)
        counter = RecoveryEntry.objects.filter(reverses=entry).select_related("actor").first()
        if counter is not None:
            if counter.actor_id == actor.pk:
                return counter
            raise MoneyRefusedError(f"已由 {counter.actor} 于 {_moment(counter)} 冲正")
        if RecoveryEntry.objects.filter(key=key).exists():
            raise MoneyRefusedError("这张表单已经用过，请刷新页面后重新填写")
        _refuse_reversal(entry, note)
        return entry_add(
            recovery=recovery,
            kind=RecoveryEntryKind.REVERSAL,
            amount=-entry.amount,
            on=timezone.localdate(),
            key=key,
            actor=actor,
            note=note,
            reverses=entry,
        )


def case_locked(recovery_id: int) -> Recovery:
    """The case, locked with the elder's other cases of the county."""
    elder_id, county_code = Recovery.objects.values_list("elder_id", "county_code").get(pk=recovery_id)
    return next(case for case in _cases_locked(elder_id, county_code) if case.pk == recovery_id)


def lowering_refuse(recovery: Recovery, amount: Decimal) -> None:
    """Refuse more than is open and not yet kept back from a line on its way; waits for no run, but refuses beside one.

    Holds the county's run lock in shared mode until the transaction ends.
    """
    keep_runs_out(recovery.county_code)
    sums = open_sums(
        Recovery.objects.filter(
            elder=recovery.elder_id, county_code=recovery.county_code, consent__isnull=False
        ).values_list("pk", flat=True)
    )
    left = open_sums([recovery.pk])[recovery.pk]
    if left <= 0:
        raise MoneyRefusedError("本案没有未退金额，请刷新页面查看")
    if amount > left:
        raise MoneyRefusedError(f"未退金额只有 {left:,.2f} 元，不能登记 {amount:,.2f} 元，请核对金额")
    planned = planned_offsets(elder_id=recovery.elder_id, county_code=recovery.county_code)
    if recovery.consent_id is not None and sum(sums.values()) - amount < planned:
        raise MoneyRefusedError(
            f"其中 {planned:,.2f} 元已列入未报银行的批次抵扣；请先报送或退回该批次，再登记退款、核销或撤销"
        )


def lines_add(*, recovery: Recovery, amounts: Sequence[tuple[date, Decimal]]) -> None:
    """Write lines or counter-lines of a case with the next numbers of each elder, item and month."""
    mine = RecoveryLine.objects.filter(elder=recovery.elder_id, item=recovery.item_id)
    last = dict(mine.order_by().values_list("month").annotate(last=Max("sequence")))
    RecoveryLine.objects.bulk_create(
        [
            RecoveryLine(
                recovery=recovery,
                elder_id=recovery.elder_id,
                item_id=recovery.item_id,
                month=month,
                sequence=last.get(month, 0) + 1,
                amount=amount,
            )
            for month, amount in amounts
        ]
    )


def entry_add(
    *,
    recovery: Recovery,
    kind: RecoveryEntryKind,
    amount: Decimal,
    on: date,
    key: UUID,
    actor: User,
    note: str = "",
    payment: Payment | None = None,
    reverses: RecoveryEntry | None = None,
) -> RecoveryEntry:
    """Write an entry of a locked case with its posting, its audit row and the case's new state."""
    entry = RecoveryEntry.objects.create(
        recovery=recovery,
        kind=kind,
        amount=amount,
        on=on,
        key=key,
        actor=actor,
        note=note,
        payment=payment,
        reverses=reverses,
    )
    recovery_entry_post(entry=entry, actor=actor)
    state_refresh(recovery)
    case_audit(f"追缴{kind.value}", recovery, actor, amount=str(amount), entry=entry.pk)
    return entry


def state_refresh(recovery: Recovery) -> None:
    """Bring the stored state in line with the entries."""
    recovery.state = recovery_state(
        amount=recovery.amount,
        notified=recovery.notified_on is not None,
        booked=booked_of([recovery.pk])[recovery.pk],
    )
    recovery.save(update_fields=["state"])


def _cases_locked(elder_id: int, county_code: str) -> list[Recovery]:
    """The elder's cases of one county: another county's batches neither pay nor keep back for them."""
    found = Recovery.objects.filter(elder=elder_id, county_code=county_code).order_by("pk")
    return list(found.select_for_update(of=("self",)).select_related("consent", "item"))


def keep_runs_out(county_code: str) -> None:
    """Refuse while the county runs a month or builds a batch; else let none begin before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock_shared({KEY})", [county_code])
        if not cursor.fetchone()[0]:
            raise MoneyRefusedError("本县正在核定月份或生成批次，请等一两分钟再办")


def _booked_before(
    known: RecoveryEntry, recovery: Recovery, kind: RecoveryEntryKind, amount: Decimal
) -> RecoveryEntry:
    """The entry that this very form has booked."""
    if (known.recovery_id, known.kind, known.amount) == (recovery.pk, kind, amount):
        return known
    raise MoneyRefusedError("这张表单已经登记过另一笔，请刷新页面后重新填写")


def _refuse_reversal(entry: RecoveryEntry, note: str) -> None:
    if entry.kind == RecoveryEntryKind.OFFSET:
        raise MoneyRefusedError(
            f"抵扣随批次 {entry.payment.batch if entry.payment else ''} 的发放行入账，不能单独冲正；"
            "抵扣有误的，请申请撤销未退部分，已抵扣的由下次核定补发"
        )
    if entry.kind in {RecoveryEntryKind.CANCEL, RecoveryEntryKind.REVERSAL}:
        raise MoneyRefusedError(f"{entry.kind}不能冲正；确有多发的，请在下次核定后重新立案")
    if not note.strip():
        raise MoneyRefusedError("请写明冲正的理由")


def _moment(entry: RecoveryEntry) -> str:
    return f"{timezone.localtime(entry.at):%m-%d %H:%M}"


def case_audit(action: str, recovery: Recovery, actor: User, **data: object) -> None:
    """Write the audit row of an act on a case."""
    audit_record(
        action=action,
        subject=f"recovery:{recovery.pk}",
        actor=actor,
        data={"elder": recovery.elder_id, "item": recovery.item_id} | data,
    )
