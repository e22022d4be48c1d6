"""The steps of a recovery case: each form of its page, by POST alone; a refused step keeps what was typed."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from organization.step_up import password_confirmed
from portal.forms import faults_of
from portal.recovery_forms import (
    ConsentForm,
    DecideForm,
    NotifyForm,
    RepayForm,
    RequestForm,
    ReverseForm,
)
from portal.views.recoveries import case_context, case_or_404
from subsidies.choices import RecoveryEntryKind
from subsidies.models import Recovery
from subsidies.refusals import MoneyRefusedError
from subsidies.services.recovery import recovery_consent, recovery_notify
from subsidies.services.recovery_entry import recovery_repay, recovery_reverse
from subsidies.services.recovery_request import recovery_decide, recovery_request

Step = Callable[[Recovery, dict[str, Any]], object]
SECRET: Final = ("password", "csrfmiddlewaretoken")
NOT_CONFIRMED: Final = "密码不正确，没有办理；请重新输入登录密码。连续输错会锁定账号。"


@requires(Permission.RECOVERY_MANAGE)
@require_POST
def notify(request: SignedInRequest, pk: int) -> HttpResponse:
    """The family was told."""

    def step(case: Recovery, given: dict[str, Any]) -> object:
        return recovery_notify(
            recovery_id=case.pk, on=given["on"], pay_by=given["pay_by"], actor=request.user
        )

    return _take(request, pk, Permission.RECOVERY_MANAGE, NotifyForm(request.POST), step, "通知已登记。")


@requires(Permission.RECOVERY_MANAGE)
@require_POST
def consent(request: SignedInRequest, pk: int) -> HttpResponse:
    """The family agreed in writing that later payments are kept back."""

    def step(case: Recovery, given: dict[str, Any]) -> object:
        file = given["file"]
        return recovery_consent(
            recovery_id=case.pk, name=file.name, content=file.read(), on=given["on"], actor=request.user
        )

    form = ConsentForm(request.POST, request.FILES)
    said = "同意书已保存；下一批发放时从本人的补贴中抵扣。"
    return _take(request, pk, Permission.RECOVERY_MANAGE, form, step, said)


@requires(Permission.RECOVERY_RECEIVE)
@require_POST
def repay(request: SignedInRequest, pk: int) -> HttpResponse:
    """Money came back."""

    def step(case: Recovery, given: dict[str, Any]) -> object:
        return recovery_repay(
            recovery_id=case.pk,
            amount=given["amount"],
            on=given["on"],
            key=given["key"],
            actor=request.user,
            note=given["note"],
        )

    return _take(
        request, pk, Permission.RECOVERY_RECEIVE, RepayForm(request.POST), step, "退款已登记并记账。"
    )


@requires(Permission.RECOVERY_RECEIVE)
@require_POST
def reverse_repaid(request: SignedInRequest, pk: int) -> HttpResponse:
    """A repayment that was booked wrongly is taken back."""
    step = _reversal(request, RecoveryEntryKind.REPAID)
    said = "已冲正，未退金额已恢复。"
    return _take(request, pk, Permission.RECOVERY_RECEIVE, ReverseForm(request.POST), step, said)


@requires(Permission.RECOVERY_APPROVE)
@require_POST
def reopen(request: SignedInRequest, pk: int) -> HttpResponse:
    """A write-off is taken back after the password: the case is open again."""
    step = _with_password(request, _reversal(request, RecoveryEntryKind.WRITE_OFF))
    return _take(
        request, pk, Permission.RECOVERY_APPROVE, ReverseForm(request.POST), step, "核销已冲正，恢复追缴。"
    )


@requires(Permission.RECOVERY_MANAGE)
@require_POST
def ask(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for a write-off or a cancellation."""

    def step(case: Recovery, given: dict[str, Any]) -> object:
        return recovery_request(
            recovery_id=case.pk, kind=given["kind"], reason=given["reason"], actor=request.user
        )

    said = "申请已提交，等分管领导审批。"
    return _take(request, pk, Permission.RECOVERY_MANAGE, RequestForm(request.POST), step, said)


@requires(Permission.RECOVERY_APPROVE)
@require_POST
def decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """Decide on a request, after the password."""

    def step(case: Recovery, given: dict[str, Any]) -> object:
        if not case.requests.filter(pk=given["request"]).exists():
            raise Http404
        return recovery_decide(
            request_id=given["request"],
            approved=given["decision"] == "yes",
            opinion=given["opinion"],
            actor=request.user,
        )

    form = DecideForm(request.POST)
    return _take(
        request, pk, Permission.RECOVERY_APPROVE, form, _with_password(request, step), "审批已登记。"
    )


def _reversal(request: SignedInRequest, kind: RecoveryEntryKind) -> Step:
    """Take back an entry of this kind and this case."""

    def step(case: Recovery, given: dict[str, Any]) -> object:
        if not case.entries.filter(pk=given["entry"], kind=kind).exists():
            raise Http404
        return recovery_reverse(
            entry_id=given["entry"], key=given["key"], actor=request.user, note=given["note"]
        )

    return step


def _with_password(request: SignedInRequest, step: Step) -> Step:
    """A step before which the password is entered again; wrong ones count towards the lock."""

    def guarded(case: Recovery, given: dict[str, Any]) -> object:
        if not password_confirmed(request, request.POST.get("password", "")):
            raise MoneyRefusedError(NOT_CONFIRMED)
        return step(case, given)

    return guarded


def _take(
    request: SignedInRequest, pk: int, permission: Permission, form: Form, step: Step, said: str
) -> HttpResponse:
    """Take a step and go back to the case; refused, show the case with the reason and what was typed."""
    case = case_or_404(request.user, pk, permission)
    if not form.is_valid():
        return _refused(request, pk, "".join(faults_of(form)), 400)
    try:
        step(case, form.cleaned_data)
    except MoneyRefusedError as refusal:
        return _refused(request, pk, str(refusal), 409)
    messages.success(request, said)
    return redirect("portal:recovery-detail", pk)


def _refused(request: SignedInRequest, pk: int, reason: str, status: int) -> HttpResponse:
    typed = {name: value for name, value in request.POST.items() if name not in SECRET}
    step = request.path.rstrip("/").rpartition("/")[2]
    context = case_context(request.user, pk) | {"step_error": reason, "typed": {step: typed}, "failed": step}
    return render(request, "portal/recovery_detail.html", context, status=status)
