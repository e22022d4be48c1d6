"""Asking for the password again before a step that moves money (users.md §E2)."""

from axes.utils import reset
from django.contrib.auth import authenticate
from django.http import HttpRequest


def password_confirmed(request: HttpRequest, password: str) -> bool:
    """Tell whether this is the signed-in user's password.

    Goes the way of signing in: wrong passwords count towards the lock, a locked account is refused, and the right one
    clears the count.
    """
    username = request.user.get_username()
    user = authenticate(request, username=username, password=password)
    if user is None or user.pk != request.user.pk:
        return False
    reset(username=username)
    return True
