"""The month on real rows: golden cases of the domain and the rules of the run."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from catalog.pack import read_pack
from catalog.services.pack import pack_load
from eldercare.models import Elder
from subsidies.models import Adjustment, Entitlement, Month
from subsidies.services.month import month_run
from tests.registry import add, make_elder

LULIANG = "530322000000"
FIXTURES = Path(__file__).parents[2] / "fixtures"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def luliang(db: None) -> None:
    for name in ("national", "luliang"):
        pack_load(pack=read_pack((FIXTURES / f"{name}.yaml").read_text(encoding="utf-8")))


def run(month: date) -> Month:
    return month_run(county_code=LULIANG, month=month)


def drawn(elder: Elder, month: date) -> dict[str, Decimal | None]:
    """What the elder draws: money items with outcome 应发."""
    row = Month.objects.get(month=month)
    lines = (
        Entitlement.objects.of(row)
        .filter(elder=elder, outcome="应发", item__form="现金")
        .select_related("item")
    )
    return {line.item.code: line.amount for line in lines}


def test_a_disabled_poor_elder_of_82_draws_290_yuan_from_four_benefits() -> None:
    elder = make_elder(
        date(1942, 1, 10),
        low_income_allowance=True,
        disability_type="肢体",
        disability_level=1,
        long_term_care=True,
        ability_level=(3, date(2024, 3, 1)),
    )
    run(date(2024, 6, 1))
    assert drawn(elder, date(2024, 6, 1)) == {
        "L03a": Decimal(50),
        "L19": Decimal(50),
        "L21": Decimal(100),
        "L22": Decimal(90),
    }
