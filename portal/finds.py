"""What staff search for stays out of URLs and logs: the session keeps the text, the URL a keyed digest of it."""

from typing import Final

from django.contrib.sessions.backends.base import SessionBase

from operations.crypto import blind_index, decrypt, encrypt

KEPT: Final = 30
KEY: Final = "finds"


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
