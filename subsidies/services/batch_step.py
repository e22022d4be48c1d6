"""Steps of a batch from 提交 to 关闭 (design §2, Money); every one checks state, right and person itself.

Who may take which step in which state stands in subsidies.batch_table; what the steps share, and in which order they
lock, in batch_transition. What holds single lines back stands in objection.
"""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Count, F, Max, Sum
from django.utils import timezone

from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import User
from subsidies.balance import batch_overpaid
from subsidies.batch_gate import batch_gate
from subsidies.batch_table import TRANSITIONS
from subsidies.budget import overruns_of
from subsidies.choices import BatchAction, BatchKind, BatchState, PaymentState
from subsidies.county_lock import county_lock_or_refuse
from subsidies.models import BankFile, Batch, Payment, TownshipCheck
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch_transition import (
    batch_lock,
    note_clean,
    totals_set,
    transition_open,
    transition_write,
)
from subsidies.services.ledger import confirm_post, send_post
from subsidies.services.notice import notice_end
from subsidies.services.recovery_entry import recovery_offset_book


def batch_submit(*, batch_id: int, actor: User, note: str = "") -> Batch:
    """The maker hands the draft to the townships; one with lines of outside the county alone goes on at once."""
    note = note_clean(note)
    with transaction.atomic():
        batch = batch_lock(batch_id)
        transition = transition_open(batch=batch, action=BatchAction.SUBMIT, actor=actor)
        if transition is None:
            return batch
        _refuse_empty(batch)
        batch_gate(batch=batch, action=BatchAction.SUBMIT)
        _checks_make(batch)
        transition_write(
            batch=batch, action=BatchAction.SUBMIT, state=transition.target, actor=actor, note=note
        )
        _checked_end(batch)
    return batch


def township_check(*, batch_id: int, township: str, actor: User, note: str = "") -> Batch:
    """A township's lead finds its lines right; with the last township the batch goes on to approval.

    township: 9-digit prefix; '' for lines of outside the county, which any lead of the county may check and the
    approver answers for otherwise.
    """
    note = note_clean(note)
    with transaction.atomic():
        batch = batch_lock(batch_id)
        check = (
            TownshipCheck.objects.select_related("checked_by").filter(batch=batch, township=township).first()
        )
        if check is not None and check.checked_by is not None:
            return _checked_before(batch, check, actor)
        transition = transition_open(batch=batch, action=BatchAction.CHECK, actor=actor)
        if transition is None:
            return batch
        if check is None:
            raise MoneyRefusedError(f"批次 {batch.number} 没有这个镇（街）的行，请刷新页面后再选")
        _refuse_other_township(batch, township, actor)
        check.lines, check.amount = _township_sums(batch).get(township, (0, Decimal("0.00")))
        check.checked_by, check.checked_at, check.note = actor, timezone.now(), note
        check.save()
        transition_write(
            batch=batch,
            action=BatchAction.CHECK,
            state=transition.target,
            actor=actor,
            note=note,
            lines=check.lines,
            amount=check.amount,
            data={"township": township},
        )
        _checked_end(batch)
    return batch


def batch_approve(*, batch_id: int, actor: User, note: str = "") -> Batch:
    """The bureau approves; then the list goes on public notice, or straight to finance where none is asked for.

    A reissue needs no second notice: its lines had theirs. The day of approval is not counted (民法典第二百零一条),
    so that a notice of n days ends with the nth day after it.
    """
    note = note_clean(note)
    with transaction.atomic():
        batch = _lock_with_county(batch_id)
        transition = transition_open(batch=batch, action=BatchAction.APPROVE, actor=actor)
        if transition is None:
            return batch
        _refuse_empty(batch)
        _refuse_overpaid(batch)
        batch_gate(batch=batch, action=BatchAction.APPROVE)
        outside = TownshipCheck.objects.filter(batch=batch, township="", checked_by=None)
        outside.update(checked_by=actor, checked_at=timezone.now(), note=note)
        days = _notice_days(batch)
        state = transition.target if days else transition.skips_to or transition.target
        if days:
            batch.notice_from = timezone.localdate()
            batch.notice_until = batch.notice_from + timedelta(days=days)
            batch.notice_key = uuid4()
        transition_write(batch=batch, action=BatchAction.APPROVE, state=state, actor=actor, note=note)
    return batch


def batch_reject(*, batch_id: int, actor: User, note: str) -> Batch:
    """Send the batch back for a reason: it and its lines become void, what they paid is due again."""
    note = note_clean(note, name="退回理由", required=True)
    with transaction.atomic():
        batch = batch_lock(batch_id)
        notice_end(batch=batch, today=timezone.localdate())
        transition = transition_open(batch=batch, action=BatchAction.REJECT, actor=actor)
        if transition is None:
            return batch
        if transition.in_part:
            _refuse_stranger(batch, actor)
        lines, amount = batch.lines, batch.amount
        Payment.objects.filter(batch=batch).update(state=PaymentState.VOID)
        totals_set(batch)
        transition_write(
            batch=batch,
            action=BatchAction.REJECT,
            state=transition.target,
            actor=actor,
            note=note,
            lines=lines,
            amount=amount,
        )
    return batch


def batch_confirm(*, batch_id: int, actor: User, note: str = "") -> Batch:
    """Finance confirms: from here the sums are fixed and owed. Held lines are no part of it.

    Money beyond an item's appropriation of the year needs its ground in the note.
    """
    note = note_clean(note)
    with transaction.atomic():
        batch = _lock_with_county(batch_id)
        notice_end(batch=batch, today=timezone.localdate())
        transition = transition_open(batch=batch, action=BatchAction.CONFIRM, actor=actor)
        if transition is None:
            return batch
        _refuse_empty(batch)
        _refuse_overpaid(batch)
        batch_gate(batch=batch, action=BatchAction.CONFIRM)
        over = overruns_of(batch)
        if over and not note:
            sums = "；".join(f"{overrun.item} 超出预算 {overrun.amount:,.2f} 元" for overrun in over)
            raise MoneyRefusedError(f"{sums}，请在意见中写明依据")
        confirm_post(batch=batch, actor=actor)
        transition_write(
            batch=batch,
            action=BatchAction.CONFIRM,
            state=transition.target,
            actor=actor,
            note=note,
            data={"over": {overrun.item.code: str(overrun.amount) for overrun in over}},
        )
    return batch


def batch_send(*, batch_id: int, actor: User) -> Batch:
    """Note that the downloaded file went to the bank; book what is kept back, lines kept back whole are done."""
    with transaction.atomic():
        if Payment.objects.filter(batch=batch_id, offset__gt=0).exists():
            batch = _lock_with_county(batch_id)
        else:
            batch = batch_lock(batch_id)
        transition = transition_open(batch=batch, action=BatchAction.SEND, actor=actor)
        if transition is None:
            return batch
        _refuse_without_file(batch)
        batch_gate(batch=batch, action=BatchAction.SEND)
        send_post(batch=batch, actor=actor)
        pending = Payment.objects.filter(batch=batch, state=PaymentState.PENDING)
        for payment in pending.filter(offset__gt=0).select_related("batch").order_by("elder_id", "number"):
            recovery_offset_book(payment=payment, actor=actor)
        pending.filter(offset=F("amount")).update(state=PaymentState.PAID, paid_on=timezone.localdate())
        transition_write(batch=batch, action=BatchAction.SEND, state=transition.target, actor=actor)
    return batch


def batch_close(*, batch_id: int, actor: User, note: str = "") -> Batch:
    """Close a batch once the bank has answered for every line and nothing is held any more."""
    note = note_clean(note)
    with transaction.atomic():
        batch = batch_lock(batch_id)
        transition = transition_open(batch=batch, action=BatchAction.CLOSE, actor=actor)
        if transition is None:
            return batch
        states = [PaymentState.PENDING, PaymentState.PROCESSING, PaymentState.HELD]
        lines = Payment.objects.filter(batch=batch, state__in=states)
        left = dict(lines.order_by().values_list("state").annotate(n=Count("pk")))
        held = left.pop(PaymentState.HELD, 0)
        if left:
            raise MoneyRefusedError(
                f"还有 {sum(left.values())} 行没有银行结果（待发或处理中），请导入回盘后再关闭"
            )
        if held:
            raise MoneyRefusedError(f"还有 {held} 行暂缓未处理，请先处理异议或解除暂缓，再关闭")
        transition_write(
            batch=batch, action=BatchAction.CLOSE, state=transition.target, actor=actor, note=note
        )
    return batch


def _lock_with_county(batch_id: int) -> Batch:
    """Hold the county, so that no run changes what is due meanwhile, then the batch."""
    county_lock_or_refuse(Batch.objects.values_list("county_code", flat=True).get(pk=batch_id))
    return batch_lock(batch_id)


def _refuse_empty(batch: Batch) -> None:
    totals_set(batch)
    if not batch.lines:
        raise MoneyRefusedError(f"批次 {batch.number} 没有要发的行（全部暂缓或作废），请退回或删除后重新生成")


def _refuse_overpaid(batch: Batch) -> None:
    """Facts may have changed since the batch was built: what would be too much by now must not be paid."""
    lines, amount = batch_overpaid(batch)
    if lines:
        raise MoneyRefusedError(
            f"批次 {batch.number} 生成后重新核定过，有 {lines} 行按最新资料不应发或多发，共 {amount:,.2f} 元；"
            "请退回，由制单人重新生成"
        )


def _checks_make(batch: Batch) -> None:
    """One row per township with lines; '' gathers those of outside the county."""
    batch.checks.all().delete()
    TownshipCheck.objects.bulk_create(
        TownshipCheck(batch=batch, township=township, lines=lines, amount=amount)
        for township, (lines, amount) in sorted(_township_sums(batch).items())
    )


def _township_sums(batch: Batch) -> dict[str, tuple[int, Decimal]]:
    """Township → lines and 元 of what is to be paid there, held lines left out."""
    county = area_prefix(batch.county_code)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT CASE WHEN starts_with(area_code, '{county}') THEN left(area_code, 9) ELSE '' END AS township,
                   count(*) FILTER (WHERE state = '{PaymentState.PENDING}'),
                   coalesce(sum(amount - "offset") FILTER (WHERE state = '{PaymentState.PENDING}'), 0)
            FROM subsidies_payment WHERE batch_id = %s GROUP BY township""",
            [batch.pk],
        )
        return {township: (lines, Decimal(amount)) for township, lines, amount in cursor.fetchall()}


def _checked_before(batch: Batch, check: TownshipCheck, actor: User) -> Batch:
    if check.checked_by_id == actor.pk:
        return batch
    at = timezone.localtime(check.checked_at)
    raise MoneyRefusedError(f"已由 {check.checked_by} 于 {at:%m-%d %H:%M} 核实，不用再办")


def _refuse_other_township(batch: Batch, township: str, actor: User) -> None:
    prefixes = actor.area_prefixes(Permission.BATCH_CHECK)
    if township and not any(township.startswith(prefix) for prefix in prefixes):
        raise MoneyRefusedError("这个镇（街）不在您的区划范围内，请由该镇（街）负责人核实")


def _refuse_stranger(batch: Batch, actor: User) -> None:
    """A lead sends back only what has lines of his own."""
    prefixes = actor.area_prefixes(Permission.BATCH_CHECK)
    townships = batch.checks.values_list("township", flat=True)
    if not any(township.startswith(prefix) for township in townships for prefix in prefixes):
        raise MoneyRefusedError(f"批次 {batch.number} 没有您负责的镇（街）的行，请由有关镇（街）负责人退回")


def _checked_end(batch: Batch) -> None:
    """Step on once every township of the county has been checked; lines of outside wait for nobody."""
    if batch.checks.filter(checked_by=None).exclude(township="").exists():
        return
    target = TRANSITIONS[BatchState.TOWNSHIP, BatchAction.CHECKED].target
    transition_write(batch=batch, action=BatchAction.CHECKED, state=target, actor=None)


def _notice_days(batch: Batch) -> int:
    if batch.kind == BatchKind.REISSUE:
        return 0
    lines = Payment.objects.filter(batch=batch, state=PaymentState.PENDING)
    return lines.aggregate(days=Max("item__payment_terms__notice_days"))["days"] or 0


def _refuse_without_file(batch: Batch) -> None:
    """What goes to the bank was made and fetched, and says what the batch says."""
    lines = Payment.objects.filter(batch=batch, state=PaymentState.PENDING, offset__lt=F("amount"))
    found = lines.aggregate(lines=Count("pk"), amount=Sum(F("amount") - F("offset")))
    if not found["lines"]:
        return
    file = BankFile.objects.filter(batch=batch).first()
    if file is None:
        raise MoneyRefusedError(f"批次 {batch.number} 还没有银行文件，请先生成并下载")
    if not file.downloads:
        raise MoneyRefusedError(f"批次 {batch.number} 的银行文件还没有下载，请下载并交银行后再登记报送")
    if (file.lines, file.amount) != (found["lines"], found["amount"]):
        raise MoneyRefusedError(
            f"银行文件 {file.lines} 笔 {file.amount:,.2f} 元，与批次 {found['lines']} 笔"
            f" {found['amount']:,.2f} 元不符，请不要报送，联系系统管理员核对"
        )
