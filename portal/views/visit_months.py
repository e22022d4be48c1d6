"""The visit month on its way: gaps, submitting, accepting, and the frozen figure with its checksum."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from operations.commands import Refused
from organization.choices import Permission
from organization.models import Area, User
from organization.permissions import SignedInRequest, requires
from portal.exports import attachment
from portal.scope import place_of
from portal.visit_figures import exempt_words, months_shown
from portal.visit_reports import chosen_row, obligations_in, report_of
from visits.gaps import month_gaps
from visits.models import RateSnapshot, VisitMonth
from visits.rate import Figure
from visits.services.month import (
    visit_month_accept,
    visit_month_send_back,
    visit_month_submit,
    visit_month_withdraw,
)
from visits.snapshot import snapshot_check, snapshot_content
from visits.township_figures import ELSEWHERE, month_progress

MONTHS: Final = 12
REASONS: Final = ("数字与台账不符", "未达标说明不清楚", "请先补访未达标的人")
Step = Callable[[str], VisitMonth]


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_month_list(request: SignedInRequest) -> HttpResponse:
    """The last twelve months: how many townships have submitted and been accepted, and the frozen figures."""
    months = months_shown(timezone.localdate().replace(day=1), MONTHS)[::-1]
    county = place_of(request.user).county_code
    return render(
        request, "portal/visit_month_list.html", {"rows": month_progress(months=months, county_code=county)}
    )


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_month(request: SignedInRequest, month: date) -> HttpResponse:
    """Where every township stands; of one of them the gaps first, then the button."""
    return _page(request, month, request.GET.get("area", ""))


@requires(Permission.VISIT_SUBMIT)
@require_POST
def visit_month_send(request: SignedInRequest, month: date, area: str) -> HttpResponse:
    """The township's lead submits and locks the month."""
    note = request.POST.get("note", "")
    return _take(
        request,
        month,
        area,
        Permission.VISIT_SUBMIT,
        lambda code: visit_month_submit(month=month, area_code=code, actor=request.user, note=note),
        "已提交并锁定，等县民政局接收；此后入库的探访列入补录。",
    )


@requires(Permission.VISIT_SUBMIT)
@require_POST
def visit_month_take_back(request: SignedInRequest, month: date, area: str) -> HttpResponse:
    """The township's lead takes the month back before it is accepted."""
    return _take(
        request,
        month,
        area,
        Permission.VISIT_SUBMIT,
        lambda code: visit_month_withdraw(month=month, area_code=code, actor=request.user),
        "已撤回，可以继续补访；补录的探访已重新计入。",
    )


@requires(Permission.VISIT_ACCEPT)
@require_POST
def visit_month_accepted(request: SignedInRequest, month: date) -> HttpResponse:
    """The county accepts the ticked townships; what cannot be accepted is told one by one."""
    codes = [
        code for code in request.POST.getlist("area") if _covers(request.user, code, Permission.VISIT_ACCEPT)
    ]
    if len(codes) != len(request.POST.getlist("area")):
        raise Http404
    done = 0
    for code in codes:
        try:
            visit_month_accept(month=month, area_code=code, actor=request.user)
            done += 1
        except Refused as refusal:
            messages.error(request, f"没有接收：{refusal}。")
    if not codes:
        messages.error(request, "没有选择镇（街），没有接收；请先勾选已提交的镇（街）。")
    elif done:
        messages.success(request, f"已接收 {done} 个镇（街）的月报。")
    return redirect("portal:visit-month", month)


@requires(Permission.VISIT_ACCEPT)
@require_POST
def visit_month_returned(request: SignedInRequest, month: date, area: str) -> HttpResponse:
    """The county gives a month back with a reason."""
    reason = "；".join(
        text for text in (request.POST.get("phrase", ""), request.POST.get("reason", "").strip()) if text
    )
    return _take(
        request,
        month,
        area,
        Permission.VISIT_ACCEPT,
        lambda code: visit_month_send_back(month=month, area_code=code, actor=request.user, reason=reason),
        "已退回，镇（街）可以补访后重新提交。",
    )


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_snapshot(request: SignedInRequest, month: date) -> HttpResponse:
    """The county's frozen figure, checked anew on every look."""
    snapshot = _snapshot(request, month)
    content = snapshot_content(snapshot)
    total = content["total"]
    whole = Figure(total["obliged"], total["visited"], total["exempt"])
    context = {
        "month": month,
        "snapshot": snapshot,
        "content": content,
        "lines": _locked_lines(content, snapshot.county_code),
        "whole": whole,
        "reasons": exempt_words(whole),
        "check": snapshot_check(snapshot),
        "now": timezone.localtime(),
    }
    return render(request, "portal/visit_snapshot.html", context)


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_snapshot_file(request: SignedInRequest, month: date) -> HttpResponse:
    """The very bytes of which the checksum speaks."""
    snapshot = _snapshot(request, month)
    name = f"探访率快照-{month:%Y%m}-{snapshot.county_code}.json"
    return attachment(snapshot.body.encode(), name, "application/json")


def _locked_lines(content: dict[str, Any], county: str) -> list[dict[str, Any]]:
    """The townships of a snapshot with their names of today and the figures of then."""
    codes = [row["township"] for row in content["townships"]]
    names = dict(Area.objects.filter(code__in=codes).values_list("code", "name")) | {county: ELSEWHERE}
    return [
        row
        | {
            "name": names.get(row["township"], row["township"]),
            "figure": Figure(row["obliged"], row["visited"]),
        }
        for row in content["townships"]
    ]


def _snapshot(request: SignedInRequest, month: date) -> RateSnapshot:
    county = place_of(request.user).county_code
    return get_object_or_404(RateSnapshot.objects.select_related("taken_by"), month=month, county_code=county)


def _page(request: SignedInRequest, month: date, area: str, **more: Any) -> HttpResponse:
    report = report_of(request.user, month)
    row = chosen_row(report, request.user, area)
    county = place_of(request.user).county_code
    gaps = None
    if row is not None:
        code = row.township.code
        gaps = month_gaps(
            obligations=obligations_in(month, county, code), month=month, area_code=code, now=timezone.now()
        )
    context = {
        "month": month,
        "report": report,
        "row": row,
        "gaps": gaps,
        "phrases": REASONS,
        "now": timezone.localtime(),
        **more,
    }
    return render(request, "portal/visit_month.html", context, status=400 if more else 200)


def _take(
    request: SignedInRequest, month: date, area: str, permission: Permission, step: Step, told: str
) -> HttpResponse:
    """Take a step on a township of the user's; a refused one shows the page again with what was typed."""
    if not _covers(request.user, area, permission):
        raise Http404
    try:
        step(area)
    except Refused as refusal:
        typed = {key: request.POST.get(key, "") for key in ("note", "reason", "phrase")}
        return _page(request, month, area, refusal=str(refusal), typed=typed)
    messages.success(request, told)
    return redirect(f"{reverse('portal:visit-month', args=[month])}?area={area}")


def _covers(user: User, area: str, permission: Permission) -> bool:
    return len(area) == 12 and area.endswith("000") and area.startswith(tuple(user.area_prefixes(permission)))
