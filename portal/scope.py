"""Where a user works: county, area, to-dos."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet
from django.http import Http404

from operations.models import Todo
from organization.areas import area_prefix, county_code
from organization.choices import Permission
from organization.models import Area, User
from organization.querysets import in_areas
from subsidies.models import Month
from subsidies.selectors import month_list


@dataclass(frozen=True)
class Place:
    """The county that a user's pages are about, and the user's own area in it."""

    county_code: str
    county_name: str
    area_code: str
    area_name: str

    def __str__(self) -> str:
        """云岭县 · 青山镇."""
        return " · ".join(dict.fromkeys(name for name in (self.county_name, self.area_name) if name))


def place_of(user: User) -> Place:
    """County and area of the user's first assignment; empty without one."""
    areas = sorted({assignment.area for assignment in user.active_assignments}, key=lambda area: area.code)
    if not areas:
        return Place("", "", "", "")
    area = areas[0]
    county = county_code(area.code)
    if county == area.code:
        return Place(county, area.name, area.code, area.name)
    name = Area.objects.filter(code=county).values_list("name", flat=True).first()
    return Place(county, name or "", area.code, area.name)


def todos_for(user: User, todos: QuerySet[Todo]) -> QuerySet[Todo]:
    """To-dos addressed to one of the user's roles in an area that it covers, and to its bureau if one is named."""
    addressed = Q(pk__in=[])
    for assignment in user.active_assignments:
        bureau = Q(bureau=None) | Q(bureau=assignment.bureau_id) if assignment.bureau_id else Q(bureau=None)
        addressed |= Q(role=assignment.role, area__code__startswith=area_prefix(assignment.area_id)) & bureau
    return todos.filter(addressed)


def months_of(user: User, permission: Permission = Permission.MONTH_VIEW) -> QuerySet[Month]:
    """Decided months of the counties in which the user has the permission somewhere."""
    counties = {prefix[:6] for prefix in user.area_prefixes(permission)}
    return in_areas(month_list(user), counties, "county_code")


def month_or_404(user: User, month: date, permission: Permission = Permission.MONTH_VIEW) -> Month:
    """The decided month of the user's county; of another county in scope if the own has none."""
    found = sorted(months_of(user, permission).filter(month=month), key=lambda row: row.county_code)
    own = [row for row in found if row.county_code == place_of(user).county_code]
    if not found:
        raise Http404
    return (own or found)[0]
