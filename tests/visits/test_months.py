"""To whose month an area belongs: the same in Python, in SQL and as a filter."""

from datetime import date

import pytest
from django.db import connection

from tests.registry import make_elder
from tests.visits.conftest import COUNTY, MARCH, TOWN_A, TOWN_B, VILLAGE_A1, TierMaker
from visits.models import Obligation
from visits.months import township_of, township_sql

PLACES = [
    (VILLAGE_A1, TOWN_A),
    (TOWN_A, TOWN_A),  # a township without a village
    (COUNTY, COUNTY),  # a county without a township
    ("530323101201", COUNTY),  # outside the county
    ("530302001001", COUNTY),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("area", "township"), PLACES)
def test_an_area_belongs_to_one_month(tier: TierMaker, area: str, township: str) -> None:
    assert township_of(area, COUNTY) == township
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {township_sql('%s', '%s')}", [area, COUNTY, area, COUNTY])
        assert cursor.fetchone() == (township,)
    Obligation.objects.create(
        month=MARCH,
        county_code=COUNTY,
        elder=make_elder(date(1940, 5, 5)),
        tier=tier(),
        area_code=area,
        due=1,
    )
    held = [code for code in (COUNTY, TOWN_A, TOWN_B) if Obligation.objects.of_township(code, COUNTY)]
    assert held == [township]
