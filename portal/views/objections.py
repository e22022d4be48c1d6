"""What keeps a single line back: objections during public notice, holds, and their end."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.batch_scope import batch_or_404
from portal.payment_trace import trace_of
from portal.views.payments import detail_context, line_or_404
from subsidies.models import Objection, Payment
from subsidies.refusals import MoneyRefusedError
from subsidies.services.objection import (
    objection_decide,
    objection_record,
    payment_hold,
    payment_release,
)

TYPED = ("text", "reason", "why", "finding")


@requires(Permission.PAYMENT_VIEW)
@require_POST
def record(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """Take an objection down: the line is held, the others go on."""
    text = request.POST.get("text", "")
    return _take(
        request,
        pk,
        number,
        lambda line: objection_record(payment_id=line.pk, text=text, actor=request.user),
        "异议已登记，这一行暂缓，其他行不受影响。",
    )


@requires(Permission.BATCH_APPROVE)
@require_POST
def decide(request: SignedInRequest, pk: int, number: int, objection_id: int) -> HttpResponse:
    """Decide an objection to the line."""
    upheld = request.POST.get("upheld")
    if upheld not in {"0", "1"}:
        return _refused(request, pk, number, "请选择异议成立或不成立")
    finding = request.POST.get("finding", "")

    def step(line: Payment) -> object:
        objection = get_object_or_404(Objection, pk=objection_id, payment=line)
        return objection_decide(
            objection_id=objection.pk, upheld=upheld == "1", finding=finding, actor=request.user
        )

    return _take(request, pk, number, step, "异议已处理。")


@requires(Permission.PAYMENT_VIEW)
@require_POST
def hold(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """Keep the line back, with a reason."""
    reason = request.POST.get("reason", "")
    return _take(
        request,
        pk,
        number,
        lambda line: payment_hold(payment_id=line.pk, reason=reason, actor=request.user),
        "这一行已暂缓，不计入本批。",
    )


@requires(Permission.PAYMENT_VIEW)
@require_POST
def release(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """End a hold, with a reason."""
    reason = request.POST.get("why", "")
    return _take(
        request,
        pk,
        number,
        lambda line: payment_release(payment_id=line.pk, reason=reason, actor=request.user),
        "已解除暂缓。",
    )


def _take(
    request: SignedInRequest, pk: int, number: int, step: Callable[[Payment], object], said: str
) -> HttpResponse:
    """Take a step with one line; the service asks for the right. Refused, the page keeps what was typed."""
    line = line_or_404(batch_or_404(request.user, pk), request.user, number)
    try:
        step(line)
    except MoneyRefusedError as refusal:
        return _refused(request, pk, number, str(refusal))
    messages.success(request, said)
    return redirect("portal:payment-detail", pk, number)


def _refused(request: SignedInRequest, pk: int, number: int, reason: str) -> HttpResponse:
    line = line_or_404(batch_or_404(request.user, pk), request.user, number)
    typed = {name: request.POST.get(name, "") for name in TYPED}
    context = detail_context(trace_of(line, request.user)) | {"step_error": reason, "typed": typed}
    return render(request, "portal/payment_detail.html", context, status=409)
