"""Confirming a death or a moving out that a visit reported: the registry, the month's obligations, the follow-up."""

from datetime import date
from typing import Final

from django.db import transaction
from django.utils import timezone

from eldercare.choices import YES, Kind
from eldercare.services.circumstance import circumstance_set
from operations.commands import Refused
from organization.models import User
from visits.choices import INSTITUTIONS, FollowUpKind, FollowUpState, Result
from visits.models import FollowUp, Obligation
from visits.months import months_hold
from visits.services.follow_up import follow_ups_refresh
from visits.services.follow_up_step import LONGEST, departure_close, departure_locked
from visits.services.obligation import obligations_refresh
from visits.slots import months_counting

SOURCE: Final = "探访核实"


def departure_confirm(
    *, follow_up_id: int, day: date, evidence: str, seen: int, actor: User, institution: str = ""
) -> FollowUp:
    """Register the day of death, of moving out, or of entering an institution, and close the follow-up.

    institution: which kind, where the visit reported one («» = moved out). Obligations are brought in line; what is
    due ends by the facts on the next run. Raises Refused with what is wrong, FollowUp.DoesNotExist out of sight.
    """
    evidence = evidence.strip()
    today = timezone.localdate()
    if not evidence or len(evidence) > LONGEST // 2:
        raise Refused(f"请写明依据，例如“家属出示死亡证明”，不超过 {LONGEST // 2} 个字")
    if day > today:
        raise Refused(f"日期 {day} 在今天之后，请核对")
    with transaction.atomic():
        months_hold()
        note = _said(day, evidence, institution)
        row = departure_locked(follow_up_id=follow_up_id, actor=actor, seen=seen, note=note)
        if row.state not in (FollowUpState.WAITING, FollowUpState.WORKING):
            return row
        if day < row.elder.birth_date:
            raise Refused(f"日期 {day} 早于出生日期 {row.elder.birth_date}，请核对")
        kind, value = _fact(row, institution)
        circumstance_set(
            elder=row.elder, kind=kind, value=value, starts=day, source=SOURCE, document=evidence
        )
        _obligations(row.elder_id, day)
        # The audit's chain is locked to the end by whoever writes to it: nothing else is locked after it.
        departure_close(row=row, note=note, actor=actor)
        follow_ups_refresh(elder_ids=[row.elder_id], now=timezone.now())
    return row


def _said(day: date, evidence: str, institution: str) -> str:
    return f"{day} {institution}：{evidence}" if institution else f"{day}：{evidence}"


def _fact(row: FollowUp, institution: str) -> tuple[Kind, str]:
    """What is written into the registry."""
    if row.kind == FollowUpKind.DEATH:
        return Kind.DEATH, YES
    if not institution:
        return Kind.MOVED_OUT, YES
    if row.visit.result != Result.INSTITUTION or institution not in INSTITUTIONS:
        raise Refused(f"入住的机构只能选：{'、'.join(INSTITUTIONS)}")
    return Kind.INSTITUTION, institution


def _obligations(elder_id: int, day: date) -> None:
    """Bring the elder's months from that day on in line."""
    first = min(months_counting(day), default=day.replace(day=1))
    opened = Obligation.objects.filter(elder_id=elder_id, month__gte=first).order_by("month", "county_code")
    for month, county_code in opened.values_list("month", "county_code"):
        obligations_refresh(month=month, county_code=county_code, elder_ids=[elder_id])
