"""Applications: the queue, one application with its reasons, and handing one in."""

from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from catalog.models import Item
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import Area, User
from organization.permissions import SignedInRequest, requires, user_may
from organization.querysets import in_areas
from portal.application_forms import ApplicationForm
from portal.application_rows import (
    ALL,
    IN_HAND,
    MINE,
    VIEWS,
    application_rows,
    in_view,
    offer_of,
    seen_by,
    view_counts,
    waiting_for,
)
from portal.elder_record import panel_of
from portal.filtersets import AREA, without_position
from portal.forms import faults_of
from portal.paging import SIZES, position_of
from portal.scope import place_of
from subsidies.applications import items_to_apply_for
from subsidies.choices import ApplicationState, Channel
from subsidies.missed import newest_month
from subsidies.models import Application, PaymentTerms
from subsidies.proposed_month import first_month_proposed
from subsidies.refusals import MoneyRefusedError
from subsidies.services.application import application_make

#: stock phrases for turning an application down
REFUSALS: Final = (
    "不符合享受条件，请看逐条核对",
    "资料不全，请补齐后重新申请",
    "户籍不在本县，请在户籍地申请",
    "已享受同类补贴，不能重复享受",
    "经核实情况与申请不符",
)
WITHDRAWALS: Final = ("本人要求撤回", "登记有误，重新登记", "本人已去世", "已迁出本县")
RELATIONS: Final = ("配偶", "子女", "孙子女", "兄弟姐妹", "村（社区）干部", "邻居")


@requires(Permission.ELDER_VIEW)
@require_GET
def application_list(request: SignedInRequest) -> HttpResponse:
    """Applications of the user's areas, those that wait for the user first."""
    rows = _filtered(request.user, request.GET)
    counts = view_counts(rows, request.user)
    view = request.GET.get("view", "")
    view = view if view in VIEWS else (MINE if _decides(request.user) else IN_HAND)
    turn = Case(When(waiting_for(request.user), then=Value(0)), default=Value(1), output_field=IntegerField())
    found = rows.filter(in_view(view, request.user)).order_by(
        turn, "applied_on" if view in {MINE, IN_HAND} else "-applied_on", "pk"
    )
    size = position_of(request.GET).size
    paginator = Paginator(found, size)
    paginator.count = counts[view]
    page = paginator.get_page(request.GET.get("page"))
    shown = application_rows(page.object_list, request.user)
    context = {
        "rows": sorted(shown, key=lambda row: (not row.turn, not row.clean)),
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(request.GET),
        "view": view,
        "views": [
            (slug, word, counts[slug])
            for slug, word in VIEWS.items()
            if slug != MINE or _decides(request.user)
        ],
        "states": ApplicationState.values if view == ALL else (),
        "items": Item.objects.filter(pk__in=seen_by(request.user).order_by().values("item")).order_by(
            "number"
        ),
        "areas": Area.objects.current().children_of(place_of(request.user).area_code).order_by("code"),
        "checks": any(row.clean for row in shown),
        "approves": user_may(request.user, Permission.APPLICATION_APPROVE),
    }
    return render(request, "portal/application_list.html", context)


@requires(Permission.ELDER_VIEW)
@require_GET
def application_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One application: what was said, why he may have it, who did what, and the next step."""
    return application_page(request, application_or_404(request.user, pk))


@requires(Permission.ELDER_VIEW)
@require_GET
def application_reasons(request: SignedInRequest, pk: int) -> HttpResponse:
    """Why the item is or is not open to the applicant, by the newest month; a part of the page or one of its own."""
    application = application_or_404(request.user, pk)
    month = newest_month(application.item.document.area_id)
    panel = panel_of(application.elder, [], month)
    mine = [service for service in panel.services if service.explained.item.item_id == application.item_id]
    context = {"application": application, "month": month, "services": mine, "reason": panel.reason}
    partial = request.headers.get("HX-Request") == "true"
    template = "portal/partials/application_reasons.html" if partial else "portal/application_reasons.html"
    return render(request, template, context)


@requires(Permission.APPLICATION_MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def application_new(request: SignedInRequest) -> HttpResponse:
    """Hand in an application for an elder; what was typed stays if it is refused."""
    given = request.POST if request.method == "POST" else request.GET
    asked = given.get("elder", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 18):
        messages.info(request, "请先查到老年人，在其档案的「享受登记」中点「申请」。")
        return redirect("portal:elder-list")
    visible = Elder.objects.visible_to(request.user, Permission.APPLICATION_MAKE)
    elder = get_object_or_404(visible, pk=int(asked))
    items = items_to_apply_for(elder, request.user, timezone.localdate())
    if request.method != "POST":
        return _form_page(request, elder, items, request.GET)
    form = ApplicationForm(request.POST)
    if not form.is_valid():
        return _form_page(request, elder, items, request.POST, "".join(faults_of(form)))
    item = next((item for item in items if item.pk == form.cleaned_data["item"]), None)
    if item is None:
        return _form_page(request, elder, items, request.POST, "请选择列出的项目。")
    typed = {key: value for key, value in form.cleaned_data.items() if key != "item"}
    try:
        made = application_make(elder=elder, item=item, actor=request.user, **typed)
    except MoneyRefusedError as error:
        return _form_page(request, elder, items, request.POST, f"{error}。")
    if made.eligible is False:
        messages.warning(
            request, "申请已登记。最近一次核定他还不符合条件，请核对下面的逐条说明，补录资料后再审核。"
        )
    else:
        messages.success(request, "申请已登记，等镇（街）负责人审核。")
    return redirect("portal:application-detail", made.application.pk)


def application_or_404(user: User, pk: int) -> Application:
    """An application of the user's areas."""
    return get_object_or_404(seen_by(user).select_related("item__document", "enrolment"), pk=pk)


def application_page(
    request: SignedInRequest, application: Application, refusal: str = "", typed: QueryDict | None = None
) -> HttpResponse:
    """The page of one application; refusal: why the step just tried was not taken."""
    offer = offer_of(application, request.user)
    entries = AuditEntry.objects.filter(subject=f"application:{application.pk}").order_by("pk")
    context: dict[str, Any] = {
        "application": application,
        "row": application_rows([application], request.user)[0],
        "offer": offer,
        "history": list(entries),
        "proposed": _proposed(application) if offer.approve else None,
        "refusals": REFUSALS,
        "withdrawals": WITHDRAWALS,
        "refusal": refusal,
        "typed": typed or QueryDict(),
    }
    return render(request, "portal/application_detail.html", context)


def _proposed(application: Application) -> date:
    terms = PaymentTerms.objects.filter(item=application.item_id).first()
    return first_month_proposed(application, terms, timezone.localdate())


def _decides(user: User) -> bool:
    return user_may(user, Permission.APPLICATION_CHECK) or user_may(user, Permission.APPLICATION_APPROVE)


def _filtered(user: User, params: QueryDict) -> Any:
    rows = seen_by(user)
    item, area, state = (params.get(key, "") for key in ("item", "area", "state"))
    rows = rows.filter(item=int(item)) if item.isascii() and item.isdigit() and len(item) < 10 else rows
    rows = rows.filter(state=state) if state in ApplicationState.values else rows
    return in_areas(rows, [area_prefix(area)], "area_code") if AREA.match(area) else rows


def _form_page(
    request: SignedInRequest, elder: Elder, items: list[Item], typed: QueryDict, refusal: str = ""
) -> HttpResponse:
    context = {
        "elder": elder,
        "items": items,
        "channels": Channel.choices,
        "relations": RELATIONS,
        "typed": typed,
        "channel": typed.get("channel", "") or Channel.SELF,
        "applied_on": typed.get("applied_on", "") or f"{timezone.localdate():%Y-%m-%d}",
        "refusal": refusal,
    }
    return render(request, "portal/application_new.html", context)
