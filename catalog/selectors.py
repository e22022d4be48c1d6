"""Reads of the list: what is in force where and when, and what surrounds a pack that is to be loaded."""

from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import Case, IntegerField, QuerySet, Value, When

from catalog.binding import Figures, RowReader
from catalog.choices import ValueKind
from catalog.finding_list import FindingList
from catalog.models import (
    DatedValue,
    Document,
    ExclusionGroup,
    FindingKind,
    Item,
    ItemVersion,
    VisitTier,
)
from catalog.pack import Floor, PackAmount, PackDocument, Surroundings
from catalog.policy import Policy, PolicyError, PolicyFinding
from organization.areas import county_code, is_county, parent_code
from rules import Node, bind, parse_rule

COUNTRY: Final = "000000000000"


def policy_get(*, county_code: str, day: date) -> Policy | None:
    """Give what is in force in a county on the day; None for other areas and where no list is in force.

    Items, exclusions and visit tiers come from the county's own documents; figures and conditions also from
    the areas above it, the nearest winning. PolicyError if a rule lacks a value that day. 4 queries.
    """
    return _policy(county_code, day) if is_county(county_code) else None


def policy_faults(*, area_code: str, day: date) -> tuple[str, ...]:
    """Name the rules of an area's list that cannot be applied on the day."""
    try:
        _policy(area_code, day)
    except PolicyError as error:
        return error.faults
    return ()


def rule_get(*, area_code: str, day: date, text: str) -> Node:
    """Read a rule with the words in force in an area on the day, and bind them. RuleError says what is wrong where."""
    reader = RowReader(_figures(area_code, day))
    return bind(parse_rule(text, reader.words), reader.figures.numbers, reader.conditions)


def counties_applied(day: date | None = None) -> list[str]:
    """Give the 12-digit codes of counties that have a list, on the day or at any time."""
    documents = Document.objects.filter(items__isnull=False)
    if day is not None:
        documents = documents.filter(items__versions__valid__contains=day)
    return [
        code
        for code in documents.order_by("area_id").values_list("area_id", flat=True).distinct()
        if is_county(code)
    ]


def item_list_for(*, county_code: str, day: date) -> QuerySet[ItemVersion]:
    """Give the versions in force in a county, in printed order, with item, document and bureaus."""
    return (
        ItemVersion.objects.filter(item__document__area=county_code, valid__contains=day)
        .select_related("item__document", "lead")
        .prefetch_related("joined")
        .order_by("item__document__issued", "item__document_id", "item__number", "item__code")
    )


def figure_get(*, county_code: str, name: str, day: date) -> Decimal | None:
    """Give one parameter or rate as it holds in a county on the day; None if no list names it. One query."""
    rows = _by_distance(_areas_up(county_code)).filter(name=name, valid__contains=day)
    value = rows.exclude(kind=ValueKind.CONDITION).values_list("value", flat=True).first()
    return None if value is None else Decimal(value)


def finding_kinds(area_code: str, day: date) -> tuple[PolicyFinding, ...]:
    """Give what a visit in the area may find on the day, in order; at most 2 queries."""
    return finding_list(area_code).on(day)


def finding_list(area_code: str) -> FindingList:
    """Read what visits in the county of an area may find, of all days at once; at most 2 queries."""
    county = county_code(area_code)
    areas = _areas_up(county)
    kinds = FindingKind.objects.filter(document__area__in=areas).select_related("document", "bureau")
    return FindingList(
        county,
        sorted(
            kinds, key=lambda kind: (areas.index(kind.document.area_id), -kind.document.issued.toordinal())
        ),
    )


def surroundings_get(document: PackDocument) -> Surroundings:
    """Give what the published lists around a pack say (4 queries and the parent's versions)."""
    around = Document.objects.filter(area__in=_areas_up(document.area))
    named = list(DatedValue.objects.filter(document__in=around).values_list("kind", "name"))
    others = Item.objects.filter(document__area=document.area).exclude(document__code=document.code)
    own = Document.objects.filter(code=document.code).first()
    parent = Document.objects.filter(code=document.parent).first() if document.parent else None
    return Surroundings(
        numbers=frozenset(name for kind, name in named if kind != ValueKind.CONDITION),
        conditions=frozenset(name for kind, name in named if kind == ValueKind.CONDITION),
        parent_area=parent.area_id if parent else None,
        parent_items=frozenset(parent.items.values_list("code", flat=True)) if parent else frozenset(),
        floors=_floors(parent) if parent else (),
        taken=dict(others.values_list("code", "document__title")),
        kinds={item.code: (item.subject, item.form) for item in own.items.all()} if own else {},
        own_area=own.area_id if own else None,
    )


def _floors(parent: Document) -> tuple[Floor, ...]:
    versions = ItemVersion.objects.filter(item__document=parent, minimum=True).select_related("item")
    return tuple(
        [
            Floor(
                version.item.code,
                version.valid.lower,
                version.valid.upper,
                tuple([PackAmount(tier["if"], tier["pay"]) for tier in version.amounts]),
            )
            for version in versions
        ]
    )


def _areas_up(code: str) -> list[str]:
    """The area itself and those above it, nearest first, the country last; none for what is no code."""
    if not (code.isascii() and code.isdecimal()):
        return []
    line = [code]
    while (above := parent_code(line[-1])) is not None:
        line.append(above)
    return line if code == COUNTRY else [*line, COUNTRY]


def _policy(area_code: str, day: date) -> Policy | None:
    versions = ItemVersion.objects.filter(item__document__area=area_code, valid__contains=day)
    rows = list(
        versions.select_related("item__document", "lead").order_by(
            "item__document_id", "item__number", "item__code"
        )
    )
    tiers = list(
        VisitTier.objects.filter(document__area=area_code, valid__contains=day).order_by("order", "code")
    )
    if not rows and not tiers:
        return None
    groups = ExclusionGroup.objects.filter(document__area=area_code, valid__contains=day).order_by(
        "document_id", "code"
    )
    reader = RowReader(_figures(area_code, day))
    return reader.policy(area_code, day, rows, list(groups), tiers)


def _figures(area_code: str, day: date) -> Figures:
    """Figures and conditions by name: nearest area first, within an area the document issued last."""
    figures = Figures()
    for row in _by_distance(_areas_up(area_code)):
        figures.add(row.kind, row.name, row.value, in_force=day in row.valid)
    return figures


def _by_distance(areas: list[str]) -> QuerySet[DatedValue]:
    distance = Case(
        *[When(document__area=code, then=Value(place)) for place, code in enumerate(areas)],
        output_field=IntegerField(),
    )
    return (
        DatedValue.objects.filter(document__area__in=areas)
        .annotate(distance=distance)
        .order_by("distance", "-document__issued", "-document_id")
    )
