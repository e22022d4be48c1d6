"""补录: a village's people in a form to be filled in from paper, by keyboard, many at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from catalog.choices import VisitMode
from operations.commands import Refused
from organization.areas import VILLAGE_DIGITS, area_prefix
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.area_tree import tree_for
from portal.filtersets import AREA, without_position
from visits.caseloads import workers_of
from visits.choices import Result
from visits.models import Obligation
from visits.paper_row import PaperRow, Typed, read_row
from visits.people import Asked, obligations_asked
from visits.services.entry import visits_enter

ROWS: Final = 100
MONTHS: Final = 12
#: Numbered, so that a choice is one key.
MODES: Final = tuple(enumerate((VisitMode.HOME, VisitMode.PHONE, VisitMode.VIDEO), start=1))
RESULTS: Final = tuple(zip("123456789A", Result, strict=True))


@dataclass(frozen=True)
class Line:
    """One elder's row: what stands in it, what is wrong with it, and what was stored just now."""

    obligation: Obligation
    typed: Typed
    fault: str = ""
    stored: bool = False


@requires(Permission.VISIT_IMPORT)
@require_http_methods(["GET", "POST"])
def visit_entry(request: SignedInRequest, month: date) -> HttpResponse:
    """The form of a village; good rows are stored, bad ones stay as typed with what is wrong with them."""
    area = request.GET.get("area", "")
    known = AREA.match(area) and area.isascii()
    area = area if known and len(area_prefix(area)) == VILLAGE_DIGITS else ""
    people = Paginator(_people(request, month, area), ROWS).get_page(request.GET.get("page"))
    rows = list(people.object_list)
    if request.method == "GET":
        return _show(request, month, area, people, [Line(row, Typed(mode=VisitMode.HOME)) for row in rows])
    typed = {row.elder_id: _typed(request, row.elder_id) for row in rows}
    good, faults = _read(typed, month)
    visitor = request.POST.get("visitor", "")
    try:
        done = (
            visits_enter(rows=good, visitor=visitor, actor=request.user, now=timezone.now()) if good else None
        )
    except Refused as refusal:
        lines = [Line(row, typed[row.elder_id], faults.get(row.elder_id, "")) for row in rows]
        return _show(request, month, area, people, lines, refusal=str(refusal))
    if done is None and not faults:
        lines = [Line(row, typed[row.elder_id]) for row in rows]
        return _show(
            request, month, area, people, lines, refusal="没有填写任何一行；请至少填一人的日期和结果"
        )
    if done is not None:
        messages.success(request, f"已登记 {len(done.stored)} 条。" + _known(len(done.known)))
        faults |= done.told
    if not faults:
        return redirect(request.get_full_path())
    lines = [_after(row, typed[row.elder_id], faults, good) for row in rows]
    return _show(request, month, area, people, lines)


def _people(request: SignedInRequest, month: date, area: str) -> Any:
    """Obligations of the village, as the paper lists them."""
    rows = obligations_asked(Asked(month, area=area), request.user, Permission.VISIT_IMPORT)
    found = rows if area else rows.none()
    return found.select_related("elder", "tier").order_by("elder__pinyin", "elder_id")


def _typed(request: SignedInRequest, pk: int) -> Typed:
    return Typed(*(request.POST.get(f"{name}-{pk}", "") for name in ("day", "mode", "result", "note")))


def _read(typed: Mapping[int, Typed], month: date) -> tuple[dict[int, PaperRow], dict[int, str]]:
    """Split what was typed into rows that can be taken and sentences about the others; empty ones are neither."""
    good: dict[int, PaperRow] = {}
    faults: dict[int, str] = {}
    for pk, each in typed.items():
        if each.is_empty:
            continue
        try:
            good[pk] = read_row(each, month, timezone.localdate())
        except ValueError as fault:
            faults[pk] = str(fault)
    return good, faults


def _after(row: Obligation, typed: Typed, faults: Mapping[int, str], good: Mapping[int, PaperRow]) -> Line:
    """A row after some were stored: done ones are empty again."""
    fault = faults.get(row.elder_id, "")
    if fault or row.elder_id not in good:
        return Line(row, typed, fault)
    return Line(row, Typed(mode=typed.mode), stored=True)


def _known(count: int) -> str:
    return f"另有 {count} 条以前登记过，没有重复登记。" if count else ""


def _show(
    request: SignedInRequest, month: date, area: str, people: Any, lines: list[Line], refusal: str = ""
) -> HttpResponse:
    today = timezone.localdate()
    months = [today.replace(day=1)]
    while len(months) < MONTHS:
        year, number = divmod(months[-1].year * 12 + months[-1].month - 2, 12)
        months.append(date(year, number + 1, 1))
    faulty = sum(bool(line.fault) for line in lines)
    context = {
        "month": month,
        "months": months,
        "area": area,
        "tree": tree_for(request.user, request.GET.get("area", "")),
        "lines": lines,
        "page": people,
        "size": ROWS,
        "sizes": (ROWS,),
        "kept": without_position(request.GET),
        "refusal": refusal,
        "faulty": faulty,
        "visitor": request.POST.get("visitor", ""),
        "visitors": workers_of(area) if area else (),
        "modes": MODES,
        "results": RESULTS,
        "list_url": reverse("portal:visit-people", args=[month]),
    }
    return render(request, "portal/visit_entry.html", context)
