"""The review of a month by exception: six tabs, each with its count, its sum and its list."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import User
from organization.permissions import SignedInRequest, requires
from organization.querysets import in_areas
from portal.anomaly_rows import anomaly_rows
from portal.figures import change_keys_of
from portal.filtersets import AREA, without_position
from portal.paging import SIZES, position_of
from portal.review_figures import TABS, breakdown_of, cells_of, tabs_of
from portal.review_rows import adjustment_review_rows, change_rows
from portal.scope import month_or_404
from subsidies.anomalies import anomalies_of
from subsidies.choices import AnomalyState
from subsidies.models import Month
from subsidies.review import ANOMALY, KINDS, NEW, STOPPED, Key, adjustments_of, lines_at, month_before

LINE_KINDS = {slug: kind for kind, slug in KINDS.items()}


@dataclass(frozen=True)
class Chosen:
    """What the address asks for: a tab, and within it an item and an area."""

    tab: str
    item: int | None
    area: str

    def has(self, key: Key) -> bool:
        """Tell whether a changed line belongs to the list."""
        area_code, _, item = key
        return area_code.startswith(area_prefix(self.area) if self.area else "") and self.item in (None, item)


@requires(Permission.MONTH_VIEW)
@require_GET
def month_review(request: SignedInRequest, month: date) -> HttpResponse:
    """What changed against the month before, never what stayed as it was."""
    row = month_or_404(request.user, month)
    before = month_before(row)
    chosen = _chosen(request)
    cells = cells_of(row, before, request.user)
    size = position_of(request.GET).size
    paginator = Paginator(_lines(row, before, request.user, chosen), size)
    tabs = tabs_of(cells)
    tab = next(tab for tab in tabs if tab.slug == chosen.tab)
    if not chosen.item and not chosen.area:
        paginator.count = tab.lines
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "month": row,
        "before": before,
        "tabs": tabs,
        "tab": tab,
        "anomalies": next(tab.lines for tab in tabs if tab.slug == ANOMALY),
        "chosen": chosen,
        "breakdown": breakdown_of(cells, chosen.tab),
        "rows": _shown(page.object_list, chosen.tab, row, before),
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(request.GET),
    }
    return render(request, "portal/month_review.html", context)


def _chosen(request: SignedInRequest) -> Chosen:
    """Nonsense in the address means the first tab and everything in it."""
    tab, item, area = (request.GET.get(key, "") for key in ("tab", "item", "area"))
    whole = int(item) if item.isascii() and item.isdigit() and len(item) < 10 else None
    return Chosen(tab if tab in TABS else NEW, whole, area if AREA.match(area) else "")


def _lines(month: Month, before: Month | None, user: User, chosen: Chosen) -> QuerySet[Any] | list[Key]:
    """What the page is cut out of: rows, or the keys of changed lines."""
    prefixes = user.area_prefixes(Permission.MONTH_VIEW)
    rows: QuerySet[Any]
    if chosen.tab == ANOMALY:
        rows = anomalies_of(month, user).filter(state=AnomalyState.OPEN)
        rows = rows.select_related("elder", "item", "decided_by").order_by(
            "kind", "area_code", "elder_id", "pk"
        )
    elif chosen.tab in LINE_KINDS:
        rows = adjustments_of(month, LINE_KINDS[chosen.tab], prefixes).select_related("elder", "item")
        rows = rows.order_by("area_code", "elder_id", "item_id", "month")
    else:
        keys = change_keys_of(month, before, chosen.tab, user)
        return [key for key in keys if chosen.has(key)] if chosen.item or chosen.area else keys
    rows = rows if chosen.item is None else rows.filter(item=chosen.item)
    return in_areas(rows, [area_prefix(chosen.area)], "area_code") if chosen.area else rows


def _shown(rows: Any, tab: str, month: Month, before: Month | None) -> list[Any]:
    if tab == ANOMALY:
        return anomaly_rows(rows)
    if tab in LINE_KINDS:
        return adjustment_review_rows(rows, month.county_code)
    shown_in = before if tab == STOPPED and before else month
    return change_rows(lines_at(shown_in, rows), tab, month, before)
