"""A township's visit month from the last day to the county's frozen figure (docs/guide/14).

Whoever takes a step holds all months alone, so that no visit is counted, and nobody else takes one, in between.
"""

from datetime import date, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from operations.commands import Refused
from operations.services.audit import audit_record
from organization.areas import county_code as county_of
from organization.models import Area, User
from visits.choices import MonthAction, MonthState
from visits.models import Obligation, RateSnapshot, VisitMonth
from visits.month_table import TRANSITIONS, Transition
from visits.months import months_hold_alone
from visits.querysets import MET, OBLIGED, ObligationQuerySet
from visits.services.obligation import obligations_refresh
from visits.slots import next_month
from visits.snapshot import digest_of, snapshot_body
from visits.township_figures import TownshipFigure, township_figures

NOTE_LENGTH: Final = 300


def visit_months_open(*, month: date, county_code: str) -> None:
    """Note the county's townships as open, before the month's obligations are; what is there stays as it is."""
    townships = Area.objects.current().filter(parent_id=county_code).values_list("code", flat=True)
    VisitMonth.objects.bulk_create(
        [
            VisitMonth(month=month, county_code=county_code, area_code=code)
            for code in (*townships, county_code)
        ],
        ignore_conflicts=True,
    )


def visit_month_submit(*, month: date, area_code: str, actor: User, note: str = "") -> VisitMonth:
    """Submit and lock a township's month by its figure as of now; what comes in later counts as late.

    Possible from the month's last day on, also while a weekly tier's last week runs on into the next month: the page
    warns of it (`visits.gaps`). note: must say why people are not visited if there are any. Raises Refused.
    """
    with transaction.atomic():
        row, transition = _take(month, area_code, MonthAction.SUBMIT, actor)
        if transition is None:
            return row
        last = next_month(month) - timedelta(days=1)
        if timezone.localdate() < last:
            raise Refused(f"{month:%Y年%m月}还没有结束，{last:%m月%d日}起可以提交；之前可以先看缺口")
        mine = _obligations(row)
        if not mine.exists():
            raise Refused(f"{month:%Y年%m月}本镇（街）没有应访对象，不用提交")
        _refresh(row)
        row.obliged, row.visited = _figure(mine)
        row.note = _clean(note, name="未达标说明", required=row.visited < row.obliged)
        row.submitted_by, row.submitted_at = actor, timezone.now()
        return _put(row, MonthAction.SUBMIT, transition, actor, {"note": row.note})


def visit_month_withdraw(*, month: date, area_code: str, actor: User) -> VisitMonth:
    """Take a submitted month back before it is accepted; late visits count again. Raises Refused."""
    with transaction.atomic():
        row, transition = _take(month, area_code, MonthAction.WITHDRAW, actor)
        return row if transition is None else _reopen(row, MonthAction.WITHDRAW, transition, actor, "")


def visit_month_send_back(*, month: date, area_code: str, actor: User, reason: str) -> VisitMonth:
    """Give a submitted or accepted month back to its township with a reason. Raises Refused."""
    with transaction.atomic():
        row, transition = _take(month, area_code, MonthAction.SEND_BACK, actor)
        if transition is None:
            return row
        return _reopen(
            row, MonthAction.SEND_BACK, transition, actor, _clean(reason, name="退回原因", required=True)
        )


def visit_month_accept(*, month: date, area_code: str, actor: User) -> VisitMonth:
    """Accept a submitted month; with the last township the county's figure is frozen. Raises Refused."""
    with transaction.atomic():
        row, transition = _take(month, area_code, MonthAction.ACCEPT, actor)
        if transition is None:
            return row
        row.accepted_by, row.accepted_at = actor, timezone.now()
        _put(row, MonthAction.ACCEPT, transition, actor, {})
        figures = township_figures(month=month, county_code=row.county_code)
        if all(figure.state == MonthState.ACCEPTED for figure in figures if figure.submits):
            _freeze(row, [figure for figure in figures if not figure.submits], actor)
        return row


def _take(
    month: date, area_code: str, action: MonthAction, actor: User
) -> tuple[VisitMonth, Transition | None]:
    """Hold the months and judge the step; no transition: the actor has taken it already."""
    months_hold_alone()
    county = county_of(area_code)
    row = VisitMonth.objects.filter(month=month, area_code=area_code).first()
    row = row or VisitMonth(month=month, county_code=county, area_code=area_code)
    found = TRANSITIONS.get((MonthState(row.state), action))
    permission = (found or _any(action)).permission
    if not any(area_code.startswith(prefix) for prefix in actor.area_prefixes(permission)):
        raise Refused(f"您在这个镇（街）没有“{permission.label}”的权限，请由有权限的人员办理")
    if found is None or RateSnapshot.objects.filter(month=month, county_code=county).exists():
        if _taken_by(row, action, actor):
            return row, None
        raise Refused(_why_not(row, action))
    if found.by_another and row.submitted_by_id == actor.pk:
        raise Refused("这份月报是您自己提交的，须由别人接收")
    return row, found


def _any(action: MonthAction) -> Transition:
    """The step from whatever state: its permission is the same from each."""
    return next(found for (_, other), found in TRANSITIONS.items() if other == action)


def _taken_by(row: VisitMonth, action: MonthAction, actor: User) -> bool:
    """A second click: the actor has already brought the month into the state that the step leads to."""
    match action:
        case MonthAction.SUBMIT:
            return row.state == MonthState.SUBMITTED and row.submitted_by_id == actor.pk
        case MonthAction.ACCEPT:
            return row.state == MonthState.ACCEPTED and row.accepted_by_id == actor.pk
        case _:
            return False


def _why_not(row: VisitMonth, action: MonthAction) -> str:
    who, at = (
        (row.accepted_by, row.accepted_at)
        if row.state == MonthState.ACCEPTED
        else (row.submitted_by, row.submitted_at)
    )
    told = f"（{who}，{timezone.localtime(at):%m-%d %H:%M}）" if at else ""
    state = MonthState(row.state).label
    frozen = "；本月全县数字已经锁定，以后入库的探访列入补录" if row.state == MonthState.ACCEPTED else ""
    return f"{row.month:%Y年%m月}的月报现在是“{state}”{told}，不能{action.label}{frozen}；请刷新页面查看"


def _reopen(
    row: VisitMonth, action: MonthAction, transition: Transition, actor: User, reason: str
) -> VisitMonth:
    """Unlock a township and count everything again; the reason stays on the month until it is submitted anew."""
    told = {"note": row.note, "reason": reason}
    row.note = f"退回：{reason}"[:NOTE_LENGTH] if reason else ""
    row.obliged = row.visited = 0
    row.submitted_by = row.submitted_at = row.accepted_by = row.accepted_at = None
    _put(row, action, transition, actor, told)
    _refresh(row)
    return row


def _put(
    row: VisitMonth, action: MonthAction, transition: Transition, actor: User, data: dict[str, Any]
) -> VisitMonth:
    row.state = transition.target
    row.save()
    audit_record(
        action=f"探访月报{action.label}",
        subject=f"visits:{row.area_code}:{row.month:%Y-%m}",
        actor=actor,
        data={"state": str(row.state), "obliged": row.obliged, "visited": row.visited} | data,
    )
    return row


def _freeze(row: VisitMonth, others: list[TownshipFigure], actor: User) -> None:
    """Lock what no township submits, then keep the county's figure for good."""
    now = timezone.now()
    for other in others:
        rest, _ = VisitMonth.objects.get_or_create(
            month=row.month, area_code=other.code, defaults={"county_code": row.county_code}
        )
        _refresh(rest)
        rest.obliged, rest.visited = _figure(_obligations(rest))
        rest.state, rest.accepted_by, rest.accepted_at = MonthState.ACCEPTED, actor, now
        rest.submitted_at = now
        rest.save()
    body = snapshot_body(month=row.month, county_code=row.county_code, taken_at=now, taken_by=actor)
    snapshot = RateSnapshot.objects.create(
        month=row.month,
        county_code=row.county_code,
        body=body,
        sha256=digest_of(body),
        taken_at=now,
        taken_by=actor,
    )
    audit_record(
        action="探访率快照",
        subject=f"visits:{row.county_code}:{row.month:%Y-%m}",
        actor=actor,
        data={"sha256": snapshot.sha256},
    )


def _obligations(row: VisitMonth) -> ObligationQuerySet:
    """The obligations whose figure the row locks."""
    return Obligation.objects.filter(month=row.month).of_township(row.area_code, row.county_code)


def _refresh(row: VisitMonth) -> None:
    elders = list(_obligations(row).order_by("elder_id").values_list("elder_id", flat=True))
    obligations_refresh(month=row.month, county_code=row.county_code, elder_ids=elders)


def _figure(rows: ObligationQuerySet) -> tuple[int, int]:
    """(obliged, visited) of the obligations."""
    found = rows.aggregate(obliged=OBLIGED, met=MET)
    return found["obliged"], found["met"]


def _clean(text: str, *, name: str, required: bool) -> str:
    text = " ".join(text.split())
    if required and not text:
        raise Refused(f"请填写{name}")
    if len(text) > NOTE_LENGTH:
        raise Refused(f"{name}有 {len(text)} 个字，最多 {NOTE_LENGTH} 个字，请缩短")
    return text
