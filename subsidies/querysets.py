"""Results of a month within a user's areas and at one revision."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas

if TYPE_CHECKING:
    from subsidies.models import Entitlement, Month  # noqa: F401  # named in the generic base below


class EntitlementQuerySet(models.QuerySet["Entitlement"]):
    """Entitlements by month, revision and area."""

    def of(self, month: "Month", revision: int | None = None) -> Self:
        """Rows of a month valid at a revision, the published one by default."""
        at = month.revision if revision is None else revision
        return self.filter(
            Q(rev_to=None) | Q(rev_to__gt=at),
            month=month.month,
            county_code=month.county_code,
            rev_from__lte=at,
        )

    def visible_to(self, user: User) -> Self:
        """Rows of villages within the user's areas."""
        return in_areas(self, user.area_prefixes(Permission.MONTH_VIEW), "area_code")

    def in_area(self, code: str) -> Self:
        """Rows of villages under the area."""
        return self.filter(area_code__startswith=area_prefix(code))
