"""Who may see which obligation, visit and follow-up."""

from typing import TYPE_CHECKING, Final, Self

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from eldercare.models import Elder
from organization.areas import COUNTY_DIGITS, TOWNSHIP_DIGITS, area_prefix
from organization.choices import Permission, Role
from organization.grants import GRANTS
from organization.models import User
from organization.querysets import in_areas
from visits.choices import DEPARTURE_KINDS, OPEN_FOLLOW_UP

if TYPE_CHECKING:
    from visits.models import FollowUp, Obligation, Visit  # noqa: F401  # named in the generic bases below

#: An obligation that still asks for visits.
OPEN: Final = Q(met=False, exempt_from=None)
#: People obliged, and those of them who are met; the exempt are in neither.
OBLIGED: Final = Count("pk", filter=Q(exempt_from=None))
MET: Final = Count("pk", filter=Q(exempt_from=None, met=True))


class ObligationQuerySet(models.QuerySet["Obligation"]):
    """Scope over obligations: an elder is visited where the elder lives; a county sees all of its own, wherever."""

    def visible_to(self, user: User, permission: Permission = Permission.ELDER_VIEW) -> Self:
        """Obligations in an area in which the user has the permission."""
        return in_areas(self, user.area_prefixes(permission), "area_code", "county_code")

    def in_area(self, code: str) -> Self:
        """Obligations under the area; of a county also those of its elders who live elsewhere."""
        return in_areas(self, [area_prefix(code)], "area_code", "county_code")

    def counted_for(self, user: User, permission: Permission = Permission.VISIT_VIEW) -> Self:
        """What the figures of the user's county are counted from, and the lists behind them.

        Visible ones, without those of a neighbour whose people live here: they count there.
        """
        counties = {prefix[:COUNTY_DIGITS] for prefix in user.area_prefixes(permission)}
        return in_areas(self.visible_to(user, permission), counties, "county_code")

    def of_township(self, area_code: str, county_code: str) -> Self:
        """Obligations that count in a township's month, as `visits.months.township_of` says it.

        The county's own code: those who live in none of its townships.
        """
        rows = self.filter(county_code=county_code)
        if area_code != county_code:
            return rows.filter(area_code__startswith=area_code[:TOWNSHIP_DIGITS])
        outside = ~Q(area_code__startswith=county_code[:COUNTY_DIGITS])
        return rows.filter(outside | Q(area_code__startswith=county_code[:TOWNSHIP_DIGITS]))

    def of_worker(self, user: User) -> Self:
        """Obligations that are the user's to meet: given to the user, or to nobody where the user visits."""
        nobodys = in_areas(
            self.filter(assignee=None), user.area_prefixes(Permission.VISIT_RECORD), "area_code"
        )
        return self.filter(assignee=user) | nobodys

    def still_open(self) -> Self:
        """Obligations that still ask for visits."""
        return self.filter(OPEN)

    def to_urge(self) -> Self:
        """Open ones about which one may urge: not who was reported dead or moved, until that is checked."""
        reported = Elder.objects.filter(
            follow_ups__kind__in=DEPARTURE_KINDS, follow_ups__state__in=OPEN_FOLLOW_UP
        )
        return self.still_open().exclude(elder__in=reported.values("pk"))


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
        return self.filter(condition | Q(elder__in=elders_given_to(user)))


def elders_given_to(user: User) -> models.QuerySet[Elder]:
    """Elders whom the user, who may visit, is to visit this month by name, wherever they live."""
    if not user.area_prefixes(Permission.VISIT_RECORD):
        return Elder.objects.none()
    month = timezone.localdate().replace(day=1)
    return Elder.objects.filter(obligations__month=month, obligations__assignee=user)


def in_the_area(code: str) -> Q:
    """Condition on a follow-up: of the area; a reported death or move also of the 户籍, which pays the elder."""
    prefix = area_prefix(code)
    return Q(area_code__startswith=prefix) | Q(kind__in=DEPARTURE_KINDS, elder__hukou_code__startswith=prefix)
