"""Lists of a month's lines: what every figure opens, and their downloads."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Item
from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.choices import Permission
from organization.models import Area, User
from organization.permissions import SignedInRequest, requires
from organization.querysets import in_areas
from portal import exports, finds
from portal.filtersets import LineFilterSet, without_position
from portal.month_rows import (
    CHANGES,
    HEADINGS,
    adjustment_rows,
    all_adjustment_rows,
    line_rows,
    lines_of,
    ordered,
    search_elders,
    sums_of,
)
from portal.paging import SIZES, position_of
from portal.scope import month_or_404, place_of
from subsidies.choices import LineKind, Outcome
from subsidies.models import Adjustment, Entitlement, Month

WIDTHS = (12, 22, 26, 10, 20, 10, 8, 12, 10, 30)
FILTERS = ("item", "area", "outcome", "paid", "change", "size")


@requires(Permission.MONTH_VIEW)
@require_POST
def lines_find(request: HttpRequest, month: date) -> HttpResponse:
    """Take the search text out of the URL and go to the list with the other filters."""
    return finds.find_redirect(request, reverse("portal:month-lines", args=[month]), FILTERS)


@requires(Permission.MONTH_VIEW)
@require_GET
def month_lines(request: SignedInRequest, month: date) -> HttpResponse:
    """Lines of a month that fit the filters, with count, persons and sum of the whole result."""
    row = month_or_404(request.user, month)
    lines, text = _filtered(request, row)
    size = position_of(request.GET).size
    sums = sums_of(lines)
    paginator = Paginator(ordered(lines), size)
    paginator.count = sums.lines
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "month": row,
        "sums": sums,
        "rows": line_rows(page.object_list),
        "page": page,
        "size": size,
        "sizes": SIZES,
        "text": text,
        "kept": without_position(request.GET),
        "forgotten": text is None,
        **_choices(row, request.user),
    }
    return render(request, "portal/month_lines.html", context)


@requires(Permission.MONTH_EXPORT)
@require_GET
def lines_export(request: SignedInRequest, month: date, kind: str) -> HttpResponseBase:
    """The same list as a file, whole or refused; the elders masked."""
    row = month_or_404(request.user, month, Permission.MONTH_EXPORT)
    lines, _ = _filtered(request, row, Permission.MONTH_EXPORT)
    sums = sums_of(lines)
    url = f"{reverse('portal:month-lines', args=[month])}?{request.GET.urlencode()}"
    if refusal := exports.over_limit(kind, sums.lines):
        messages.error(request, refusal)
        return redirect(url)
    rows = (line.cells() for line in _chunks(ordered(lines)))
    total = f"{sums.lines} 条，{sums.persons} 人，{sums.amount:,.2f} 元"
    return _file(request, row, kind, "核定明细", rows, total)


@requires(Permission.MONTH_VIEW)
@require_GET
def month_adjustments(request: SignedInRequest, month: date) -> HttpResponse:
    """补发 and 追缴 of a month's run for months before it."""
    row = month_or_404(request.user, month)
    found = _adjustments(row, request.user, request.GET.get("kind", ""))
    total = found.order_by().aggregate(lines=Count("pk"), amount=Sum("amount"))
    paginator = Paginator(found, position_of(request.GET).size)
    paginator.count = total["lines"]
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "month": row,
        "rows": adjustment_rows(row, page.object_list),
        "amount": total["amount"] or Decimal("0.00"),
        "page": page,
        "size": position_of(request.GET).size,
        "sizes": SIZES,
        "kept": without_position(request.GET),
        "kinds": (LineKind.BACK_PAY, LineKind.RECOVERY),
    }
    return render(request, "portal/month_adjustments.html", context)


@requires(Permission.MONTH_EXPORT)
@require_GET
def adjustments_export(request: SignedInRequest, month: date, kind: str) -> HttpResponseBase:
    """补发 and 追缴 as a file, whole or refused."""
    row = month_or_404(request.user, month, Permission.MONTH_EXPORT)
    found = _adjustments(row, request.user, request.GET.get("kind", ""), Permission.MONTH_EXPORT)
    total = found.count()
    if refusal := exports.over_limit(kind, total):
        messages.error(request, refusal)
        return redirect("portal:month-adjustments", month)
    rows = (line.cells() for line in all_adjustment_rows(row, found))
    return _file(request, row, kind, "补发追缴", rows, f"{total} 条")


def _filtered(
    request: SignedInRequest, month: Month, permission: Permission = Permission.MONTH_VIEW
) -> tuple[QuerySet[Entitlement], str | None]:
    """Lines of the filters; a forgotten search or a bad filter finds nothing."""
    change = request.GET.get("change", "")
    change = change if change in dict(CHANGES) else ""
    filterset = LineFilterSet(request.GET, queryset=lines_of(month, request.user, change, permission))
    token = request.GET.get("find", "")
    text = finds.recall(request.session, token) if token else ""
    if text is None or not filterset.is_valid():
        return Entitlement.objects.none(), text
    return search_elders(filterset.qs, text), text


def _adjustments(
    month: Month, user: User, kind: str, permission: Permission = Permission.MONTH_VIEW
) -> QuerySet[Adjustment]:
    found = in_areas(month.adjustments.all(), user.area_prefixes(permission), "area_code")
    found = found.filter(kind=kind) if kind in LineKind.values else found
    return found.select_related("elder", "item").order_by("area_code", "elder_id", "item_id", "month")


def _choices(month: Month, user: User) -> dict[str, Any]:
    """Choices of the filter row: the list's items, townships and outcomes."""
    place = place_of(user)
    below = Area.objects.current().children_of(
        place.area_code if place.county_code == month.county_code else month.county_code
    )
    return {
        "items": Item.objects.filter(document__area=month.county_code).order_by("number", "code"),
        "areas": below.order_by("code"),
        "outcomes": Outcome.values,
        "changes": CHANGES,
    }


def _chunks(lines: QuerySet[Entitlement]) -> Any:
    """Rows of a long list, a few thousand at a time."""
    batch: list[Entitlement] = []
    for line in lines.iterator(chunk_size=2000):
        batch.append(line)
        if len(batch) == 2000:
            yield from line_rows(batch)
            batch = []
    yield from line_rows(batch)


def _file(
    request: SignedInRequest, month: Month, kind: str, name: str, rows: Any, total: str
) -> HttpResponseBase:
    now = timezone.localtime()
    query = without_position(request.GET).urlencode()
    audit_record(
        action="month_export",
        subject=f"month:{month.county_code}:{month}",
        actor=request.user,
        data={"list": name, "filter": query, "total": total, "kind": kind, "revision": month.revision},
        address=client_address(request),
    )
    published = timezone.localtime(month.published_at) if month.published_at else now
    about = (
        ("内容", f"{place_of(request.user)} {month.month:%Y年%m月} {name}（证件号码已遮盖）"),
        ("合计", total),
        ("核定时点", f"{published:%Y-%m-%d %H:%M}，第 {month.revision} 版"),
        ("导出时间", f"{now:%Y-%m-%d %H:%M}"),
        ("导出人", str(request.user)),
    )
    listing = exports.Listing(f"{name}-{month}-{now:%Y%m%d-%H%M}", HEADINGS, rows, about, WIDTHS)
    return exports.file_response(kind, listing)
