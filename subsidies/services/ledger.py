"""Posting to the ledger (台账): double entry, append-only, in the transaction of the step that is posted.

Who calls what:
  confirm_post(batch=, actor=)            batch_confirm
  send_post(batch=, actor=)               batch_send, before net-zero lines become 已发
  return_post(file=, changes=, actor=)    return_import: one `LineChange` per item and pair of states, summed in SQL
  unpaid_cancel_post(payment_ids=, actor=, note=)   unpaid_cancel, while the lines are 失败 still
  recovery_open_post(recovery=, actor=)   recovery_open, with its amount set
  recovery_entry_post(entry=, actor=)     every RecoveryEntry; an 抵扣 takes from 抵扣往来 what send_post has put there

Amounts are 元. Of one event and item debit = credit. 补贴支出, 财政拨款 and 追缴收回 are divided among the item's
sources by its Funding in the month of the run, cumulatively per batch (or recovery), item and account, so that after
every posting what is booked is divided by the shares to the 分. The same event is posted once (database constraint).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import F, Min, Q, QuerySet, Sum

from organization.models import User
from subsidies.allocation import ZERO, split_next
from subsidies.choices import Account, BatchKind, FundSource, PaymentState, RecoveryEntryKind
from subsidies.funding import Shares, funding_shares
from subsidies.models import (
    Batch,
    LedgerEntry,
    Payment,
    Recovery,
    RecoveryEntry,
    ReturnFile,
)
from subsidies.refusals import MoneyRefusedError

#: Accounts whose money has a source.
SOURCED: Final = frozenset({Account.EXPENSE, Account.CASH, Account.REFUND})
#: Lines on their way to the elder: what the bank has not answered for.
UNDER_WAY: Final = frozenset({PaymentState.PENDING, PaymentState.PROCESSING})


@dataclass(frozen=True)
class LineChange:
    """What a return file did to lines of one item: from one state to another, and their Σ (amount − offset)."""

    item_id: int
    from_state: str
    to_state: str
    amount: Decimal


@dataclass(frozen=True)
class _Origin:
    """What a posting belongs to: a batch or a recovery, and the month whose funding applies."""

    batch: Batch | None
    recovery: Recovery | None
    month: date


@dataclass(frozen=True)
class _Move:
    """Money of one item from the credited to the debited account."""

    item_id: int
    debit: Account
    credit: Account
    amount: Decimal


def confirm_post(*, batch: Batch, actor: User) -> None:
    """Post what is now owed: the whole of 待发 lines; of a reissue, what is not paid again of the failed lines."""
    owed, accounts = Sum("amount"), (Account.EXPENSE, Account.PAYABLE)
    if batch.kind == BatchKind.REISSUE:
        owed = Sum(F("reissues__amount") - F("reissues__offset") - F("amount"))
        accounts = (Account.UNPAID, Account.EXPENSE)
    rows = _pending(batch).values_list("item_id").annotate(owed=owed)
    moves = [_Move(item, *accounts, amount) for item, amount in rows]
    _post(
        event=f"batch:{batch.pk}:confirm", origin=_of_batch(batch), moves=moves, actor=actor, note="财政确认"
    )


def send_post(*, batch: Batch, actor: User) -> None:
    """Post what goes to the bank and what is kept back for recoveries."""
    owed = Account.UNPAID if batch.kind == BatchKind.REISSUE else Account.PAYABLE
    rows = _pending(batch).values_list("item_id").annotate(gross=Sum("amount"), kept=Sum("offset"))
    moves = []
    for item, gross, kept in rows:
        moves.append(_Move(item, owed, Account.IN_TRANSIT, gross - kept))
        moves.append(_Move(item, owed, Account.OFFSET, kept))
    _post(event=f"batch:{batch.pk}:send", origin=_of_batch(batch), moves=moves, actor=actor, note="报送银行")


def return_post(*, file: ReturnFile, changes: Iterable[LineChange], actor: User | None) -> None:
    """Post what a return file changed: paid, failed, and paid but sent back later (退票)."""
    legs: dict[str, tuple[str, Account, Account, dict[int, Decimal]]] = {
        "paid": ("入账", Account.IN_TRANSIT, Account.CASH, {}),
        "failed": ("发放失败", Account.IN_TRANSIT, Account.UNPAID, {}),
        "bounced": ("退票", Account.CASH, Account.UNPAID, {}),
    }
    for change in changes:
        leg = _leg(change)
        if leg:
            sums = legs[leg][3]
            sums[change.item_id] = sums.get(change.item_id, ZERO) + change.amount
    for leg, (word, debit, credit, sums) in legs.items():
        _post(
            event=f"return:{file.pk}:{leg}",
            origin=_of_batch(file.batch),
            moves=[_Move(item, debit, credit, amount) for item, amount in sums.items()],
            actor=actor,
            note=f"回盘{word}",
        )


def unpaid_cancel_post(*, payment_ids: Sequence[int], actor: User | None, note: str) -> None:
    """Take what these failed lines still owe out of 应付未付 and out of the expense, batch by batch."""
    lines = Payment.objects.filter(pk__in=payment_ids)
    first = dict(lines.values_list("batch_id").annotate(first=Min("id")))
    rows = lines.values_list("batch_id", "item_id").annotate(net=Sum(F("amount") - F("offset")))
    moves: dict[int, list[_Move]] = {}
    for batch_id, item, net in rows:
        moves.setdefault(batch_id, []).append(_Move(item, Account.UNPAID, Account.EXPENSE, net))
    for batch in Batch.objects.filter(pk__in=moves).select_related("month").order_by("pk"):
        # a line is cancelled once, so its id makes the event unique
        event = f"batch:{batch.pk}:cancel:{first[batch.pk]}"
        _post(event=event, origin=_of_batch(batch), moves=moves[batch.pk], actor=actor, note=note)


def recovery_open_post(*, recovery: Recovery, actor: User | None) -> None:
    """Post what is to come back, out of the expense."""
    move = _Move(recovery.item_id, Account.RECEIVABLE, Account.EXPENSE, recovery.amount)
    event = f"recovery:{recovery.pk}:open"
    _post(event=event, origin=_of_recovery(recovery), moves=[move], actor=actor, note="追缴立案")


def recovery_entry_post(*, entry: RecoveryEntry, actor: User | None) -> None:
    """Post what lowers or raises the open sum of a recovery; a counter-entry mirrors what it reverses."""
    booked = entry.reverses if entry.reverses is not None else entry
    if booked.kind == RecoveryEntryKind.OFFSET and entry is not booked:
        raise MoneyRefusedError("抵扣已随批次报送银行，不能冲正；追缴有误的请申请撤销，已扣的由下一批补发")
    debit = {
        RecoveryEntryKind.REPAID: Account.REFUND,
        RecoveryEntryKind.OFFSET: Account.OFFSET,  # what the sending of the batch has put there
        RecoveryEntryKind.WRITE_OFF: Account.WRITTEN_OFF,
        RecoveryEntryKind.CANCEL: Account.EXPENSE,
    }[RecoveryEntryKind(booked.kind)]
    accounts = (debit, Account.RECEIVABLE) if entry.amount > 0 else (Account.RECEIVABLE, debit)
    move = _Move(entry.recovery.item_id, *accounts, abs(entry.amount))
    event = f"recovery:{entry.recovery_id}:entry:{entry.pk}"
    note = f"追缴{RecoveryEntryKind(entry.kind).value}"
    _post(event=event, origin=_of_recovery(entry.recovery), moves=[move], actor=actor, note=note)


def _leg(change: LineChange) -> str:
    """Which posting a change of state asks for, '' for none."""
    if change.from_state in UNDER_WAY and change.to_state == PaymentState.PAID:
        return "paid"
    if change.from_state in UNDER_WAY and change.to_state == PaymentState.FAILED:
        return "failed"
    if change.from_state == PaymentState.PAID and change.to_state == PaymentState.FAILED:
        return "bounced"
    if change.from_state in UNDER_WAY and change.to_state in UNDER_WAY:
        return ""
    raise ValueError(f"{change.from_state} → {change.to_state}")


def _pending(batch: Batch) -> QuerySet[Payment]:
    return Payment.objects.filter(batch=batch, state=PaymentState.PENDING).order_by("item_id")


def _of_batch(batch: Batch) -> _Origin:
    return _Origin(batch, None, batch.month.month)


def _of_recovery(recovery: Recovery) -> _Origin:
    return _Origin(None, recovery, recovery.run.month)


def _post(*, event: str, origin: _Origin, moves: Sequence[_Move], actor: User | None, note: str) -> None:
    """Write both sides of every move, summed per item and account, divided by source where money has one."""
    sums: dict[tuple[int, Account], Decimal] = {}
    for move in moves:
        for account, amount in ((move.debit, move.amount), (move.credit, -move.amount)):
            sums[move.item_id, account] = sums.get((move.item_id, account), ZERO) + amount
    if not sums:
        return
    shares = funding_shares(item_ids={item for item, _ in sums}, month=origin.month)
    booked = _booked(origin, {item for item, account in sums if account in SOURCED})
    entries = []
    for (item, account), amount in sorted(sums.items()):
        parts: Mapping[str, Decimal] = {"": amount}
        if account in SOURCED:
            parts = _divided(booked.get((item, account), {}), amount, shares[item])
        entries += [
            LedgerEntry(
                event=event,
                batch=origin.batch,
                recovery=origin.recovery,
                item_id=item,
                source=source,
                account=account,
                debit=max(part, ZERO),
                credit=max(-part, ZERO),
                note=note,
                actor=actor,
            )
            for source, part in parts.items()
            if part
        ]
    LedgerEntry.objects.bulk_create(entries)


def _booked(origin: _Origin, items: set[int]) -> dict[tuple[int, str], dict[str, Decimal]]:
    """(item, account) → source → debit − credit booked so far for the batch or recovery."""
    if not items:
        return {}
    rows = (
        LedgerEntry.objects.filter(
            Q(batch=origin.batch) if origin.batch else Q(recovery=origin.recovery),
            item__in=items,
            account__in=SOURCED,
        )
        .order_by()
        .values_list("item_id", "account", "source")
        .annotate(sum=Sum(F("debit") - F("credit")))
    )
    booked: dict[tuple[int, str], dict[str, Decimal]] = {}
    for item, account, source, amount in rows:
        booked.setdefault((item, account), {})[source] = amount
    return booked


def _divided(booked: Mapping[str, Decimal], amount: Decimal, shares: Shares) -> dict[str, Decimal]:
    """Source → its part of a further amount; a source that has lost its share gives back what it bears first."""
    given = dict(shares)
    sources = [source for source in FundSource.values if source in given or source in booked]
    parts = split_next(
        [booked.get(source, ZERO) for source in sources],
        amount,
        [given.get(source, Decimal(0)) for source in sources],
    )
    return dict(zip(sources, parts, strict=True))
