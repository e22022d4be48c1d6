"""Recovery cases: the list, who has no case yet, opening, one case, and the part of an elder's record."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Item
from eldercare.models import Elder
from operations.services.audit import audit_record
from operations.services.stored_file import stored_file_read
from organization.addresses import client_address
from organization.choices import Permission
from organization.models import Area, User
from organization.permissions import SignedInRequest, requires
from portal import finds
from portal.exports import attachment
from portal.filtersets import without_position
from portal.forms import faults_of
from portal.paging import SIZES, position_of
from portal.recovery_forms import OpenForm
from portal.recovery_rows import (
    candidate_page,
    case_page,
    case_rows,
    elders_cases,
    filtered,
    may_open,
    overpaid_rows,
    with_places,
)
from portal.scope import place_of
from subsidies.choices import RecoveryState, StopReason
from subsidies.models import Month, Recovery
from subsidies.recovery_selectors import (
    candidate_rows,
    newest_month,
    recovery_figures,
)
from subsidies.recovery_selectors import (
    recovery_list as cases_of,
)
from subsidies.services import recovery as service

FILTERS = ("state", "cause", "item", "area", "due", "size")
REFUSALS_SAID = 5
OPENED_AT_ONCE = 200


@requires(Permission.PAYMENT_VIEW)
@require_POST
def recoveries_find(request: HttpRequest) -> HttpResponse:
    """Take the search text out of the URL and go to the list with the other filters."""
    return finds.find_redirect(request, reverse("portal:recovery-list"), FILTERS)


@requires(Permission.PAYMENT_VIEW)
@require_GET
def recovery_list(request: SignedInRequest) -> HttpResponse:
    """Cases that fit the filters, with the figures of the whole result, and how many wait for one."""
    today = timezone.localdate()
    token = request.GET.get("find", "")
    text = finds.recall(request.session, token) if token else ""
    found = _filtered(request, text)
    figures = recovery_figures(found, today)
    size = position_of(request.GET).size
    paginator = Paginator(found.select_related("elder", "item"), size)
    paginator.count = figures.cases
    page = paginator.get_page(request.GET.get("page"))
    run = _run(request.user)
    context = {
        "rows": case_rows(page.object_list, today),
        "figures": figures,
        "candidates": candidate_rows(run, request.user).count() if run else 0,
        "run": run,
        "page": page,
        "size": size,
        "sizes": SIZES,
        "text": text,
        "forgotten": text is None,
        "kept": without_position(request.GET),
        "states": RecoveryState.values,
        "causes": StopReason.choices,
        **_choices(request.user),
    }
    return render(request, "portal/recovery_list.html", context)


@requires(Permission.PAYMENT_VIEW)
@require_GET
def candidate_list(request: SignedInRequest) -> HttpResponse:
    """Elders and items with 追缴 lines of the newest month and no case."""
    run = _run(request.user)
    size = position_of(request.GET).size
    rows: Any = candidate_rows(run, request.user) if run else []
    page: Page[Any] = Paginator(rows, size).get_page(request.GET.get("page"))
    context = {
        "run": run,
        "rows": candidate_page(run, list(page.object_list)) if run else [],
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(request.GET),
        "causes": StopReason.choices,
    }
    return render(request, "portal/recovery_candidates.html", context)


@requires(Permission.RECOVERY_MANAGE)
@require_POST
def recoveries_open(request: SignedInRequest) -> HttpResponse:
    """Open cases for the chosen pairs; one opened alone is shown, of several the list."""
    run = _run(request.user, Permission.RECOVERY_MANAGE)
    form = OpenForm(request.POST)
    texts = request.POST.getlist("one") or request.POST.getlist("pair")
    pairs = [pair for text in texts[:OPENED_AT_ONCE] if (pair := _pair(text))]
    if run is None or not form.is_valid() or not pairs:
        messages.error(request, "".join(faults_of(form)) or "请先勾选要立案的人。")
        return redirect("portal:recovery-candidates")
    allowed = may_open(request.user, run, pairs)
    if set(pairs) - allowed:
        raise Http404
    result = service.recoveries_open(
        run=run, pairs=allowed, cause=form.cleaned_data["cause"], actor=request.user
    )
    for reason in list(result.refused.values())[:REFUSALS_SAID]:
        messages.error(request, reason)
    if len(result.opened) == 1:
        case = result.opened[0]
        messages.success(request, f"已立案，应追缴 {case.amount:,.2f} 元。请通知家属并登记通知日期。")
        return redirect("portal:recovery-detail", case.pk)
    if result.opened:
        total = sum(case.amount for case in result.opened)
        messages.success(request, f"已立案 {len(result.opened)} 件，应追缴共 {total:,.2f} 元。")
        return redirect("portal:recovery-list")
    return redirect("portal:recovery-candidates")


@requires(Permission.PAYMENT_VIEW)
@require_GET
def recovery_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One case: what is claimed and why, what came back, what is open, what to do."""
    return render(request, "portal/recovery_detail.html", case_context(request.user, pk))


@requires(Permission.PAYMENT_VIEW)
@require_GET
def recovery_paper(request: SignedInRequest, pk: int) -> HttpResponse:
    """The consent as it was signed; taking it is audited."""
    case = case_or_404(request.user, pk)
    if case.consent is None:
        raise Http404
    audit_record(
        action="下载抵扣同意书",
        subject=f"recovery:{case.pk}",
        actor=request.user,
        data={"sha256": case.consent.sha256},
        address=client_address(request),
    )
    return attachment(stored_file_read(stored=case.consent), case.consent.name, "application/octet-stream")


@requires(Permission.PAYMENT_VIEW)
@require_GET
def elder_recoveries(request: SignedInRequest, pk: int) -> HttpResponse:
    """Of an elder: what was paid too much by the newest facts, and the cases; a part of the record or a page."""
    elder = get_object_or_404(Elder.objects.visible_to(request.user), pk=pk)
    run = _run(request.user)
    cases = elders_cases(elder, cases_of(request.user))
    context = {
        "elder": elder,
        "run": run,
        "overpaid": overpaid_rows(run, elder, cases) if run else [],
        "cases": cases,
        "causes": StopReason.choices,
    }
    partial = request.headers.get("HX-Request") == "true"
    name = "portal/partials/elder_recoveries.html" if partial else "portal/elder_recoveries.html"
    return render(request, name, context)


def case_or_404(user: User, pk: int, permission: Permission = Permission.PAYMENT_VIEW) -> Recovery:
    """A case within the areas in which the user has the permission."""
    found = with_places(cases_of(user, permission)).select_related(
        "elder", "item", "run", "made_by", "consent"
    )
    return get_object_or_404(found, pk=pk)


def case_context(user: User, pk: int) -> dict[str, Any]:
    """What the page of a case shows."""
    today = timezone.localdate()
    page = case_page(case_or_404(user, pk), today)
    return {"page": page, "case": page.case, "today": today, "typed": {}, **_keys()}


def _keys() -> dict[str, str]:
    """Numbers for the forms of one page: a second click with the same one books nothing."""
    return {"repay_key": str(uuid4()), "reverse_key": str(uuid4())}


def _filtered(request: SignedInRequest, text: str | None) -> QuerySet[Recovery]:
    """Cases of the filters; a forgotten search or a bad filter finds nothing."""
    found = filtered(cases_of(request.user), request.GET, timezone.localdate())
    if text is None:
        return found.none()
    return found.filter(elder__in=Elder.objects.search(text).values("pk")) if text else found


def _run(user: User, permission: Permission = Permission.PAYMENT_VIEW) -> Month | None:
    """The newest published month of the user's county."""
    county = place_of(user).county_code
    return newest_month(county) if county and user.area_prefixes(permission) else None


def _choices(user: User) -> dict[str, Any]:
    place = place_of(user)
    return {
        "items": Item.objects.filter(document__area=place.county_code).order_by("number", "code"),
        "areas": Area.objects.current().children_of(place.area_code).order_by("code"),
    }


def _pair(text: str) -> tuple[int, int] | None:
    """«12:3» → elder 12, item 3; None for anything else."""
    elder, _, item = text.partition(":")
    fits = elder.isascii() and elder.isdigit() and item.isascii() and item.isdigit()
    return (int(elder), int(item)) if fits and len(text) < 40 else None
