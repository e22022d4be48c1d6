"""The ledger: entries, their sums, their download."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from catalog.models import Item
from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal import exports
from portal.batch_scope import county_of
from portal.filtersets import without_position
from portal.ledger_rows import EVENTS, HEADINGS, WIDTHS, cells, entries_of, filtered, ordered, sums_of
from portal.paging import SIZES, position_of
from portal.scope import place_of
from subsidies.choices import Account, FundSource
from subsidies.models import Batch

BATCHES_OFFERED = 50


@requires(Permission.LEDGER_VIEW)
@require_GET
def ledger(request: SignedInRequest) -> HttpResponse:
    """Entries that fit the filters, with both sides of the whole result."""
    county = county_of(request.user, Permission.LEDGER_VIEW)
    entries = filtered(entries_of(county), request.GET)
    size = position_of(request.GET).size
    sums = sums_of(entries)
    paginator = Paginator(ordered(entries), size)
    paginator.count = sums.entries
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "rows": page.object_list,
        "sums": sums,
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(request.GET),
        "events": [(key, word) for key, (word, _) in EVENTS.items()],
        "accounts": Account.choices,
        "sources": FundSource.choices,
        "items": Item.objects.filter(document__area=county).order_by("number", "code"),
        "batches": Batch.objects.filter(county_code=county, entries__isnull=False)
        .distinct()
        .order_by("-pk")[:BATCHES_OFFERED],
    }
    return render(request, "portal/ledger.html", context)


@requires(Permission.LEDGER_VIEW)
@require_GET
def ledger_export(request: SignedInRequest, kind: str) -> HttpResponseBase:
    """The same entries as a file, whole or refused."""
    county = county_of(request.user, Permission.LEDGER_VIEW)
    entries = filtered(entries_of(county), request.GET)
    sums = sums_of(entries)
    if refusal := exports.over_limit(kind, sums.entries):
        messages.error(request, refusal)
        return redirect(f"{reverse('portal:ledger')}?{request.GET.urlencode()}")
    now = timezone.localtime()
    total = f"{sums.entries} 笔，借方 {sums.debit:,.2f} 元，贷方 {sums.credit:,.2f} 元"
    query = without_position(request.GET).urlencode()
    audit_record(
        action="导出台账",
        subject=f"ledger:{county}",
        actor=request.user,
        data={"filter": query, "total": total, "kind": kind},
        address=client_address(request),
    )
    about = (
        ("内容", f"{place_of(request.user).county_name} 发放台账"),
        ("合计", total),
        ("导出时间", f"{now:%Y-%m-%d %H:%M}"),
        ("导出人", str(request.user)),
    )
    rows = cells(ordered(entries).iterator(chunk_size=2000))
    listing = exports.Listing(f"发放台账-{now:%Y%m%d-%H%M}", HEADINGS, rows, about, WIDTHS)
    return exports.file_response(kind, listing)
