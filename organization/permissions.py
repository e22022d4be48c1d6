"""Which role may do what, and the gate that every route declares.

三员分立 (等保 8.1.4.2.d): system, security and audit administrators see no elder.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from organization.choices import Permission, Role
from organization.models import User

CASEWORK = frozenset({Permission.SIGNED_IN, Permission.ELDER_VIEW, Permission.CATALOG_VIEW})
LISTS = frozenset({Permission.ELDER_EXPORT, Permission.ELDER_REVEAL})
MONTH = frozenset({Permission.MONTH_VIEW, Permission.MONTH_EXPORT})

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VILLAGE_WORKER: CASEWORK,
    Role.TOWNSHIP_CLERK: CASEWORK | MONTH | LISTS | {Permission.ROSTER_IMPORT},
    Role.TOWNSHIP_LEAD: CASEWORK | MONTH | LISTS,
    Role.BUREAU_CLERK: CASEWORK | MONTH | LISTS | {Permission.ROSTER_IMPORT, Permission.MONTH_RUN},
    Role.BUREAU_CHIEF: CASEWORK | MONTH | LISTS,
    Role.FINANCE: CASEWORK | MONTH,
    Role.DEPARTMENT: CASEWORK,
    Role.DATA_ADMIN: CASEWORK | LISTS | {Permission.ROSTER_IMPORT},
    Role.SUPERVISOR: CASEWORK | {Permission.MONTH_VIEW, Permission.AUDIT_VIEW},
    Role.SYSTEM_ADMIN: frozenset({Permission.SIGNED_IN}),
    Role.SECURITY_ADMIN: frozenset({Permission.SIGNED_IN}),
    Role.AUDIT_ADMIN: frozenset({Permission.SIGNED_IN, Permission.AUDIT_VIEW}),
}


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
