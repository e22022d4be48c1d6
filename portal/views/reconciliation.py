"""Reconciliation: what the portal paid, what the bank says, what the ledger booked; every figure opens its rows."""

from datetime import date

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from catalog.models import Item
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.batch_scope import batch_or_404, county_of, covers
from portal.filtersets import without_position
from portal.paging import SIZES, position_of
from portal.payment_forms import month_slug
from subsidies.models import Batch
from subsidies.reconciliation import (
    WITH_BANK,
    bank_rows,
    by_batch,
    by_item,
    reconciliation_rows,
    summed,
    total,
    unsettled_rows,
)


@requires(Permission.LEDGER_VIEW)
@require_GET
def reconciliation(request: SignedInRequest) -> HttpResponse:
    """One month three ways: in all, by item, by batch and item."""
    county = county_of(request.user, Permission.LEDGER_VIEW)
    months = _months(county)
    month = next((m for m in months if month_slug(m) == request.GET.get("month", "")), None)
    month = month or (months[0] if months else None)
    every = reconciliation_rows(county_code=county, month=month) if month else []
    item = _item(county, request.GET.get("item", ""))
    rows = [row for row in every if item is None or row.item_id == item.pk]
    batches = summed(rows, by_batch)
    whole = total(rows)
    context = {
        "months": months,
        "month": month,
        "item": item,
        "whole": whole,
        "rest": whole.sent - whole.portal - whole.failed - whole.open,
        "items": list(summed(every, by_item).items()),
        "batches": [
            (pk, number, figures, [row for row in rows if row.batch_id == pk])
            for (pk, number), figures in batches.items()
        ],
        "now": timezone.localtime(),
    }
    return render(request, "portal/reconciliation.html", context)


@requires(Permission.LEDGER_VIEW)
@require_GET
def bank_results(request: SignedInRequest, pk: int) -> HttpResponse:
    """Rows of a batch's returns behind a figure: what counts as paid by the bank, or what has to be looked into."""
    batch = batch_or_404(request.user, pk)
    if not covers(request.user, batch.county_code, Permission.LEDGER_VIEW):
        raise Http404
    item = _item(batch.county_code, request.GET.get("item", ""))
    unsettled = request.GET.get("look") == "unsettled"
    rows = (
        unsettled_rows(batch_id=pk)
        if unsettled
        else bank_rows(batch_id=pk, item_id=item.pk if item else None)
    )
    size = position_of(request.GET).size
    context = {
        "batch": batch,
        "item": item,
        "unsettled": unsettled,
        "page": (page := Paginator(rows, size).get_page(request.GET.get("page"))),
        "rows": page.object_list,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(request.GET),
    }
    return render(request, "portal/bank_results.html", context)


def _months(county: str) -> list[date]:
    """Months whose batches the bank has had, newest first."""
    found = Batch.objects.filter(county_code=county, state__in=WITH_BANK)
    return list(found.order_by("-month__month").values_list("month__month", flat=True).distinct())


def _item(county: str, text: str) -> Item | None:
    """An item of the county's lists; None without one. Raises Http404 for another."""
    if not text:
        return None
    is_id = text.isascii() and text.isdigit() and len(text) < 18
    item = Item.objects.filter(document__area=county, pk=int(text)).first() if is_id else None
    if item is None:
        raise Http404
    return item
