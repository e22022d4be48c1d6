"""What every page's frame shows, read only when a template asks for it."""

from datetime import date
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from operations.models import Todo
from organization.areas import area_prefix
from organization.backends import ADMIN_MODELS
from organization.choices import Permission, Role
from organization.models import Assignment, User
from organization.permissions import permissions_of
from portal.navigation import MenuEntry, menu_for
from portal.places import place_names
from portal.scope import Place, place_of, todos_for
from subsidies.models import Month


class Shell:
    """Frame of one request of a signed-in user."""

    def __init__(self, user: User, path: str) -> None:
        self.user = user
        self.path = path

    @cached_property
    def granted(self) -> frozenset[Permission]:
        """Everything that the user's roles grant."""
        return permissions_of(self.user)

    @cached_property
    def may(self) -> dict[str, bool]:
        """Permission codes → granted, for templates."""
        return {permission.value: permission in self.granted for permission in Permission}

    @cached_property
    def menu(self) -> list[MenuEntry]:
        """The left menu."""
        return menu_for(self.granted, self.path, keeps_settings=self.keeps_settings)

    @cached_property
    def keeps_settings(self) -> bool:
        """Whether the admin site has something for the user: a role that keeps a model, or the first superuser."""
        keeps = any(ADMIN_MODELS.get(Role(role)) for role in self.user.role_names())
        return self.user.is_staff and (keeps or self.user.is_superuser)

    @property
    def assignments(self) -> list[Assignment]:
        """Roles and areas of the user."""
        return self.user.active_assignments

    @cached_property
    def place_label(self) -> str:
        """云岭县 · 青山镇; of a village 青山镇 石桥村."""
        code = self.place.area_code
        is_village = bool(code) and area_prefix(code) == code
        return place_names([code])[code] if is_village else str(self.place)

    @cached_property
    def place(self) -> Place:
        """County and area of the user."""
        return place_of(self.user)

    @cached_property
    def month(self) -> date | None:
        """The newest month decided for the county."""
        months = Month.objects.filter(county_code=self.place.county_code, revision__gt=0)
        return months.order_by("-month").values_list("month", flat=True).first()

    @cached_property
    def todo_count(self) -> int:
        """Open to-dos addressed to the user."""
        return todos_for(self.user, Todo.objects.filter(done_at=None)).count()


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of the frame around every page."""
    user = getattr(request, "user", None)
    return {"shell": Shell(user, request.path)} if isinstance(user, User) else {}
