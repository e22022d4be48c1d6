"""A county's visit tiers as the page of tiers shows them: what is in force, what is planned, and whom they meet."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.core.cache import cache
from django.db import connection

from catalog.models import Document, VisitTier
from catalog.policy import Policy, PolicyError
from catalog.selectors import policy_get, rule_get
from catalog.services.tier import TierDraft
from catalog.tier_counts import TierCount, TierRule, tier_counts, tier_rules
from eldercare.facts import FactsPolicy

KEPT_SECONDS: Final = 3_600


@dataclass(frozen=True)
class TierLine:
    """One tier: the version in force (None: not yet), those planned, and how many came before."""

    code: str
    now: VisitTier | None
    planned: tuple[VisitTier, ...]
    former: int

    @property
    def shown(self) -> VisitTier:
        """The version in force, else the first planned one."""
        return self.now or self.planned[0]


def county_document(county_code: str) -> Document | None:
    """Give the county's list that holds its tiers, the one issued last; else the list issued last."""
    documents = Document.objects.filter(area=county_code).order_by("-issued", "-pk")
    return documents.filter(visit_tiers__isnull=False).first() or documents.first()


def tier_lines(county_code: str, day: date) -> list[TierLine]:
    """Give the tiers in force on the day or planned for later, by order. One query."""
    rows: dict[tuple[int, str], list[VisitTier]] = {}
    found = VisitTier.objects.filter(document__area=county_code).select_related("document").order_by("valid")
    for row in found:
        rows.setdefault((row.document_id, row.code), []).append(row)
    lines = [_line(code, versions, day) for (_, code), versions in rows.items()]
    return sorted(
        [line for line in lines if line.now or line.planned], key=lambda line: (line.shown.order, line.code)
    )


def counts_now(county_code: str, day: date) -> dict[str, TierCount]:
    """Give code → people of the tiers in force on the day; none where a rule cannot be applied that day.

    Kept for an hour while neither the tiers nor anybody in the registry changes.
    """
    policy = _policy(county_code, day)
    if policy is None:
        return {}
    key = f"tier_counts:{county_code}:{day}:{policy.digest}:{_registry()}"
    kept: dict[str, TierCount] | None = cache.get(key)
    if kept is None:
        kept = tier_counts(policy=_facts(policy), tiers=tier_rules(policy.tiers), day=day)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def counts_then(county_code: str, draft: TierDraft, since: date, day: date) -> dict[str, TierCount]:
    """Give what `counts_now` would say of the tiers of `since` with the draft among them, by the facts of the day.

    RuleError if the draft's rule cannot be read.
    """
    rule = rule_get(area_code=county_code, day=since, text=draft.rule)
    policy = _policy(county_code, since)
    others = tier_rules(policy.tiers) if policy else []
    tiers = [tier for tier in others if tier.code != draft.code]
    facts = _facts(policy) if policy else FactsPolicy(county_code, 12, False)
    return tier_counts(policy=facts, tiers=[*tiers, TierRule(draft.code, draft.order, rule)], day=day)


def _line(code: str, versions: Iterable[VisitTier], day: date) -> TierLine:
    versions = list(versions)
    now = next((row for row in versions if day in row.valid), None)
    planned = tuple(row for row in versions if row.valid.lower > day)
    return TierLine(code, now, planned, sum(row.valid.lower <= day for row in versions) - (now is not None))


def _registry() -> int:
    """A number that grows with every change of the registry."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM eldercare_version")
        return int(cursor.fetchone()[0])


def _policy(county_code: str, day: date) -> Policy | None:
    try:
        return policy_get(county_code=county_code, day=day)
    except PolicyError:
        return None


def _facts(policy: Policy) -> FactsPolicy:
    return FactsPolicy(policy.county_code, policy.valid_months, policy.age_from_next_day)
