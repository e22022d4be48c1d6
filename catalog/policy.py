"""What is in force in a county on one day, as plain values with bound rules."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from rules import Node, conditions_used, parameters_used, to_text

#: Names of the parameters that shape the facts themselves (contract, semantics pinned).
VALID_MONTHS: Final = "评估有效月数"
AGE_FROM_NEXT_DAY: Final = "周岁次日计"


class PolicyError(ValueError):
    """The published list cannot be applied on a day; `faults` are Chinese sentences."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__(faults)

    def __str__(self) -> str:
        return "\n".join(self.faults)


class PolicyAmount(NamedTuple):
    """元 per month if the condition holds (None: always)."""

    condition: Node | None
    pay: Node


@dataclass(frozen=True)
class PolicyItem:
    """One item's version in force; rule None: nobody is decided (an institution's item)."""

    item_id: int
    version_id: int
    code: str
    name: str
    number: int
    type: str
    form: str
    subject: str
    application: str
    start: str
    lookback: int
    track: str
    rule: Node | None
    amounts: tuple[PolicyAmount, ...]
    pending: bool
    minimum: bool
    document_title: str
    document_number: str
    clause: str
    summary: str
    lead: str
    rule_text: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """A word for what a visit may find; bureau_id: who of the county sees to it within `hours`, None the village."""

    code: str
    name: str
    group: str
    risk: str
    hours: int
    bureau_id: int | None


@dataclass(frozen=True)
class PolicyExclusion:
    """Of these items, in order of precedence, one elder draws one."""

    code: str
    strategy: str
    item_codes: tuple[str, ...]


@dataclass(frozen=True)
class PolicyTier:
    """Whom to visit how often; lowest `order` wins."""

    tier_id: int
    code: str
    name: str
    rule: Node
    times: int
    per: str
    modes: tuple[str, ...]
    in_person: int
    order: int
    grace_days: int
    clause: str


@dataclass(frozen=True)
class Policy:
    """The county's list on a day.

    parameters: figures and rates by name. conditions: unbound trees, as `rules.bind` takes them.
    valid_months: how long an assessment counts; age_from_next_day: the birthday counts from the day after.
    digest: the same for two days exactly if every elder is decided alike on both.
    """

    county_code: str
    day: date
    items: tuple[PolicyItem, ...]
    exclusions: tuple[PolicyExclusion, ...]
    tiers: tuple[PolicyTier, ...]
    parameters: Mapping[str, Decimal]
    conditions: Mapping[str, Node]
    valid_months: int
    age_from_next_day: bool
    digest: str


def policy_digest(
    items: tuple[PolicyItem, ...],
    exclusions: tuple[PolicyExclusion, ...],
    tiers: tuple[PolicyTier, ...],
    parameters: Mapping[str, Decimal],
    conditions: Mapping[str, Node],
    facts_profile: tuple[int, bool],
) -> str:
    """sha256 over canonical texts, ids and the values that they use; neither day nor wording goes in."""
    nodes = list(_nodes(items, tiers))
    figures = sorted({name for node in nodes for name in parameters_used(node)})
    named = sorted({name for node in nodes for name in conditions_used(node)})
    said = [
        [_item_terms(item) for item in items],
        [[group.code, group.strategy, group.item_codes] for group in exclusions],
        [_tier_terms(tier) for tier in tiers],
        [[name, str(parameters[name].normalize())] for name in figures],
        [[name, to_text(conditions[name])] for name in named],
        facts_profile,
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def _nodes(items: tuple[PolicyItem, ...], tiers: tuple[PolicyTier, ...]) -> Iterator[Node]:
    for item in items:
        if item.rule is not None:
            yield item.rule
        for condition, pay in item.amounts:
            yield pay
            if condition is not None:
                yield condition
    yield from (tier.rule for tier in tiers)


def _item_terms(item: PolicyItem) -> list[object]:
    return [
        [item.item_id, item.version_id, item.code, item.subject, item.form, item.pending],
        [item.application, item.start, item.lookback, item.track],
        None if item.rule is None else to_text(item.rule),
        [[condition and to_text(condition), to_text(pay)] for condition, pay in item.amounts],
    ]


def _tier_terms(tier: PolicyTier) -> list[object]:
    return [
        tier.tier_id,
        to_text(tier.rule),
        tier.times,
        tier.per,
        tier.modes,
        tier.in_person,
        tier.order,
        tier.grace_days,
    ]
