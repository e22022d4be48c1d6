"""The phone app's shell, service worker, manifest and door."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from organization.middleware import PHONE
from organization.models import User
from portal.views import phone_pages
from tests.conftest import PASSWORD
from tests.portal.conftest import SignIn

PAGES = ["/m/", "/m/sw.js", "/m/manifest.webmanifest", "/m/login/"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_the_apps_pages_open_for_everyone(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES[:3])
def test_the_apps_pages_are_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


def test_the_shell_is_the_same_for_everybody(sign_in: SignIn, clerk_a: User, client: Client) -> None:
    assert sign_in(clerk_a).get("/m/").content == client.get("/m/").content


@pytest.mark.django_db
def test_the_service_worker_rules_the_app_and_nothing_else(client: Client) -> None:
    response = client.get("/m/sw.js")
    assert response.headers["Service-Worker-Allowed"] == "/m/"
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.django_db
def test_every_file_of_the_shell_is_kept_for_work_without_a_network(client: Client) -> None:
    worker, page = client.get("/m/sw.js").content.decode(), client.get("/m/").content.decode()
    kept = re.findall(r'"(/static/[^"]+)"', worker.partition("\n\n")[0])
    assert set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)) <= set(kept)


@pytest.mark.django_db
def test_any_change_of_a_file_makes_a_new_release(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in phone_pages.FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(phone_pages, "FOLDER", tmp_path)
    before = client.get("/m/sw.js").content
    assert client.get("/m/sw.js").content == before
    (tmp_path / "phone.css").write_text("body { margin: 0 }", encoding="utf-8")
    assert client.get("/m/sw.js").content != before


@pytest.mark.django_db
def test_the_manifest_puts_the_app_on_the_home_screen(client: Client) -> None:
    response = client.get("/m/manifest.webmanifest")
    manifest = response.json()
    assert response.headers["Content-Type"] == "application/manifest+json"
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/m/", "/m/", "standalone")
    assert {icon["sizes"] for icon in manifest["icons"]} == {"192x192", "512x512"}


def test_signing_in_on_the_phone_makes_a_phones_session_and_leads_to_the_app(
    client: Client, clerk_a: User
) -> None:
    response = client.post("/m/login/", {"username": "clerk_a", "password": PASSWORD})
    assert response.headers["Location"] == reverse("portal:phone-shell") + "?in=1"
    assert client.session[PHONE] is True


def test_a_wrong_password_keeps_the_name_and_says_so(client: Client, clerk_a: User) -> None:
    page = client.post("/m/login/", {"username": "clerk_a", "password": "wrong"}).content.decode()
    assert "用户名或密码不正确" in page
    assert 'value="clerk_a"' in page


def test_signing_out_is_a_post_and_ends_the_session(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    assert client.get("/m/logout/").status_code == 405
    assert client.post("/m/logout/").json() == {}
    assert client.get("/m/data/").status_code == 401


def test_signing_out_asks_for_the_token(clerk_a: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(clerk_a, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/m/logout/").status_code == 403
