"""Payment terms and funding of the county's items."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from catalog.choices import Form
from catalog.models import Item
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.batch_scope import county_of, covers
from portal.payment_forms import FundingForm, TermsForm, month_slug
from subsidies.choices import FirstMonth, FundSource
from subsidies.models import Funding, PaymentTerms
from subsidies.refusals import MoneyRefusedError
from subsidies.services.terms import Terms, funding_set, terms_set


@dataclass(frozen=True)
class TermsRow:
    """One item with its terms and its shares of funding, newest months first."""

    item: Item
    terms: PaymentTerms | None
    funding: list[tuple[str, list[Funding]]]


@requires(Permission.PAYMENT_VIEW)
@require_GET
def terms_list(request: SignedInRequest) -> HttpResponse:
    """Every item that pays money, and how."""
    county = county_of(request.user, Permission.PAYMENT_VIEW)
    items = _items(county).select_related("payment_terms").prefetch_related("fundings")
    rows = [_row(item) for item in items.order_by("number", "code")]
    managed = covers(request.user, county, Permission.TERMS_MANAGE)
    return render(request, "portal/terms_list.html", {"rows": rows, "managed": managed})


@requires(Permission.TERMS_MANAGE)
@require_http_methods(["GET", "POST"])
def terms_edit(request: SignedInRequest, item_id: int) -> HttpResponse:
    """Set the terms of an item and its shares of funding; refused input stays in the form."""
    county = county_of(request.user, Permission.TERMS_MANAGE)
    item = get_object_or_404(_items(county).select_related("document"), pk=item_id)
    row = _row(item)
    data = request.POST if request.method == "POST" else None
    which = request.POST.get("which", "")
    terms = TermsForm(data if which == "terms" else None, initial=_terms_initial(row))
    funding = FundingForm(data if which == "funding" else None, initial=_funding_initial(row))
    refusal = ""
    try:
        if terms.is_bound and terms.is_valid():
            terms_set(item=item, terms=Terms(**terms.cleaned_data), actor=request.user)
            return _saved(request, f"{item.name}的发放设置已保存。", item)
        if funding.is_bound and funding.is_valid():
            month = funding.cleaned_data["funding_month"]
            funding_set(item=item, first_month=month, shares=funding.shares(), actor=request.user)
            return _saved(request, f"{item.name}自 {month:%Y年%m月} 起的资金来源已保存。", item)
    except MoneyRefusedError as error:
        refusal = str(error)
    context = {
        "row": row,
        "item": item,
        "terms": terms,
        "funding": funding,
        "refusal": refusal,
        "starts": FirstMonth.choices,
    }
    return render(request, "portal/terms_edit.html", context, status=400 if data is not None else 200)


def _saved(request: SignedInRequest, words: str, item: Item) -> HttpResponse:
    messages.success(request, words)
    return redirect("portal:terms-edit", item.pk)


def _items(county: str) -> QuerySet[Item]:
    """Items of the county's lists that pay money, and any other that already has terms."""
    return Item.objects.filter(Q(form=Form.CASH) | Q(payment_terms__isnull=False), document__area=county)


def _row(item: Item) -> TermsRow:
    months: dict[str, list[Funding]] = {}
    for share in sorted(item.fundings.all(), key=lambda f: (f.first_month, f.source), reverse=True):
        months.setdefault(month_slug(share.first_month), []).append(share)
    return TermsRow(item, getattr(item, "payment_terms", None), list(months.items()))


def _terms_initial(row: TermsRow) -> dict[str, Any]:
    if row.terms is None:
        return {
            "first_month": month_slug(timezone.localdate()),
            "notice_days": 0,
            "start": FirstMonth.AFTER_APPROVED,
            "certify_months": 12,
            "certify_grace_days": 30,
        }
    fields = ("notice_days", "start", "certify_months", "certify_grace_days")
    values = {name: getattr(row.terms, name) for name in fields}
    return {"first_month": month_slug(row.terms.first_month), **values}


def _funding_initial(row: TermsRow) -> dict[str, Any]:
    newest = row.funding[0][1] if row.funding else []
    fiscal = next((share.share for share in newest if share.source == FundSource.FISCAL), None)
    return {
        "funding_month": month_slug(timezone.localdate()),
        "fiscal": fiscal if fiscal is not None else (0 if newest else 100),
    }
