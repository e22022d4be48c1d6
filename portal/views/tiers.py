"""Visit tiers of the county: what holds, what is planned, whom it meets today, and setting it from a coming month."""

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalog.choices import Per, VisitMode
from catalog.models import Document, VisitTier
from catalog.services.tier import TierDraft, tier_end, tier_set, tier_withdraw
from catalog.tier_counts import TierCount
from catalog.tiers import TierLine, counts_now, counts_then, county_document, tier_lines
from eldercare.vocabulary import FACT_COLUMNS
from operations.commands import Refused
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.forms import faults_of
from portal.places import place_names
from portal.scope import place_of
from portal.tier_forms import TierForm, coming_months, typed_of
from rules import RuleError
from visits.models import Obligation

EMPTY: Final = TierCount({}, {})
OPENED: Final = "这个版本已经用来生成了应访名单，不能撤回；请从以后某月起停用或另设新版本"


@requires(Permission.CATALOG_VIEW)
@require_GET
def tier_list(request: SignedInRequest) -> HttpResponse:
    """Tiers in force and planned; the counts come as a part of their own."""
    county, today = place_of(request.user).county_code, timezone.localdate()
    context = {
        "lines": tier_lines(county, today),
        "document": county_document(county),
        "months": coming_months(today),
        "today": today,
    }
    return render(request, "portal/tier_list.html", context)


@requires(Permission.CATALOG_VIEW)
@require_GET
def tier_counts(request: SignedInRequest) -> HttpResponse:
    """How many elders of the county the tiers in force meet by today's facts."""
    county, today = place_of(request.user).county_code, timezone.localdate()
    counts = counts_now(county, today)
    lines = [(line, counts.get(line.code, EMPTY)) for line in tier_lines(county, today) if line.now]
    context = {
        "lines": lines,
        "total": sum(count.people for _, count in lines),
        "now": timezone.localtime(),
    }
    return render(request, "portal/partials/tier_counts.html", context)


@requires(Permission.TIER_MANAGE)
@require_http_methods(["GET", "POST"])
def tier_edit(request: SignedInRequest, code: str = "") -> HttpResponse:
    """Set a tier, or with no code a new one, from a coming month; refused, the form stays as it was filled in."""
    document = _document(request)
    line = _line(request, code) if code else None
    first = coming_months(timezone.localdate())[0]
    if request.method == "GET":
        return _show(request, line, typed_of(line.shown if line else None, first))
    form = TierForm(request.POST if line is None else _with_code(request, code))
    if not form.is_valid():
        return _show(request, line, _typed(request, code), faults=faults_of(form))
    draft, since = form.draft(line.shown if line else None), form.cleaned_data["since"]
    if line is None and VisitTier.objects.filter(document=document, code=draft.code).exists():
        return _show(request, line, _typed(request), faults=[f"编码“{draft.code}”已用过，请换一个。"])
    try:
        tier_set(
            document=line.shown.document if line else document, draft=draft, since=since, actor=request.user
        )
    except Refused as refusal:
        return _show(request, line, _typed(request, code), faults=[f"{refusal}。"])
    messages.success(request, f"“{draft.name}”的新版本自 {since} 起执行；在那之前可以撤回。")
    return redirect("portal:tier-list")


@requires(Permission.TIER_MANAGE)
@require_POST
def tier_preview(request: SignedInRequest) -> HttpResponse:
    """Whom the typed tier would meet by today's facts, now and then, by township; writes nothing."""
    county, today = place_of(request.user).county_code, timezone.localdate()
    form = TierForm(request.POST)
    if not form.is_valid():
        wrong = faults_of(form)
        return render(request, "portal/partials/tier_preview.html", {"faults": wrong})
    draft = form.draft()
    try:
        then = counts_then(county, draft, form.cleaned_data["since"], today)
    except RuleError as error:
        context = {"faults": [f"条件{error}"], "expected": error.expected}
        return render(request, "portal/partials/tier_preview.html", context)
    return render(
        request, "portal/partials/tier_preview.html", _preview(draft, counts_now(county, today), then)
    )


@requires(Permission.TIER_MANAGE)
@require_POST
def tier_stop(request: SignedInRequest, code: str) -> HttpResponse:
    """Have a tier end with the month before a coming one."""
    line = _line(request, code)
    since = next(
        (day for day in coming_months(timezone.localdate()) if f"{day}" == request.POST.get("since")), None
    )
    if since is None:
        messages.error(request, "没有停用：请选择从哪个月起停用。")
        return redirect("portal:tier-list")
    try:
        tier_end(document=line.shown.document, code=code, since=since, actor=request.user)
    except Refused as refusal:
        messages.error(request, f"没有停用：{refusal}。")
    else:
        messages.success(request, f"“{line.shown.name}”自 {since} 起停用；本月的应访名单不变。")
    return redirect("portal:tier-list")


@requires(Permission.TIER_MANAGE)
@require_POST
def tier_undo(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a planned version back."""
    county = place_of(request.user).county_code
    tier = get_object_or_404(VisitTier.objects.select_related("document"), pk=pk, document__area=county)
    try:
        if Obligation.objects.filter(tier=tier).exists():
            raise Refused(OPENED)
        tier_withdraw(tier=tier, actor=request.user)
    except Refused as refusal:
        messages.error(request, f"没有撤回：{refusal}。")
    else:
        messages.success(request, f"“{tier.name}”自 {tier.valid.lower} 起的版本已撤回。")
    return redirect("portal:tier-list")


def _document(request: SignedInRequest) -> Document:
    document = county_document(place_of(request.user).county_code)
    if document is None:
        raise Http404
    return document


def _line(request: SignedInRequest, code: str) -> TierLine:
    """A tier of the user's county that is in force or planned."""
    lines = tier_lines(place_of(request.user).county_code, timezone.localdate())
    found = next((line for line in lines if line.code == code), None)
    if found is None:
        raise Http404
    return found


def _with_code(request: HttpRequest, code: str) -> Any:
    typed = request.POST.copy()
    typed["code"] = code
    return typed


def _typed(request: HttpRequest, code: str = "") -> dict[str, Any]:
    typed: dict[str, Any] = {name: request.POST.get(name, "") for name in TierForm.base_fields}
    typed["modes"] = request.POST.getlist("modes")
    return typed | ({"code": code} if code else {})


def _show(
    request: SignedInRequest, line: TierLine | None, values: dict[str, Any], faults: list[str] | None = None
) -> HttpResponse:
    context = {
        "line": line,
        "values": values,
        "faults": faults or [],
        "months": [(f"{month}", month) for month in coming_months(timezone.localdate())],
        "pers": Per.choices,
        "modes": VisitMode.values,
        "words": [(column.fact.name, column.fact.choices) for column in FACT_COLUMNS],
    }
    return render(request, "portal/tier_edit.html", context)


def _preview(draft: TierDraft, now: dict[str, TierCount], then: dict[str, TierCount]) -> dict[str, Any]:
    """Figures of the typed tier, of all tiers together, and the typed one's by township."""
    before, after = now.get(draft.code, EMPTY), then[draft.code]
    codes = sorted(before.exclusive.keys() | after.exclusive.keys())
    names = place_names(codes)
    return {
        "draft": draft,
        "before": before,
        "after": after,
        "total_before": sum(count.people for count in now.values()),
        "total_after": sum(count.people for count in then.values()),
        "townships": [
            (names.get(code, code), was, will, will - was)
            for code in codes
            for was, will in [(before.exclusive.get(code, 0), after.exclusive.get(code, 0))]
        ],
    }
