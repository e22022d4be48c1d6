"""How many elders of a county the visit tiers meet by the facts of a day: live, for who looks at or edits a tier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db import connection

from catalog.policy import PolicyTier
from eldercare.facts import FactsPolicy, Persons, Reading, facts_select
from eldercare.vocabulary import COLUMNS
from rules import Node, to_sql

#: Everybody of the registry, as `facts_select` takes persons.
_EVERYBODY: Final = "(SELECT id, birth_date, sex, false AS changed FROM eldercare_elder)"
_HIGHEST: Final = 2**62


@dataclass(frozen=True)
class TierRule:
    """A tier as far as it decides who belongs to it."""

    code: str
    order: int
    rule: Node


@dataclass(frozen=True)
class TierCount:
    """Elders of one tier: exclusive, by order; alone: whoever its rule is true of. By township, 12 digits."""

    exclusive: dict[str, int]
    alone: dict[str, int]

    @property
    def people(self) -> int:
        """Exclusive, in the whole county."""
        return sum(self.exclusive.values())

    @property
    def matching(self) -> int:
        """By the rule alone, in the whole county."""
        return sum(self.alone.values())


def tier_rules(tiers: Sequence[PolicyTier]) -> list[TierRule]:
    """The rules of tiers in force."""
    return [TierRule(tier.code, tier.order, tier.rule) for tier in tiers]


def tier_counts(*, policy: FactsPolicy, tiers: Sequence[TierRule], day: date) -> dict[str, TierCount]:
    """Give tier code → count among the county's living elders by the facts of the day.

    As in the month: the first tier by order (then code) whose rule is true wins. One query.
    """
    if not tiers:
        return {}
    line = sorted(tiers, key=lambda tier: (tier.order, tier.code))
    columns = {name: f"f.{column}" for name, column in COLUMNS.items()}
    rules = [to_sql(tier.rule, columns) for tier in line]
    winner = " ".join(f"WHEN {rule} THEN {place}" for place, rule in enumerate(rules))
    figures = ", ".join(
        f"count(*) FILTER (WHERE place = {place}), count(*) FILTER (WHERE rule_{place})"
        for place in range(len(line))
    )
    alone = ", ".join(f"({rule}) AS rule_{place}" for place, rule in enumerate(rules))
    reading = Reading(day=day, age_day=day, present_after=day + timedelta(days=1))
    facts = facts_select(reading, policy, Persons(_EVERYBODY, 0, _HIGHEST))
    with connection.cursor() as cursor:
        cursor.execute(f"""
            SELECT rpad(left(residence_code, 9), 12, '0') AS township, {figures}
            FROM (SELECT f.residence_code, CASE {winner} END AS place, {alone} FROM ({facts}) f) matched
            GROUP BY township ORDER BY township""")
        found = cursor.fetchall()
    return {
        tier.code: TierCount(
            {row[0]: row[1 + 2 * place] for row in found if row[1 + 2 * place]},
            {row[0]: row[2 + 2 * place] for row in found if row[2 + 2 * place]},
        )
        for place, tier in enumerate(line)
    }
