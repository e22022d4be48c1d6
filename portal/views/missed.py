"""漏享: who is entitled and does not draw, by township and item, with applications started from the list."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Item
from organization.choices import Permission
from organization.models import Area, User
from organization.permissions import SignedInRequest, requires
from portal.filtersets import AREA, without_position
from portal.paging import SIZES, position_of
from portal.places import place_names
from portal.scope import month_or_404
from subsidies.choices import Channel
from subsidies.missed import MissedCell, missed_counts, missed_list, newest_month
from subsidies.models import Month
from subsidies.refusals import MoneyRefusedError
from subsidies.services.application import application_make

MOST_AT_ONCE: Final = 100
REFUSED_NAMED: Final = 5
OUTSIDE: Final = "县外户籍"


@dataclass(frozen=True)
class TownshipRow:
    """One township with its items and their sum."""

    code: str
    name: str
    cells: list[tuple[Item, int]]
    persons: int
    amount: Decimal


@requires(Permission.MONTH_VIEW)
@require_GET
def missed(request: SignedInRequest, month: date) -> HttpResponse:
    """Townships by items, and the elders behind the chosen figure."""
    row = month_or_404(request.user, month)
    cells = missed_counts(row, request.user)
    area, item = _chosen(request.GET)
    rows = missed_list(row, request.user, area_code=area, item_id=item)
    size = position_of(request.GET).size
    paginator = Paginator(rows, size)
    if len(area.rstrip("0")) <= 9:
        paginator.count = sum(cell.persons for cell in cells if _within(cell, area, item))
    page = paginator.get_page(request.GET.get("page"))
    lines = list(page.object_list)
    places = place_names(line.area_code for line in lines)
    items = sorted({cell.item for cell in cells}, key=lambda each: (each.number, each.code))
    context = {
        "month": row,
        "newest": newest_month(row.county_code),
        "items": items,
        "townships": _townships(cells, items),
        "item_sums": [sum(cell.persons for cell in cells if cell.item == each) for each in items],
        "persons": sum(cell.persons for cell in cells),
        "amount": sum((cell.amount or Decimal(0) for cell in cells), Decimal("0.00")),
        "rows": [(line, places.get(line.area_code, "")) for line in lines],
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(request.GET),
        "area": area,
        "item": item,
    }
    return render(request, "portal/missed.html", context)


@requires(Permission.APPLICATION_MAKE)
@require_POST
def missed_apply(request: SignedInRequest, month: date) -> HttpResponse:
    """Hand in an application, found by us, for the one line or all ticked ones; each is taken or refused by itself."""
    row = month_or_404(request.user, month)
    ticked = {pair for text in _ticked(request.POST) if (pair := _pair(text))}
    done, refused = _apply(row, request.user, ticked)
    if not ticked:
        messages.error(request, "没有选中老年人，请先勾选要发起申请的行。")
    elif done:
        messages.success(request, f"已发起申请 {done} 件，等镇（街）负责人审核。")
    if refused:
        more = f"；另有 {len(refused) - REFUSED_NAMED} 件" if len(refused) > REFUSED_NAMED else ""
        messages.warning(request, f"有 {len(refused)} 件没有发起。{'；'.join(refused[:REFUSED_NAMED])}{more}")
    filters = QueryDict(request.POST.get("filters", "")).urlencode()
    url = reverse("portal:missed", args=[month])
    return redirect(f"{url}?{filters}" if filters else url)


def _ticked(params: QueryDict) -> list[str]:
    """The line whose own button was pressed, else the ticked ones."""
    return params.getlist("only") or params.getlist("line")[:MOST_AT_ONCE]


def _apply(month: Month, user: User, ticked: set[tuple[int, int]]) -> tuple[int, list[str]]:
    """Applications made, and who was refused why; a line that is missed no longer is refused."""
    lines = missed_list(month, user).filter(elder__in={elder for elder, _ in ticked})
    found = [line for line in lines if (line.elder_id, line.item_id) in ticked]
    done, refused = 0, []
    for line in found:
        try:
            application_make(elder=line.elder, item=line.item, channel=Channel.FOUND, actor=user)
            done += 1
        except MoneyRefusedError as error:
            refused.append(f"{line.elder.name}：{error}")
    if gone := len(ticked) - len(found):
        refused.append(f"{gone} 行已不在漏享名单上（已申请、已登记或不在您的区划内）")
    return done, refused


def _chosen(params: QueryDict) -> tuple[str, int | None]:
    area, item = params.get("area", ""), params.get("item", "")
    whole = int(item) if item.isascii() and item.isdigit() and len(item) < 10 else None
    return area if AREA.match(area) else "", whole


def _within(cell: MissedCell, area: str, item: int | None) -> bool:
    return cell.township.startswith(area.rstrip("0")) and (item is None or cell.item.pk == item)


def _pair(text: str) -> tuple[int, int] | None:
    elder, _, item = text.partition(":")
    if all(part.isascii() and part.isdigit() and len(part) < 18 for part in (elder, item)):
        return int(elder), int(item)
    return None


def _townships(cells: list[MissedCell], items: list[Item]) -> list[TownshipRow]:
    codes = sorted({cell.township for cell in cells})
    names = dict(Area.objects.filter(code__in=codes).values_list("code", "name"))
    by_place = {(cell.township, cell.item.pk): cell for cell in cells}
    rows = []
    for code in codes:
        own = [cell for cell in cells if cell.township == code]
        counts = [
            (each, by_place[code, each.pk].persons if (code, each.pk) in by_place else 0) for each in items
        ]
        amount = sum((cell.amount or Decimal(0) for cell in own), Decimal("0.00"))
        rows.append(TownshipRow(code, names.get(code, OUTSIDE), counts, sum(c.persons for c in own), amount))
    return rows
