"""Anomalies of a month: the queue, and deciding many at once."""

from datetime import date
from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import Area
from organization.permissions import SignedInRequest, requires
from organization.querysets import in_areas
from portal.anomaly_rows import anomaly_rows
from portal.filtersets import AREA, without_position
from portal.paging import SIZES, position_of
from portal.scope import month_or_404, place_of
from subsidies.anomalies import anomalies_of
from subsidies.choices import AnomalyKind, AnomalyState
from subsidies.models import Anomaly, Month
from subsidies.refusals import MoneyRefusedError
from subsidies.reported import reports_open
from subsidies.services.anomaly import anomaly_decide

#: filters that auditors and finance start from
PRESETS: Final = (AnomalyKind.AFTER_DEATH, AnomalyKind.SHARED_ACCOUNT)
ALL: Final = "全部"
#: stock reasons, offered while typing
REASONS: Final = (
    "已电话核实，夫妻共用账户",
    "已核对身份证和银行卡，户名无误",
    "已核对变更资料，本人办理",
    "金额变化有依据，已核对",
    "等家属提供账户后再发",
    "正在核实，先暂缓发放",
)
MOST: Final = 100


@requires(Permission.MONTH_VIEW)
@require_GET
def anomaly_list(request: SignedInRequest, month: date) -> HttpResponse:
    """Anomalies that fit the filters; without a state those still to be decided."""
    return _page(request, month_or_404(request.user, month), request.GET)


@requires(Permission.ANOMALY_DECIDE)
@require_POST
def anomalies_decide(request: SignedInRequest, month: date) -> HttpResponse:
    """Let the chosen rows through or hold them back, for one reason; what was typed stays if it is refused."""
    row = month_or_404(request.user, month, Permission.ANOMALY_DECIDE)
    chosen = [int(pk) for pk in request.POST.getlist("anomaly")[:MOST] if pk.isascii() and pk.isdigit()]
    ids = list(Anomaly.objects.filter(run=row, pk__in=chosen).values_list("pk", flat=True))
    state, reason = request.POST.get("decision", ""), request.POST.get("reason", "")
    filters = QueryDict(request.POST.get("filters", ""), mutable=True)
    was = filters.get("state", "")
    try:
        done = anomaly_decide(
            anomaly_ids=ids,
            state=state,
            reason=reason,
            actor=request.user,
            was=was if was in AnomalyState.values else AnomalyState.OPEN,
        )
    except MoneyRefusedError as error:
        return _page(request, row, filters, refusal=str(error), reason=reason, ticked=set(ids))
    left = len(ids) - done
    told = f"已{state} {done} 条。" + (
        f"另有 {left} 条没有改动：已处理过，或没有账户不能放行。" if left else ""
    )
    messages.success(request, told)
    url = reverse("portal:anomaly-list", args=[month])
    return redirect(f"{url}?{filters.urlencode()}" if filters else url)


def _page(
    request: SignedInRequest,
    month: Month,
    params: QueryDict,
    *,
    refusal: str = "",
    reason: str = "",
    ticked: set[int] | None = None,
) -> HttpResponse:
    whole = _in_area(anomalies_of(month, request.user), params.get("area", ""))
    state = params.get("state", "") or AnomalyState.OPEN
    rows = whole if state == ALL else whole.filter(state=state)
    kinds = dict(rows.values_list("kind").annotate(n=Count("pk")).order_by())
    kind = params.get("kind", "")
    rows = rows.filter(kind=kind) if kind else rows
    found = rows.select_related("elder", "item", "decided_by").order_by("kind", "area_code", "elder_id", "pk")
    size = position_of(params).size
    paginator = Paginator(found, size)
    paginator.count = kinds.get(kind, 0) if kind else sum(kinds.values())
    page = paginator.get_page(params.get("page"))
    place = place_of(request.user)
    own = place.area_code if place.county_code == month.county_code else month.county_code
    context = {
        "month": month,
        "rows": anomaly_rows(page.object_list),
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(params),
        "reported": reports_open(request.user.area_prefixes(Permission.MONTH_VIEW)).count(),
        "kinds": [(value, label, kinds.get(value, 0)) for value, label in AnomalyKind.choices],
        "kind": kind,
        "state": state,
        "states": [*AnomalyState.values, ALL],
        "area": params.get("area", ""),
        "areas": Area.objects.current().children_of(own).order_by("code"),
        "presets": PRESETS,
        "reasons": REASONS,
        "refusal": refusal,
        "reason": reason,
        "ticked": ticked or set(),
        "decidable": state in (AnomalyState.OPEN, AnomalyState.HELD, AnomalyState.CLEARED),
    }
    return render(request, "portal/anomaly_list.html", context, status=200)


def _in_area(rows: QuerySet[Anomaly], code: str) -> QuerySet[Anomaly]:
    return in_areas(rows, [area_prefix(code)], "area_code") if AREA.match(code) else rows
