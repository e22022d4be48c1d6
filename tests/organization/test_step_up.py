"""Asking for the password again: right, wrong, another's, and locked after too many wrong ones."""

import pytest
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.test import RequestFactory

from organization.models import User
from organization.step_up import password_confirmed
from tests.conftest import PASSWORD


def asked(user: User) -> HttpRequest:
    """The form of a signed-in user."""
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.1")
    request.user = user
    return request


def test_the_users_own_password_confirms_a_step(clerk_a: User) -> None:
    assert password_confirmed(asked(clerk_a), PASSWORD)


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.lower()])
def test_a_wrong_password_confirms_nothing(clerk_a: User, password: str) -> None:
    assert not password_confirmed(asked(clerk_a), password)


def test_five_wrong_passwords_lock_the_right_one_out_too(clerk_a: User) -> None:
    for _ in range(5):
        password_confirmed(asked(clerk_a), "wrong")
    assert not password_confirmed(asked(clerk_a), PASSWORD)
    assert authenticate(asked(clerk_a), username="clerk_a", password=PASSWORD) is None


def test_the_right_password_clears_the_count(clerk_a: User) -> None:
    for _ in range(3):
        for _ in range(4):
            password_confirmed(asked(clerk_a), "wrong")
        assert password_confirmed(asked(clerk_a), PASSWORD)


def test_a_colleagues_right_password_neither_confirms_nor_counts_for_him(
    clerk_a: User, clerk_b: User
) -> None:
    clerk_b.set_password("Other-Hills-2026")
    clerk_b.save()
    assert not password_confirmed(asked(clerk_a), "Other-Hills-2026")


def test_a_disabled_account_confirms_nothing(clerk_a: User) -> None:
    clerk_a.is_active = False
    clerk_a.save()
    assert not password_confirmed(asked(clerk_a), PASSWORD)
