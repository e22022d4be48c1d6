"""Who may see which obligation."""

from typing import TYPE_CHECKING, Self

from django.db import models

from organization.areas import area_prefix
from organization.models import User
from organization.querysets import in_areas

if TYPE_CHECKING:
    from visits.models import Obligation  # noqa: F401  # named in the generic base below


class ObligationQuerySet(models.QuerySet["Obligation"]):
    """Scope over obligations: an elder is visited where the elder lives."""

    def visible_to(self, user: User) -> Self:
        """Obligations in one of the user's areas."""
        return in_areas(self, user.area_prefixes(), "area_code")

    def in_area(self, code: str) -> Self:
        """Obligations under the area."""
        return in_areas(self, [area_prefix(code)], "area_code")
