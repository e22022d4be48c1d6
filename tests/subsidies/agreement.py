"""Comparing a decided month with the evaluator: the same rules on the same frozen facts, one elder at a time."""

from collections import Counter, defaultdict
from typing import Any

from catalog.choices import Subject, Track
from catalog.policy import Policy, PolicyItem
from catalog.selectors import policy_get
from eldercare.facts import month_last_day
from eldercare.models import Elder, MonthlyFacts
from subsidies.choices import Outcome
from subsidies.explanation import decide_item, facts_of, gate_of, item_amount
from subsidies.gate import Spell
from subsidies.models import Enrolment, Entitlement, ItemCount, Month

Facts = dict[str, dict[str, Any]]
Disagreement = tuple[str, object, object, object]


def policy_of(month: Month) -> Policy:
    """The policy of a month that was decided."""
    policy = policy_get(county_code=month.county_code, day=month_last_day(month.month))
    assert policy is not None
    return policy


def disagreements(month: Month) -> list[Disagreement]:
    """(item, elder or village or household, evaluated, stored) wherever the evaluator and the stored month differ."""
    facts = _frozen(month)
    gates = _Gates(month)
    found: list[Disagreement] = []
    for item in policy_of(month).items:
        eligible = {
            elder: reading
            for elder, readings in facts.items()
            for yes, reading, _ in [decide_item(item, readings)]
            if yes
        }
        if item.subject not in {Subject.PERSON, Subject.HOUSEHOLD}:
            found += _differences(item, {}, _stored(month, item))
        elif item.track == Track.COUNT:
            said = Counter(facts[elder][reading]["区划"] for elder, reading in eligible.items())
            found += _differences(item, dict(said), _counts(month, item))
        elif item.subject == Subject.HOUSEHOLD:
            eldest = _eldest(facts, eligible)
            found += _differences(item, eldest, _stored(month, item).keys())
            found += _differences(item, gates.said(item, eldest), _gated(month, item))
        else:
            amounts = {elder: item_amount(item, facts[elder][reading]) for elder, reading in eligible.items()}
            found += _differences(item, amounts, _stored(month, item))
            found += _differences(item, gates.said(item, set(eligible)), _gated(month, item))
    return found


class _Gates:
    """What the evaluator says of the gate, from the enrolments as they stand."""

    def __init__(self, month: Month) -> None:
        self.month = month.month
        self.household = {pk: bytes(key) for pk, key in Elder.objects.values_list("id", "household_key")}
        self.own: dict[int, dict[tuple[int, bool], list[Spell]]] = defaultdict(lambda: defaultdict(list))
        self.shared: dict[bytes, dict[tuple[int, bool], list[Spell]]] = defaultdict(lambda: defaultdict(list))
        for row in Enrolment.objects.all():
            spell = Spell(row.first_month, row.last_month, row.state, row.suspended_from)
            self.own[row.elder_id][row.item_id, True].append(spell)
            self.shared[self.household[row.elder_id]][row.item_id, False].append(spell)

    def said(self, item: PolicyItem, elders: set[int]) -> dict[int, str | None]:
        """elder → outcome before exclusions."""
        return {
            elder: gate_of(item, self.own[elder] | self.shared[self.household[elder]], self.month)
            for elder in elders
        }


def _gated(month: Month, item: PolicyItem) -> dict[Any, Any]:
    """elder → stored outcome; what exclusions dropped had passed the gate."""
    rows = Entitlement.objects.of(month).filter(item=item.item_id).values_list("elder_id", "outcome")
    passed = {Outcome.NOT_HIGHEST, Outcome.NOT_FIRST}
    return {elder: Outcome.DUE if outcome in passed else outcome for elder, outcome in rows}


def _frozen(month: Month) -> dict[int, Facts]:
    """elder → reading → facts as the published revision holds them; 区划 is the village in which they count."""
    rows = MonthlyFacts.objects.filter(
        month=month.month, county_code=month.county_code, rev_from__lte=month.revision
    ).exclude(rev_to__lte=month.revision)
    facts: dict[int, Facts] = defaultdict(dict)
    for row in rows:
        values = facts_of(row) | {"区划": row.area_code}
        facts[row.elder_id] |= {"期初": values} if row.opening else {}
        facts[row.elder_id] |= {"期末": values} if row.closing else {}
    return facts


def _stored(month: Month, item: PolicyItem) -> dict[Any, Any]:
    return dict(Entitlement.objects.of(month).filter(item=item.item_id).values_list("elder_id", "amount"))


def _counts(month: Month, item: PolicyItem) -> dict[Any, Any]:
    persons: Counter[str] = Counter()
    for row in ItemCount.objects.filter(month=month, item=item.item_id, revision__lte=month.revision):
        persons[row.area_code] += row.persons
    return {area: number for area, number in persons.items() if number}


def _eldest(facts: dict[int, Facts], eligible: dict[int, str]) -> set[int]:
    """Of each household the eldest eligible member, the first registered of two born on a day."""
    keys = dict(Elder.objects.values_list("id", "household_key"))
    members: dict[bytes, list[tuple[Any, int]]] = defaultdict(list)
    for elder, reading in eligible.items():
        members[bytes(keys[elder])].append((facts[elder][reading]["出生日期"], elder))
    return {min(of_one)[1] for of_one in members.values()}


def _differences(item: PolicyItem, said: Any, stored: Any) -> list[Disagreement]:
    if isinstance(said, set):
        said, stored = dict.fromkeys(said, True), dict.fromkeys(stored, True)
    missing = object()
    return [
        (item.code, key, said.get(key), stored.get(key))
        for key in said.keys() | stored.keys()
        if said.get(key, missing) != stored.get(key, missing)
    ]
