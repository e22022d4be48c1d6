"""The list of months, one month, and the run of a month."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Item
from operations.models import Job
from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.figures import change_figures, month_figures
from portal.month_table import counts_of, table_of
from portal.scope import month_or_404, months_of, place_of
from portal.visit_figures import visit_figures
from subsidies.models import Month
from subsidies.tasks import KIND, month_run_request

MONTHS_LISTED = 24
RUNNABLE = 12


@requires(Permission.MONTH_VIEW)
@require_GET
def month_list(request: SignedInRequest) -> HttpResponse:
    """Decided months with their figures; who may can run one."""
    months = list(months_of(request.user).order_by("-month")[:MONTHS_LISTED])
    county = place_of(request.user).county_code
    context = {
        "rows": [month_figures(month, request.user) for month in months],
        "runnable": _runnable(),
        "job": Job.objects.filter(kind=KIND, params__county_code=county).order_by("-created_at").first(),
    }
    return render(request, "portal/month_list.html", context)


@requires(Permission.MONTH_RUN)
@require_POST
def month_start(request: SignedInRequest) -> HttpResponse:
    """Ask for the run of a month of the user's county; a run under way is shown instead of a second."""
    chosen = next((m for m in _runnable() if f"{m:%Y-%m}" == request.POST.get("month", "")), None)
    county = place_of(request.user).county_code
    prefixes = request.user.area_prefixes(Permission.MONTH_RUN)
    if chosen is None or not any(county.startswith(prefix) for prefix in prefixes):
        messages.error(request, "请选择要核定的月份；只能核定您负责的县最近 12 个月。")
        return redirect("portal:month-list")
    job = month_run_request(county_code=county, month=chosen, created_by=request.user)
    audit_record(
        action="month_run_request",
        subject=f"month:{county}:{chosen:%Y-%m}",
        actor=request.user,
        data={"job": str(job.pk)},
        address=client_address(request),
    )
    return redirect("portal:month-list")


@requires(Permission.MONTH_VIEW)
@require_GET
def month_detail(request: SignedInRequest, month: date) -> HttpResponse:
    """Figures of a month, each opening its list, and the table of items by township."""
    row = month_or_404(request.user, month)
    context = {
        "month": row,
        "figures": month_figures(row, request.user),
        "changes": change_figures(row, request.user),
        "table": table_of(row, request.user),
        "visited": visit_figures(row.month, request.user),
        **_neighbours(row, request),
    }
    return render(request, "portal/month_detail.html", context)


@requires(Permission.MONTH_VIEW)
@require_GET
def month_counts(request: SignedInRequest, month: date, item_id: int) -> HttpResponse:
    """Persons entitled to a counted item, village by village."""
    row = month_or_404(request.user, month)
    item = get_object_or_404(Item, pk=item_id, document__area=row.county_code)
    rows = counts_of(row, request.user, item)
    context = {"month": row, "item": item, "rows": rows, "total": sum(line.persons for line in rows)}
    return render(request, "portal/month_counts.html", context)


def _runnable() -> list[date]:
    """The running month and those before it, newest first."""
    months = [timezone.localdate().replace(day=1)]
    while len(months) < RUNNABLE:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months


def _neighbours(row: Month, request: HttpRequest) -> dict[str, Month | None]:
    """The decided months before and after."""
    around = Month.objects.filter(county_code=row.county_code, revision__gt=0)
    return {
        "earlier": around.filter(month__lt=row.month).order_by("-month").first(),
        "later": around.filter(month__gt=row.month).order_by("month").first(),
    }
