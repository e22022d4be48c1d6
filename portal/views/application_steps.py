"""Steps of applications: one at a time from its page, or many at once from the queue."""

from collections.abc import Callable, Iterable
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.application_forms import ApproveForm
from portal.application_rows import seen_by
from portal.forms import faults_of
from portal.views.applications import application_or_404, application_page
from subsidies.models import Application
from subsidies.refusals import MoneyRefusedError
from subsidies.services.application import (
    application_approve,
    application_check,
    application_refuse,
    application_withdraw,
)

MOST_AT_ONCE: Final = 100
REFUSED_NAMED: Final = 5
Step = Callable[[Application], object]


@requires(Permission.APPLICATION_CHECK)
@require_POST
def applications_check(request: SignedInRequest) -> HttpResponse:
    """Check the ticked applications; each is taken or refused by itself."""
    return _many(
        request, "审核通过", lambda one: application_check(application_id=one.pk, actor=request.user)
    )


@requires(Permission.APPLICATION_APPROVE)
@require_POST
def applications_approve(request: SignedInRequest) -> HttpResponse:
    """Approve the ticked applications, each from the month that its item's terms propose."""
    return _many(request, "批准", lambda one: application_approve(application_id=one.pk, actor=request.user))


@requires(Permission.APPLICATION_CHECK)
@require_POST
def application_check_one(request: SignedInRequest, pk: int) -> HttpResponse:
    """The township finds it right."""
    note = request.POST.get("note", "")[:200]
    return _one(
        request,
        pk,
        "已审核通过，转县民政局审批。",
        lambda one: application_check(application_id=one.pk, actor=request.user, note=note),
    )


@requires(Permission.APPLICATION_APPROVE)
@require_POST
def application_approve_one(request: SignedInRequest, pk: int) -> HttpResponse:
    """The county approves, from the proposed month or another."""
    form = ApproveForm(request.POST)
    if not form.is_valid():
        return application_page(
            request, application_or_404(request.user, pk), "".join(faults_of(form)), request.POST
        )
    month = form.cleaned_data["first_month"]
    return _one(
        request,
        pk,
        "已批准。",
        lambda one: application_approve(application_id=one.pk, actor=request.user, first_month=month),
    )


@requires(Permission.ELDER_VIEW)
@require_POST
def application_refuse_one(request: SignedInRequest, pk: int) -> HttpResponse:
    """Turned down by whose turn it is; the service refuses everybody else."""
    reason = _reason(request)
    return _one(
        request,
        pk,
        "已登记不予批准。",
        lambda one: application_refuse(application_id=one.pk, actor=request.user, reason=reason),
    )


@requires(Permission.APPLICATION_MAKE)
@require_POST
def application_withdraw_one(request: SignedInRequest, pk: int) -> HttpResponse:
    """Taken back."""
    reason = _reason(request)
    return _one(
        request,
        pk,
        "已撤回。",
        lambda one: application_withdraw(application_id=one.pk, actor=request.user, reason=reason),
    )


def _reason(request: SignedInRequest) -> str:
    """The stock phrase chosen, or what was typed; both together if both are there."""
    parts = (request.POST.get("phrase", "").strip(), request.POST.get("reason", "").strip())
    return "；".join(part for part in parts if part)


def _one(request: SignedInRequest, pk: int, told: str, step: Step) -> HttpResponse:
    application = application_or_404(request.user, pk)
    try:
        step(application)
    except MoneyRefusedError as error:
        return application_page(request, application_or_404(request.user, pk), f"{error}。", request.POST)
    messages.success(request, f"{application.elder.name} 的“{application.item.name}”申请{told}")
    return redirect("portal:application-list")


def _many(request: SignedInRequest, act: str, step: Step) -> HttpResponse:
    ticked = [
        int(pk) for pk in request.POST.getlist("application")[:MOST_AT_ONCE] if pk.isascii() and pk.isdigit()
    ]
    done, refused = 0, []
    for application in seen_by(request.user).filter(pk__in=ticked).order_by("pk"):
        try:
            step(application)
            done += 1
        except MoneyRefusedError as error:
            refused.append(f"{application.elder.name}：{error}")
    if not ticked:
        messages.error(request, "没有选中申请，请先勾选要办理的行。")
    elif done:
        messages.success(request, f"已{act} {done} 件。")
    if refused:
        messages.warning(request, f"有 {len(refused)} 件没有办理。{_named(refused)}")
    return redirect(reverse("portal:application-list"))


def _named(refused: Iterable[str]) -> str:
    refused = list(refused)
    more = f"；另有 {len(refused) - REFUSED_NAMED} 件" if len(refused) > REFUSED_NAMED else ""
    return "；".join(refused[:REFUSED_NAMED]) + more
