"""The hand-written SQL month says what the portal's month says: only then do their times compare."""

from collections.abc import Iterator

import pytest
from django.db import connection

from benchmarks import ours
from benchmarks.agreement import sql_differences
from benchmarks.county import county_change, county_prepare
from benchmarks.rivals import month_sql

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def county(db: None) -> Iterator[None]:
    county_prepare(2_000)
    month_sql.prepare()
    yield
    month_sql.remove()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement")


def assert_agreement() -> None:
    found = sql_differences()
    assert all(rows for _, rows in found.values()), "there is something to compare"
    assert {name: differing for name, (differing, _) in found.items()} == dict.fromkeys(found, 0)


def test_the_sql_script_and_the_portal_decide_the_same_month(county: None) -> None:
    ours.run()
    month_sql.run()
    assert_agreement()


def test_a_rerun_after_news_ends_where_a_run_from_scratch_would(county: None) -> None:
    ours.run()
    assert county_change(seed=7) > 0
    assert ours.run()["revision"] == 2
    month_sql.run()
    assert_agreement()
