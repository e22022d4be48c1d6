"""The year's budget: granted, used, left, and the share of 彩票公益金 for elder care."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from catalog.choices import Form
from catalog.models import Item
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.batch_figures import ZERO
from portal.batch_scope import county_of, covers
from portal.payment_forms import AppropriationForm
from subsidies.budget import BudgetRow, budget_rows, lottery_share
from subsidies.choices import FundSource
from subsidies.models import Appropriation
from subsidies.refusals import MoneyRefusedError
from subsidies.services.appropriation import appropriation_record

YEARS_BEFORE = 5


@dataclass(frozen=True)
class BudgetSums:
    """Sums of all rows of a year, 元."""

    appropriated: Decimal
    spent: Decimal
    committed: Decimal
    left: Decimal


@requires(Permission.LEDGER_VIEW)
@require_http_methods(["GET", "POST"])
def budget(request: SignedInRequest) -> HttpResponse:
    """Grants against what was used, item by item and source by source; finance records grants."""
    county = county_of(request.user, Permission.LEDGER_VIEW)
    managed = covers(request.user, county, Permission.BUDGET_MANAGE)
    posted = request.method == "POST"
    if posted and not managed:
        raise PermissionDenied(Permission.BUDGET_MANAGE.label)
    form = AppropriationForm(request.POST if posted else None)
    refusal = ""
    if posted and form.is_valid():
        given = form.cleaned_data
        item = Item.objects.filter(document__area=county, pk=given["item"] or 0).first()
        try:
            if given["item"] and item is None:
                raise MoneyRefusedError("这个项目不在本县清单里，请重新选择")
            appropriation_record(
                county_code=county,
                year=given["year"],
                source=given["source"],
                item=item,
                amount=given["amount"],
                document=given["document"],
                actor=request.user,
            )
        except MoneyRefusedError as error:
            refusal = str(error)
        else:
            messages.success(request, f"{given['year']} 年预算 {given['amount']:,.2f} 元已登记。")
            return redirect(f"{reverse('portal:budget')}?year={given['year']}")
    year = _year(request)
    rows = budget_rows(county_code=county, year=year)
    context = {
        "year": year,
        "years": _years(year),
        "rows": rows,
        "sums": _sums(rows),
        "lottery": lottery_share(county_code=county, year=year),
        "grants": Appropriation.objects.filter(county_code=county, year=year)
        .select_related("item", "made_by")
        .order_by("-pk"),
        "form": form,
        "refusal": refusal,
        "managed": managed,
        "sources": FundSource.choices,
        "items": Item.objects.filter(document__area=county, form=Form.CASH).order_by("number", "code"),
    }
    return render(request, "portal/budget.html", context, status=400 if posted else 200)


def _year(request: SignedInRequest) -> int:
    given = request.POST.get("year") or request.GET.get("year", "")
    is_year = given.isascii() and given.isdigit() and 2000 <= int(given) < 2100
    return int(given) if is_year else timezone.localdate().year


def _years(chosen: int) -> list[int]:
    """The coming year, the running one and some before it."""
    this = timezone.localdate().year
    return sorted({chosen, *range(this - YEARS_BEFORE + 1, this + 2)}, reverse=True)


def _sums(rows: Sequence[BudgetRow]) -> BudgetSums:
    return BudgetSums(
        *(sum((getattr(row, name) for row in rows), ZERO) for name in BudgetSums.__dataclass_fields__)
    )
