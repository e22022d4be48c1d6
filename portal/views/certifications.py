"""Rounds of 生存认证, the names due, and recording a proof; village workers use these pages on their phones."""

from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from eldercare.models import Elder
from operations.crypto import blind_index
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal import finds
from portal.certification_forms import ALIVE, MODES, ProofForm, RoundForm, round_items
from portal.certification_rows import days_words, due_rows, places_of
from portal.filtersets import AREA, without_position
from portal.forms import faults_of
from portal.paging import SIZES, position_of
from portal.places import place_names
from portal.scope import place_of
from portal.views.elders import ID_NUMBER
from subsidies import certifications as reads
from subsidies.certification_periods import period_of
from subsidies.models import CertificationRound
from subsidies.refusals import MoneyRefusedError
from subsidies.services import certification as service

FILTERS: Final = ("area", "state", "size")
#: What the list shows: value of the filter, label; without one, who is still to be certified.
WAITING, ALL = "", "全部"
STATES: Final = ((WAITING, "未认证"), *((state, state) for state in reads.STATES[1:]), (ALL, "全部"))
ROUND: Final = ("name", "opens", "due", "suspends_on")
SORTED_AT_MOST: Final = 5_000
#: What a round opened by hand proposes: a quarter, and a month in which the late are not suspended yet.
QUARTER, GRACE = 3, timedelta(days=31)


@requires(Permission.CERTIFY)
@require_GET
def certification_list(request: SignedInRequest) -> HttpResponse:
    """Rounds with n/N in the user's areas, and whom to remind by township."""
    today = timezone.localdate()
    rounds, waiting = reads.round_list(request.user, today)
    names = place_names(row.township for row in waiting)
    context = {
        "rounds": [(row, days_words(row.days_left)) for row in rounds],
        "reminders": [(names.get(row.township, row.township), row) for row in waiting],
        "soon": reads.SOON.days,
        "today": today,
    }
    return render(request, "portal/certification_list.html", context)


@requires(Permission.CERTIFICATION_MANAGE)
@require_http_methods(["GET", "POST"])
def certification_new(request: SignedInRequest) -> HttpResponse:
    """Open a round by hand; refused, the page keeps what was typed."""
    county = place_of(request.user).county_code
    faults: list[str] = []
    if request.method == "POST":
        form = RoundForm(request.POST, county_code=county)
        if form.is_valid():
            try:
                row = service.certification_round_open(
                    county_code=county,
                    item_ids=[item.pk for item in form.cleaned_data["items"]],
                    actor=request.user,
                    **{name: form.cleaned_data[name] for name in ROUND},
                )
            except MoneyRefusedError as refusal:
                faults = [str(refusal)]
            else:
                messages.success(request, f"“{row.name}”已开启，名单上有 {row.dues.count():,} 人。")
                return redirect("portal:certification-detail", row.pk)
        faults = faults or faults_of(form)
    chosen = set(request.POST.getlist("items"))
    items = [(item, str(item.pk) in chosen) for item in round_items(county)]
    values = {name: request.POST.get(name, "") for name in ROUND} if request.method == "POST" else _proposed()
    context = {"values": values, "items": items, "faults": faults}
    return render(request, "portal/certification_new.html", context)


def _proposed() -> dict[str, str]:
    """This quarter's round, for whoever opens one by hand."""
    period = period_of(timezone.localdate(), QUARTER)
    days = (period.opens, period.due, period.due + GRACE)
    return dict(zip(ROUND, [period.name, *map(str, days)], strict=True))


@requires(Permission.CERTIFY)
@require_GET
def certification_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """The names of a round that fit the filters, each with the form for its proof."""
    return _page(request, _round(request, pk))


@requires(Permission.CERTIFY)
@require_POST
def certification_find(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the search text out of the URL and go to the list with the other filters."""
    return finds.find_redirect(request, reverse("portal:certification-detail", args=[pk]), FILTERS)


@requires(Permission.CERTIFY)
@require_POST
def certification_record(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record a proof and go back to the list as it stood; refused, the form stays open as it was filled in."""
    row = _round(request, pk)
    form = ProofForm(request.POST)
    if not form.is_valid():
        return _page(request, row, faults_of(form))
    due = reads.dues_visible(request.user).filter(round=row, elder=form.cleaned_data["elder"]).first()
    if due is None:
        raise Http404
    alive = form.cleaned_data["alive"] == "1"
    try:
        service.certification_record(
            elder=due.elder,
            on=form.cleaned_data["on"],
            mode=form.cleaned_data["mode"],
            actor=request.user,
            note=form.cleaned_data["note"],
            alive=alive,
        )
    except MoneyRefusedError as refusal:
        return _page(request, row, [str(refusal)])
    due.refresh_from_db()
    messages.success(request, _said(due, alive))
    url = reverse("portal:certification-detail", args=[pk])
    query = request.GET.urlencode()
    return redirect(f"{url}?{query}" if query else url)


def _said(due: Any, alive: bool) -> str:
    name = due.elder.name
    if not alive:
        return f"已登记：未能确认 {name} 在世。请尽快核实；去世的请登记死亡日期，在世的请重新认证。"
    if due.certification_id is None:
        return f"{name} 的认证已登记，但日期早于本轮开始，不算本轮认证；请在本轮期间再认证一次。"
    return f"{name} 已认证。"


def _page(request: SignedInRequest, row: CertificationRound, faults: list[str] | None = None) -> HttpResponse:
    mine = reads.dues_visible(request.user).filter(round=row)
    area = request.GET.get("area", "")
    area = area if AREA.match(area) else ""
    places = places_of(mine, area, request.user)
    token = request.GET.get("find", "")
    text = finds.recall(request.session, token) if token else ""
    found = _filtered(reads.under(mine, area) if area else mine, request.GET.get("state", WAITING), text)
    size = position_of(request.GET).size
    today = timezone.localdate()
    total = _total(places, area)
    paginator = Paginator(_ordered(found, total), size)
    if not text and (known := _known_count(total, request.GET.get("state", WAITING))) is not None:
        paginator.count = known
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "round": row,
        "items": list(row.items.order_by("number", "code")),
        "total": total,
        "places": places,
        "shown": places.villages if places.township else places.townships,
        "area": area,
        "text": text,
        "forgotten": text is None,
        "states": STATES,
        "state": request.GET.get("state", WAITING),
        "rows": due_rows(page.object_list),
        "page": page,
        "count": paginator.count,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(request.GET),
        "here": request.GET.urlencode(),
        "modes": MODES,
        "alive": ALIVE,
        "today": today,
        "days": days_words((row.due - today).days),
        "late": row.due < today,
        "faults": faults or [],
        "typed": request.POST if faults else {},
        "typed_elder": request.POST.get("elder", "") if faults else "",
    }
    return render(request, "portal/certification_detail.html", context)


def _round(request: SignedInRequest, pk: int) -> CertificationRound:
    """A round of a county in which the user certifies somewhere."""
    row = CertificationRound.objects.filter(pk=pk).first()
    prefixes = request.user.area_prefixes(Permission.CERTIFY)
    county = row.county_code[:6] if row else ""
    if row is None or not any(prefix.startswith(county) or county.startswith(prefix) for prefix in prefixes):
        raise Http404
    return row


def _filtered(dues: reads.Names, state: str, text: str | None) -> reads.Names:
    if text is None:
        return reads.with_standing(dues.none())
    if text:
        number = ID_NUMBER.match(text)
        elders = Elder.objects.all()
        found = elders.filter(id_number_index=blind_index(text.upper())) if number else elders.search(text)
        dues = dues.filter(elder__in=found)
    if state == WAITING:
        return reads.with_standing(reads.waiting(dues))
    dues = reads.with_standing(dues)
    return dues if state == ALL else dues.filter(standing=state)


def _ordered(dues: reads.Names, total: reads.Progress) -> reads.Names:
    """Village by village, in each first whose payment is held; by name too, where there are not too many to sort."""
    held = Case(When(suspended=True, then=Value(0)), default=Value(1), output_field=IntegerField())
    by_name = ["elder__pinyin"] if total.listed <= SORTED_AT_MOST else []
    return dues.select_related("elder", "certification").order_by("area_code", held, *by_name, "id")


def _known_count(total: reads.Progress, state: str) -> int | None:
    """How many names a filter finds, where the figures say it already."""
    return {WAITING: total.open, ALL: total.listed, reads.MET: total.met, reads.DEAD: total.exempt}.get(state)


def _total(places: Any, area: str) -> reads.Progress:
    """Figures of the chosen area, or of all that the user sees."""
    rows = places.townships
    if area and places.township:
        rows = (
            [place for place in places.villages if place.code == area]
            if area != places.township
            else places.villages
        )
    return reads.total_of([reads.AreaProgress(place.code, place.progress) for place in rows])
