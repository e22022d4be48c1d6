"""Stored rows → a Policy: rules parsed with the words in force that day and bound to their values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from catalog.choices import ValueKind
from catalog.models import ExclusionGroup, ItemVersion, VisitTier
from catalog.policy import (
    AGE_FROM_NEXT_DAY,
    VALID_MONTHS,
    Policy,
    PolicyAmount,
    PolicyError,
    PolicyExclusion,
    PolicyItem,
    PolicyTier,
    policy_digest,
)
from eldercare.vocabulary import FACTS
from rules import Node, RuleError, Vocabulary, bind, parse_amount, parse_rule


@dataclass(frozen=True, slots=True)
class Figures:
    """Named values: numbers and rule texts of conditions in force; `known` names also those of other days."""

    numbers: dict[str, Decimal] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)
    known: dict[str, bool] = field(default_factory=dict)

    def add(self, kind: str, name: str, value: str, *, in_force: bool) -> None:
        """Take a value unless a nearer list, added before, has one or means something else by the name."""
        is_condition = kind == ValueKind.CONDITION
        if self.known.setdefault(name, is_condition) != is_condition or not in_force:
            return
        if is_condition:
            self.conditions.setdefault(name, value)
        else:
            self.numbers.setdefault(name, Decimal(value))

    def vocabulary(self) -> Vocabulary:
        """Every word that a rule may use; one without a value that day is found out when it is bound."""
        conditions = frozenset(name for name, is_condition in self.known.items() if is_condition)
        return Vocabulary(FACTS, frozenset(self.known) - conditions, conditions)


class RowReader:
    """Turns rows into bound values; notes every fault before it gives up."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.faults: list[str] = []
        self.words = figures.vocabulary()
        self.conditions: dict[str, Node] = {}
        for name, text in figures.conditions.items():
            tree = self._parsed(f"情形“{name}”", text)
            if tree is not None:
                self.conditions[name] = tree

    def policy(
        self,
        area_code: str,
        day: date,
        versions: Sequence[ItemVersion],
        groups: Sequence[ExclusionGroup],
        tiers: Sequence[VisitTier],
    ) -> Policy:
        """Assemble the policy; PolicyError with every fault."""
        items = tuple([self._item(version) for version in versions])
        exclusions = tuple([PolicyExclusion(g.code, g.strategy, tuple(g.items)) for g in groups])
        visits = tuple([tier for tier in map(self._tier, tiers) if tier is not None])
        if self.faults:
            raise PolicyError(tuple(self.faults))
        numbers = self.figures.numbers
        profile = (int(numbers.get(VALID_MONTHS, 12)), numbers.get(AGE_FROM_NEXT_DAY, 0) == 1)
        digest = policy_digest(items, exclusions, visits, numbers, self.conditions, profile)
        return Policy(area_code, day, items, exclusions, visits, numbers, self.conditions, *profile, digest)

    def _item(self, version: ItemVersion) -> PolicyItem:
        item, place = version.item, f"items[{version.item.code}]"
        return PolicyItem(
            item_id=item.pk,
            version_id=version.pk,
            code=item.code,
            name=item.name,
            number=item.number,
            type=item.type,
            form=item.form,
            subject=item.subject,
            application=version.application,
            start=version.start,
            lookback=version.lookback,
            track=version.track,
            rule=self._rule(f"{place}.rule", version.rule) if version.rule else None,
            amounts=tuple(self._amounts(f"{place}.amount", version)),
            pending=version.pending,
            minimum=version.minimum,
            document_title=item.document.title,
            document_number=item.document.number,
            clause=version.clause,
            summary=version.summary,
            lead=version.lead.name,
            rule_text=version.rule,
            valid_from=version.valid.lower,
        )

    def _amounts(self, place: str, version: ItemVersion) -> list[PolicyAmount]:
        amounts = []
        for tier in version.amounts:
            condition = None if tier["if"] is None else self._rule(f"{place}.if", tier["if"])
            pay = self._bound(place, tier["pay"], amount=True)
            if pay is not None:
                amounts.append(PolicyAmount(condition, pay))
        return amounts

    def _tier(self, tier: VisitTier) -> PolicyTier | None:
        rule = self._rule(f"visit_tiers[{tier.code}].rule", tier.rule)
        if rule is None:
            return None
        return PolicyTier(
            tier_id=tier.pk,
            code=tier.code,
            name=tier.name,
            rule=rule,
            times=tier.times,
            per=tier.per,
            modes=tuple(tier.modes),
            in_person=tier.in_person,
            order=tier.order,
            grace_days=tier.grace_days,
            clause=tier.clause,
        )

    def _rule(self, place: str, text: str) -> Node | None:
        return self._bound(place, text)

    def _bound(self, place: str, text: str, *, amount: bool = False) -> Node | None:
        tree = self._parsed(place, text, amount=amount)
        if tree is None:
            return None
        try:
            return bind(tree, self.figures.numbers, self.conditions)
        except RuleError as error:
            self.faults.append(f"{place}：{error.message}")
            return None

    def _parsed(self, place: str, text: str, *, amount: bool = False) -> Node | None:
        try:
            return (parse_amount if amount else parse_rule)(text, self.words)
        except RuleError as error:
            self.faults.append(f"{place}：{error}")
            return None
