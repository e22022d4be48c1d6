"""Who may see which obligation, visit and follow-up."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from organization.areas import area_prefix
from organization.choices import Permission, Role
from organization.grants import GRANTS
from organization.models import User
from organization.querysets import in_areas
from visits.choices import DEPARTURE_KINDS

if TYPE_CHECKING:
    from visits.models import FollowUp, Obligation, Visit  # noqa: F401  # named in the generic bases below


class ObligationQuerySet(models.QuerySet["Obligation"]):
    """Scope over obligations: an elder is visited where the elder lives; a county sees all of its own, wherever."""

    def visible_to(self, user: User, permission: Permission = Permission.ELDER_VIEW) -> Self:
        """Obligations in an area in which the user has the permission."""
        return in_areas(self, user.area_prefixes(permission), "area_code", "county_code")

    def in_area(self, code: str) -> Self:
        """Obligations under the area; of a county also those of its elders who live elsewhere."""
        return in_areas(self, [area_prefix(code)], "area_code", "county_code")


class VisitQuerySet(models.QuerySet["Visit"]):
    """Scope over visits: those of the elders whom the user may see."""

    def visible_to(self, user: User, permission: Permission = Permission.VISIT_VIEW) -> Self:
        """Visits to elders in an area in which the user has the permission."""
        return in_areas(self, user.area_prefixes(permission), "elder__hukou_code", "elder__residence_code")

    def standing(self) -> Self:
        """Visits that nothing has replaced and nobody returned; the same as `visits.standing.standing`."""
        return self._uncorrected().filter(returned=None)

    def to_mend(self) -> Self:
        """Visits that were sent back and that nothing has corrected yet."""
        return self._uncorrected().filter(returned__isnull=False)

    def corrected(self) -> Self:
        """Visits that a correction has replaced: of the visit itself, or a later one of what the visit corrects."""
        return self.filter(Q(self._correction()) | Q(self._later_correction()))

    def _uncorrected(self) -> Self:
        return self.filter(~self._correction(), ~self._later_correction())

    def _correction(self) -> Exists:
        return Exists(self.model._default_manager.filter(corrects=OuterRef("pk")))

    def _later_correction(self) -> Exists:
        same = self.model._default_manager.filter(corrects=OuterRef("corrects"))
        at = OuterRef("recorded_at")
        return Exists(same.filter(Q(recorded_at__gt=at) | Q(recorded_at=at, pk__gt=OuterRef("pk"))))


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    """Scope over follow-ups: of the user's areas; a bureau's staff see those of their bureau."""

    def visible_to(self, user: User, permission: Permission = Permission.FOLLOW_UP) -> Self:
        """Follow-ups in the areas of the user's roles, those with a bureau limited to that bureau's matters."""
        condition = Q(pk__in=[])
        for assignment in user.active_assignments:
            if permission not in GRANTS[Role(assignment.role)]:
                continue
            inside = in_the_area(assignment.area_id)
            if assignment.role == Role.DEPARTMENT:
                inside &= Q(bureau=assignment.bureau_id, bureau__isnull=False)
            condition |= inside
        return self.filter(condition)


def in_the_area(code: str) -> Q:
    """Condition on a follow-up: of the area; a reported death or move also of the 户籍, which pays the elder."""
    prefix = area_prefix(code)
    return Q(area_code__startswith=prefix) | Q(kind__in=DEPARTURE_KINDS, elder__hukou_code__startswith=prefix)
