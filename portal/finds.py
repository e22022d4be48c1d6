"""What staff search for stays out of URLs and logs: the session keeps the text, the URL a keyed digest of it."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseRedirect

from operations.crypto import blind_index, decrypt, encrypt

KEPT: Final = 30
KEY: Final = "finds"
LONGEST: Final = 60


def remember(session: SessionBase, text: str) -> str:
    """Keep a search text and return its token; '' for an empty text."""
    text = text.strip()
    if not text:
        return ""
    token = blind_index(text)[:6].hex()
    finds = session.get(KEY, {})
    if token not in finds:
        session[KEY] = dict(list(finds.items())[1 - KEPT :]) | {token: encrypt(text).hex()}
    return token


def recall(session: SessionBase, token: str) -> str | None:
    """Return the text of a token; None if this session does not know it."""
    found = session.get(KEY, {}).get(token)
    return decrypt(bytes.fromhex(found)) if found is not None else None


def find_redirect(
    request: HttpRequest, url: str, filters: Iterable[str], several: Iterable[str] = ()
) -> HttpResponseRedirect:
    """Take a posted search text out of the URL and go to a list with its other filters.

    several: names of filters that may be given more than once.
    """
    query = [(key, value) for key in filters if (value := request.POST.get(key, "").strip())]
    query += [(key, value) for key in several for value in request.POST.getlist(key)]
    if token := remember(request.session, request.POST.get("q", "")[:LONGEST]):
        query.append(("find", token))
    return HttpResponseRedirect(f"{url}?{urlencode(query)}" if query else url)
