"""Why an elder is or is not entitled: the rules of a month evaluated on the frozen facts of one elder."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from catalog.choices import Application, Start, Subject, Track
from catalog.policy import Policy, PolicyItem
from catalog.selectors import policy_get
from eldercare.facts import month_last_day
from eldercare.models import Elder, MonthlyFacts
from eldercare.vocabulary import COLUMNS
from rules import Trace, amount, evaluate
from subsidies.gate import Spell, gate
from subsidies.models import Enrolment, Entitlement, Month

CENT = Decimal("0.01")
DECIDED = {Subject.PERSON, Subject.HOUSEHOLD}


@dataclass(frozen=True)
class ItemExplanation:
    """One item for one elder in one month.

    reading: 期初 or 期末, whichever decided. outcome: what the month stored, None where it stores nothing. gate: the
    outcome before exclusions by the enrolments as they stand now, None for who is not entitled or not decided singly.
    """

    item: PolicyItem
    eligible: bool
    amount: Decimal | None
    outcome: str | None
    winner: str | None
    reading: str
    trace: Trace | None
    gate: str | None = None


@dataclass(frozen=True)
class Explanation:
    """All items of a month's list for one elder; empty if the elder is not among the month's persons."""

    month: Month
    policy: Policy
    facts: dict[str, dict[str, Any]]
    items: tuple[ItemExplanation, ...]
    policy_changed: bool


def facts_of(row: MonthlyFacts) -> dict[str, Any]:
    """The facts of a frozen row under their names."""
    return {name: getattr(row, column) for name, column in COLUMNS.items()}


def decide_item(item: PolicyItem, facts: dict[str, dict[str, Any]]) -> tuple[bool, str, Trace | None]:
    """Return eligibility, the reading that decided and its trace.

    facts: by reading 期初/期末; an item with start 当月 looks at 期末 first (design §2 step 2).
    """
    order = ("期初",) if item.start == Start.NEXT_MONTH else ("期末", "期初")
    answers = [
        (name, evaluate(item.rule, facts[name])) for name in order if name in facts and item.rule is not None
    ]
    for name, trace in answers:
        if trace.truth:
            return True, name, trace
    return (False, *answers[0]) if answers else (False, order[0], None)


def item_amount(item: PolicyItem, facts: dict[str, Any]) -> Decimal | None:
    """元 per month of the first matching tier, rounded half up to 分; None if pending, not money or no tier matches."""
    if item.pending:
        return None
    for condition, pay in item.amounts:
        if condition is None or evaluate(condition, facts).truth:
            value = amount(pay, facts)
            return None if value is None else value.quantize(CENT, ROUND_HALF_UP)
    return None


def explain(*, elder: Elder, month: Month, policy: Policy | None = None) -> Explanation:
    """Explain every item of the month's list for one elder, from the facts that the month froze.

    policy: the month's policy, from a caller who explains many elders.
    """
    policy = policy or policy_get(county_code=month.county_code, day=month_last_day(month.month))
    if policy is None:
        raise LookupError(f"{month}没有适用的清单")
    facts = frozen_facts(elder=elder, month=month)
    stored = {
        row.item_id: row for row in Entitlement.objects.of(month).filter(elder=elder).select_related("winner")
    }
    spells = spells_of(elder)
    items = tuple(
        _explain_item(item, facts, stored.get(item.item_id), gate_of(item, spells, month.month))
        for item in policy.items
    )
    return Explanation(month, policy, facts, items if facts else (), policy.digest != month.policy)


def frozen_facts(*, elder: Elder, month: Month) -> dict[str, dict[str, Any]]:
    """Opening and closing facts of one elder as the published revision holds them."""
    rows = MonthlyFacts.objects.filter(
        month=month.month, county_code=month.county_code, elder=elder, rev_from__lte=month.revision
    )
    facts: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.rev_to is not None and row.rev_to <= month.revision:
            continue
        facts |= {"期初": facts_of(row)} if row.opening else {}
        facts |= {"期末": facts_of(row)} if row.closing else {}
    return facts


def spells_of(elder: Elder) -> dict[tuple[int, bool], list[Spell]]:
    """(item, of the elder alone) → enrolments; of the household's members where not of the elder alone."""
    rows = Enrolment.objects.filter(elder__household_key=elder.household_key)
    spells: dict[tuple[int, bool], list[Spell]] = defaultdict(list)
    for row in rows:
        spell = Spell(row.first_month, row.last_month, row.state, row.suspended_from)
        spells[row.item_id, False].append(spell)
        if row.elder_id == elder.pk:
            spells[row.item_id, True].append(spell)
    return spells


def gate_of(item: PolicyItem, spells: Mapping[tuple[int, bool], list[Spell]], month: date) -> str | None:
    """Outcome before exclusions of who is entitled; an enrolment of any member counts for a household's item."""
    if item.subject not in DECIDED or item.track == Track.COUNT:
        return None
    mine = spells.get((item.item_id, item.subject == Subject.PERSON), [])
    return gate(automatic=item.application == Application.AUTOMATIC, spells=mine, month=month)


def _explain_item(
    item: PolicyItem, facts: dict[str, dict[str, Any]], stored: Entitlement | None, passes: str | None
) -> ItemExplanation:
    if item.subject not in DECIDED:
        return ItemExplanation(item, False, None, None, None, "", None)
    eligible, reading, trace = decide_item(item, facts)
    money = item_amount(item, facts[reading]) if eligible else None
    winner = stored.winner.code if stored and stored.winner else None
    outcome = stored.outcome if stored else ("计数" if eligible and item.track == Track.COUNT else None)
    return ItemExplanation(
        item, eligible, money, outcome, winner, reading, trace, passes if eligible else None
    )


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """The JSON of the `explain` command."""
    return {
        "month": f"{explanation.month.month:%Y-%m}",
        "county": explanation.month.county_code,
        "revision": explanation.month.revision,
        "policy_changed": explanation.policy_changed,
        "facts": {
            name: {k: _plain(v) for k, v in facts.items()} for name, facts in explanation.facts.items()
        },
        "items": [_item_json(item) for item in explanation.items],
    }


def _item_json(explained: ItemExplanation) -> dict[str, Any]:
    item = explained.item
    return {
        "code": item.code,
        "name": item.name,
        "subject": item.subject,
        "eligible": explained.eligible if item.subject in DECIDED else None,
        "amount": None if explained.amount is None else str(explained.amount),
        "pending": item.pending,
        "outcome": explained.outcome,
        "gate": explained.gate,
        "winner": explained.winner,
        "reading": explained.reading,
        "rule_text": item.rule_text,
        "rule": explained.trace.as_json() if explained.trace else None,
        "document": item.document_title,
        "number": item.document_number,
        "clause": item.clause,
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
