"""The list of elders and its download."""

import re
from typing import Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from eldercare.models import Elder
from eldercare.querysets import ElderQuerySet
from operations.crypto import blind_index
from operations.masking import mask_id_number
from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal import exports, finds
from portal.area_tree import Tree, children_of, tree_for
from portal.elder_rows import HEADINGS, all_rows, elder_rows
from portal.filtersets import CHIPS, STATES, ElderFilterSet, without_position
from portal.paging import SIZES, page_of, position_of

ID_NUMBER: Final = re.compile(r"\d{17}[\dXx]\Z")
WIDTHS: Final = (12, 22, 6, 6, 26, 26, 40, 16)
FILTERS: Final = ("area", "age_from", "age_to", "state", "size")


@requires(Permission.ELDER_VIEW)
@require_POST
def elder_find(request: HttpRequest) -> HttpResponse:
    """Take the search text out of the URL and go to the list with the other filters."""
    return finds.find_redirect(request, reverse("portal:elder-list"), FILTERS, several=("has",))


@requires(Permission.ELDER_VIEW)
@require_GET
def elder_list(request: SignedInRequest) -> HttpResponse:
    """Elders in the user's areas that fit the filters."""
    filterset = ElderFilterSet(request.GET, queryset=Elder.objects.visible_to(request.user))
    text = _search_text(request)
    found = _found(filterset, text)
    page = page_of(found, found.count(), position_of(request.GET))
    tree = tree_for(request.user, request.GET.get("area", ""))
    context = {
        "filterset": filterset,
        "text": text,
        "forgotten": text is None,
        "page": page,
        "rows": elder_rows(page.rows),
        "tree": tree,
        "kept": without_position(request.GET),
        "chips": CHIPS,
        "states": STATES,
        "sizes": SIZES,
        "filtered": bool(without_position(request.GET)),
        "now": timezone.localtime(),
    }
    return render(request, "portal/elder_list.html", context)


@requires(Permission.ELDER_EXPORT)
@require_GET
def elder_export(request: SignedInRequest, kind: str) -> HttpResponseBase:
    """The list as a file: the filter on the page, masked, or refused with the count."""
    within = Elder.objects.visible_to(request.user, Permission.ELDER_EXPORT)
    filterset = ElderFilterSet(request.GET, queryset=within)
    text = _search_text(request)
    found = _found(filterset, text)
    total = found.count()
    if refusal := exports.over_limit(kind, total):
        messages.error(request, refusal)
        return redirect(f"{reverse('portal:elder-list')}?{request.GET.urlencode()}")
    conditions = _conditions(request.GET, text, tree_for(request.user, request.GET.get("area", "")))
    audit_record(
        action="elder_export",
        subject="老年人名单",
        actor=request.user,
        data={"filter": without_position(request.GET).urlencode(), "rows": total, "kind": kind},
        address=client_address(request),
    )
    now = timezone.localtime()
    about = (
        ("内容", "老年人名单（证件号码、电话已遮盖）"),
        ("条件", conditions),
        ("条数", f"{total}"),
        ("统计时点", f"{now:%Y-%m-%d %H:%M}"),
        ("导出人", str(request.user)),
    )
    rows = (row.cells() for row in all_rows(found))
    listing = exports.Listing(f"老年人名单-{now:%Y%m%d-%H%M}", HEADINGS, rows, about, WIDTHS)
    return exports.file_response(kind, listing)


@requires(Permission.ELDER_VIEW)
@require_GET
def area_children(request: SignedInRequest, code: str) -> HttpResponse:
    """One more level of the area tree, for areas within the user's scope."""
    if not any(code.startswith(prefix) for prefix in request.user.area_prefixes()):
        raise Http404
    context = {"nodes": children_of(code), "tree": Tree([]), "kept": without_position(request.GET)}
    return render(request, "portal/partials/area_nodes.html", context)


def _search_text(request: HttpRequest) -> str | None:
    """The text behind the token in the URL; '' without a token, None if this session has forgotten it."""
    token = request.GET.get("find", "")
    return finds.recall(request.session, token) if token else ""


def _found(filterset: ElderFilterSet, text: str | None) -> QuerySet[Elder]:
    """Elders of the filter and the search; a bad filter or a forgotten search finds nobody."""
    if text is None or not filterset.is_valid():
        return Elder.objects.none()
    elders: ElderQuerySet = filterset.qs
    if ID_NUMBER.match(text):
        return elders.filter(id_number_index=blind_index(text.upper()))
    return elders.search(text)


def _conditions(params: QueryDict, text: str | None, tree: Tree) -> str:
    """The filter in words, for the export's second sheet."""
    names = dict(CHIPS)
    parts = [
        tree.chosen_name and f"区划：{tree.chosen_name}",
        text and f"检索：{mask_id_number(text) if ID_NUMBER.match(text) else text}",
        params.get("age_from") and f"年龄 ≥ {params['age_from']}",
        params.get("age_to") and f"年龄 ≤ {params['age_to']}",
        *(names.get(choice, "") for choice in params.getlist("has")),
        f"状态：{dict(STATES).get(params.get('state', ''), '在册')}",
    ]
    return "；".join(part for part in parts if part)
