"""Printed papers: short ones at once, long ones in the background to be taken away within a day."""

from datetime import date
from typing import Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from eldercare.models import Elder
from operations.models import Job
from operations.services.audit import audit_record
from operations.services.stored_file import stored_file_read
from organization.addresses import client_address
from organization.choices import Permission
from organization.models import User
from organization.permissions import SignedInRequest, requires, user_may
from portal.batch_scope import batch_or_404, covers
from portal.exports import attachment
from portal.scope import month_or_404
from subsidies.applications import application_list
from subsidies.models import Application
from subsidies.paper_tasks import KIND, mime_of, paper_of, paper_request
from subsidies.papers.changes import TITLES
from subsidies.papers.making import Order, order_size, paper_make
from subsidies.recovery_selectors import recovery_list
from subsidies.refusals import MoneyRefusedError

AT_ONCE: Final = 2000  # rows; more take longer than a page may
HANDLERS: Final = (
    Permission.APPLICATION_MAKE,
    Permission.APPLICATION_CHECK,
    Permission.APPLICATION_APPROVE,
)
methods = require_http_methods(["GET", "POST"])


@requires(Permission.PAYMENT_EXPORT)
@methods
def paper_register(request: SignedInRequest, pk: int, form: str) -> HttpResponse:
    """发放清册 of a batch, of one item if asked for."""
    batch = batch_or_404(request.user, pk, Permission.PAYMENT_EXPORT)
    order = Order("register", form, batch.pk, item=_item(request))
    return _deliver(
        request, order, f"发放清册 {batch.number}", reverse("portal:batch-detail", args=[batch.pk])
    )


@requires(Permission.PAYMENT_EXPORT)
@methods
def paper_approval(request: SignedInRequest, pk: int, form: str) -> HttpResponse:
    """发放审批单 of a batch, for who covers its county."""
    batch = batch_or_404(request.user, pk, Permission.PAYMENT_EXPORT)
    if not covers(request.user, batch.county_code, Permission.PAYMENT_EXPORT):
        raise Http404
    order = Order("approval", form, batch.pk)
    return _deliver(
        request, order, f"发放审批单 {batch.number}", reverse("portal:batch-detail", args=[batch.pk])
    )


@requires(Permission.PAYMENT_EXPORT)
@methods
def paper_changes(request: SignedInRequest, month: date, change: str, form: str) -> HttpResponse:
    """新增, 停止 or 变更明细 of a month, of one item if asked for."""
    row = month_or_404(request.user, month, Permission.PAYMENT_EXPORT)
    order = Order("changes", form, row.pk, change=change, item=_item(request))
    back = reverse("portal:month-detail", args=[row.month])
    return _deliver(request, order, f"{row} {TITLES[change]}", back)


@requires(Permission.PAYMENT_EXPORT)
@methods
def paper_notices(request: SignedInRequest, month: date, form: str) -> HttpResponse:
    """停发 and 变更告知书 of everybody in the user's areas, or the list to note their delivery in."""
    row = month_or_404(request.user, month, Permission.PAYMENT_EXPORT)
    back = reverse("portal:month-detail", args=[row.month])
    return _deliver(request, Order("notice", form, row.pk), f"{row} 停发变更告知书", back)


@requires(Permission.PAYMENT_EXPORT)
@methods
def paper_notice(request: SignedInRequest, pk: int, month: date) -> HttpResponse:
    """停发 or 变更告知书 of one elder."""
    row = month_or_404(request.user, month, Permission.PAYMENT_EXPORT)
    elder = get_object_or_404(Elder.objects.visible_to(request.user, Permission.PAYMENT_EXPORT), pk=pk)
    back = reverse("portal:elder-detail", args=[elder.pk])
    return _deliver(request, Order("notice", "pdf", row.pk, elder=elder.pk), f"{row} 告知书", back)


@requires(Permission.SIGNED_IN)
@methods
def paper_application(request: SignedInRequest, pk: int, form: str) -> HttpResponse:
    """审批表 of an application, for who takes part in deciding it."""
    held = [permission for permission in HANDLERS if user_may(request.user, permission)]
    if not held:
        raise PermissionDenied(Permission.APPLICATION_MAKE.label)
    application = _application(request.user, pk, held)
    order = Order("application", form, application.pk)
    back = reverse("portal:application-detail", args=[application.pk])
    return _deliver(request, order, "申请审批表", back)


@requires(Permission.RECOVERY_MANAGE)
@methods
def paper_recovery(request: SignedInRequest, pk: int, form: str) -> HttpResponse:
    """追缴通知书 of a case."""
    case = get_object_or_404(recovery_list(request.user, Permission.RECOVERY_MANAGE), pk=pk)
    back = reverse("portal:recovery-detail", args=[case.pk])
    return _deliver(request, Order("recovery", form, case.pk), "追缴通知书", back)


@requires(Permission.PAYMENT_EXPORT)
@require_GET
def paper_job(request: SignedInRequest, job_id: UUID) -> HttpResponse:
    """Progress of a long paper that I ordered, then the file."""
    job = _my_job(request.user, job_id)
    context = {"job": job, "stored": paper_of(job, timezone.now())}
    return render(request, "portal/paper_job.html", context)


@requires(Permission.PAYMENT_EXPORT)
@require_GET
def paper_file(request: SignedInRequest, job_id: UUID) -> HttpResponse:
    """The long paper that I ordered, within a day; every download is audited."""
    job = _my_job(request.user, job_id)
    stored = paper_of(job, timezone.now())
    if stored is None:
        raise Http404
    audit_record(
        action="取走文书",
        subject=f"文书 {job.result['mark']}",
        actor=request.user,
        data={"name": stored.name, "sha256": stored.sha256},
        address=client_address(request),
    )
    return attachment(stored_file_read(stored=stored), stored.name, mime_of(stored.name))


def _deliver(request: SignedInRequest, order: Order, title: str, back: str) -> HttpResponse:
    """A short paper as a download; for a long one the question whether to order it, and on POST the order."""
    context = {"title": title, "back": back, "path": request.get_full_path()}
    if request.method == "POST":
        return redirect(
            "portal:paper-job", paper_request(order=order, title=title, created_by=request.user).pk
        )
    size = order_size(order=order, actor=request.user)
    if size > AT_ONCE:
        return render(request, "portal/paper_order.html", context | {"size": size})
    try:
        paper = paper_make(order=order, actor=request.user, address=client_address(request))
    except MoneyRefusedError as refusal:
        return render(request, "portal/paper_order.html", context | {"refusal": str(refusal)}, status=409)
    return attachment(paper.content, paper.name, paper.mime)


def _item(request: SignedInRequest) -> int | None:
    """The item asked for; anything but a number asks for nothing."""
    text = request.GET.get("item", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _application(user: User, pk: int, held: list[Permission]) -> Application:
    for permission in held:
        if found := application_list(user, permission).filter(pk=pk).first():
            return found
    raise Http404


def _my_job(user: User, job_id: UUID) -> Job:
    return get_object_or_404(Job, pk=job_id, kind=KIND, created_by=user)
