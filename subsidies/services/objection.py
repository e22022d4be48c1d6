"""What keeps a single line back: an objection during public notice, or a hold by who checks; the rest goes on.

A line that is released after 财政确认 is not part of the confirmed sum: it becomes void and is due again in the next
batch. Sums that were approved only ever shrink, but for an objection found wrong before 财政确认.
"""

from typing import Final

from django.db import transaction
from django.utils import timezone

from operations.models import AuditEntry
from operations.services.audit import audit_record
from organization.choices import Permission
from organization.models import User
from subsidies.batch_table import UNCONFIRMED
from subsidies.choices import BatchState, ObjectionState, PaymentState
from subsidies.models import Batch, Objection, Payment
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch_transition import batch_lock, note_clean, refuse_without, totals_set
from subsidies.services.notice import notice_end

#: Who may take an objection down: offices that people come to.
RECEIVING: Final = (
    Permission.ENROLMENT_CHANGE,
    Permission.BATCH_CHECK,
    Permission.BATCH_MAKE,
    Permission.BATCH_APPROVE,
)
HOLDING: Final = (
    Permission.BATCH_MAKE,
    Permission.BATCH_CHECK,
    Permission.BATCH_APPROVE,
    Permission.BATCH_CONFIRM,
)
RELEASING: Final = (Permission.BATCH_CHECK, Permission.BATCH_APPROVE)
#: States in which what is released has not been approved yet.
UNAPPROVED: Final = (BatchState.DRAFT, BatchState.TOWNSHIP, BatchState.APPROVAL)
HELD, RELEASED = "暂缓发放明细", "解除暂缓"
TEXT_LENGTH: Final = 500


def objection_record(*, payment_id: int, text: str, actor: User) -> Objection:
    """Take an objection down while the list is on notice; its line is held, the others go on."""
    text = text.strip()
    if not text or len(text) > TEXT_LENGTH:
        raise MoneyRefusedError(f"请填写异议内容，最多 {TEXT_LENGTH} 个字")
    with transaction.atomic():
        batch, payment = _lock(payment_id)
        _refuse_without_any(actor, RECEIVING, payment, batch)
        known = _open_objection(payment)
        if known is not None:
            return _received_before(known, text, actor)
        if batch.state != BatchState.NOTICE or payment.state != PaymentState.PENDING:
            raise MoneyRefusedError(_no_objection(batch, payment))
        objection = Objection.objects.create(payment=payment, text=text, received_by=actor)
        _put(batch, payment, PaymentState.HELD)
        _audit("登记公示异议", batch, payment, actor, objection=objection.pk)
    return objection


def objection_decide(*, objection_id: int, upheld: bool, finding: str, actor: User) -> Objection:
    """Decide an objection that another person took down: upheld, the line is not paid in this batch; else it is."""
    finding = note_clean(finding, name="处理结果", required=True)
    verdict = ObjectionState.UPHELD if upheld else ObjectionState.DISMISSED
    with transaction.atomic():
        batch, payment = _lock(Objection.objects.values_list("payment_id", flat=True).get(pk=objection_id))
        objection = Objection.objects.select_related("received_by", "decided_by").get(pk=objection_id)
        refuse_without(actor=actor, permission=Permission.BATCH_APPROVE, county_code=batch.county_code)
        if objection.state != ObjectionState.OPEN:
            return _decided_before(objection, verdict, actor)
        if actor.pk in {objection.received_by_id, batch.made_by_id}:
            raise MoneyRefusedError(
                "受理异议的人和批次的制单人不能处理这件异议，请由其他有审批权限的人员办理"
            )
        objection.state, objection.finding = verdict, finding
        objection.decided_by, objection.decided_at = actor, timezone.now()
        objection.save()
        if payment.state == PaymentState.HELD:
            back = not upheld and batch.state in UNCONFIRMED
            _put(batch, payment, PaymentState.PENDING if back else PaymentState.VOID)
        _audit("处理公示异议", batch, payment, actor, objection=objection.pk, verdict=str(verdict))
    return objection


def payment_hold(*, payment_id: int, reason: str, actor: User) -> Payment:
    """Keep one line back before 财政确认, for a reason that the audit keeps."""
    reason = note_clean(reason, name="暂缓理由", required=True)
    with transaction.atomic():
        batch, payment = _lock(payment_id)
        _refuse_without_any(actor, HOLDING, payment, batch)
        if payment.state == PaymentState.HELD:
            return _held_before(batch, payment, actor)
        if payment.state != PaymentState.PENDING or batch.state not in UNCONFIRMED:
            raise MoneyRefusedError(
                f"批次 {batch.number} 第 {payment.number} 行现为“{payment.state}”，批次现为“{batch.state}”，"
                "不能暂缓；财政确认后的，请在发放后办理追缴"
            )
        _put(batch, payment, PaymentState.HELD)
        _audit(HELD, batch, payment, actor, reason=reason)
    return payment


def payment_release(*, payment_id: int, reason: str, actor: User) -> Payment:
    """End a hold that is no objection's; by who checks or approves, never by the maker.

    Before approval the line comes back into the batch; later it becomes void, and is due again in the next one.
    """
    reason = note_clean(reason, name="解除理由", required=True)
    with transaction.atomic():
        batch, payment = _lock(payment_id)
        _refuse_without_any(actor, RELEASING, payment, batch)
        if batch.made_by_id == actor.pk:
            raise MoneyRefusedError("您是本批次的制单人，不能解除暂缓，请由核实或审批人员办理")
        if payment.state != PaymentState.HELD:
            return _released_before(batch, payment, actor)
        if _open_objection(payment) is not None:
            raise MoneyRefusedError("这一行有异议在处理，请先处理异议")
        back = batch.state in UNAPPROVED
        _put(batch, payment, PaymentState.PENDING if back else PaymentState.VOID)
        _audit(RELEASED, batch, payment, actor, reason=reason)
    return payment


def _lock(payment_id: int) -> tuple[Batch, Payment]:
    """Hold the batch, then the line; a notice that is over ends first."""
    batch = batch_lock(Payment.objects.values_list("batch_id", flat=True).get(pk=payment_id))
    notice_end(batch=batch, today=timezone.localdate())
    return batch, Payment.objects.select_for_update().get(pk=payment_id)


def _put(batch: Batch, payment: Payment, state: PaymentState) -> None:
    """Change the line's state; the batch's sums follow until they are confirmed."""
    payment.state = state
    payment.save(update_fields=["state"])
    if batch.state in UNCONFIRMED:
        totals_set(batch)
        batch.save(update_fields=["lines", "amount"])


def _refuse_without_any(
    actor: User, permissions: tuple[Permission, ...], payment: Payment, batch: Batch
) -> None:
    """Raise MoneyRefusedError unless one of the permissions covers the line's village, or the whole county."""
    county = batch.county_code
    # an elder who lives elsewhere is nobody's in this county but the county's own
    codes = {county, payment.area_code if payment.area_code.startswith(county[:6]) else county}
    prefixes = {p for permission in permissions for p in actor.area_prefixes(permission)}
    if actor.is_active and any(code.startswith(prefix) for code in codes for prefix in prefixes):
        return
    raise MoneyRefusedError("您没有办理这一行的权限（不在您的区划范围或角色之内），请由有权限的人员办理")


def _open_objection(payment: Payment) -> Objection | None:
    rows = Objection.objects.filter(payment=payment, state=ObjectionState.OPEN)
    return rows.select_related("received_by").first()


def _no_objection(batch: Batch, payment: Payment) -> str:
    if batch.state != BatchState.NOTICE:
        return f"批次 {batch.number} 现为“{batch.state}”，公示期间才能登记异议；发放后的问题请走停发与追缴"
    return f"这一行现为“{payment.state}”，本批不发，不用登记异议"


def _received_before(known: Objection, text: str, actor: User) -> Objection:
    if (known.received_by_id, known.text) == (actor.pk, text):
        return known
    at = timezone.localtime(known.received_at)
    raise MoneyRefusedError(
        f"这一行已有一件异议在处理（{known.received_by} 于 {at:%m-%d %H:%M} 受理），请把新情况告知处理人"
    )


def _decided_before(known: Objection, verdict: ObjectionState, actor: User) -> Objection:
    if (known.decided_by_id, known.state) == (actor.pk, verdict):
        return known
    at = timezone.localtime(known.decided_at)
    raise MoneyRefusedError(f"这件异议已由 {known.decided_by} 于 {at:%m-%d %H:%M} 处理：{known.state}")


def _held_before(batch: Batch, payment: Payment, actor: User) -> Payment:
    if _open_objection(payment) is not None:
        raise MoneyRefusedError("这一行因异议已经暂缓，不用再办")
    return _done_before(HELD, batch, payment, actor)


def _released_before(batch: Batch, payment: Payment, actor: User) -> Payment:
    return _done_before(RELEASED, batch, payment, actor)


def _done_before(action: str, batch: Batch, payment: Payment, actor: User) -> Payment:
    """The line if the same person did it last; otherwise who did, from the audit."""
    rows = AuditEntry.objects.filter(subject=f"batch:{batch.number}", data__line=payment.number)
    last = rows.filter(action__in=(HELD, RELEASED)).order_by("-id").first()
    if last is None or last.action != action:
        raise MoneyRefusedError(f"这一行现为“{payment.state}”，没有暂缓")
    if last.actor_id == actor.pk:
        return payment
    raise MoneyRefusedError(f"已由 {last.actor_name} 于 {timezone.localtime(last.at):%m-%d %H:%M} {action}")


def _audit(action: str, batch: Batch, payment: Payment, actor: User, **data: object) -> None:
    audit_record(
        action=action, subject=f"batch:{batch.number}", actor=actor, data={"line": payment.number, **data}
    )
