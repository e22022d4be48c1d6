"""The steps of a batch: each button of its page, by POST alone; a refused step keeps what was typed."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from organization.step_up import password_confirmed
from portal.batch_scope import batch_or_404
from portal.batch_steps import open_townships
from portal.views.batches import batch_context
from subsidies.models import Batch
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch import batch_discard
from subsidies.services.batch_step import (
    batch_approve,
    batch_close,
    batch_confirm,
    batch_reject,
    batch_send,
    batch_submit,
    township_check,
)

Step = Callable[[Batch, str], object]
TYPED: Final = ("note", "phrase", "reason")
REFUSED_ENTRY: Final = "密码不正确，没有办理；请重新输入登录密码。连续输错会锁定账号。"


@requires(Permission.BATCH_MAKE)
@require_POST
def submit(request: SignedInRequest, pk: int) -> HttpResponse:
    """The maker hands the draft to the townships."""
    return _take(
        request, pk, Permission.BATCH_MAKE, _plain(request, batch_submit), "已提交，等各镇（街）负责人核实。"
    )


@requires(Permission.BATCH_MAKE)
@require_POST
def discard(request: SignedInRequest, pk: int) -> HttpResponse:
    """The maker throws the draft away."""

    def step(batch: Batch, note: str) -> object:
        return batch_discard(batch_id=batch.pk, actor=request.user)

    return _take(request, pk, Permission.BATCH_MAKE, step, "草稿已删除，这些行回到待发放，可以重新生成批次。")


@requires(Permission.BATCH_CHECK)
@require_POST
def check(request: SignedInRequest, pk: int) -> HttpResponse:
    """A township's lead finds the chosen townships right; without a choice nothing is done."""
    batch = batch_or_404(request.user, pk, Permission.BATCH_CHECK)
    chosen = request.POST.getlist("township")
    mine = set(open_townships(batch, request.user, batch.checks.all()))
    done = set(batch.checks.filter(checked_by=request.user).values_list("township", flat=True))

    def step(found: Batch, note: str) -> object:
        if not chosen:
            raise MoneyRefusedError("请选择要核实的镇（街）")
        for township in chosen:
            if township not in mine | done:
                raise MoneyRefusedError("所选的镇（街）不在您的区划范围内，或不在这一批里，请刷新页面后再选")
            township_check(batch_id=found.pk, township=township, actor=request.user, note=note)
        return None

    return _take(request, pk, Permission.BATCH_CHECK, step, f"已核实 {len(chosen)} 个镇（街）。")


@requires(Permission.BATCH_APPROVE)
@require_POST
def approve(request: SignedInRequest, pk: int) -> HttpResponse:
    """The bureau approves, after the password."""
    step = _with_password(request, batch_approve)
    return _take(request, pk, Permission.BATCH_APPROVE, step, "已审批通过。")


@requires(Permission.PAYMENT_VIEW)
@require_POST
def reject(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who works on the batch sends it back, with a reason; the service asks for the right of its state."""
    phrase = request.POST.get("phrase", "").strip()
    words = request.POST.get("reason", "").strip()
    reason = "；".join(part for part in (phrase, words) if part)

    def step(batch: Batch, note: str) -> object:
        return batch_reject(batch_id=batch.pk, actor=request.user, note=reason)

    said = "已退回，这一批作废；应发的行回到待发放，由制单人重新生成。"
    return _take(request, pk, Permission.PAYMENT_VIEW, step, said, {"reject": True})


@requires(Permission.BATCH_CONFIRM)
@require_POST
def confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Finance confirms, after the password."""
    step = _with_password(request, batch_confirm)
    return _take(request, pk, Permission.BATCH_CONFIRM, step, "已确认并记账，可以生成银行文件。")


@requires(Permission.BANK_FILE)
@require_POST
def send(request: SignedInRequest, pk: int) -> HttpResponse:
    """The file was handed to the bank."""

    def step(batch: Batch, note: str) -> object:
        return batch_send(batch_id=batch.pk, actor=request.user)

    return _take(request, pk, Permission.BANK_FILE, step, "已登记报送，等银行回盘。")


@requires(Permission.BATCH_CONFIRM)
@require_POST
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Every line has its result."""
    return _take(request, pk, Permission.BATCH_CONFIRM, _plain(request, batch_close), "批次已关闭。")


def _plain(request: SignedInRequest, service: Callable[..., object]) -> Step:
    """A step that needs nothing but the actor and a note."""
    return lambda batch, note: service(batch_id=batch.pk, actor=request.user, note=note)


def _with_password(request: SignedInRequest, service: Callable[..., object]) -> Step:
    """A step before which the password is entered again; wrong ones count towards the lock."""

    def step(batch: Batch, note: str) -> object:
        if not password_confirmed(request, request.POST.get("password", "")):
            raise MoneyRefusedError(REFUSED_ENTRY)
        return service(batch_id=batch.pk, actor=request.user, note=note)

    return step


def _take(
    request: SignedInRequest,
    pk: int,
    permission: Permission,
    step: Step,
    said: str,
    typed: dict[str, Any] | None = None,
) -> HttpResponse:
    """Take a step and go back to the batch; refused, show the batch with the reason and what was typed."""
    batch = batch_or_404(request.user, pk, permission)
    note = request.POST.get("note", "").strip()
    try:
        step(batch, note)
    except MoneyRefusedError as refusal:
        return refused(request, pk, str(refusal), typed)
    messages.success(request, f"批次 {batch.number}：{said}")
    return redirect("portal:batch-detail", pk)


def refused(
    request: SignedInRequest, pk: int, reason: str, typed: dict[str, Any] | None = None
) -> HttpResponse:
    """The batch's page with the reason why a step was not taken and what was typed for it."""
    batch = batch_or_404(request.user, pk)
    kept = {name: request.POST.get(name, "") for name in TYPED} | (typed or {})
    context = batch_context(batch, request.user) | {"step_error": reason, "typed": kept}
    return render(request, "portal/batch_detail.html", context, status=409)
