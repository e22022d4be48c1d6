"""Reads over obligations: the month's visit rate and who is obliged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Left, RPad

from organization.areas import CODE_LENGTH, TOWNSHIP_DIGITS
from organization.models import Area
from visits.models import Obligation
from visits.querysets import MET, OBLIGED

By = Literal["county", "township", "village", "tier"]
BY: tuple[By, ...] = ("county", "township", "village", "tier")


@dataclass(frozen=True)
class RateRow:
    """Elders obliged and those fully visited; exempt ones are in neither. rate: percent, None if nobody is obliged."""

    code: str
    name: str
    obliged: int
    visited: int

    @property
    def rate(self) -> Decimal | None:
        """Percent with one decimal, rounded down."""
        return rate_of(self.visited, self.obliged)


def rate_of(visited: int, obliged: int) -> Decimal | None:
    """Return the percentage with one decimal, rounded down; None if nobody is obliged (contract `visit_rate`).

    >>> rate_of(9996, 10000), rate_of(3, 3), rate_of(0, 0)
    (Decimal('99.9'), Decimal('100.0'), None)
    """
    return Decimal(visited * 1000 // obliged).scaleb(-1) if obliged else None


def visit_rate(*, month: date, county_code: str | None, by: By) -> list[RateRow]:
    """Give the month's rate per county, township, village of residence, or tier, in order of code.

    county_code None: all counties. Every obligation belongs to one row, so the rows of each division add up to
    the same; who lives outside the county stands under the area of residence.
    """
    rows = (
        obligations_of(month, county_code)
        .annotate(code=_code_of(by))
        .values("code")
        .annotate(obliged=OBLIGED, visited=MET)
        .order_by("code")
    )
    figures = list(rows.values_list("code", "obliged", "visited"))
    names = _tier_names(month, county_code) if by == "tier" else _area_names([code for code, _, _ in figures])
    return [RateRow(code, names.get(code, ""), obliged, visited) for code, obliged, visited in figures]


def obligations_of(month: date, county_code: str | None) -> QuerySet[Obligation]:
    """Obligations of a month, of one county or of all."""
    rows = Obligation.objects.filter(month=month)
    return rows if county_code is None else rows.filter(county_code=county_code)


def obligation_list(*, month: date, county_code: str | None = None) -> QuerySet[Obligation]:
    """Give a month's obligations by area of residence, with elder and tier; exempt ones included."""
    return (
        obligations_of(month, county_code).select_related("elder", "tier").order_by("area_code", "elder_id")
    )


def obligation_rows(month: date) -> Iterator[Obligation]:
    """Yield a month's obligations of all counties without holding them all."""
    return obligation_list(month=month).iterator(chunk_size=2_000)


def _code_of(by: By) -> Combinable:
    match by:
        case "county":
            return F("county_code")
        case "township":
            township = Left("area_code", TOWNSHIP_DIGITS, output_field=CharField())
            return RPad(township, CODE_LENGTH, Value("0"))
        case "village":
            return F("area_code")
        case "tier":
            return F("tier__code")


def _area_names(codes: list[str]) -> dict[str, str]:
    return dict(Area.objects.filter(code__in=codes).values_list("code", "name"))


def _tier_names(month: date, county_code: str | None) -> dict[str, str]:
    return dict(
        obligations_of(month, county_code)
        .order_by("tier__code", "tier_id")
        .values_list("tier__code", "tier__name")
        .distinct("tier__code", "tier_id")
    )
