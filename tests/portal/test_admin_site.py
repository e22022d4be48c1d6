"""The admin site in the portal's look and language."""

import html
import re

import pytest

from organization.choices import Role
from organization.models import Area, User
from tests.conftest import COUNTY, make_user
from tests.portal.conftest import SignIn

ENGLISH = re.compile(r">[^<>]*[A-Za-z]{3,}[^<>]*<")
SCRIPT = re.compile(r"<(script|style|svg).*?</\1>", re.DOTALL)
NAMES = {"keeper"}


@pytest.fixture
def keeper(county: Area) -> User:
    """A system administrator with access to the admin site."""
    user = make_user("keeper", Role.SYSTEM_ADMIN, COUNTY)
    user.is_staff = True
    user.save()
    return user


@pytest.mark.parametrize("path", ["/admin/", "/admin/organization/user/add/"])
def test_no_english_is_left_on_the_page(sign_in: SignIn, keeper: User, path: str) -> None:
    text = html.unescape(SCRIPT.sub("", sign_in(keeper).get(path).content.decode()))
    assert [words for words in ENGLISH.findall(text) if words.strip("><") not in NAMES] == []


def test_the_page_carries_our_colours_and_icon_and_no_switch(sign_in: SignIn, keeper: User) -> None:
    text = sign_in(keeper).get("/admin/").content.decode()
    assert re.search(r"portal/admin(\.\w{12})?\.css", text)
    assert re.search(r"portal/favicon(\.\w{12})?\.svg", text)
    assert "theme" not in text


def test_who_leaves_the_admin_is_signed_out_of_the_portal(sign_in: SignIn, keeper: User) -> None:
    assert (
        'id="logout-form" method="post" action="/logout/"' in sign_in(keeper).get("/admin/").content.decode()
    )
