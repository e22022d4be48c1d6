"""Session limits and cache rules for personal pages (等保 8.1.4.1.b, ASVS 14.3.2)."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

LAST_SEEN = "last_seen"
STARTED = "started"


class SessionLimitMiddleware:
    """Sign a user out after IDLE_MINUTES without a request or SESSION_HOURS in all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        now = int(time.time())
        started = request.session.setdefault(STARTED, now)
        last_seen = request.session.get(LAST_SEEN, now)
        if now - last_seen > settings.IDLE_MINUTES * 60 or now - started > settings.SESSION_HOURS * 3600:
            logout(request)
            return redirect_to_login(request.get_full_path(), f"{resolve_url(settings.LOGIN_URL)}?idle=1")
        if now - last_seen >= 60 or LAST_SEEN not in request.session:
            request.session[LAST_SEEN] = now
        return self.get_response(request)


class NoStoreMiddleware:
    """Keep pages of signed-in users out of every cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
