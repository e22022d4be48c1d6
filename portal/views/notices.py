"""The public notice of a batch: open to everyone between its first and last day, whitelisted fields alone."""

import re
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_GET

from organization.areas import CODE_LENGTH
from organization.permissions import public
from subsidies.notice import Notice, notice_get, notice_lines, notice_townships, notice_villages

LINES: Final = 100
PLACE: Final = re.compile(r"\d{9}(\d{3})?\Z")
OUTSIDE: Final = "outside"


@public
@require_GET
def notice(request: HttpRequest, key: UUID) -> HttpResponse:
    """Townships of the list, villages of a township, lines of a village; 404 outside the days of the notice."""
    found = notice_get(key=key, today=timezone.localdate())
    if found is None:
        return _kept_out(render(request, "public/notice_over.html", status=404))
    place = request.GET.get("area", "")
    context: dict[str, Any] = {"notice": found, "place": place, "title": _title(found)}
    if not place:
        context["townships"] = [
            (prefix or OUTSIDE, name, lines) for prefix, name, lines in notice_townships(notice=found)
        ]
    elif PLACE.match(place) and len(place) < CODE_LENGTH:
        context |= _township(found, place)
    elif PLACE.match(place) or place == OUTSIDE:
        context |= _village(found, place, request.GET.get("page", ""))
    else:
        raise Http404
    return _kept_out(render(request, "public/notice.html", context))


def _township(found: Notice, place: str) -> dict[str, Any]:
    towns = {prefix: name for prefix, name, _ in notice_townships(notice=found)}
    if place not in towns:
        raise Http404
    return {"township": towns[place], "villages": notice_villages(notice=found, township=place)}


def _village(found: Notice, place: str, page: str) -> dict[str, Any]:
    """A page of lines of a village, or of those who live outside the county."""
    number = int(page) if page.isascii() and page.isdigit() and 0 < int(page) < 10_000 else 1
    prefix = "" if place == OUTSIDE else place
    lines = notice_lines(notice=found, township=prefix, start=(number - 1) * LINES, size=LINES + 1)
    if not lines:
        raise Http404
    towns = {code: name for code, name, _ in notice_townships(notice=found)}
    return {
        "township": towns.get(prefix[:9], ""),
        "town_code": prefix[:9],
        "village": lines[0].village,
        "lines": lines[:LINES],
        "previous": number - 1,
        "next": number + 1 if len(lines) > LINES else 0,
    }


def _title(found: Notice) -> str:
    return f"{found.county}养老补贴发放公示"


def _kept_out(response: HttpResponse) -> HttpResponse:
    """Kept out of search engines and caches: the page ends with its last day."""
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    add_never_cache_headers(response)
    return response
