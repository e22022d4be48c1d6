"""Lines of a batch: what every figure opens, their download, and one line traced to fact, rule and document."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
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
from portal import exports, finds
from portal.batch_scope import batch_or_404, covers, payments_of
from portal.filtersets import OUTSIDE, PaymentFilterSet, without_position
from portal.paging import SIZES, position_of
from portal.payment_rows import HEADINGS, WIDTHS, all_rows, ordered, payment_rows, search_payments, sums_of
from portal.payment_trace import Trace, trace_of
from portal.scope import place_of
from subsidies.choices import LineKind, PaymentState, ReturnReason
from subsidies.models import Batch, Payment

FILTERS = ("item", "area", "kind", "state", "reason", "paying", "size")


@requires(Permission.PAYMENT_VIEW)
@require_POST
def payments_find(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the search text out of the URL and go to the list with the other filters."""
    return finds.find_redirect(request, reverse("portal:payment-list", args=[pk]), FILTERS)


@requires(Permission.PAYMENT_VIEW)
@require_GET
def payment_list(request: SignedInRequest, pk: int) -> HttpResponse:
    """Lines that fit the filters, with count, persons and sum of the whole result."""
    batch = batch_or_404(request.user, pk)
    lines, text = _filtered(request, batch)
    size = position_of(request.GET).size
    sums = sums_of(lines)
    # only the keys of the pages before are read, not their lines
    paginator = Paginator(lines.order_by("number").values_list("pk", flat=True), size)
    paginator.count = sums.lines
    page = paginator.get_page(request.GET.get("page"))
    shown = Payment.objects.filter(pk__in=list(page.object_list))
    context = {
        "batch": batch,
        "sums": sums,
        "rows": payment_rows(ordered(shown)),
        "page": page,
        "size": size,
        "sizes": SIZES,
        "text": text,
        "kept": without_position(request.GET),
        "forgotten": text is None,
        **_choices(batch, request.user),
    }
    return render(request, "portal/payment_list.html", context)


@requires(Permission.PAYMENT_EXPORT)
@require_GET
def payment_export(request: SignedInRequest, pk: int, kind: str) -> HttpResponseBase:
    """The same list as a file, whole or refused; elders and accounts masked."""
    batch = batch_or_404(request.user, pk, Permission.PAYMENT_EXPORT)
    lines, _ = _filtered(request, batch, Permission.PAYMENT_EXPORT)
    sums = sums_of(lines)
    if refusal := exports.over_limit(kind, sums.lines):
        messages.error(request, refusal)
        return redirect(f"{reverse('portal:payment-list', args=[pk])}?{request.GET.urlencode()}")
    now = timezone.localtime()
    total = f"{sums.lines} 笔，{sums.persons} 人，{sums.amount:,.2f} 元"
    audit_record(
        action="导出发放明细",
        subject=f"batch:{batch.number}",
        actor=request.user,
        data={"filter": without_position(request.GET).urlencode(), "total": total, "kind": kind},
        address=client_address(request),
    )
    about = (
        ("内容", f"{place_of(request.user)} 批次 {batch.number} 发放明细（证件号码和账号已遮盖）"),
        ("合计", total),
        ("批次状态", batch.get_state_display()),
        ("导出时间", f"{now:%Y-%m-%d %H:%M}"),
        ("导出人", str(request.user)),
    )
    rows = (row.cells() for row in all_rows(lines))
    name = f"发放明细-{batch.number}-{now:%Y%m%d-%H%M}"
    return exports.file_response(kind, exports.Listing(name, HEADINGS, rows, about, WIDTHS))


@requires(Permission.PAYMENT_VIEW)
@require_GET
def payment_detail(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """One line: why, by whom, what the bank said, and what was paid again."""
    batch = batch_or_404(request.user, pk)
    payment = line_or_404(batch, request.user, number)
    return render(request, "portal/payment_detail.html", detail_context(trace_of(payment, request.user)))


def detail_context(trace: Trace) -> dict[str, Any]:
    """What the page of a line shows."""
    return {"trace": trace, "row": trace.row, "payment": trace.row.payment, "batch": trace.row.payment.batch}


def line_or_404(
    batch: Batch, user: User, number: int, permission: Permission = Permission.PAYMENT_VIEW
) -> Payment:
    """A line of the batch that lies in the user's areas."""
    lines = payments_of(batch, user, permission).select_related("batch__month", "batch__made_by")
    payment = lines.select_related("elder", "item", "batch", "reissues").filter(number=number).first()
    if payment is None:
        raise Http404
    return payment


def _filtered(
    request: SignedInRequest, batch: Batch, permission: Permission = Permission.PAYMENT_VIEW
) -> tuple[QuerySet[Payment], str | None]:
    """Lines of the filters; a forgotten search or a bad filter finds nothing."""
    filterset = PaymentFilterSet(request.GET, queryset=payments_of(batch, request.user, permission))
    token = request.GET.get("find", "")
    text = finds.recall(request.session, token) if token else ""
    if text is None or not filterset.is_valid():
        return Payment.objects.none(), text
    return search_payments(filterset.qs, text), text


def _choices(batch: Batch, user: User) -> dict[str, Any]:
    """Choices of the filter row: items of the county's lists, townships or villages, states and reasons."""
    place = place_of(user)
    whole = covers(user, batch.county_code)
    below = Area.objects.current().children_of(batch.county_code if whole else place.area_code)
    return {
        "items": Item.objects.filter(document__area=batch.county_code).order_by("number", "code"),
        "areas": below.order_by("code"),
        "outside": OUTSIDE if whole else "",
        "kinds": (LineKind.REGULAR, LineKind.BACK_PAY),
        "states": PaymentState.choices,
        "reasons": ReturnReason.choices,
    }
