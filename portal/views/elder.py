"""The record of one elder."""

from datetime import datetime, time

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from eldercare.models import Elder
from operations.models import AuditEntry
from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.choices import Permission
from organization.models import User
from organization.permissions import SignedInRequest, requires
from portal.elder_payments import payments_of_elder
from portal.elder_record import by_month, household_of, panel_of, record_of, visits_of
from portal.forms import RevealForm
from subsidies.models import Month
from subsidies.selectors import elder_entitlements, month_list

REVEAL = "elder_reveal"
REVEALS_A_DAY = 30


@requires(Permission.ELDER_VIEW)
@require_GET
def elder_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Head, timeline, household, account, visits; the services come as a part of their own."""
    elder = _elder(request.user, pk)
    context = {
        "record": record_of(elder),
        "contact": getattr(elder, "contact", None),
        "accounts": sorted(elder.bank_accounts.all(), key=lambda a: a.valid.upper is None, reverse=True),
        "household": household_of(elder, request.user),
        "visits": visits_of(elder),
        "payments": payments_of_elder(elder, request.user),
    }
    return render(request, "portal/elder_detail.html", context)


@requires(Permission.ELDER_VIEW)
@require_GET
def elder_services(request: SignedInRequest, pk: int) -> HttpResponse:
    """可享服务 of a month, item by item with its reasons; a part of the record or a page of its own."""
    elder = _elder(request.user, pk)
    months = list(month_list(request.user).order_by("-month")[:12])
    panel = panel_of(elder, months, _chosen(months, request.GET.get("month", "")))
    context = {"elder": elder, "panel": panel, "entitlements": by_month(elder_entitlements(elder))}
    partial = request.headers.get("HX-Request") == "true"
    template = "portal/partials/elder_services.html" if partial else "portal/elder_services.html"
    return render(request, template, context)


@requires(Permission.ELDER_REVEAL)
@require_POST
def elder_reveal(request: SignedInRequest, pk: int) -> HttpResponse:
    """The full ID number, once, after a reason; the audit row is written before it is shown."""
    elder = _elder(request.user, pk, Permission.ELDER_REVEAL)
    form = RevealForm(request.POST)
    refusal = "" if form.is_valid() else "；".join(str(error) for error in form.errors["reason"])
    with transaction.atomic():
        # Two at once must not both be the thirtieth.
        User.objects.select_for_update(no_key=True).get(pk=request.user.pk)
        if not refusal and _reveals_today(request.user) >= REVEALS_A_DAY:
            refusal = f"今天查看完整证件号已满 {REVEALS_A_DAY} 次，请明天再看，或请分管领导协助。"
        if not refusal:
            audit_record(
                action=REVEAL,
                subject=f"elder:{elder.pk}",
                actor=request.user,
                data={"field": "证件号码", "reason": form.cleaned_data["reason"]},
                address=client_address(request),
            )
    context = {"elder": elder, "refusal": refusal, "id_number": "" if refusal else elder.id_number}
    partial = request.headers.get("HX-Request") == "true"
    return render(
        request, "portal/partials/elder_id.html" if partial else "portal/elder_reveal.html", context
    )


def _elder(user: User, pk: int, permission: Permission = Permission.ELDER_VIEW) -> Elder:
    return get_object_or_404(Elder.objects.visible_to(user, permission).select_related("contact"), pk=pk)


def _chosen(months: list[Month], slug: str) -> Month | None:
    named = [month for month in months if f"{month.month:%Y-%m}" == slug]
    return next(iter(named or months), None)


def _reveals_today(user: User) -> int:
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(), time.min))
    return AuditEntry.objects.filter(actor=user, action=REVEAL, at__gte=midnight).count()
