"""Every route declares its permission; personal pages are kept out of caches; numbers are masked."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.templatetags.static import static
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area, User
from subsidies.models import Month
from tests.conftest import COUNTY, make_user
from tests.portal.conftest import SignIn

LONG_NUMBER = re.compile(rb"(?<![0-9a-f])\d{17}[\dXx](?![0-9a-f])")
PHONE = {"m/", "m/sw.js", "m/manifest.webmanifest", "m/login/", "m/logout/"}
PUBLIC = {"favicon.ico", "healthz", "readyz", "login/", "logout/", "public/notices/<uuid:key>/"} | PHONE


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every route of the site with its view; the admin and static files are left to Django."""
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith(("admin/", "static/")):
            continue
        if isinstance(pattern, URLPattern):
            yield path, pattern.callback
        else:
            yield from routes(pattern, path)


def pages(elder: Elder, month: Month) -> list[str]:
    """Every page that a clerk opens."""
    slug = f"{month.month:%Y-%m}"
    names: list[tuple[str, list[Any]]] = [
        ("workbench", []),
        ("elder-list", []),
        ("elder-detail", [elder.pk]),
        ("elder-services", [elder.pk]),
        ("import-list", []),
        ("month-list", []),
        ("month-detail", [slug]),
        ("month-lines", [slug]),
        ("month-adjustments", [slug]),
        ("month-review", [slug]),
        ("anomaly-list", [slug]),
        ("missed", [slug]),
        ("application-list", []),
        ("elder-enrolments", [elder.pk]),
        ("visit-people", [slug]),
        ("visit-rates", [slug]),
        ("visit-record-list", []),
        ("call-back-list", []),
        ("follow-up-list", []),
        ("batch-list", []),
        ("batch-new", []),
        ("reconciliation", []),
        ("ledger", []),
        ("budget", []),
        ("terms-list", []),
        ("item-list", []),
        ("certification-list", []),
        ("certification-new", []),
        ("guide", []),
    ]
    return [reverse(f"portal:{name}", args=args) for name, args in names]


def test_every_route_declares_a_permission() -> None:
    undeclared = [path for path, view in routes(get_resolver()) if not hasattr(view, "permission")]
    assert undeclared == []


def test_only_the_doors_and_the_health_checks_are_open_to_everyone() -> None:
    found = {path for path, view in routes(get_resolver()) if getattr(view, "permission", "") is None}
    assert found == PUBLIC


@pytest.mark.django_db
def test_a_stranger_is_sent_to_the_sign_in_page_from_every_page(
    client: Client, elder_a: Elder, month: Month
) -> None:
    for url in pages(elder_a, month):
        response = client.get(url)
        assert (response.status_code, response.headers["Location"].split("?")[0]) == (302, "/login/"), url


def test_a_stranger_at_the_admin_is_asked_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/admin/", follow=True).redirect_chain[-1] == ("/login/?next=/admin/", 302)


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/organization/user/"])
def test_a_clerk_at_the_admin_is_told_so_and_not_asked_to_sign_in_again(
    sign_in: SignIn, clerk_a: User, path: str
) -> None:
    response = sign_in(clerk_a).get(path, follow=True)
    assert response.status_code == 403
    assert "您没有「进入配置管理」的权限" in response.content.decode()


@pytest.mark.parametrize("is_superuser", [True, False])
def test_an_account_without_a_role_is_told_who_grants_one_and_can_leave(
    sign_in: SignIn, county: Area, is_superuser: bool
) -> None:
    user = User.objects.create_user("fresh", is_staff=is_superuser, is_superuser=is_superuser)
    client = sign_in(user)
    response = client.get("/")
    text = response.content.decode()
    assert response.status_code == 403
    assert "账号还没有授权，请安全管理员在配置管理里授予角色和区划" in text
    assert 'href="/"' not in text
    assert ('href="/admin/"' in text) == is_superuser
    assert client.post(reverse("logout")).headers["Location"] == "/login/"


@pytest.mark.parametrize(
    ("role", "is_staff", "offered"),
    [
        (Role.SECURITY_ADMIN, True, True),
        (Role.SECURITY_ADMIN, False, False),
        (Role.BUREAU_CLERK, True, False),
    ],
)
def test_the_menu_offers_the_admin_to_those_who_keep_something_in_it(
    sign_in: SignIn, county: Area, role: Role, is_staff: bool, offered: bool
) -> None:
    user = make_user("keeper", role, COUNTY)
    User.objects.filter(pk=user.pk).update(is_staff=is_staff)
    assert ("配置管理" in sign_in(user).get("/").content.decode()) == offered


def test_every_page_opens_for_the_bureau_clerk_with_strict_headers(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder, month: Month
) -> None:
    client = sign_in(bureau_clerk)
    for url in pages(elder_a, month):
        response = client.get(url)
        assert response.status_code == 200, url
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy


def test_no_page_writes_style_or_script_into_itself(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder, month: Month
) -> None:
    inline = re.compile(rb"<style|<script>|<script(?! src=)|\sstyle=|\son[a-z]+=|javascript:")
    client = sign_in(bureau_clerk)
    for url in pages(elder_a, month):
        assert inline.findall(client.get(url).content) == [], url


def test_no_page_shows_a_whole_id_number(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder, month: Month
) -> None:
    client = sign_in(bureau_clerk)
    for url in pages(elder_a, month):
        content = client.get(url).content
        assert elder_a.id_number.encode() not in content, url
        assert LONG_NUMBER.findall(content) == [], url


def test_the_system_administrator_sees_no_elder(
    sign_in: SignIn, system_admin: User, elder_a: Elder, month: Month
) -> None:
    client = sign_in(system_admin)
    answers = {url: client.get(url).status_code for url in pages(elder_a, month)}
    opened = {url for url, status in answers.items() if status == 200}
    assert opened == {reverse("portal:workbench"), reverse("portal:guide")}
    assert set(answers.values()) == {200, 403}


def test_the_reader_gets_403_on_every_change(sign_in: SignIn, reader_a: User, elder_a: Elder) -> None:
    client = sign_in(reader_a)
    for name, args in (("elder-reveal", [elder_a.pk]), ("month-start", []), ("import-list", [])):
        assert client.post(reverse(f"portal:{name}", args=args)).status_code == 403, name


def test_a_missing_permission_says_which_and_whom_to_ask(sign_in: SignIn, reader_a: User) -> None:
    text = sign_in(reader_a).get(reverse("portal:import-list")).content.decode()
    assert "「导入花名册」" in text
    assert "系统管理员" in text


def test_a_browser_that_looks_for_the_icon_unasked_finds_it(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert (response.status_code, response.headers["Location"]) == (302, static("portal/favicon.svg"))


def test_an_unknown_address_says_that_nothing_changed(client: Client) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "数据没有改动" in response.content.decode()


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [(OperationalError("gone"), 503, "数据库暂时连不上"), (ValueError("odd"), 500, "系统出错")],
)
def test_a_fault_says_what_was_not_lost_and_shows_no_trace(
    sign_in: SignIn, clerk_a: User, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int, said: str
) -> None:
    def fail(*args: object) -> None:
        raise fault

    client = sign_in(clerk_a)
    client.raise_request_exception = False
    monkeypatch.setattr("portal.views.workbench.months_of", fail)
    response = client.get(reverse("portal:workbench"))
    text = response.content.decode()
    assert response.status_code == status
    assert said in text
    assert "此前已保存的数据没有丢失" in text
    assert "Traceback" not in text
