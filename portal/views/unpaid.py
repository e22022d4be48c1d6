"""Failed lines: paying them again, and giving up those of which nothing is due any more."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.batch_bank import not_owed
from portal.batch_scope import batch_or_404
from portal.payment_rows import payment_rows
from subsidies.batch_tasks import batch_build_request
from subsidies.choices import BatchKind
from subsidies.models import Batch
from subsidies.refusals import MoneyRefusedError
from subsidies.services.unpaid import unpaid_cancel


@requires(Permission.BATCH_MAKE)
@require_POST
def reissue(request: SignedInRequest, pk: int) -> HttpResponse:
    """Have a batch built that pays failed lines again; one under way is shown instead of a second."""
    batch = batch_or_404(request.user, pk, Permission.BATCH_MAKE)
    batch_build_request(month=batch.month, kind=BatchKind.REISSUE, created_by=request.user)
    return redirect("portal:batch-list")


@requires(Permission.BATCH_MAKE)
@require_GET
def unpaid_list(request: SignedInRequest, pk: int) -> HttpResponse:
    """Failed lines of the batch of which nothing is due any more by the newest facts."""
    batch = batch_or_404(request.user, pk, Permission.BATCH_MAKE)
    return _page(request, batch)


@requires(Permission.BATCH_MAKE)
@require_POST
def unpaid_give_up(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give up the chosen lines, with a reason."""
    batch = batch_or_404(request.user, pk, Permission.BATCH_MAKE)
    numbers = [int(n) for n in request.POST.getlist("line") if n.isascii() and n.isdigit() and len(n) < 9]
    chosen = list(batch.payments.filter(number__in=numbers).values_list("pk", flat=True))
    try:
        if not chosen:
            raise MoneyRefusedError("请选择要核销的行")
        done = unpaid_cancel(payment_ids=chosen, actor=request.user, reason=request.POST.get("reason", ""))
    except MoneyRefusedError as refusal:
        return _page(request, batch, str(refusal))
    messages.success(request, f"批次 {batch.number}：已核销 {done or len(chosen)} 笔，不再列为欠发。")
    return redirect("portal:batch-detail", pk)


def _page(request: SignedInRequest, batch: Batch, refusal: str = "") -> HttpResponse:
    lines = not_owed(batch)
    context = {
        "batch": batch,
        "rows": payment_rows(lines),
        "refusal": refusal,
        "reason": request.POST.get("reason", ""),
        "chosen": request.POST.getlist("line"),
    }
    return render(request, "portal/unpaid_list.html", context, status=409 if refusal else 200)
