"""The gate that every route declares; `organization.grants` says which role passes."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from organization.choices import Permission, Role
from organization.grants import GRANTS
from organization.models import User


class SignedInRequest(HttpRequest):
    """A request that has passed `requires`: its user is one of ours."""

    user: User


AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])
ViewFunction = Callable[..., HttpResponseBase]


def permissions_of(user: User) -> frozenset[Permission]:
    """Return everything that the user's roles grant."""
    return frozenset[Permission]().union(*(GRANTS[Role(role)] for role in user.role_names()))


def user_may(user: User, permission: Permission) -> bool:
    """Tell whether one of the user's roles grants the permission."""
    return permission in permissions_of(user)


def requires(permission: Permission) -> Callable[[ViewFunction], ViewFunction]:
    """Declare a view's permission: strangers go to sign-in, signed-in users without it get 403."""

    def decorate(view: ViewFunction) -> ViewFunction:
        @wraps(view)
        def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return redirect_to_login(request.get_full_path())
            if not user_may(request.user, permission):
                raise PermissionDenied(Permission(permission).label)
            return view(request, *args, **kwargs)

        gate.permission = permission  # type: ignore[attr-defined]  # read by the route inventory test
        return gate

    return decorate


def public(view: AnyView) -> AnyView:
    """Declare a view open to everyone."""
    view.permission = None  # type: ignore[attr-defined]  # read by the route inventory test
    return view
