"""Records of visits: the list, one record with its photos, sending back, and the download."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from catalog.choices import VisitMode
from eldercare.models import Elder
from operations.commands import Refused
from operations.crypto import blind_index
from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.choices import Permission
from organization.models import User
from organization.permissions import SignedInRequest, requires
from portal import exports, finds
from portal.filtersets import RecordFilterSet, without_position
from portal.paging import SIZES, position_of
from portal.photos import photo_response
from portal.places import place_names
from portal.record_rows import (
    HEADINGS,
    WIDTHS,
    all_rows,
    area_choices,
    metres_words,
    minutes_words,
    record_rows,
    recorders_of,
)
from portal.scope import place_of
from visits.choices import EFFECTIVE, Channel, FindingGroup, Result
from visits.models import Visit, VisitPhoto
from visits.querysets import VisitQuerySet
from visits.records import MARKS, Neighbour, neighbours_of, with_marks
from visits.services.visit_return import PHRASES, Returned, visits_return

FILTERS: Final = ("day_from", "day_to", "area", "worker", "mode", "result", "channel", "mark", "size")
ID_NUMBER: Final = re.compile(r"\d{17}[\dXx]\Z")
REFUSALS_NAMED: Final = 5


@requires(Permission.VISIT_VIEW)
@require_POST
def record_find(request: HttpRequest) -> HttpResponse:
    """Take the search text out of the URL and go to the list with the other filters."""
    return finds.find_redirect(request, reverse("portal:visit-record-list"), FILTERS)


@requires(Permission.VISIT_VIEW)
@require_GET
def record_list(request: SignedInRequest) -> HttpResponse:
    """Records in the user's areas that fit the filters, newest first; of this month where no day is given."""
    return _page(request, request.GET)


@requires(Permission.ELDER_EXPORT)
@require_GET
def record_export(request: SignedInRequest, kind: str) -> HttpResponseBase:
    """The list as a file: the filter on the page, masked, or refused with the count."""
    filterset, text = _filtered(request, request.GET)
    exportable = Visit.objects.visible_to(request.user, Permission.ELDER_EXPORT)
    found = _found(filterset, text).filter(pk__in=exportable.values("pk"))
    total = found.count()
    if refusal := exports.over_limit(kind, total):
        messages.error(request, refusal)
        return redirect(f"{reverse('portal:visit-record-list')}?{request.GET.urlencode()}")
    conditions = without_position(request.GET).urlencode()
    audit_record(
        action="导出探访记录",
        subject="探访记录",
        actor=request.user,
        data={"filter": conditions, "rows": total, "kind": kind},
        address=client_address(request),
    )
    now = timezone.localtime()
    days = filterset.form.cleaned_data if filterset.is_valid() else {}
    about = (
        ("内容", "探访记录（证件号码已遮盖，不含发现的具体内容和照片）"),
        ("日期", f"{days.get('day_from')} 至 {days.get('day_to') or now.date()}"),
        ("条数", f"{total}"),
        ("统计时点", f"{now:%Y-%m-%d %H:%M}"),
        ("导出人", str(request.user)),
    )
    rows = (row.cells() for row in all_rows(found))
    return exports.file_response(
        kind, exports.Listing(f"探访记录-{now:%Y%m%d-%H%M}", HEADINGS, rows, about, WIDTHS)
    )


@requires(Permission.VISIT_VIEW)
@require_GET
def record_detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """One record with everything that came with it and what became of it."""
    return _detail(request, _record(request.user, pk))


@requires(Permission.VISIT_VIEW)
@require_GET
def photo(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A photo, decrypted, to whoever may see the record."""
    seen = Visit.objects.visible_to(request.user)
    row = get_object_or_404(
        VisitPhoto.objects.filter(visit__in=seen.values("pk")).select_related("file"), pk=pk
    )
    return photo_response(row)


@requires(Permission.VISIT_RETURN)
@require_POST
def records_return(request: SignedInRequest) -> HttpResponse:
    """Send the ticked records back, or the one whose phrase was pressed; refused, what was typed stays."""
    one, _, phrase = request.POST.get("one", "").partition(":")
    ids = [
        pk for text in ([one] if one else request.POST.getlist("record")) if (pk := _uuid(text)) is not None
    ]
    reason = _phrase(phrase) or request.POST.get("reason", "")
    filters = QueryDict(request.POST.get("filters", ""), mutable=True)
    back = _uuid(request.POST.get("back", ""))
    if not ids:
        return _page(request, filters, refusal="没有选中记录，请先勾选", reason=reason)
    try:
        result = visits_return(visit_ids=ids, reason=reason, actor=request.user)
    except Refused as error:
        if back is not None:
            return _detail(request, _record(request.user, back), refusal=str(error), reason=reason)
        return _page(request, filters, refusal=str(error), reason=reason, ticked=set(ids))
    if not result.done and not result.refused:
        raise Http404
    _tell(request, result)
    url = reverse("portal:visit-record-list")
    if back is not None:
        url = reverse("portal:visit-record-detail", args=[back])
    elif request.POST.get("draw", "").isdecimal():
        url = reverse("portal:call-back-detail", args=[request.POST["draw"]])
    return redirect(f"{url}?{filters.urlencode()}" if filters else url)


def _tell(request: HttpRequest, result: Returned) -> None:
    if result.done:
        messages.success(
            request, f"已退回 {len(result.done)} 条，不再计数；探访人下次同步时会在手机上看到原因。"
        )
    if result.refused:
        named = [f"{record.elder.name}：{why}" for record, why in result.refused[:REFUSALS_NAMED]]
        more = [f"另有 {len(result.refused) - REFUSALS_NAMED} 条"] if len(result.refused) > len(named) else []
        messages.warning(request, f"有 {len(result.refused)} 条没有退回。{'；'.join(named + more)}。")


def _page(
    request: SignedInRequest,
    params: QueryDict,
    *,
    refusal: str = "",
    reason: str = "",
    ticked: set[UUID] | None = None,
) -> HttpResponse:
    filterset, text = _filtered(request, params)
    found = _found(filterset, text)
    figures = found.order_by().aggregate(n=Count("pk"), effective=Count("pk", filter=Q(result__in=EFFECTIVE)))
    size = position_of(params).size
    # the page's keys first: what marks a record is looked up for the page alone
    paginator = Paginator(found.order_by("-at", "pk").values_list("pk", flat=True), size)
    paginator.count = figures["n"]
    page = paginator.get_page(params.get("page"))
    shown = with_marks(Visit.objects.filter(pk__in=list(page.object_list))).order_by("-at", "pk")
    place = place_of(request.user)
    days = RecordFilterSet(
        {key: filterset.data.get(key) for key in ("day_from", "day_to")},
        queryset=Visit.objects.visible_to(request.user),
    )
    context = {
        "filterset": filterset,
        "values": filterset.data,
        "text": text,
        "forgotten": text is None,
        "figures": figures,
        "rows": record_rows(shown),
        "page": page,
        "size": size,
        "sizes": SIZES,
        "kept": without_position(params),
        "areas": area_choices(place, params.get("area", "")),
        "workers": recorders_of(days.qs) if days.is_valid() else [],
        "modes": VisitMode.values,
        "results": Result.values,
        "channels": Channel.choices,
        "marks": MARKS,
        "phrases": PHRASES,
        "refusal": refusal,
        "reason": reason,
        "ticked": ticked or set(),
        "now": timezone.localtime(),
    }
    return render(request, "portal/visit_record_list.html", context, status=409 if refusal else 200)


def _detail(request: SignedInRequest, record: Visit, *, refusal: str = "", reason: str = "") -> HttpResponse:
    seen = Visit.objects.visible_to(request.user)
    full = with_marks(Visit.objects.filter(pk=record.pk)).get()
    (row,) = record_rows([full])
    sees_elder = Elder.objects.visible_to(request.user).filter(pk=full.elder_id).exists()
    findings = full.findings.order_by("group", "pk")
    neighbours = neighbours_of(full, request.user)
    names = place_names(each.visit.elder.residence_code for each in neighbours)
    context: dict[str, Any] = {
        "row": row,
        "record": full,
        "sees_elder": sees_elder,
        "findings": findings if sees_elder else findings.exclude(group=FindingGroup.HEALTH),
        "photos": full.photos.order_by("created_at", "pk"),
        "neighbours": [_beside(each, names) for each in neighbours],
        "clock_words": minutes_words(round((full.clock_offset or 0) / 60)),
        "corrected": seen.filter(pk=full.corrects).first() if full.corrects else None,
        "corrections": seen.filter(corrects=full.pk).order_by("at"),
        "calls": full.call_backs.exclude(result="").select_related("called_by").order_by("called_at"),
        "follow_ups": full.follow_ups.select_related("bureau").order_by("due_at"),
        "phrases": PHRASES,
        "refusal": refusal,
        "reason": reason,
    }
    return render(request, "portal/visit_record_detail.html", context, status=409 if refusal else 200)


def _beside(each: Neighbour, names: Mapping[str, str]) -> tuple[Neighbour, str, str, str]:
    """A record of the same day with its village, how much earlier or later, and how far away."""
    turn = "早" if each.minutes < 0 else "晚"
    place = names.get(each.visit.elder.residence_code, "")
    return each, place, f"{turn} {minutes_words(each.minutes)}", metres_words(each.metres)


def _record(user: User, pk: UUID) -> Visit:
    return get_object_or_404(Visit.objects.visible_to(user), pk=pk)


def _filtered(request: SignedInRequest, params: QueryDict) -> tuple[RecordFilterSet, str | None]:
    """The filter with this month as its default, and the text searched for (None: this session forgot it)."""
    given = params.copy()
    if not given.get("day_from"):
        given["day_from"] = str(_month_start(given.get("day_to", "")))
    token = params.get("find", "")
    text = finds.recall(request.session, token) if token else ""
    return RecordFilterSet(given, queryset=Visit.objects.visible_to(request.user)), text


def _month_start(until: str) -> date:
    """The first day of this month, or of the month in which the range ends."""
    try:
        return date.fromisoformat(until).replace(day=1)
    except ValueError:
        return timezone.localdate().replace(day=1)


def _found(filterset: RecordFilterSet, text: str | None) -> VisitQuerySet:
    """Records of the filter and the search: an elder, or the visitor's name; a bad filter finds none."""
    if text is None or not filterset.is_valid():
        return Visit.objects.none()
    records: VisitQuerySet = filterset.qs
    if not text:
        return records
    if ID_NUMBER.match(text):
        return records.filter(elder__id_number_index=blind_index(text.upper()))
    return records.filter(Q(elder__in=Elder.objects.search(text)) | Q(visitor=text))


def _phrase(number: str) -> str:
    return PHRASES[int(number)] if number.isdecimal() and int(number) < len(PHRASES) else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
