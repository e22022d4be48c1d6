"""What becomes of the demonstration's visits: returns, call backs, follow-ups, months on their way to the county."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import uuid5

from organization.areas import township_code
from organization.choices import Permission, Role
from organization.models import Area, User
from portal.demo.accounts import OTHER_LEAD, person
from portal.demo.areas import COUNTY
from portal.demo.phones import Said, send
from portal.demo.visiting import NAMESPACE
from portal.demo.visitors import DILIGENT, visitor
from visits.choices import CallBackResult, FollowUpKind, FollowUpState, MonthState, Result
from visits.follow_ups import may_handle
from visits.models import CallBackDraw, Caseload, FollowUp, Obligation, Visit, VisitMonth
from visits.services.call_back import call_back_record, call_backs_draw
from visits.services.follow_up_step import follow_up_close, follow_up_report, follow_ups_accept
from visits.services.month import visit_month_accept, visit_month_submit
from visits.services.visit_return import PHRASES, visits_return
from visits.township_figures import township_figures

#: Results of the first calls; the rest waits.
CALLS: Final = (
    (CallBackResult.REFUTED, "老人说那天没有人来过"),
    (CallBackResult.CONFIRMED, ""),
    (CallBackResult.UNREACHED, "响铃无人接听"),
)
#: Why townships did not reach everybody, in turn.
GAPS: Final = (
    "未访的老人到外地子女处居住，已电话联系家属",
    "两名老人住院陪护，下月初补访",
    "山路塌方，两个村未能全部上门，通路后补访",
    "协管员请假，接手的人月底才到岗",
)
RETURNED: Final = 2
LATE: Final = 2


def returns_make(month: date) -> int:
    """Let the township's lead send back some records of the running month."""
    lead = person(Role.TOWNSHIP_LEAD)
    mine = Visit.objects.visible_to(lead, Permission.VISIT_RETURN).filter(channel="手机", at__date__gte=month)
    records = list(mine.filter(result=Result.SEEN, corrects=None).order_by("at", "pk")[:RETURNED])
    for record, phrase in zip(records, PHRASES[4:], strict=False):
        visits_return(visit_ids=[record.pk], reason=phrase, actor=lead)
    return len(records)


def handed_over_make(month: date, now: datetime, seed: int) -> int:
    """Let a stale phone record an elder who has been given to somebody else meanwhile."""
    given = Caseload.objects.filter(elder__isnull=False).order_by("elder_id").values("elder_id")
    rows = Obligation.objects.filter(month=month, elder__in=given[:1]).select_related("elder")
    said = [
        Said(
            uuid5(NAMESPACE, f"handed over {seed} {row.elder_id}"),
            row.elder,
            now - timedelta(minutes=20),
            "电话",
            Result.REACHED,
            "电话里说身体还好",
        )
        for row in rows
    ]
    send(visitor(DILIGENT), said, now)
    return len(said)


def call_backs_make(township: Area, month: date, seed: int) -> int:
    """Draw the township's sample of a month and make the first calls; what is refuted is sent back."""
    lead = person(Role.TOWNSHIP_LEAD)
    if not CallBackDraw.objects.filter(month=month, area_code=township.code).exists():
        if not Visit.objects.visible_to(lead).filter(result__in=(Result.SEEN, Result.REACHED)).exists():
            return 0
        key = sha256(f"call backs {seed} {month}".encode()).hexdigest()[:32]
        call_backs_draw(month=month, area_code=township.code, actor=lead, seed=key)
    draw = CallBackDraw.objects.get(month=month, area_code=township.code)
    for call, (result, note) in zip(draw.calls.order_by("pk"), CALLS, strict=False):
        if not call.result:
            call_back_record(call_back_id=call.pk, result=result, note=note, actor=lead)
        if result is CallBackResult.REFUTED:
            visits_return(visit_ids=[call.visit_id], reason=PHRASES[0], actor=lead)
    return draw.drawn


def follow_ups_make() -> int:
    """Let bureaus, county and township handle some of what the visits left; return how many matters there are."""
    for actor in map(person, (Role.DEPARTMENT, Role.BUREAU_CLERK, Role.TOWNSHIP_CLERK)):
        mine = [row for row in _referrals(actor) if may_handle(actor, row)]
        follow_ups_accept(follow_up_ids=[row.pk for row in mine[:3]], actor=actor)
        for row in mine[:1]:
            _close(row, actor, "已上门办理，老人和家属满意")
        for row in mine[1:2]:
            if not row.steps.filter(note__gt="").exists():
                follow_up_report(
                    follow_up_id=row.pk, note="已联系家属，约定本周上门", seen=_seen(row), actor=actor
                )
    return FollowUp.objects.count()


def months_submit(months: Sequence[date], township: Area) -> int:
    """Submit every past month and accept it, but for the township's newest one, which waits for the county."""
    clerk = person(Role.BUREAU_CLERK)
    leads = {township.code: person(Role.TOWNSHIP_LEAD)}
    other = User.objects.get(username=OTHER_LEAD[0])
    for month in months:
        codes = _obliged(month)
        unmet = {each.code: each.figure.unmet for each in township_figures(month=month, county_code=COUNTY)}
        for place, code in enumerate(codes):
            note = GAPS[(place + month.month) % len(GAPS)] if unmet[code] else ""
            if _state(month, code) == MonthState.OPEN:
                visit_month_submit(month=month, area_code=code, actor=leads.get(code, other), note=note)
        for code in codes:
            waits = month == months[-1] and code == township.code
            if not waits and _state(month, code) == MonthState.SUBMITTED:
                visit_month_accept(month=month, area_code=code, actor=clerk)
    return VisitMonth.objects.filter(state=MonthState.ACCEPTED).count()


def late_make(month: date, now: datetime, seed: int) -> int:
    """Let a phone send records of a month whose figure is locked."""
    worker = visitor(DILIGENT)
    rows = Obligation.objects.filter(month=month, assignee=worker, met=False, exempt_from=None)
    at = datetime.combine((month + timedelta(days=31)).replace(day=1), datetime.min.time(), now.tzinfo)
    said = [
        Said(
            uuid5(NAMESPACE, f"late {seed} {row.elder_id}"),
            row.elder,
            at - timedelta(hours=7 + place),
            "上门",
            Result.SEEN,
            "在田里见到，手机没电，当天没能上传",
        )
        for place, row in enumerate(rows.select_related("elder").order_by("elder_id")[:LATE])
    ]
    send(worker, said, now, at_once=True)
    return len(said)


def _referrals(actor: User) -> list[FollowUp]:
    seen = FollowUp.objects.visible_to(actor).filter(kind=FollowUpKind.REFERRAL)
    return list(seen.order_by("due_at", "pk"))


def _close(row: FollowUp, actor: User, note: str) -> None:
    row.refresh_from_db()
    if row.state != FollowUpState.DONE:
        follow_up_close(
            follow_up_id=row.pk, state=FollowUpState.DONE, note=note, seen=_seen(row), actor=actor
        )


def _seen(row: FollowUp) -> int:
    """The last step of a matter, 0 without one."""
    return row.steps.order_by("-pk").values_list("pk", flat=True).first() or 0


def _obliged(month: date) -> list[str]:
    """Townships of the county with somebody obliged."""
    codes = Obligation.objects.filter(month=month, county_code=COUNTY).values_list("area_code", flat=True)
    own = {township_code(code) for code in codes.order_by().distinct() if code[:6] == COUNTY[:6]}
    return sorted(Area.objects.filter(code__in=own, parent=COUNTY).values_list("code", flat=True))


def _state(month: date, code: str) -> str:
    row = VisitMonth.objects.filter(month=month, area_code=code).first()
    return row.state if row else MonthState.OPEN
