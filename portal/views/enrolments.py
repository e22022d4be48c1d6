"""Enrolments on an elder's record: what is drawn, its acts, and suspending, resuming and stopping it."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Item
from eldercare.models import Elder
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.application_forms import EnrolmentForm
from portal.enrolment_record import RESUME_REASONS, STOP_REASONS, enrolment_record, may_change
from portal.forms import faults_of
from subsidies.choices import EnrolmentAction
from subsidies.refusals import MoneyRefusedError
from subsidies.services.enrolment_change import enrolment_resume, enrolment_stop, enrolment_suspend


@requires(Permission.ELDER_VIEW)
@require_GET
def elder_enrolments(request: SignedInRequest, pk: int) -> HttpResponse:
    """享受登记 of an elder; a part of the record or a page of its own."""
    return _page(request, get_object_or_404(Elder.objects.visible_to(request.user), pk=pk))


@requires(Permission.ENROLMENT_CHANGE)
@require_POST
def enrolment_change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Suspend, resume or stop one item for a reason; what was typed stays if it is refused."""
    elder = get_object_or_404(Elder.objects.visible_to(request.user, Permission.ENROLMENT_CHANGE), pk=pk)
    form = EnrolmentForm(request.POST)
    if not form.is_valid():
        return _page(request, elder, "".join(faults_of(form)), request.POST)
    typed = form.cleaned_data
    item = Item.objects.select_related("document").filter(pk=typed["item"]).first()
    if item is None:
        return _page(request, elder, "请选择列出的项目。", request.POST)
    given = {"elder": elder, "item": item, "actor": request.user, "reason": typed["reason"]}
    try:
        if typed["action"] == EnrolmentAction.STOP:
            enrolment_stop(**given, note=typed["note"], last_month=typed["month"])
        elif typed["action"] == EnrolmentAction.SUSPEND:
            enrolment_suspend(**given, note=typed["note"], month=typed["month"])
        else:
            enrolment_resume(**given, note=typed["note"], month=typed["month"])
    except MoneyRefusedError as error:
        return _page(request, elder, f"{error}。", request.POST)
    messages.success(request, f"已办理{typed['action']}：{item.name}。下次核定起按此计算，多发的会列入追缴。")
    return redirect("portal:elder-detail", elder.pk)


def _page(
    request: SignedInRequest, elder: Elder, refusal: str = "", typed: QueryDict | None = None
) -> HttpResponse:
    context = {
        "elder": elder,
        "record": enrolment_record(elder),
        "may_change": may_change(elder, request.user, Permission.ENROLMENT_CHANGE),
        "may_apply": may_change(elder, request.user, Permission.APPLICATION_MAKE),
        "stop_reasons": STOP_REASONS,
        "resume_reasons": RESUME_REASONS,
        "refusal": refusal,
        "typed": typed or QueryDict(),
    }
    partial = request.headers.get("HX-Request") == "true"
    template = "portal/partials/elder_enrolments.html" if partial else "portal/elder_enrolments.html"
    return render(request, template, context)
