"""Who may see which obligation."""

from typing import TYPE_CHECKING, Self

from django.db import models

from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas

if TYPE_CHECKING:
    from visits.models import Obligation  # noqa: F401  # named in the generic base below


class ObligationQuerySet(models.QuerySet["Obligation"]):
    """Scope over obligations: an elder is visited where the elder lives."""

    def visible_to(self, user: User, permission: Permission = Permission.ELDER_VIEW) -> Self:
        """Obligations in an area in which the user has the permission."""
        return in_areas(self, user.area_prefixes(permission), "area_code")

    def in_area(self, code: str) -> Self:
        """Obligations under the area."""
        return in_areas(self, [area_prefix(code)], "area_code")
