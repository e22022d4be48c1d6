"""What people do about a follow-up: take it, say how it goes, hand it on, close it. Steps are only ever added."""

from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.utils import timezone

from operations.commands import Refused
from operations.services.audit import audit_record
from organization.areas import county_code
from organization.models import Bureau, User
from visits.choices import DEPARTURE_KINDS, OPEN_FOLLOW_UP, FollowUpKind, FollowUpState
from visits.follow_ups import handlers_of, may_handle
from visits.models import FollowUp, FollowUpStep
from visits.services.follow_up import follow_ups_hold

SHORTEST, LONGEST = 4, 200
MOST: Final = 100


def follow_ups_accept(*, follow_up_ids: Sequence[int], actor: User) -> int:
    """Take the matters that wait and that the actor may handle; return how many. Others are left alone."""
    with transaction.atomic():
        rows = _locked(follow_up_ids[:MOST], actor)
        taken = [row for row in rows if row.state == FollowUpState.WAITING and may_handle(actor, row)]
        for row in taken:
            _step(row, FollowUpState.WORKING, "", actor, "接收跟进事项")
    return len(taken)


def follow_up_report(*, follow_up_id: int, note: str, seen: int, actor: User) -> FollowUp:
    """Say how it goes; by who handles it, the matter is then being worked on.

    seen: the last step that the actor knew of, 0 without one. Raises Refused: too short, or over by now, or another
    step was taken meanwhile; FollowUp.DoesNotExist out of the actor's sight.
    """
    note = _note(note, "办理情况")
    with transaction.atomic():
        row = _open(follow_up_id, actor)
        state = FollowUpState.WORKING if may_handle(actor, row) else FollowUpState(row.state)
        if _taken_already(row, seen, actor, state, note):
            return row
        return _step(row, state, note, actor, "反馈跟进事项")


def follow_up_close(*, follow_up_id: int, state: str, note: str, seen: int, actor: User) -> FollowUp:
    """Close a matter with its result, 已办结 or 不需办理. Raises as `follow_up_report`.

    A reported death or moving out ends as 不需办理 here (误报); confirming it is `departure_confirm`.
    """
    if state not in (FollowUpState.DONE, FollowUpState.DROPPED):
        raise Refused("请选择“已办结”或“不需办理”")
    note = _note(note, "办理结果")
    with transaction.atomic():
        row = _handled(follow_up_id, actor, FollowUpState(state), note, seen)
        if row.kind in DEPARTURE_KINDS and state == FollowUpState.DONE and row.state in OPEN_FOLLOW_UP:
            raise Refused("属实的请填写日期后登记；误报的请选“误报”并写明理由")
        if row.state not in OPEN_FOLLOW_UP:
            return row
        return _step(row, FollowUpState(state), note, actor, "办结跟进事项")


def follow_up_hand_on(*, follow_up_id: int, bureau_id: int, reason: str, seen: int, actor: User) -> FollowUp:
    """Hand a referral on to another bureau of the county, which has to take it anew. Raises as `follow_up_report`."""
    reason = _note(reason, "转办理由")
    with transaction.atomic():
        row = _open(follow_up_id, actor)
        if row.kind != FollowUpKind.REFERRAL:
            raise Refused("只有转介事项可以转给别的单位")
        bureau = Bureau.objects.filter(pk=bureau_id, area=county_code(row.area_code)).first()
        if bureau is None:
            raise Refused("请选择本县的一个责任单位")
        if bureau.pk == row.bureau_id:
            raise Refused(f"这件事已在{bureau.name}办理，请选择另一个单位")
        _refuse_others(row, actor)
        note = f"转{bureau.name}：{reason}"
        if _taken_already(row, seen, actor, FollowUpState.WAITING, note):
            return row
        row.bureau = bureau
        return _step(row, FollowUpState.WAITING, note, actor, "转办跟进事项", bureau=bureau.name)


def departure_locked(*, follow_up_id: int, actor: User, seen: int, note: str) -> FollowUp:
    """Hold a reported death or moving out that the actor is about to confirm, in the caller's transaction."""
    row = _handled(follow_up_id, actor, FollowUpState.DONE, note, seen)
    if row.kind not in DEPARTURE_KINDS:
        raise Refused("这件事不是死亡或迁出核实，请直接办结")
    return row


def departure_close(*, row: FollowUp, note: str, actor: User) -> FollowUp:
    """Close what was confirmed; the registry has been written."""
    return _step(row, FollowUpState.DONE, note, actor, "核实去世或迁出")


def _note(text: str, what: str) -> str:
    text = text.strip()
    if not SHORTEST <= len(text) <= LONGEST:
        raise Refused(f"{what}要写 {SHORTEST} 到 {LONGEST} 个字，现有 {len(text)} 个")
    return text


def _locked(follow_up_ids: Sequence[int], actor: User) -> list[FollowUp]:
    """Matters in the actor's sight, held against others and against records that come in meanwhile."""
    seen = FollowUp.objects.visible_to(actor).filter(pk__in=follow_up_ids)
    follow_ups_hold(seen.values_list("elder_id", flat=True))
    return list(
        seen.select_for_update(of=("self",)).select_related("elder", "bureau", "visit").order_by("pk")
    )


def _open(follow_up_id: int, actor: User) -> FollowUp:
    rows = _locked([follow_up_id], actor)
    if not rows:
        raise FollowUp.DoesNotExist
    return rows[0]


def _handled(follow_up_id: int, actor: User, state: FollowUpState, note: str, seen: int) -> FollowUp:
    """The matter, for whom may handle it; already over if the actor took this very step before."""
    row = _open(follow_up_id, actor)
    _refuse_others(row, actor)
    _taken_already(row, seen, actor, state, note)
    return row


def _refuse_others(row: FollowUp, actor: User) -> None:
    if not may_handle(actor, row):
        raise Refused(f"这件事由{handlers_of(row)}办理，您可以补充说明")


def _taken_already(row: FollowUp, seen: int, actor: User, state: FollowUpState, note: str) -> bool:
    """Tell whether the actor has taken this very step; Refused where somebody else was faster or it is over."""
    last = row.steps.select_related("actor").last()
    if last is not None and last.actor_id == actor.pk and (last.state, last.note) == (state, note):
        return True
    if last is not None and last.pk != seen:
        at = timezone.localtime(last.at)
        said = f"：{last.note}" if last.note else ""
        raise Refused(
            f"您打开页面之后，{last.actor or '系统'} 于 {at:%m-%d %H:%M} 已作“{last.state}”{said}。"
            "请看过最新情况后再办理，您填写的内容还在"
        )
    if row.state not in OPEN_FOLLOW_UP:
        raise Refused(f"这件事已经是“{row.state}”，不能再办理")
    return False


def _step(row: FollowUp, state: FollowUpState, note: str, actor: User, action: str, **data: str) -> FollowUp:
    was = row.state
    row.state = state
    row.closed_at = None if state in OPEN_FOLLOW_UP else timezone.now()
    row.save(update_fields=["state", "closed_at", "bureau"])
    FollowUpStep.objects.create(follow_up=row, state=state, note=note, actor=actor)
    audit_record(
        action=action,
        subject=f"elder:{row.elder_id}",
        actor=actor,
        data={"follow_up": row.pk, "kind": row.kind, "was": was, "state": str(state), "note": note, **data},
    )
    return row
