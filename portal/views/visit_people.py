"""Who is to be visited in a month: the list, its download and paper, calling, and urging."""

from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from eldercare.models import Elder
from operations.commands import Refused
from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.areas import TOWNSHIP_DIGITS, VILLAGE_DIGITS, area_prefix, township_code
from organization.choices import Permission, Role
from organization.permissions import SignedInRequest, requires
from portal import exports, finds
from portal.area_tree import Tree, tree_for
from portal.exports import attachment
from portal.filtersets import without_position
from portal.paging import SIZES, position_of
from portal.places import place_names
from portal.scope import place_of
from portal.visit_chosen import chosen_people, list_url
from portal.visit_people import FILTERS, HEADINGS, asked_of, masked_phone, person_rows, tiers_in, workers_in
from visits.people import (
    MINE,
    NOBODY,
    Asked,
    Behind,
    People,
    PeopleState,
    areas_behind,
    obligations_asked,
    people_page,
)
from visits.querysets import ObligationQuerySet, elders_given_to
from visits.services.phone_reveal import phones_reveal
from visits.services.urge import visits_urge
from visits.visit_sheet import MOST_ON_PAPER, SheetRow, visit_sheet

BEHIND: Final = 6
#: How many of those who were urged are named.
NAMED: Final = 12
WORKER_WORDS: Final = {NOBODY: "未分配", MINE: "归我探访"}
WIDTHS: Final = (10, 22, 30, 14, 9, 9, 10, 12, 22, 10, 16)


@requires(Permission.VISIT_VIEW)
@require_GET
def visit_people(request: SignedInRequest, month: date) -> HttpResponse:
    """People of the month who fit the filters; without a state who is still to be visited, overdue first."""
    asked, text = asked_of(request, month, request.GET)
    whole = obligations_asked(Asked(month), request.user)
    found, page = _page(obligations_asked(asked, request.user), asked, request.GET)
    tree = tree_for(request.user, request.GET.get("area", ""))
    counts = found.counts
    context = {
        "month": month,
        "asked": asked,
        "text": text,
        "forgotten": text is None,
        "tree": tree,
        "short": (short := _within_township(tree)),
        "behind": _behind(replace(asked, elders=None), request, VILLAGE_DIGITS if short else TOWNSHIP_DIGITS),
        "rows": person_rows(found.rows, request.user),
        "counts": counts,
        "states": [(state, counts.of(state)) for state in PeopleState],
        "tiers": tiers_in(whole),
        "workers": workers_in(whole),
        "nobody": NOBODY,
        "mine": MINE,
        "page": page,
        "size": page.paginator.per_page,
        "sizes": SIZES,
        "kept": without_position(request.GET),
        "opened": bool(counts.obliged + counts.exempt) or whole.exists(),
        "now": timezone.localtime(),
    }
    return render(request, "portal/visit_people.html", context)


@requires(Permission.VISIT_VIEW)
@require_POST
def visit_people_find(request: HttpRequest, month: date) -> HttpResponse:
    """Take the search text out of the URL and go to the list with the other filters."""
    return finds.find_redirect(request, reverse("portal:visit-people", args=[month]), FILTERS)


@requires(Permission.ELDER_EXPORT)
@require_GET
def visit_people_export(request: SignedInRequest, month: date, kind: str) -> HttpResponseBase:
    """The list as a file: the filter on the page, masked, or refused with the count."""
    asked, text = asked_of(request, month, request.GET)
    rows = obligations_asked(asked, request.user, Permission.ELDER_EXPORT)
    total = people_page(rows, asked, timezone.localdate(), size=0).counts.of(asked.state)
    if refusal := exports.over_limit(kind, total):
        messages.error(request, refusal)
        return redirect(list_url(month, request.GET))
    found = people_page(rows, asked, timezone.localdate())
    _taken(request, "visit_people_export", month, total, kind)
    now = timezone.localtime()
    about = (
        ("内容", f"{month:%Y年%m月}探访名单（电话已遮盖）"),
        ("条件", _conditions(asked, text, tree_for(request.user, asked.area))),
        ("条数", f"{total}"),
        ("统计时点", f"{now:%Y-%m-%d %H:%M}"),
        ("导出人", str(request.user)),
    )
    cells = [row.cells() for row in person_rows(found.rows, request.user)]
    name = f"探访名单-{month:%Y%m}-{now:%Y%m%d-%H%M}"
    return exports.file_response(kind, exports.Listing(name, HEADINGS, cells, about, WIDTHS))


@requires(Permission.ELDER_EXPORT)
@require_GET
def visit_people_paper(request: SignedInRequest, month: date) -> HttpResponse:
    """The list to be filled in by hand, one village a sheet; too long a list is refused with its number."""
    asked, _ = asked_of(request, month, request.GET)
    rows = obligations_asked(asked, request.user, Permission.ELDER_EXPORT)
    total = people_page(rows, asked, timezone.localdate(), size=0).counts.of(asked.state)
    if not total or total > MOST_ON_PAPER:
        told = (
            "没有符合条件的人，无需打印"
            if not total
            else (f"共 {total:,} 人，一次最多打印 {MOST_ON_PAPER:,} 人；请在左侧选择镇（街）或村后分次打印")
        )
        messages.error(request, f"{told}。")
        return redirect(list_url(month, request.GET))
    people = sorted(
        people_page(rows, asked, timezone.localdate()).rows,
        key=lambda person: (person.obligation.elder.pinyin, person.obligation.elder_id),
    )
    found = person_rows(people, request.user)
    lines = [
        SheetRow(row.place, row.name, row.address, row.tier, f"{row.done_times}/{row.due_times}", row.phone)
        for row in found
    ]
    content, mark = visit_sheet(
        month=month,
        rows=lines,
        maker=str(request.user),
        unit=place_of(request.user).area_name,
        now=timezone.localtime(),
    )
    _taken(request, "visit_people_paper", month, total, f"pdf {mark}")
    return attachment(content, f"探访登记表-{month:%Y%m}.pdf", "application/pdf")


@requires(Permission.VISIT_URGE)
@require_POST
def visit_people_urge(request: SignedInRequest, month: date) -> HttpResponse:
    """Urge the visits of the ticked people, or of everybody whom the filters find."""
    chosen = chosen_people(request, month, Permission.VISIT_URGE)
    try:
        done = visits_urge(
            month=month,
            due=chosen.due,
            actor=request.user,
            link=lambda to: _urged_list(month, *to),
        )
    except Refused as refusal:
        messages.error(request, f"没有催办：{refusal}。")
    else:
        more = len(done.recipients) - NAMED
        shown = "、".join(done.recipients[:NAMED]) + (f"，以及另外 {more:,} 处" if more > 0 else "")
        messages.success(request, f"已催办 {done.people:,} 人的探访，发给 {shown}。")
    return redirect(chosen.back)


@requires(Permission.PHONE_REVEAL)
@require_POST
def visit_phone(request: SignedInRequest, pk: int) -> HttpResponse:
    """The whole phone number, once, after a reason; the audit row is written before it is shown."""
    may_call = Elder.objects.visible_to(request.user, Permission.PHONE_REVEAL)
    may_call |= elders_given_to(request.user)
    elder = get_object_or_404(
        Elder.objects.filter(pk__in=may_call.values("pk")).select_related("contact"), pk=pk
    )
    phones: list[tuple[str, str]] = []
    reason, refusal = request.POST.get("reason", ""), ""
    try:
        phones = phones_reveal(
            elder=elder,
            reason=reason,
            actor=request.user,
            address=client_address(request),
        )
    except Refused as refused:
        refusal = f"{refused}。"
    context = {
        "pk": elder.pk,
        "name": elder.name,
        "phones": phones,
        "refusal": refusal,
        "typed_reason": reason,
        "masked": masked_phone(elder),
    }
    partial = request.headers.get("HX-Request") == "true"
    return render(
        request, "portal/partials/visit_phone.html" if partial else "portal/visit_phone.html", context
    )


def _urged_list(month: date, role: Role, area: str) -> str:
    """Where a to-do leads: a worker to the worker's own people, a township to the whole of it."""
    query = {"worker": MINE} if role == Role.VILLAGE_WORKER else {"area": area}
    return f"{reverse('portal:visit-people', args=[month])}?{urlencode(query)}"


def _page(rows: ObligationQuerySet, asked: Asked, params: QueryDict) -> tuple[People, Any]:
    """The asked page and its place among the others; a page past the end is the last one."""
    size, today = position_of(params).size, timezone.localdate()
    text = params.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
    found = people_page(rows, asked, today, size=size, skip=(max(number, 1) - 1) * size)
    page = Paginator(range(found.counts.of(asked.state)), size).get_page(number)
    if page.number != max(number, 1):
        found = people_page(rows, asked, today, size=size, skip=(page.number - 1) * size)
    return found, page


def _behind(asked: Asked, request: SignedInRequest, digits: int) -> list[tuple[str, Behind]]:
    """(name, figures) of the areas furthest behind under the filters; none where one village is looked at."""
    if asked.area and len(area_prefix(asked.area)) == VILLAGE_DIGITS:
        return []
    rows = areas_behind(obligations_asked(asked, request.user), digits, BEHIND)
    names = place_names(row.code for row in rows)
    return [(names.get(row.code, row.code).split(" ")[-1], row) for row in rows]


def _within_township(tree: Tree) -> bool:
    """Whether the list is of one township, so that its name need not stand in every row."""
    codes = [tree.chosen] if tree.chosen else [node.code for node in tree.roots]
    return len({township_code(code) for code in codes}) == 1 and not codes[0].endswith("000000")


def _taken(request: SignedInRequest, action: str, month: date, rows: int, kind: str) -> None:
    audit_record(
        action=action,
        subject=f"月份 {month:%Y-%m}",
        actor=request.user,
        data={"filter": without_position(request.GET).urlencode(), "rows": rows, "kind": kind},
        address=client_address(request),
    )


def _conditions(asked: Asked, text: str | None, tree: Tree) -> str:
    """The filter in words, for the export's second sheet."""
    parts = (
        tree.chosen_name and f"区划：{tree.chosen_name}",
        asked.tier and f"层级：{asked.tier}",
        asked.worker and f"探访人：{WORKER_WORDS.get(asked.worker, asked.worker)}",
        text and "检索：有",
        f"状态：{asked.state.label}",
    )
    return "；".join(part for part in parts if part)
