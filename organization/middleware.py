"""Session limits and cache rules for personal pages (等保 8.1.4.1.b, ASVS 14.3.2)."""

import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

LAST_SEEN: Final = "last_seen"
STARTED: Final = "started"
#: Set in the session by signing in on a phone.
PHONE: Final = "phone"
#: Where phone pages live.
PHONE_PAGES: Final = "/m/"


class SessionLimitMiddleware:
    """Sign a user out after IDLE_MINUTES without a request or SESSION_HOURS in all; a phone after PHONE_IDLE_HOURS.

    A phone works for days without signal, so that its session lasts longer and opens nothing but phone pages:
    anywhere else its user is a stranger.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        is_phone = PHONE in request.session
        now = int(time.time())
        started = request.session.setdefault(STARTED, now)
        last_seen = request.session.get(LAST_SEEN, now)
        if _is_over(is_phone, now - last_seen, now - started):
            logout(request)
            if request.path_info.startswith(PHONE_PAGES):
                return self.get_response(request)  # phone pages have a door of their own
            return redirect_to_login(request.get_full_path(), f"{resolve_url(settings.LOGIN_URL)}?idle=1")
        if now - last_seen >= 60 or LAST_SEEN not in request.session:
            request.session[LAST_SEEN] = now
        if is_phone and not request.path_info.startswith(PHONE_PAGES):
            request.user = AnonymousUser()
        return self.get_response(request)


def _is_over(is_phone: bool, idle: int, age: int) -> bool:
    if is_phone:
        return idle > settings.PHONE_IDLE_HOURS * 3600
    return idle > settings.IDLE_MINUTES * 60 or age > settings.SESSION_HOURS * 3600


class NoStoreMiddleware:
    """Keep pages of signed-in users out of every cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
