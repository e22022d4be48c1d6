"""The phone app as pages: a shell without anything personal, its service worker, its manifest, its door."""

import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from organization.middleware import PHONE
from organization.permissions import public
from portal.forms import SignInForm

FOLDER: Final = Path(settings.BASE_DIR) / "templates" / "static" / "phone"
SHELL: Final = Path(settings.BASE_DIR) / "templates" / "phone" / "shell.html"
# in the order in which they need each other
SCRIPTS: Final = tuple(
    f"phone/{name}.js"
    for name in (
        *("dom", "moments", "sealing", "store", "server", "place", "photo", "outbox", "lists", "session"),
        *("people", "answers", "sync", "frame", "today", "done", "me", "form", "calls", "screens", "app"),
    )
)
ICONS: Final = {"192x192": "phone/icon-192.png", "512x512": "phone/icon-512.png"}
FILES: Final = ("phone/phone.css", *SCRIPTS, *ICONS.values())


@public
@require_safe
def shell(request: HttpRequest) -> HttpResponse:
    """The app's only page; open to everyone, so that a phone can renew it without a session."""
    response = render(request, "phone/shell.html", {"scripts": SCRIPTS, "icon": ICONS["192x192"]})
    response.headers["Cache-Control"] = "no-cache"
    return response


@public
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker of this release; any change of a file changes its text, so that phones take the new one."""
    newest = max(path.stat().st_mtime_ns for path in (SHELL, *FOLDER.iterdir()))
    return HttpResponse(
        _worker(newest),
        content_type="text/javascript; charset=utf-8",
        headers={"Service-Worker-Allowed": reverse("portal:phone-shell"), "Cache-Control": "no-cache"},
    )


@lru_cache(maxsize=1)
def _worker(newest: int) -> str:
    """Read the app's files, changed last at `newest` (ns)."""
    digest = sha256()
    for path in (SHELL, *sorted(FOLDER.iterdir())):
        digest.update(path.name.encode() + path.read_bytes())
    files = json.dumps([static(name) for name in FILES])
    code = (FOLDER / "sw.js").read_text(encoding="utf-8")
    return f'const VERSION = "{digest.hexdigest()[:16]}";\nconst FILES = {files};\n{code}'


@public
@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """What the phone needs to put the app on its home screen."""
    home = reverse("portal:phone-shell")
    return JsonResponse(
        {
            "name": "探访 · 基本养老服务平台",
            "short_name": "探访",
            "lang": "zh-CN",
            "start_url": home,
            "scope": home,
            "display": "standalone",
            "orientation": "portrait",
            "theme_color": "#ffffff",
            "background_color": "#f5f7fa",
            "icons": [
                {"src": static(name), "sizes": size, "type": "image/png", "purpose": "any maskable"}
                for size, name in ICONS.items()
            ],
        },
        content_type="application/manifest+json",
        headers={"Cache-Control": "no-cache"},
    )


class PhoneSignIn(LoginView):
    """The app's door; who comes in here has a phone's session."""

    authentication_form = SignInForm
    template_name = "phone/login.html"
    redirect_field_name = ""

    def get_success_url(self) -> str:
        """Back to the app, which shows nobody's data until the server has told it who signed in."""
        return reverse("portal:phone-shell") + "?in=1"

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]  # our own form
        response = super().form_valid(form)
        self.request.session[PHONE] = True
        return response


sign_in = public(PhoneSignIn.as_view())


@public
@require_POST
def sign_out(request: HttpRequest) -> JsonResponse:
    """End the phone's session; the app has wiped its list by then."""
    logout(request)
    return JsonResponse({})
