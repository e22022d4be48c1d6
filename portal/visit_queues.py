"""Live work queues of the workbench that visits bring: what is to be followed up, visited, handed in, called back.

Counted when asked for, never stored, so that what a phone brings in shows at once. At most 6 queries for any one role.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.db.models import Count, Exists, Min, OuterRef, Q, Value
from django.db.models.functions import Concat, Left
from django.urls import reverse
from django.utils import timezone

from organization.choices import Permission, Role
from organization.models import Area, User
from organization.permissions import permissions_of
from organization.querysets import in_areas
from portal.queues import Queue
from visits.choices import LOCKED, OPEN_FOLLOW_UP, FollowUpKind, MonthState, Risk
from visits.follow_ups import overdue, waits_for
from visits.models import CallBack, FollowUp, Obligation, Visit, VisitMonth
from visits.people import MINE
from visits.querysets import OBLIGED, OPEN
from visits.records import RETURNED
from visits.slots import next_month

#: Days before the month's end from which people still to be visited are pressing.
PRESSING: Final = 7
#: Kind of follow-up → what it is called on the workbench, the unit, and what to do.
KINDS: Final = {
    FollowUpKind.DEATH: ("报告去世待核实", "人", "核实前停发，核实后登记日期"),
    FollowUpKind.MOVED_OUT: ("报告迁出、入机构待核实", "人", "核实后登记日期"),
    FollowUpKind.RED_RISK: ("红色风险待复访", "人", "24 小时内上门"),
    FollowUpKind.HOME_VISIT: ("未联系上待上门核实", "人", "连续两次未联系上，当日上门"),
    FollowUpKind.REFERRAL: ("跟进转介未办结", "件", "接收后办理并反馈结果"),
}


def visit_queues(user: User, now: datetime) -> list[Queue]:
    """What waits for the user in visits, the most pressing first."""
    granted = permissions_of(user)
    today = timezone.localdate(now)
    found: list[Queue] = []
    if Permission.FOLLOW_UP in granted:
        found += _follow_ups(user, now)
    if Permission.VISIT_RECORD in granted:
        found += _returned(user)
    if Permission.VISIT_SUBMIT in granted:
        found += _to_submit(user, today)
    if Permission.VISIT_ACCEPT in granted:
        found += _to_accept(user)
    if Permission.CALL_BACK in granted:
        found += _calls(user)
    if Permission.VISIT_URGE in granted or Permission.VISIT_RECORD in granted:
        found += _unvisited(user, granted, today)
    return found


def _follow_ups(user: User, now: datetime) -> Iterator[Queue]:
    """Matters that are the user's to do, by kind; besides what of it is overdue, and what is red or late elsewhere."""
    seen = FollowUp.objects.visible_to(user).filter(state__in=OPEN_FOLLOW_UP)
    mine = Q(pk__in=FollowUp.objects.filter(waits_for(user), state__in=OPEN_FOLLOW_UP).values("pk"))
    counts = {kind.name: Count("pk", filter=mine & Q(kind=kind)) for kind in KINDS}
    counted = seen.order_by().aggregate(
        **counts,
        overdue=Count("pk", filter=mine & overdue(now)),
        first=Min("due_at", filter=mine),
        red=Count("pk", filter=Q(risk=Risk.RED) & ~mine),
        late=Count("pk", filter=overdue(now) & ~mine),
    )
    if counted["overdue"]:
        url = _list(mine=1, due="overdue")
        hint = f"最早一件应于 {timezone.localtime(counted['first']):%m-%d %H:%M} 前办结"
        yield Queue("跟进事项已过时限", counted["overdue"], "件", hint, url, "danger", decides=False)
    for kind, (label, unit, hint) in KINDS.items():
        if count := counted[kind.name]:
            yield Queue(label, count, unit, hint, _list(mine=1, kind=kind), "attention")
    if counted["red"]:
        url = _list(mine=0, risk=Risk.RED)
        hint = "由别处办理，盯住时限和结果"
        yield Queue("红色风险未办结", counted["red"], "件", hint, url, "attention", decides=False)
    if counted["late"]:
        url = _list(mine=0, due="overdue")
        hint = "由别处办理，请催办"
        yield Queue("跟进事项逾期未办结", counted["late"], "件", hint, url, "danger", decides=False)


def _returned(user: User) -> Iterator[Queue]:
    """Records of the user's own that were sent back and not corrected yet."""
    if count := Visit.objects.to_mend().filter(recorder=user).count():
        url = reverse("portal:phone-shell") if _is_worker(user) else _records()
        yield Queue("探访记录被退回", count, "条", "看退回原因，更正后重新上传", url, "attention")


def _records() -> str:
    return f"{reverse('portal:visit-record-list')}?{urlencode({'mark': RETURNED})}"


def _to_submit(user: User, today: date) -> Iterator[Queue]:
    """Townships of the user that have not handed in the month that is over: of today's, as the report has them."""
    month = _month_before(today)
    obligations = Obligation.objects.counted_for(user, Permission.VISIT_SUBMIT).filter(month=month)
    submits = Area.objects.current().filter(code=OuterRef("township"), parent_id=OuterRef("county_code"))
    locked = VisitMonth.objects.filter(month=month, area_code=OuterRef("township"), state__in=LOCKED)
    rows = obligations.annotate(township=Concat(Left("area_code", 9), Value("000")))
    waiting = rows.filter(Exists(submits), ~Exists(locked)).aggregate(n=Count("township", distinct=True))["n"]
    if waiting:
        url = reverse("portal:visit-month", args=[month])
        yield Queue(
            "探访月报待提交", waiting, "个镇（街）", f"{month:%Y年%m月}，先看未达标的人", url, "attention"
        )


def _to_accept(user: User) -> Iterator[Queue]:
    """Months that townships have handed in, the oldest first."""
    rows = in_areas(
        VisitMonth.objects.filter(state=MonthState.SUBMITTED),
        user.area_prefixes(Permission.VISIT_ACCEPT),
        "area_code",
    )
    counted = rows.order_by().aggregate(n=Count("pk"), first=Min("month"))
    if counted["n"]:
        url = reverse("portal:visit-month", args=[counted["first"]])
        hint = f"{counted['first']:%Y年%m月}起，核对后接收"
        yield Queue("探访月报待接收", counted["n"], "个镇（街）", hint, url, "attention")


def _calls(user: User) -> Iterator[Queue]:
    """Drawn visits that nobody has called back about."""
    rows = in_areas(
        CallBack.objects.filter(result=""), user.area_prefixes(Permission.CALL_BACK), "draw__area_code"
    )
    if count := rows.count():
        yield Queue(
            "探访回访待拨打",
            count,
            "条",
            "抽中的探访，逐条电话核实",
            reverse("portal:call-back-list"),
            "attention",
        )


def _unvisited(user: User, granted: frozenset[Permission], today: date) -> Iterator[Queue]:
    """People of the month still to be visited: a worker's own, or a township's or county's."""
    month = today.replace(day=1)
    worker = _is_worker(user)
    permission = Permission.VISIT_RECORD if worker else Permission.VISIT_URGE
    if permission not in granted:
        return
    whole = Obligation.objects.filter(month=month)
    rows = whole.of_worker(user) if worker else whole.counted_for(user, permission)
    counted = rows.aggregate(n=Count("pk", filter=OPEN), obliged=OBLIGED)
    if not counted["n"]:
        return
    left = (next_month(month) - today).days
    hint = (
        f"本月应访 {counted['obliged']:,} 人，还有 {left} 天"
        if left > 1
        else (f"本月应访 {counted['obliged']:,} 人，今天是最后一天")
    )
    url = reverse("portal:visit-people", args=[month]) + (f"?{urlencode({'worker': MINE})}" if worker else "")
    tone = "attention" if left <= PRESSING else ""
    yield Queue("本月待探访", counted["n"], "人", hint, url, tone, decides=False)


def _list(**filters: object) -> str:
    return f"{reverse('portal:follow-up-list')}?{urlencode(filters)}"


def _is_worker(user: User) -> bool:
    """Whether the user goes to the villages and does nothing else."""
    return set(user.role_names()) == {Role.VILLAGE_WORKER}


def _month_before(today: date) -> date:
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)
