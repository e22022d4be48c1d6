"""The visit rate: of a month by area, tier or worker as of any moment, and over twelve months."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal import exports
from portal.charts import BarChart, bar_chart
from portal.exports import Listing
from portal.visit_figures import (
    RateAsked,
    area_words,
    months_shown,
    path_of,
    rate_asked,
    rate_page,
    tiers_of,
    workers_of,
)
from visits.choices import ExemptReason
from visits.models import Obligation, RateSnapshot
from visits.querysets import ObligationQuerySet
from visits.rate import DEFINITION, DEFINITION_VERSION, Division, Figure, rate_trend, rate_whole
from visits.slots import next_month

MONTHS: Final = 12
TREND_WIDTH: Final = 900
HEADINGS: Final = ("名称", "应访人数", "已达标", "未达标", "探访率", "免访", *ExemptReason.values, "补录")
WIDTHS: Final = (24, 10, 10, 10, 10, 8, 8, 8, 10, 8)


@dataclass(frozen=True)
class TrendRow:
    """One area's figures month by month."""

    name: str
    figures: list[Figure]
    deeper: str = ""


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_rates(request: SignedInRequest, month: date) -> HttpResponse:
    """The month's rate: rows of the chosen division, each figure opening its people."""
    asked = rate_asked(request.user, month, request.GET)
    obligations = _obligations(request)
    page = rate_page(asked, obligations)
    context = {
        "asked": asked,
        "month": month,
        "page": page,
        "linked": asked.as_of is None,
        "tabs": [(label, asked.query(by=value), value == asked.by) for value, label in Division.choices],
        "future": month > timezone.localdate(),
        "path": path_of(asked),
        "tiers": tiers_of(obligations, month),
        "workers": workers_of(obligations.in_area(asked.area), month),
        "snapshot": RateSnapshot.objects.filter(month=month, county_code=asked.county).first(),
        "around": _neighbours(month),
        "definition": DEFINITION,
        "version": DEFINITION_VERSION,
        "now": timezone.localtime(asked.as_of),
    }
    return render(request, "portal/visit_rates.html", context)


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_rates_export(request: SignedInRequest, month: date, kind: str) -> HttpResponseBase:
    """The rows of the page as a file, with what they mean on the second sheet."""
    asked = rate_asked(request.user, month, request.GET)
    page = rate_page(asked, _obligations(request))
    audit_record(
        action="visit_rates_export",
        subject=f"visits:{asked.area}:{month:%Y-%m}",
        actor=request.user,
        data={"query": asked.query(), "rows": len(page.rows), "kind": kind},
        address=client_address(request),
    )
    name = path_of(asked)[-1][1]
    listing = Listing(
        f"探访率-{month:%Y%m}-{name}",
        HEADINGS,
        [_cells(row.name, row.figure) for row in [*page.rows, page.whole]],
        _about(request, asked, name),
        WIDTHS,
    )
    return exports.file_response(kind, listing)


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_trend(request: SignedInRequest, month: date) -> HttpResponse:
    """Twelve months up to this one, area by area, on one sheet of paper."""
    asked = rate_asked(request.user, month, request.GET)
    months = months_shown(month, MONTHS)
    lines = rate_trend(
        obligations=_obligations(request).in_area(asked.area),
        months=months,
        digits=12 if asked.villages else 9,
    )
    codes = sorted({line.code for rows in lines.values() for line in rows})
    names = {line.code: line.name for rows in lines.values() for line in rows}
    found = {(m, line.code): line.figure for m, rows in lines.items() for line in rows}
    whole = [rate_whole(lines[m]) for m in months]
    context = {
        "asked": asked,
        "month": month,
        "months": months,
        "rows": [
            TrendRow(
                area_words(code, names[code], asked.county),
                [found.get((m, code), Figure()) for m in months],
                "" if asked.villages else f"?area={code}",
            )
            for code in codes
        ],
        "whole": TrendRow("合计", whole),
        "chart": _chart(months, whole),
        "path": path_of(asked),
        "now": timezone.localtime(),
    }
    return render(request, "portal/visit_trend.html", context)


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_rates_newest(request: SignedInRequest) -> HttpResponse:
    """Go to the newest opened month of the user's areas, or to the running one."""
    rows = _obligations(request).order_by("-month").values_list("month", flat=True)
    month = rows.first() or timezone.localdate().replace(day=1)
    return redirect("portal:visit-rates", month)


@requires(Permission.VISIT_VIEW)
@require_GET
def month_visits(request: SignedInRequest, month: date) -> HttpResponse:
    """The page's former address."""
    area = request.GET.get("area", "")
    query = f"?area={area}" if area.isascii() and area.isdigit() else ""
    return redirect(f"{reverse('portal:visit-rates', args=[month])}{query}")


def _obligations(request: SignedInRequest) -> ObligationQuerySet:
    return Obligation.objects.counted_for(request.user)


def _cells(name: str, figure: Figure) -> list[exports.Cell]:
    rate = figure.rate
    return [
        name,
        figure.obliged,
        figure.met,
        figure.unmet,
        f"{rate}%" if rate is not None else "",
        figure.exempted,
        *(figure.exempt.get(reason, 0) for reason in ExemptReason.values),
        figure.late,
    ]


def _about(request: SignedInRequest, asked: RateAsked, name: str) -> list[tuple[str, str]]:
    at = timezone.localtime(asked.as_of)
    return [
        ("内容", f"{asked.month:%Y年%m月}{name}探访率，{asked.by.label}"),
        ("统计时点", f"{at:%Y-%m-%d %H:%M:%S}"),
        ("层级", asked.tier or "全部"),
        ("探访人", asked.worker or "全部"),
        *DEFINITION,
        ("口径版本", DEFINITION_VERSION),
        ("导出人", str(request.user)),
    ]


def _neighbours(month: date) -> tuple[date, date | None]:
    """The month before, and the one after unless it lies in the future."""
    after = next_month(month)
    return months_shown(month, 2)[0], after if after <= timezone.localdate() else None


def _chart(months: list[date], whole: list[Figure]) -> BarChart:
    """Rates of the months that were opened; the whole height is 100%."""
    points = [
        (f"{m:%y-%m}", figure.rate, f"{figure.rate}%")
        for m, figure in zip(months, whole, strict=True)
        if figure.rate is not None
    ]
    return bar_chart(points, TREND_WIDTH, Decimal(100))
