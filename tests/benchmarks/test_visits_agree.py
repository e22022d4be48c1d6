"""The rivals of opening a month and of its rate say what the portal says: only then do their times compare."""

from collections.abc import Iterator

import pytest
from django.db import connection

from benchmarks import rates
from benchmarks import visit_county as county
from benchmarks.rivals import visits_per_elder as rival

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def opened(db: None) -> Iterator[int]:
    """A county of 200 elders whose month is open."""
    county.prepare(200)
    persons = county.freeze()
    county.open_month()
    yield persons
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement")


def test_the_rival_opens_the_same_month_for_the_same_visitors(opened: int) -> None:
    found = county.opened()
    assert len(found) > 100
    assert {assignee for *_, assignee in found} != {None}
    assert rival.open_month(opened) == found


def test_the_rival_counts_the_same_rates(opened: int) -> None:
    county.visit_people()
    rates.agree()
    assert sum(row[2] for row in rival.rate_by_township()) > 0
