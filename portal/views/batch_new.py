"""Asking for a batch: month, items, and what will be left out and why."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from catalog.models import Item
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.batch_scope import county_of
from portal.payment_forms import month_slug
from subsidies.batch_selectors import left_out
from subsidies.batch_tasks import batch_build_request
from subsidies.choices import AnomalyKind, AnomalyState, BatchKind, BatchState, Outcome, PaymentState
from subsidies.models import Anomaly, Batch, Entitlement, Month, Payment, PaymentTerms

MONTHS_OFFERED = 12


@dataclass(frozen=True)
class ItemOffer:
    """One item that the portal pays: what the month decided, and what batches of it pay already."""

    item: Item
    due: int
    amount: Decimal
    in_batches: int


@requires(Permission.BATCH_MAKE)
@require_http_methods(["GET", "POST"])
def batch_new(request: SignedInRequest) -> HttpResponse:
    """Choose month and items and see what is left out; asking builds the draft in the background."""
    county = county_of(request.user, Permission.BATCH_MAKE)
    months = list(
        Month.objects.filter(county_code=county, revision__gt=0).order_by("-month")[:MONTHS_OFFERED]
    )
    given = request.POST if request.method == "POST" else request.GET
    month = _chosen(months, given.get("month", ""))
    offers = item_offers(month) if month else []
    fault = ""
    if request.method == "POST":
        chosen = set(request.POST.getlist("item"))
        wanted = [offer.item.pk for offer in offers if str(offer.item.pk) in chosen]
        if month is None:
            fault = "还没有核定过的月份，请先运行月度核定。"
        elif not wanted:
            fault = "请至少选一个项目。"
        else:
            every = len(wanted) == len(offers)
            batch_build_request(
                month=month,
                kind=BatchKind.REGULAR,
                item_ids=None if every else wanted,
                created_by=request.user,
            )
            return redirect("portal:batch-list")
    context = {
        "months": months,
        "month": month,
        "offers": offers,
        "fault": fault,
        "chosen": given.getlist("item") if request.method == "POST" else None,
        "draft": _draft(month),
        "left": left_out(month) if month else None,
        "unseen": _unseen(month),
    }
    return render(request, "portal/batch_new.html", context, status=400 if fault else 200)


def item_offers(month: Month) -> list[ItemOffer]:
    """Items with terms in force in the month, with what was decided and what batches already hold."""
    terms = PaymentTerms.objects.filter(item__document__area=month.county_code, first_month__lte=month.month)
    items = {t.item_id: t.item for t in terms.select_related("item")}
    lines: QuerySet[Entitlement] = Entitlement.objects.of(month)
    due = lines.filter(outcome=Outcome.DUE, item__in=items, amount__gt=0)
    sums = due.values_list("item_id").annotate(n=Count("elder_id"), money=Sum("amount")).order_by()
    decided = {item_id: (number, money) for item_id, number, money in sums}
    paid = Payment.objects.filter(month=month.month, item__in=items).exclude(state=PaymentState.VOID)
    held = dict(
        paid.filter(reissues=None)
        .values_list("item_id")
        .annotate(n=Count("elder_id", distinct=True))
        .order_by()
    )
    return [
        ItemOffer(
            item,
            *decided.get(pk, (0, Decimal("0.00"))),
            held.get(pk, 0),
        )
        for pk, item in sorted(items.items(), key=lambda pair: (pair[1].number, pair[1].code))
    ]


def _chosen(months: list[Month], text: str) -> Month | None:
    return next((m for m in months if month_slug(m.month) == text), months[0] if months else None)


def _draft(month: Month | None) -> Batch | None:
    drafts = Batch.objects.filter(month=month, kind=BatchKind.REGULAR, state=BatchState.DRAFT)
    return drafts.first() if month else None


def _unseen(month: Month | None) -> int:
    """Anomalies of due lines that nobody has looked at yet; who has no account is counted as left out."""
    if month is None:
        return 0
    rows = Anomaly.objects.filter(run=month, state=AnomalyState.OPEN)
    return rows.exclude(kind=AnomalyKind.NO_ACCOUNT).count()
