"""Where a request comes from: for the audit chain and for the lock after wrong passwords."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the caller's IP address, '' where there is none.

    Behind PORTAL_PROXIES proxies of ours, each of which appends whom it hears, the entry so many from the right of
    X-Forwarded-For; whatever stands left of it, and the whole header without a proxy, may be made up by the caller.
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    if not settings.PROXIES:
        return direct
    heard = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    found = heard[-settings.PROXIES] if len(heard) >= settings.PROXIES else ""
    return found if _is_address(found) else direct


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
