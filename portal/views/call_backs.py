"""Calling back: samples of the townships' months, the calls to be made, and what they found."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from operations.commands import Refused
from organization.addresses import client_address
from organization.areas import county_code, township_code
from organization.choices import Permission
from organization.models import Area, User
from organization.permissions import SignedInRequest, requires
from portal.filtersets import without_position
from portal.paging import SIZES, position_of
from portal.places import place_names
from visits.call_backs import (
    Share,
    counts_to_draw,
    draw_again,
    draws_visible,
    shares_by_draw,
    shares_by_worker,
)
from visits.choices import CallBackResult
from visits.models import CallBack, CallBackDraw, Obligation, VisitReturn
from visits.sample import sample_size
from visits.services import call_back as service
from visits.services.phone_reveal import phones_reveal
from visits.services.visit_return import PHRASES
from visits.slots import next_month

MONTHS: Final = 12
WAITING: Final = "待回访"
TONES: Final = {CallBackResult.CONFIRMED: "good", CallBackResult.REFUTED: "danger", "": "attention"}
REASON: Final = "回访核实探访情况"


@dataclass(frozen=True)
class TownshipRow:
    """One township in a month. draw None: not drawn; records: how many could be drawn, None where it was."""

    code: str
    name: str
    draw: CallBackDraw | None
    share: Share | None
    records: int | None = None

    @property
    def size(self) -> int:
        """How many a draw would take."""
        return sample_size(self.records or 0)


@dataclass(frozen=True)
class CallRow:
    """One call. mine: the user recorded the visit; again: it may (still) be called; open: it can be returned."""

    call: CallBack
    place: str
    tone: str
    mine: bool
    again: bool
    open: bool
    signals: list[str]


@requires(Permission.CALL_BACK)
@require_GET
def call_back_list(request: SignedInRequest) -> HttpResponse:
    """The month's samples by township, those still to be drawn, and what the calls found by worker."""
    return _list(request, request.GET.get("month", ""))


@requires(Permission.CALL_BACK)
@require_POST
def draw(request: SignedInRequest) -> HttpResponse:
    """Draw a township's sample of a month and go to its calls."""
    month = _month(request.POST.get("month", ""))
    try:
        made = service.call_backs_draw(
            month=month, area_code=request.POST.get("area", ""), actor=request.user
        )
    except Refused as error:
        return _list(request, f"{month:%Y-%m}", refusal=str(error))
    messages.success(
        request,
        f"已从 {made.population:,} 条有效探访中抽取 {made.drawn:,} 条，种子 {made.seed} 已记入审计。",
    )
    return redirect("portal:call-back-detail", made.pk)


@requires(Permission.CALL_BACK)
@require_GET
def call_back_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """The calls of a sample, those still to be made first; with «verify» the draw is made once more and compared."""
    return _detail(request, _draw(request.user, pk))


@requires(Permission.CALL_BACK)
@require_POST
def call_back_record(request: SignedInRequest, pk: int, call_id: int) -> HttpResponse:
    """Note what the elder said; refused, the form stays open as it was filled in."""
    row = _draw(request.user, pk)
    call = get_object_or_404(row.calls.select_related("visit__elder"), pk=call_id)
    try:
        service.call_back_record(
            call_back_id=call.pk,
            result=request.POST.get("result", ""),
            note=request.POST.get("note", ""),
            actor=request.user,
        )
    except Refused as error:
        return _detail(request, row, call_id=call_id, refusal=str(error))
    result = request.POST["result"]
    more = "可以在这一行直接退回这条记录。" if result == CallBackResult.REFUTED else ""
    messages.success(request, f"{call.visit.elder.name}：{result}。{more}")
    url = reverse("portal:call-back-detail", args=[pk])
    query = request.GET.urlencode()
    return redirect(f"{url}?{query}#call-{call_id}" if query else f"{url}#call-{call_id}")


@requires(Permission.PHONE_REVEAL)
@require_POST
def call_back_phone(request: SignedInRequest, pk: int, call_id: int) -> HttpResponse:
    """The whole numbers of the elder to be called, once, after a reason."""
    row = _draw(request.user, pk)
    call = get_object_or_404(row.calls.select_related("visit__elder__contact"), pk=call_id)
    phones, refusal = [], ""
    reason = request.POST.get("reason", "")
    try:
        phones = phones_reveal(
            elder=call.visit.elder,
            reason=reason,
            actor=request.user,
            address=client_address(request),
        )
    except Refused as error:
        refusal = str(error)
    context = {"draw": row, "call": call, "phones": phones, "phone_refusal": refusal, "reason": reason}
    partial = request.headers.get("HX-Request") == "true"
    template = "portal/partials/call_back_phone.html" if partial else "portal/call_back_phone.html"
    return render(request, template, context)


def _list(request: SignedInRequest, slug: str, *, refusal: str = "") -> HttpResponse:
    month = _month(slug)
    draws = list(draws_visible(request.user).filter(month=month).select_related("drawn_by"))
    rows = _townships(request.user, month, draws)
    shares = [row.share for row in rows if row.share]
    context = {
        "month": month,
        "months": _months(),
        "rows": rows,
        "total": _sum(shares),
        "workers": shares_by_worker(draws),
        "over": timezone.localdate() >= next_month(month),
        "refusal": refusal,
        "now": timezone.localtime(),
    }
    return render(request, "portal/call_back_list.html", context, status=409 if refusal else 200)


def _townships(user: User, month: date, draws: list[CallBackDraw]) -> list[TownshipRow]:
    """Every township in which the user calls back and somebody is obliged; how many records an undrawn one has."""
    prefixes = user.area_prefixes(Permission.CALL_BACK)
    counties = {county_code(prefix) for prefix in prefixes}
    own = [
        area
        for area in Area.objects.current().filter(parent_id__in=counties).order_by("code")
        if any(area.code.startswith(prefix) for prefix in prefixes)
    ]
    obliged = Obligation.objects.filter(month=month, county_code__in=counties)
    codes = {
        township_code(code) for code in obliged.order_by().values_list("area_code", flat=True).distinct()
    }
    by_place = {row.area_code: row for row in draws}
    records = {place: n for county in counties for place, n in counts_to_draw(month, county).items()}
    shares = shares_by_draw(draws)
    return [
        TownshipRow(
            area.code,
            area.name,
            made := by_place.get(area.code),
            shares.get(made.pk) if made else None,
            None if made else records.get(area.code, 0),
        )
        for area in own
        if area.code in codes or area.code in by_place
    ]


def _detail(
    request: SignedInRequest, row: CallBackDraw, *, call_id: int = 0, refusal: str = ""
) -> HttpResponse:
    result = request.GET.get("result", "")
    calls = row.calls.select_related("visit__elder__contact", "called_by").prefetch_related("visit__signals")
    if result:
        waiting = ("", CallBackResult.UNREACHED)  # as the figure counts them
        calls = calls.filter(result__in=waiting if result == WAITING else [result])
    size = position_of(request.GET).size
    paginator = Paginator(calls.order_by("called_at", "visit__visitor", "pk"), size)
    page = paginator.get_page(request.GET.get("page"))
    verified = draw_again(row) if "verify" in request.GET else None
    context = {
        "draw": row,
        "name": Area.objects.get(code=row.area_code).name,
        "share": shares_by_draw([row])[row.pk],
        "workers": shares_by_worker([row]),
        "rows": _call_rows(list(page.object_list), request.user),
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": _kept(request),
        "result": result,
        "results": [WAITING, *CallBackResult.values],
        "answers": CallBackResult.choices,
        "verified": verified,
        "reason": REASON,
        "phrases": PHRASES,
        "call_id": call_id,
        "refusal": refusal,
        "typed": request.POST if refusal else {},
    }
    return render(request, "portal/call_back_detail.html", context, status=409 if refusal else 200)


def _kept(request: SignedInRequest) -> QueryDict:
    """The filter without page and verification."""
    kept = without_position(request.GET)
    kept.pop("verify", None)
    return kept


def _call_rows(calls: list[CallBack], user: User) -> list[CallRow]:
    places = place_names(call.visit.elder.residence_code for call in calls)
    gone = set(
        VisitReturn.objects.filter(visit__in=[call.visit_id for call in calls]).values_list(
            "visit_id", flat=True
        )
    )
    return [
        CallRow(
            call,
            places.get(call.visit.elder.residence_code, ""),
            TONES.get(call.result, ""),
            call.visit.recorder_id == user.pk,
            call.result not in service.FINAL,
            call.visit_id not in gone,
            [str(signal.kind) for signal in call.visit.signals.all()],
        )
        for call in calls
    ]


def _sum(shares: list[Share]) -> Share:
    return Share(
        "合计",
        sum(share.calls for share in shares),
        sum(share.called for share in shares),
        sum(share.reached for share in shares),
        sum(share.refuted for share in shares),
    )


def _draw(user: User, pk: int) -> CallBackDraw:
    return get_object_or_404(draws_visible(user).select_related("drawn_by"), pk=pk)


def _month(slug: str) -> date:
    """The month of a slug; last month without one."""
    try:
        return date.fromisoformat(f"{slug}-01")
    except ValueError:
        return _before(timezone.localdate().replace(day=1))


def _months() -> list[date]:
    """This month and those before it."""
    months = [timezone.localdate().replace(day=1)]
    while len(months) < MONTHS:
        months.append(_before(months[-1]))
    return months


def _before(month: date) -> date:
    return (
        month.replace(year=month.year - 1, month=12)
        if month.month == 1
        else month.replace(month=month.month - 1)
    )
