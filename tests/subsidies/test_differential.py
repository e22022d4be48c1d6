"""Independent writings of the same documents agree with the run: plain Python functions, and the evaluator."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.choices import Subject, Track
from catalog.models import Item
from eldercare.models import Elder
from subsidies.explanation import explain
from subsidies.models import Entitlement, Month
from tests.subsidies.agreement import disagreements, policy_of
from tests.subsidies.county import (
    CHENCANG,
    CHENCANG_VILLAGE,
    ELSEWHERE,
    LULIANG,
    OTHER_VILLAGE,
    VILLAGE,
    load,
    run,
)
from tests.subsidies.plain_benefits import (
    CHENCANG_BENEFITS,
    CHENCANG_HIGHEST,
    LULIANG_BENEFITS,
    Benefit,
    outcomes_of,
)
from tests.subsidies.random_registry import Person, enrol_some, people, store

pytestmark = pytest.mark.django_db(transaction=True)
MONTHS = [date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)]
VILLAGES = [VILLAGE, VILLAGE, OTHER_VILLAGE, CHENCANG_VILLAGE, CHENCANG_VILLAGE, "610304102201", ELSEWHERE]
AROUND = [date(2024, 11, 1), date(2024, 12, 1), *MONTHS, date(2025, 4, 1)]
ELDERS = 5000
COUNTIES: list[tuple[str, dict[str, Benefit], tuple[str, ...]]] = [
    (LULIANG, LULIANG_BENEFITS, ()),
    (CHENCANG, CHENCANG_BENEFITS, CHENCANG_HIGHEST),
]
Outcomes = dict[tuple[int, str], tuple[str, Decimal | None]]


def stored(month: Month, codes: set[str]) -> Outcomes:
    """(elder, item) → (outcome, 元) as the run stored it."""
    rows = Entitlement.objects.of(month).filter(item__code__in=codes)
    return {
        (elder, code): (outcome, amount)
        for elder, code, outcome, amount in rows.values_list("elder_id", "item__code", "outcome", "amount")
    }


def expected(
    persons: list[Person], month: date, county: str, benefits: dict[str, Benefit], highest: tuple[str, ...]
) -> Outcomes:
    """The same by the plain functions."""
    return {
        (person.pk, code): result
        for person in persons
        for code, result in outcomes_of(person, month, county, benefits, highest).items()
    }


def test_5000_random_elders_get_in_three_months_what_the_plain_functions_say() -> None:
    load("national", "luliang", "chencang")
    persons = people(ELDERS, 20250101, VILLAGES, [*MONTHS, date(2025, 4, 1)])
    store(persons)
    enrol_some(persons, ["L03a", "L19", "L22", "C09", "C15b", "C07"], AROUND, 20250102)
    compared = 0
    for month in MONTHS:
        for county, benefits, highest in COUNTIES:
            row = run(month, county)
            is_, should = stored(row, set(benefits)), expected(persons, month, county, benefits, highest)
            differences = {
                key: (is_.get(key), should.get(key))
                for key in is_.keys() | should.keys()
                if is_.get(key) != should.get(key)
            }
            assert differences == {}
            assert {code for _, code in should} == set(benefits), "every item occurs"
            compared += len(should)
    assert compared > 8000


def test_what_the_explanation_says_of_every_elder_is_what_the_run_stored() -> None:
    load("national", "luliang", "chencang")
    store(people(500, 7, VILLAGES, [*MONTHS, date(2025, 4, 1)]))
    for county in (LULIANG, CHENCANG):
        month = run(MONTHS[1], county)
        policy = policy_of(month)
        rows = {
            (row.elder_id, row.item.code): (True, row.amount)
            for row in Entitlement.objects.of(month)
            .filter(item__subject=Subject.PERSON)
            .select_related("item")
        }
        said = {
            (elder.pk, explained.item.code): (explained.eligible, explained.amount)
            for elder in Elder.objects.all()
            for explained in explain(elder=elder, month=month, policy=policy).items
            if explained.item.subject == Subject.PERSON and explained.item.track == Track.PERSON
        }
        assert {key: told for key, told in said.items() if told[0]} == rows


def test_the_evaluator_agrees_with_every_decision_count_and_household_line_of_a_county() -> None:
    load("national", "luliang", "chencang")
    persons = people(1000, 11, VILLAGES, [*MONTHS, date(2025, 4, 1)])
    store(persons)
    codes = list(Item.objects.filter(document__area__in=[LULIANG, CHENCANG]).values_list("code", flat=True))
    enrol_some(persons, codes, AROUND, 12)
    for county in (LULIANG, CHENCANG):
        assert disagreements(run(MONTHS[1], county)) == []
