"""Write-off (核销) and cancellation (撤销) of a recovery case: asked for by one person, decided by another."""

from uuid import uuid5

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from organization.models import User
from subsidies.choices import RecoveryEntryKind
from subsidies.models import Recovery, RecoveryRequest
from subsidies.recovery_selectors import open_sums
from subsidies.recovery_state import counter_lines
from subsidies.refusals import MoneyRefusedError
from subsidies.services.recovery_entry import (
    NAMESPACE,
    case_audit,
    case_locked,
    entry_add,
    lines_add,
    lowering_refuse,
)

ASKED = frozenset({RecoveryEntryKind.WRITE_OFF.value, RecoveryEntryKind.CANCEL.value})


def recovery_request(*, recovery_id: int, kind: str, reason: str, actor: User) -> RecoveryRequest:
    """Ask that the open sum be written off, or be cancelled because nothing was overpaid."""
    with transaction.atomic():
        recovery = case_locked(recovery_id)
        waiting = recovery.requests.filter(approved=None).select_related("made_by").first()
        if waiting is not None:
            if (waiting.made_by_id, waiting.kind) == (actor.pk, kind):
                return waiting
            at = timezone.localtime(waiting.made_at)
            raise MoneyRefusedError(
                f"已由 {waiting.made_by} 于 {at:%m-%d %H:%M} 申请{waiting.kind}，请等审批结果"
            )
        if kind not in ASKED:
            raise MoneyRefusedError("请选择申请核销还是撤销")
        if not reason.strip():
            raise MoneyRefusedError(f"请写明申请{kind}的理由")
        if not open_sums([recovery.pk])[recovery.pk]:
            raise MoneyRefusedError(f"本案没有未退金额，不需要{kind}；资料更正后应补的由下次核定补发")
        request = RecoveryRequest.objects.create(
            recovery=recovery, kind=kind, reason=reason.strip(), made_by=actor
        )
        case_audit(f"申请追缴{kind}", recovery, actor, request=request.pk)
    return request


def recovery_decide(*, request_id: int, approved: bool, opinion: str, actor: User) -> RecoveryRequest:
    """Grant or refuse a request; granting books the whole open sum as it stands now.

    A cancellation also takes the case's claims back, newest months first: what had been returned already then counts
    as unpaid and comes back to the elder as 补发 by the next run (design §2 step 7).
    """
    with transaction.atomic():
        recovery = case_locked(
            RecoveryRequest.objects.values_list("recovery_id", flat=True).get(pk=request_id)
        )
        request = (
            RecoveryRequest.objects.select_for_update(of=("self",))
            .select_related("decided_by")
            .get(pk=request_id)
        )
        if request.approved is not None:
            return _decided_before(request, approved, actor)
        if request.made_by_id == actor.pk:
            raise MoneyRefusedError("申请人不能审批自己的申请，请由另一位有权限的人审批")
        if not approved and not opinion.strip():
            raise MoneyRefusedError("不批准应写明意见，便于经办人更正")
        request.approved, request.decided_by, request.decided_at = approved, actor, timezone.now()
        request.opinion = opinion.strip()
        request.save(update_fields=["approved", "decided_by", "decided_at", "opinion"])
        case_audit(
            f"{'批准' if approved else '不批准'}追缴{request.kind}", recovery, actor, request=request.pk
        )
        if approved:
            _carry_out(recovery, request, actor)
    return request


def _carry_out(recovery: Recovery, request: RecoveryRequest, actor: User) -> None:
    left = open_sums([recovery.pk])[recovery.pk]
    lowering_refuse(recovery, left)
    if request.kind == RecoveryEntryKind.CANCEL:
        claims = recovery.lines.order_by().values_list("month").annotate(amount=Sum("amount"))
        lines_add(recovery=recovery, amounts=counter_lines(lines=dict(claims), amount=left))
    entry_add(
        recovery=recovery,
        kind=RecoveryEntryKind(request.kind),
        amount=left,
        on=timezone.localdate(),
        key=uuid5(NAMESPACE, f"request:{request.pk}"),
        actor=actor,
        note=request.reason,
    )


def _decided_before(request: RecoveryRequest, approved: bool, actor: User) -> RecoveryRequest:
    if (request.decided_by_id, request.approved) == (actor.pk, approved):
        return request
    at = timezone.localtime(request.decided_at) if request.decided_at else timezone.localtime()
    result = "批准" if request.approved else "不批准"
    raise MoneyRefusedError(f"已由 {request.decided_by} 于 {at:%m-%d %H:%M} {result}")
