"""The steps of a follow-up: each form of its page, by POST alone; a refused step keeps what was typed."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from operations.commands import Refused
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.follow_up_forms import ConfirmForm, HandOnForm, StepForm
from portal.forms import faults_of
from portal.views.follow_ups import detail_context, list_page
from visits.choices import FollowUpKind, FollowUpState
from visits.models import FollowUp
from visits.services.departure import departure_confirm
from visits.services.follow_up_step import (
    MOST,
    follow_up_close,
    follow_up_hand_on,
    follow_up_report,
    follow_ups_accept,
)

#: Takes what the form gave; returns the sentence that says what was done.
Step = Callable[[dict[str, Any]], str]


@requires(Permission.FOLLOW_UP)
@require_POST
def accept(request: SignedInRequest) -> HttpResponse:
    """Take the chosen matters; those that do not wait, or are for others to handle, stay as they are."""
    chosen = [int(pk) for pk in request.POST.getlist("follow_up")[:MOST] if pk.isascii() and pk.isdigit()]
    filters = QueryDict(request.POST.get("filters", ""))
    if not chosen:
        return list_page(request, filters, "没有选中事项，请先勾选要接收的行")
    taken = follow_ups_accept(follow_up_ids=chosen, actor=request.user)
    left = len(set(chosen)) - taken
    if taken:
        messages.success(request, f"已接收 {taken} 件。")
    if left:
        messages.warning(request, f"另有 {left} 件没有改动：已在办理或已办结，或由别的单位办理。")
    url = reverse("portal:follow-up-list")
    return redirect(f"{url}?{filters.urlencode()}" if filters else url)


@requires(Permission.FOLLOW_UP)
@require_POST
def step(request: SignedInRequest, pk: int) -> HttpResponse:
    """Accept, report, close as done or as not needed."""

    def take(given: dict[str, Any]) -> str:
        act, note = given["act"], given["note"]
        if act == "accept":
            return "已接收。" if follow_ups_accept(follow_up_ids=[pk], actor=request.user) else "已在办理中。"
        known = {"follow_up_id": pk, "note": note, "seen": given["seen"], "actor": request.user}
        if act == "report":
            follow_up_report(**known)
            return "情况已记下。"
        state = FollowUpState.DONE if act == "done" else FollowUpState.DROPPED
        follow_up_close(state=state, **known)
        return f"已登记为“{state}”。"

    return _take(request, pk, "step", StepForm(request.POST), take)


@requires(Permission.FOLLOW_UP)
@require_POST
def hand_on(request: SignedInRequest, pk: int) -> HttpResponse:
    """Hand it on to another bureau; who does not see it any more goes back to the list."""

    def take(given: dict[str, Any]) -> str:
        row = follow_up_hand_on(
            follow_up_id=pk,
            bureau_id=given["bureau"],
            reason=given["reason"],
            seen=given["seen"],
            actor=request.user,
        )
        return f"已转给{row.bureau}，由对方重新接收。"

    return _take(request, pk, "hand_on", HandOnForm(request.POST), take)


@requires(Permission.ENROLMENT_CHANGE)
@require_POST
def confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Register the death, the moving out or the institution that a visit reported."""

    def take(given: dict[str, Any]) -> str:
        row = departure_confirm(
            follow_up_id=pk,
            day=given["day"],
            evidence=given["evidence"],
            institution=given["institution"],
            seen=given["seen"],
            actor=request.user,
        )
        if row.kind == FollowUpKind.DEATH:
            return f"已登记 {row.elder.name} 于 {given['day']} 去世，下次核定起按规定停发；多发的会列入待立案追缴。"
        if given["institution"]:
            return f"已登记 {row.elder.name} 于 {given['day']} 入住{given['institution']}。"
        return (
            f"已登记 {row.elder.name} 于 {given['day']} 迁出，下次核定起按规定停发；多发的会列入待立案追缴。"
        )

    return _take(request, pk, "confirm", ConfirmForm(request.POST), take)


def _take(request: SignedInRequest, pk: int, name: str, form: Form, take: Step) -> HttpResponse:
    """Take the step and go back to the matter; refused, the page stays as it was filled in."""
    if not FollowUp.objects.visible_to(request.user).filter(pk=pk).exists():
        raise Http404
    refusal = ""
    if form.is_valid():
        try:
            messages.success(request, take(form.cleaned_data))
        except Refused as error:
            refusal = f"{error}。"
        except FollowUp.DoesNotExist:
            raise Http404 from None
    else:
        refusal = "".join(faults_of(form))
    if refusal:
        context = detail_context(request.user, pk) | {
            "typed": {name: request.POST},
            "refusal": refusal,
            "failed": name,
        }
        return render(request, "portal/follow_up_detail.html", context, status=409)
    if FollowUp.objects.visible_to(request.user).filter(pk=pk).exists():
        return redirect("portal:follow-up-detail", pk)
    return redirect("portal:follow-up-list")
