"""Visit rates for pages: always visited and obliged, exempt rows in neither (contract «Obligations»)."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q
from django.db.models.functions import Left

from organization.areas import CODE_LENGTH, area_prefix
from organization.choices import Permission
from organization.models import Area, User
from subsidies.models import Month
from visits.models import Obligation
from visits.querysets import ObligationQuerySet
from visits.selectors import rate_of

NEXT_DIGITS = {6: 9, 9: 12}


@dataclass(frozen=True)
class VisitFigure:
    """Elders obliged and visited in one area; rate None where nobody is obliged."""

    code: str
    name: str
    obliged: int
    visited: int

    @property
    def rate(self) -> Decimal | None:
        """Percent, one decimal, rounded down."""
        return rate_of(self.visited, self.obliged)

    @property
    def open(self) -> int:
        """Obliged and not yet visited."""
        return self.obliged - self.visited


def obligations_of(month: Month, user: User) -> ObligationQuerySet:
    """Obligations of a month that count, within the user's areas."""
    rows = Obligation.objects.visible_to(user, Permission.MONTH_VIEW)
    return rows.filter(month=month.month, county_code=month.county_code, exempt_from=None)


def visit_figures(month: Month, user: User, area_code: str = "") -> VisitFigure:
    """The whole of the user's areas, or of one area in them."""
    rows = obligations_of(month, user)
    rows = rows.in_area(area_code) if area_code else rows
    found = rows.aggregate(n=Count("id"), met=Count("id", filter=Q(met=True)))
    return VisitFigure("", "合计", found["n"], found["met"])


def visit_table(month: Month, user: User, area_code: str) -> list[VisitFigure]:
    """One line per area directly below: townships of a county, villages of a township."""
    prefix = area_prefix(area_code)
    digits = NEXT_DIGITS.get(len(prefix), CODE_LENGTH)
    rows = (
        obligations_of(month, user).in_area(area_code).annotate(part=Left("area_code", digits)).values("part")
    )
    counted = {
        r["part"]: r
        for r in rows.annotate(n=Count("id"), met=Count("id", filter=Q(met=True))).order_by("part")
    }
    names = dict(
        Area.objects.filter(code__in=[part.ljust(CODE_LENGTH, "0") for part in counted]).values_list(
            "code", "name"
        )
    )
    return [
        VisitFigure(code, names.get(code, code), row["n"], row["met"])
        for part, row in counted.items()
        if (code := part.ljust(CODE_LENGTH, "0"))
    ]
