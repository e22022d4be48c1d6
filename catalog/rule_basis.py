"""What the stored texts of item versions rest on: facts and figures by name, also inside named conditions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.choices import ValueKind
from catalog.models import DatedValue, ItemVersion
from eldercare.vocabulary import FACTS
from organization.areas import parent_code
from rules import (
    Node,
    RuleError,
    Vocabulary,
    conditions_used,
    facts_used,
    parameters_used,
    parse_amount,
    parse_rule,
)


@dataclass(frozen=True)
class Basis:
    """Names of facts, and of parameters and rates."""

    facts: frozenset[str] = frozenset()
    figures: frozenset[str] = frozenset()

    def __or__(self, other: "Basis") -> "Basis":
        return Basis(self.facts | other.facts, self.figures | other.figures)


def values_around(area_code: str) -> list[DatedValue]:
    """Figures and conditions of a county and the areas above it, of all days, with their documents. One query."""
    areas = ["000000000000", area_code]
    above = parent_code(area_code)
    while above is not None:
        areas.append(above)
        above = parent_code(above)
    return list(DatedValue.objects.filter(document__area__in=areas).select_related("document"))


def bases_of(*, versions: Iterable[ItemVersion], values: Iterable[DatedValue]) -> dict[int, Basis]:
    """Version → what its rule and amounts rest on; a named condition in all its wordings. No query."""
    values = list(values)
    conditions: dict[str, list[str]] = {}
    for value in values:
        if value.kind == ValueKind.CONDITION:
            conditions.setdefault(value.name, []).append(value.value)
    numbers = frozenset(value.name for value in values if value.kind != ValueKind.CONDITION)
    words = Vocabulary(FACTS, numbers - frozenset(conditions), frozenset(conditions))
    return {version.pk: _basis(_trees(version, words), conditions, words) for version in versions}


def _basis(trees: Iterable[Node], conditions: dict[str, list[str]], words: Vocabulary) -> Basis:
    found, seen, left = Basis(), set[str](), list(trees)
    while left:
        tree = left.pop()
        found |= Basis(facts_used(tree), parameters_used(tree))
        for name in conditions_used(tree) - seen:
            seen.add(name)
            left += [node for text in conditions[name] for node in _parsed(text, words)]
    return found


def _trees(version: ItemVersion, words: Vocabulary) -> Iterator[Node]:
    yield from _parsed(version.rule, words)
    for tier in version.amounts:
        yield from _parsed(tier["if"] or "", words)
        yield from _parsed(str(tier["pay"]), words, amount=True)


def _parsed(text: str, words: Vocabulary, *, amount: bool = False) -> list[Node]:
    """The tree of a text; none of an empty one, or of one that names what no list knows any more."""
    if not text:
        return []
    try:
        return [parse_amount(text, words) if amount else parse_rule(text, words)]
    except RuleError:
        return []
