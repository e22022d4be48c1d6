"""A phone's session: days long, for phone pages alone; a desk's session as before."""

import time

import pytest
from django.test import Client

from organization.choices import Role
from organization.middleware import LAST_SEEN, PHONE, STARTED
from organization.models import Area, User
from tests.conftest import PASSWORD, VILLAGE_A, make_user

HOUR = 3600


@pytest.fixture
def worker(county: Area) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)


def sign_in_at(client: Client, door: str) -> int:
    """Sign in with the password; the status."""
    return client.post(door, {"username": "worker", "password": PASSWORD}).status_code


@pytest.fixture
def phone(client: Client, worker: User) -> Client:
    """Signed in on a phone."""
    assert sign_in_at(client, "/m/login/") == 302
    assert PHONE in client.session
    return client


def age(client: Client, *, idle: float = 0, hours: float = 0) -> Client:
    """Let the session have been idle for so many hours, and begun so many ago."""
    session = client.session
    now = int(time.time())
    session[LAST_SEEN], session[STARTED] = now - round(idle * HOUR), now - round(hours * HOUR)
    session.save()
    return client


def test_a_phone_stays_signed_in_over_72_hours_without_signal_and_for_weeks_in_all(phone: Client) -> None:
    assert age(phone, idle=71.9, hours=24 * 20).get("/m/data/").status_code == 200


def test_after_72_hours_a_phone_has_to_sign_in_again(phone: Client) -> None:
    response = age(phone, idle=72.1).get("/m/data/")
    assert response.status_code == 401
    assert "请重新登录" in response.json()["detail"]
    assert PHONE not in phone.session


def test_a_phones_session_opens_no_other_page_and_stays(phone: Client) -> None:
    for url in ("/", "/elders/", "/months/", "/admin/"):
        response = phone.get(url, follow=True)
        assert response.redirect_chain[0][0].split("?")[0] in ("/login/", "/admin/login/"), url
        assert response.status_code == 200
        assert "密码" in response.content.decode()
    assert phone.get("/m/data/").status_code == 200


def test_a_desks_session_opens_phone_pages_and_ends_after_half_an_hour(client: Client, worker: User) -> None:
    assert sign_in_at(client, "/login/") == 302
    assert client.get("/").status_code == 200
    assert client.get("/m/data/").status_code == 200
    assert age(client, idle=0.6).get("/m/data/").status_code == 401
    assert client.get("/").status_code == 302


def test_a_desks_session_ends_after_twelve_hours(client: Client, worker: User) -> None:
    sign_in_at(client, "/login/")
    assert age(client, hours=11.9).get("/m/data/").status_code == 200
    assert age(client, hours=12.1).get("/m/data/").status_code == 401


def test_signing_in_at_the_desk_makes_a_desks_session_of_an_old_phones(phone: Client) -> None:
    age(phone, idle=10, hours=100)
    assert sign_in_at(phone, "/login/") == 302
    assert PHONE not in phone.session
    assert phone.get("/").status_code == 200
    assert age(phone, idle=0.6).get("/").status_code == 302


def test_signing_out_on_the_phone_ends_its_session(phone: Client) -> None:
    assert phone.post("/m/logout/").status_code == 200
    assert phone.get("/m/data/").status_code == 401
