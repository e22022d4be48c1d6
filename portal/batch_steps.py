"""The way of a batch as its page shows it: stages across the top, whom it waits for, what this user can do next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from organization.choices import Permission
from organization.models import User
from subsidies.batch_table import TRANSITIONS, VERBS
from subsidies.choices import BatchAction, BatchState, PaymentState
from subsidies.models import Batch, BatchStep, TownshipCheck

#: state → (its name as a stage, the step that ends it, who takes that step)
STAGES: Final[dict[str, tuple[str, str, str]]] = {
    BatchState.DRAFT: ("制单", BatchAction.SUBMIT, "制单人提交"),
    BatchState.TOWNSHIP: ("镇街核实", BatchAction.CHECKED, "镇（街）负责人核实"),
    BatchState.APPROVAL: ("县局审批", BatchAction.APPROVE, "县民政局分管领导审批"),
    BatchState.NOTICE: ("公示", BatchAction.NOTICE_END, "公示期满"),
    BatchState.FINANCE: ("财政确认", BatchAction.CONFIRM, "财务人员确认"),
    BatchState.CONFIRMED: ("报送银行", BatchAction.SEND, "财务人员报送银行"),
    BatchState.SENT: ("银行回盘", BatchAction.RETURN, "财务人员导入回盘"),
    BatchState.RETURNED: ("关闭", BatchAction.CLOSE, "财务人员关闭"),
}
ORDER: Final = [*STAGES, BatchState.CLOSED]
#: state → (step, what the page calls it)
OFFERS: Final = {
    BatchState.DRAFT: (BatchAction.SUBMIT, "submit"),
    BatchState.APPROVAL: (BatchAction.APPROVE, "approve"),
    BatchState.FINANCE: (BatchAction.CONFIRM, "confirm"),
}
TONES: Final = {
    BatchState.CLOSED: "good",
    BatchState.VOID: "",
    BatchState.DRAFT: "",
    BatchState.RETURNED: "attention",
}


@dataclass(frozen=True)
class Stage:
    """One stage: mark done, now, todo, skipped or stopped; who ended it and when."""

    label: str
    mark: str
    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Offer:
    """What this user can do next; action '' and a sentence if it is nothing.

    action: submit, check, approve, confirm, file, send, return, close. townships: prefixes to be checked.
    """

    action: str = ""
    text: str = ""
    townships: tuple[str, ...] = ()


def state_tone(state: str) -> str:
    """Tone of a state's pill."""
    return TONES.get(BatchState(state), "info")


def stages_of(batch: Batch, steps: Sequence[BatchStep]) -> list[Stage]:
    """The stages of a batch with the steps that ended them."""
    last = {step.action: step for step in steps}
    stopped = last.get(BatchAction.REJECT) or last.get(BatchAction.DISCARD)
    place = _place(batch, steps)
    stages = []
    for number, (state, (label, action, _)) in enumerate(STAGES.items()):
        step = last.get(action)
        if batch.state == BatchState.VOID and number == place:
            stages.append(
                Stage(
                    f"{label}：已退回" if BatchAction.REJECT in last else f"{label}：已删除",
                    "stopped",
                    str(stopped.actor or "系统") if stopped else "",
                    stopped.at if stopped else None,
                )
            )
        elif number >= place:
            stages.append(Stage(label, "now" if number == place else "todo"))
        elif state == BatchState.NOTICE and batch.notice_from is None:
            stages.append(Stage("不公示", "skipped"))
        else:
            stages.append(
                Stage(
                    label,
                    "done",
                    _checkers(steps)
                    if state == BatchState.TOWNSHIP
                    else str((step and step.actor) or "系统"),
                    step.at if step else None,
                )
            )
    return stages


def waits_for(batch: Batch, checks: Sequence[TownshipCheck], lines: Mapping[str, int]) -> str:
    """Whom the batch waits for, in words. lines: state → number of lines."""
    if batch.state == BatchState.CLOSED:
        return "已办结"
    if batch.state == BatchState.VOID:
        return "已作废，应发的行回到待发放"
    if batch.state == BatchState.DRAFT:
        return f"等制单人 {batch.made_by} 提交"
    if batch.state == BatchState.TOWNSHIP:
        checked = sum(check.checked_at is not None for check in checks)
        return f"等镇（街）负责人核实（已核 {checked}/{len(checks)}）"
    if batch.state == BatchState.NOTICE:
        return f"公示至 {batch.notice_until}，期满自动转财政确认"
    if batch.state == BatchState.RETURNED and waiting_lines(lines):
        return "等银行答复其余的行，由财务人员导入回盘"
    return f"等{STAGES[BatchState(batch.state)][2]}"


def waiting_lines(lines: Mapping[str, int]) -> int:
    """Lines without a final answer of the bank."""
    return lines.get(PaymentState.PENDING, 0) + lines.get(PaymentState.PROCESSING, 0)


def offer_for(
    batch: Batch,
    user: User,
    steps: Sequence[BatchStep],
    checks: Iterable[TownshipCheck],
    lines: Mapping[str, int],
    *,
    has_file: bool,
) -> Offer:
    """The one next action of this user, or why there is none. lines: state → number of lines of the batch."""
    state = BatchState(batch.state)
    if state in OFFERS:
        action, name = OFFERS[state]
        return _offer(batch, user, steps, action, name)
    if state == BatchState.TOWNSHIP:
        return _check(batch, user, steps, checks)
    if state == BatchState.CONFIRMED:
        has_lines = lines.get(PaymentState.PENDING, 0) > 0
        return _offer(batch, user, steps, BatchAction.SEND, "send" if has_file or not has_lines else "file")
    if state in {BatchState.SENT, BatchState.RETURNED}:
        if waiting_lines(lines):
            return _offer(batch, user, steps, BatchAction.RETURN, "return")
        offer = _offer(batch, user, steps, BatchAction.CLOSE, "close")
        if offer.action and lines.get(PaymentState.HELD):
            return Offer(text=f"还有 {lines[PaymentState.HELD]} 行暂缓未处理，先处理异议或解除暂缓，再关闭。")
        return offer
    return Offer()


def may_take(batch: Batch, user: User, steps: Iterable[BatchStep], action: BatchAction) -> str | None:
    """'' if the user may take the step now, a sentence if only another person may, None if it is not his to take."""
    transition = TRANSITIONS.get((BatchState(batch.state), action))
    if transition is None or transition.permission is None:
        return None
    prefixes = user.area_prefixes(transition.permission)
    county = batch.county_code
    if not any(county.startswith(p) or (transition.in_part and p.startswith(county[:6])) for p in prefixes):
        return None
    if transition.by_maker:
        return "" if user.pk == batch.made_by_id else f"这一批由制单人 {batch.made_by} {VERBS[action]}。"
    if BatchAction.BUILD in transition.apart_from and user.pk == batch.made_by_id:
        return f"您是制单人，{VERBS[action]}须由他人办理。"
    mine = [s.action for s in steps if s.actor_id == user.pk and s.action in transition.apart_from]
    if mine:
        return f"您已办理过{VERBS[BatchAction(mine[0])]}，{VERBS[action]}须由他人办理。"
    return ""


def may_reject(batch: Batch, user: User, steps: Iterable[BatchStep], checks: Iterable[TownshipCheck]) -> bool:
    """Tell whether the user may send the batch back; a township's lead only what has lines of his own."""
    if may_take(batch, user, steps, BatchAction.REJECT) != "":
        return False
    if batch.state != BatchState.TOWNSHIP:
        return True
    prefixes = user.area_prefixes(Permission.BATCH_CHECK)
    return any(check.township.startswith(prefix) for check in checks for prefix in prefixes)


def open_townships(batch: Batch, user: User, checks: Iterable[TownshipCheck]) -> tuple[str, ...]:
    """Prefixes of the townships that lie in this user's areas and are still to be checked."""
    prefixes = user.area_prefixes(Permission.BATCH_CHECK)
    open_ones = [check.township for check in checks if check.checked_at is None and check.township]
    return tuple(t for t in open_ones if any(t.startswith(prefix) for prefix in prefixes))


def standing(batch: Batch, today: date) -> Batch:
    """The batch as the next step finds it: a notice that is over has ended, though nobody has noted it yet."""
    if batch.state == BatchState.NOTICE and batch.notice_until is not None and batch.notice_until < today:
        batch.state = TRANSITIONS[BatchState.NOTICE, BatchAction.NOTICE_END].target
    return batch


def notice_days_left(batch: Batch, today: date) -> int:
    """Days of 公示 still to come, today included; 0 when it is over."""
    if batch.notice_until is None:
        return 0
    return max(0, (batch.notice_until - today).days + 1)


def _place(batch: Batch, steps: Sequence[BatchStep]) -> int:
    """Number of the stage at which the batch stands or, once void, stood."""
    if batch.state != BatchState.VOID:
        return ORDER.index(BatchState(batch.state))
    before = [step.state for step in steps if step.state != BatchState.VOID]
    return ORDER.index(BatchState(before[-1])) if before else 0


def _checkers(steps: Iterable[BatchStep]) -> str:
    """Who found the townships right: one name, or the first with how many there were."""
    names = list(dict.fromkeys(str(step.actor) for step in steps if step.action == BatchAction.CHECK))
    return f"{names[0]}等 {len(names)} 人" if len(names) > 1 else "".join(names)


def _offer(batch: Batch, user: User, steps: Iterable[BatchStep], action: BatchAction, name: str) -> Offer:
    refusal = may_take(batch, user, steps, action)
    if refusal is None:
        return Offer()
    return Offer(text=refusal) if refusal else Offer(name)


def _check(batch: Batch, user: User, steps: Iterable[BatchStep], checks: Iterable[TownshipCheck]) -> Offer:
    offer = _offer(batch, user, steps, BatchAction.CHECK, "check")
    if offer.action != "check":
        return offer
    townships = open_townships(batch, user, checks)
    if townships:
        return Offer("check", townships=townships)
    return Offer(text="您负责的镇（街）在这一批里已全部核实，或没有要发的行。")
