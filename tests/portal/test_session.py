"""Signing in, being locked out, being signed out."""

import time
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from organization.middleware import LAST_SEEN
from organization.models import User
from tests.conftest import PASSWORD
from tests.portal.conftest import SignIn

LOGIN = "/login/"


def attempt(client: Client, username: str, password: str) -> int:
    """Status of one attempt to sign in."""
    return client.post(LOGIN, {"username": username, "password": password}).status_code


def test_the_right_password_opens_the_workbench(client: Client, clerk_a: User) -> None:
    response = client.post(LOGIN, {"username": "clerk_a", "password": PASSWORD})
    assert response.headers["Location"] == reverse("portal:workbench")


def test_after_signing_in_the_page_asked_for_opens(client: Client, clerk_a: User) -> None:
    given = {"username": "clerk_a", "password": PASSWORD, "next": "/elders/?state=all"}
    assert client.post(LOGIN, given).headers["Location"] == "/elders/?state=all"


def test_a_way_to_another_host_is_not_taken(client: Client, clerk_a: User) -> None:
    given = {"username": "clerk_a", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post(LOGIN, given).headers["Location"] == reverse("portal:workbench")


@pytest.mark.parametrize("username", ["clerk_a", "nobody"])
def test_a_wrong_password_and_an_unknown_account_read_the_same(
    client: Client, clerk_a: User, username: str
) -> None:
    response = client.post(LOGIN, {"username": username, "password": "wrong"})
    assert "用户名或密码不正确" in response.content.decode()


def test_the_fifth_wrong_password_locks_the_account(client: Client, clerk_a: User) -> None:
    assert [attempt(client, "clerk_a", "wrong") for _ in range(5)] == [200, 200, 200, 200, 429]


def test_the_locked_account_stays_locked_for_the_right_password(client: Client, clerk_a: User) -> None:
    for _ in range(5):
        attempt(client, "clerk_a", "wrong")
    response = client.post(LOGIN, {"username": "clerk_a", "password": PASSWORD})
    assert response.status_code == 429
    assert "15 分钟" in response.content.decode()


def attempt_via(forwarded: str, username: str, password: str) -> int:
    """Status of an attempt that a proxy passes on with this X-Forwarded-For."""
    client = Client(REMOTE_ADDR="172.18.0.1", headers={"X-Forwarded-For": forwarded})
    return attempt(client, username, password)


@pytest.mark.parametrize(("proxies", "status"), [(1, 302), (0, 429)])
def test_guesses_lock_the_address_that_made_them(
    settings: Settings, clerk_a: User, proxies: int, status: int
) -> None:
    settings.PROXIES = proxies
    for number in range(5):
        attempt_via("203.0.113.7", f"nobody{number}", "wrong")
    assert attempt_via("198.51.100.9", "clerk_a", PASSWORD) == status


def test_an_address_made_up_before_the_proxys_entry_does_not_lift_the_lock(
    settings: Settings, clerk_a: User
) -> None:
    settings.PROXIES = 1
    for number in range(5):
        attempt_via(f"1.1.1.{number}, 203.0.113.7", f"nobody{number}", "wrong")
    assert attempt_via("1.1.1.9, 203.0.113.7", "clerk_a", PASSWORD) == 429


def test_half_an_hour_without_a_request_signs_out_with_a_sentence(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    client.get(reverse("portal:workbench"))
    session = client.session
    session[LAST_SEEN] = int(time.time()) - 31 * 60
    session.save()
    response = client.get("/elders/", follow=True)
    assert response.redirect_chain == [("/login/?idle=1&next=/elders/", 302)]
    assert "自动退出" in response.content.decode()


def test_a_part_of_a_page_whose_session_is_over_moves_the_whole_page(client: Client, db: None) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/elders/7/"}
    response = client.get(LOGIN, headers=headers)
    assert response.headers["HX-Redirect"] == f"/login/?idle=1&next={quote('/elders/7/', safe='')}"


def test_signing_out_is_a_post(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == LOGIN
    assert client.get(reverse("portal:workbench")).status_code == 302
