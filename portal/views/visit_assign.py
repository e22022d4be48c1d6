"""Sharing people out: workers with their load, a village or chosen people to a worker, an absent worker's people."""

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from operations.commands import Refused
from organization.areas import township_code
from organization.choices import Permission
from organization.models import Area, User
from organization.permissions import SignedInRequest, requires
from portal.forms import faults_of
from portal.visit_chosen import chosen_people
from portal.visit_forms import NOBODY, AssignForm
from visits.caseloads import workers_of
from visits.models import Caseload, Obligation
from visits.rate import Figure
from visits.services.caseload import Assigned, Change, elders_assign, village_assign, worker_hand_over
from visits.workload import worker_loads, workloads

REASONS: Final = ("请假", "住院", "产假", "调岗", "离职", "网格调整")
NAMES_SHOWN: Final = 5


@dataclass(frozen=True)
class Subject:
    """What is given away: its words, where the form posts to, and where one goes back to."""

    title: str
    lead: str
    button: str
    back: str
    action: str
    may_return: bool = False


@requires(Permission.VISIT_ASSIGN)
@require_GET
def visit_workers(request: SignedInRequest) -> HttpResponse:
    """Workers and villages of the user's areas with n/N, phones and buttons to share people out."""
    month = timezone.localdate().replace(day=1)
    context = {
        "month": month,
        "loads": workloads(request.user, month),
        "now": timezone.localtime(),
    }
    return render(request, "portal/visit_workers.html", context)


@requires(Permission.VISIT_ASSIGN)
@require_POST
def visit_assign(request: SignedInRequest, month: date) -> HttpResponse:
    """Give chosen people to a worker: first the question to whom, then, with the answer, the change."""
    chosen = chosen_people(request, month, Permission.VISIT_ASSIGN)
    this_month = timezone.localdate().replace(day=1)
    if month != this_month or not chosen.due:
        told = "选中的人都已达标或免访" if month == this_month else "只能分配本月的探访任务"
        messages.error(request, f"没有分配：{told}。")
        return redirect(chosen.back)
    rows = Obligation.objects.filter(pk__in=chosen.ids).select_related("elder")
    names = "、".join(row.elder.name for row in rows.order_by("pk")[:NAMES_SHOWN])
    people = len(chosen.due)
    subject = Subject(
        title="分配/移交",
        lead=f"{names}{'等' if people > NAMES_SHOWN else ''}，共 {people} 人。只移交还没有达标的人。",
        button=f"分配 {people} 人",
        back=chosen.back,
        action=reverse("portal:visit-assign", args=[month]),
        may_return=True,
    )

    def assign(change: Change) -> Assigned:
        return elders_assign(elder_ids=list(rows.values_list("elder_id", flat=True)), change=change)

    hidden = {"filters": chosen.filters, "whole": "1" if chosen.whole else "", "person": chosen.ids}
    codes = set(rows.order_by().values_list("area_code", flat=True).distinct())
    if "worker" not in request.POST:
        held = set(rows.order_by().values_list("assignee", flat=True).distinct())
        return _form(request, subject, _other_than(held, _candidates(codes)), hidden=hidden)
    return _assigned(request, subject, codes, assign, hidden)


@requires(Permission.VISIT_ASSIGN)
@require_http_methods(["GET", "POST"])
def visit_village(request: SignedInRequest, code: str) -> HttpResponse:
    """Give a village to a worker, or back to its only one."""
    area = Area.objects.current().filter(code=code).first()
    if area is None or not code.startswith(tuple(request.user.area_prefixes(Permission.VISIT_ASSIGN))):
        raise Http404
    subject = Subject(
        title=f"{area.name}由谁探访",
        lead="整村分配：本月未达标的和以后新增的应访老年人都由他负责；单独分给别人的老年人不变。",
        button="分配",
        back=reverse("portal:visit-workers"),
        action=request.path,
        may_return=True,
    )
    if request.method == "GET":
        held = set(
            Caseload.objects.filter(
                area_code=code, elder=None, valid__contains=timezone.localdate()
            ).values_list("worker", flat=True)
        )
        return _form(request, subject, _other_than(held, _candidates({code})))
    return _assigned(request, subject, {code}, lambda change: village_assign(area_code=code, change=change))


@requires(Permission.VISIT_ASSIGN)
@require_http_methods(["GET", "POST"])
def visit_hand_over(request: SignedInRequest, pk: int) -> HttpResponse:
    """Hand everybody whom an absent worker has over to another."""
    absent = get_object_or_404(User, pk=pk)
    month = timezone.localdate().replace(day=1)
    mine = Obligation.objects.visible_to(request.user, Permission.VISIT_ASSIGN).filter(month=month)
    prefixes = tuple(request.user.area_prefixes(Permission.VISIT_ASSIGN))
    theirs = mine.filter(assignee=absent)
    home = {
        code for code in absent.assignments.values_list("area_id", flat=True) if code.startswith(prefixes)
    }
    if not home and not theirs.exists():
        raise Http404
    load = worker_loads(theirs).get(absent.pk, Figure())
    codes = home | set(theirs.order_by().values_list("area_code", flat=True).distinct())
    subject = Subject(
        title=f"移交{absent}的探访",
        lead=f"{absent}现有应访 {load.obliged} 人，其中 {load.unmet} 人还没有达标。移交后，未达标的和他负责的村"
        "以后新增的人都由接手的人探访；已达标的仍算他的。他手机里还没上传的记录照样入库，算他的。",
        button=f"移交 {load.unmet} 人",
        back=reverse("portal:visit-workers"),
        action=request.path,
    )
    if request.method == "GET":
        return _form(request, subject, _candidates(codes, without=absent))
    return _assigned(
        request,
        subject,
        codes,
        lambda change: worker_hand_over(absent=absent, change=change),
        without=absent,
    )


def _other_than(held: Set[int | None], candidates: dict[str, User]) -> dict[str, User]:
    """The candidates without the one who already has them all."""
    return {key: user for key, user in candidates.items() if held != {user.pk}}


def _candidates(codes: set[str], without: User | None = None) -> dict[str, User]:
    """Workers of the townships in which these areas lie, by the key that the form sends."""
    townships = {township_code(code) for code in codes}
    found = {str(user.pk): user for code in sorted(townships) for user in workers_of(code)}
    return {key: user for key, user in found.items() if without is None or user.pk != without.pk}


def _assigned(
    request: SignedInRequest,
    subject: Subject,
    codes: set[str],
    assign: Callable[[Change], Assigned],
    hidden: dict[str, Any] | None = None,
    without: User | None = None,
) -> HttpResponse:
    """Do what the form says and go back, or show it again as it was filled in."""
    candidates = _candidates(codes, without)
    form = AssignForm(request.POST, candidates=candidates)
    if not form.is_valid():
        return _form(request, subject, candidates, hidden=hidden, faults=faults_of(form))
    said = form.cleaned_data
    change = Change(
        worker=said["worker"],
        since=said["since"],
        until=said["until"],
        reason=said["reason"],
        actor=request.user,
        seen=said["seen"],
    )
    try:
        done = assign(change)
    except Refused as refusal:
        return _form(request, subject, candidates, hidden=hidden, faults=[f"{refusal}。"])
    whom = f"由{change.worker}探访" if change.worker else "按村分工探访"
    until = f"，到 {change.until} 止" if change.until else ""
    messages.success(request, f"已分配：自 {change.since} 起{whom}{until}。本月移交 {done.moved:,} 人。")
    for sentence in done.skipped:
        messages.warning(request, f"{sentence}。")
    return redirect(subject.back)


def _form(
    request: SignedInRequest,
    subject: Subject,
    candidates: dict[str, User],
    *,
    hidden: dict[str, Any] | None = None,
    faults: list[str] | None = None,
) -> HttpResponse:
    month = timezone.localdate().replace(day=1)
    loads = worker_loads(Obligation.objects.filter(month=month, assignee__in=candidates.values()))
    typed = request.POST if faults else {}
    context = {
        "subject": subject,
        "candidates": [(key, user, loads.get(user.pk, Figure())) for key, user in candidates.items()],
        "hidden": hidden or {},
        "faults": faults or [],
        "values": {
            "worker": typed.get("worker", ""),
            "since": typed.get("since", f"{timezone.localdate()}"),
            "until": typed.get("until", ""),
            "reason": typed.get("reason", ""),
            "seen": typed.get("seen", timezone.now().isoformat()),
        },
        "reasons": REASONS,
        "nobody": NOBODY,
    }
    return render(request, "portal/visit_assign.html", context)
