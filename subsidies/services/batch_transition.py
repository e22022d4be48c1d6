"""What every step of a batch shares: lock, gate and history. The table says what is allowed, this applies it.

A step is taken like this, in one transaction:

    batch = batch_lock(batch_id)
    transition = transition_open(batch=batch, action=…, actor=actor)
    if transition is None: return batch          # the same person did this very step before
    …
    transition_write(batch=batch, action=…, state=transition.target, actor=actor, note=note)

Locks: where a step also needs the county (subsidies.county_lock), the county comes first, then the batch, then lines.
"""

from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Sum
from django.utils import timezone

from operations.services.audit import audit_record
from organization.choices import Permission
from organization.models import User
from subsidies.batch_table import TRANSITIONS, VERBS, Transition
from subsidies.choices import BatchAction, BatchState, PaymentState
from subsidies.models import Batch, BatchStep, Payment
from subsidies.refusals import MoneyRefusedError

NOTE_LENGTH = 200
#: Lines that are no part of what is paid.
LEFT_OUT = (PaymentState.HELD, PaymentState.VOID)
OVER = (BatchState.VOID, BatchState.CLOSED)


def batch_lock(batch_id: int) -> Batch:
    """Hold the batch to the end of the transaction and read it as it stands now."""
    rows = Batch.objects.select_for_update(of=("self",)).select_related("month", "made_by")
    return rows.get(pk=batch_id)


def transition_open(*, batch: Batch, action: BatchAction, actor: User) -> Transition | None:
    """Give the step that the actor may now take; None if he has taken this very step already.

    The batch is locked. Raises MoneyRefusedError: no right here, not in this state, or not by this person.
    """
    transition = TRANSITIONS.get((BatchState(batch.state), action))
    if transition is None:
        _refuse_over(batch, action, actor)
        return None
    if transition.permission is None:
        raise ValueError(f"{action} is a step of the system")
    refuse_without(
        actor=actor,
        permission=transition.permission,
        county_code=batch.county_code,
        in_part=transition.in_part,
    )
    if transition.by_maker and actor.pk != batch.made_by_id:
        raise MoneyRefusedError(
            f"批次 {batch.number} 由制单人 {batch.made_by} {VERBS[action]}，请由其本人办理"
        )
    _refuse_own(batch, action, transition, actor)
    return transition


def transition_write(
    *,
    batch: Batch,
    action: BatchAction,
    state: BatchState,
    actor: User | None,
    note: str = "",
    lines: int | None = None,
    amount: Decimal | None = None,
    data: dict[str, Any] | None = None,
) -> BatchStep:
    """Put the batch into the state and write the step and the audit row; lines, amount: the batch's if not given.

    Whatever else was changed on the batch is saved with it.
    """
    batch.state = state
    batch.save()
    step = BatchStep.objects.create(
        batch=batch,
        action=action,
        state=state,
        actor=actor,
        note=note,
        lines=batch.lines if lines is None else lines,
        amount=batch.amount if amount is None else amount,
    )
    audit_record(
        action=f"批次{BatchAction(action).label}",
        subject=f"batch:{batch.number}",
        actor=actor,
        data={"state": str(state), "lines": step.lines, "amount": str(step.amount)} | (data or {}),
    )
    return step


def totals_set(batch: Batch) -> None:
    """Count again what is to be paid, held and void lines left out; the caller saves the batch."""
    sums = Payment.objects.filter(batch=batch).exclude(state__in=LEFT_OUT)
    found = sums.aggregate(lines=Count("pk"), amount=Sum(F("amount") - F("offset")))
    batch.lines, batch.amount = found["lines"], found["amount"] or Decimal("0.00")


def refuse_without(*, actor: User, permission: Permission, county_code: str, in_part: bool = False) -> None:
    """Raise MoneyRefusedError unless a role grants the actor the permission for the county, or a part of it."""
    prefixes = actor.area_prefixes(permission) if actor.is_active else []
    county = county_code[:6]
    if any(county_code.startswith(p) or (in_part and p.startswith(county)) for p in prefixes):
        return
    raise MoneyRefusedError(f"您在本县没有“{permission.label}”的权限，请由有权限的人员办理")


def note_clean(note: str, *, name: str = "意见", required: bool = False) -> str:
    """Give the note without surrounding space. Raises MoneyRefusedError if it is missing or too long."""
    note = note.strip()
    if required and not note:
        raise MoneyRefusedError(f"请填写{name}")
    if len(note) > NOTE_LENGTH:
        raise MoneyRefusedError(f"{name}有 {len(note)} 个字，最多 {NOTE_LENGTH} 个字，请缩短")
    return note


def told(step: BatchStep) -> str:
    """Who took a step and when, as a sentence's middle: «由 张三 于 11-21 10:05 审批»."""
    at = timezone.localtime(step.at)
    return f"由 {step.actor or '系统'} 于 {at:%m-%d %H:%M} {VERBS[BatchAction(step.action)]}"


def _refuse_over(batch: Batch, action: BatchAction, actor: User) -> None:
    """Unless the actor has done it himself, say who has, or why it cannot be done in this state."""
    steps = BatchStep.objects.filter(batch=batch).select_related("actor").order_by("-id")
    done = steps.filter(action=action).first()
    if done and done.actor_id == actor.pk:
        return
    if done:
        raise MoneyRefusedError(f"批次 {batch.number} 已{told(done)}，不用再办")
    last = steps.first()
    how = f"（{told(last)}）" if last and batch.state in OVER else ""
    way = "请在新的批次中办理" if batch.state in OVER else "请刷新页面查看现在的步骤"
    raise MoneyRefusedError(f"批次 {batch.number} 现为“{batch.state}”{how}，不能{VERBS[action]}；{way}")


def _refuse_own(batch: Batch, action: BatchAction, transition: Transition, actor: User) -> None:
    """Maker ≠ checker: nobody steps on what he has done himself."""
    done = list(
        BatchStep.objects.filter(batch=batch, action__in=transition.apart_from, actor=actor).values_list(
            "action", flat=True
        )
    )
    if BatchAction.BUILD in transition.apart_from and batch.made_by_id == actor.pk:
        done.insert(0, BatchAction.BUILD)
    if done:
        raise MoneyRefusedError(
            f"您已办理批次 {batch.number} 的{VERBS[BatchAction(done[0])]}，不能再{VERBS[action]}；"
            "同一批次的前后步骤须由不同的人办理，请由其他有权限的人员办理"
        )
