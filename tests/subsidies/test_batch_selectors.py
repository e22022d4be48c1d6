"""What waits to be paid again, what a batch would leave out, and what one elder was paid."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from eldercare.models import Elder
from subsidies.batch_selectors import LeftOut, elder_payments, failed_open, left_out
from subsidies.choices import AnomalyKind, AnomalyState, BatchKind
from subsidies.models import Anomaly, Month
from subsidies.services.batch import batch_build
from tests.conftest import COUNTY
from tests.registry import make_elder
from tests.subsidies.county import item, publish_list, run
from tests.subsidies.money import Staff, account, arrive, built, staff, terms, void

pytestmark = pytest.mark.django_db(transaction=True)
FEBRUARY, MARCH = date(2025, 2, 1), date(2025, 3, 1)
NOTHING = Decimal(0)


@pytest.fixture
def people(db: None) -> Staff:
    """POOR pays 50 a month from February on."""
    publish_list(item("POOR", "低保"))
    terms("POOR", FEBRUARY)
    return staff()


def poor(*, with_account: bool = True) -> Elder:
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    if with_account:
        account(elder)
    return elder


def hold(month: Month, elder: Elder, people: Staff) -> None:
    Anomaly.objects.create(
        run=month,
        elder=elder,
        kind=AnomalyKind.HOLDER,
        detail="户名不是本人",
        fingerprint="x",
        area_code=elder.hukou_code,
        state=AnomalyState.HELD,
        decided_by=people.chief,
        decided_at=timezone.now(),
    )


def test_a_failed_line_waits_until_it_is_paid_again(people: Staff) -> None:
    elder = poor()
    poor()
    month = run(FEBRUARY)
    arrive(built(month, people.maker), elder)
    assert [line.elder for line in failed_open(COUNTY)] == [elder]
    batch = batch_build(month=month, kind=BatchKind.REISSUE, actor=people.maker)
    assert not failed_open(COUNTY).exists()
    void(batch)
    assert [line.elder for line in failed_open(COUNTY)] == [elder]


def test_failed_lines_of_another_county_are_not_among_them(people: Staff) -> None:
    elder = poor()
    arrive(built(run(FEBRUARY), people.maker), elder)
    assert not failed_open("530324000000").exists()


def test_what_a_batch_would_leave_out_is_counted_over_all_its_months(people: Staff) -> None:
    poor()
    without, held = poor(with_account=False), poor()
    run(FEBRUARY)
    month = run(MARCH)
    hold(month, held, people)
    hold(month, without, people)
    assert left_out(month) == LeftOut(2, Decimal(100), 2, Decimal(100))
    batch = built(month, people.maker)
    assert batch.lines == 2
    assert left_out(month).lines == 4


def test_nothing_is_left_out_where_the_portal_pays_nothing(people: Staff) -> None:
    poor(with_account=False)
    assert left_out(run(date(2025, 1, 1))) == LeftOut(0, NOTHING, 0, NOTHING)


def test_an_elders_payments_are_listed_newest_first(people: Staff) -> None:
    elder = poor()
    poor()
    arrive(built(run(FEBRUARY), people.maker))
    arrive(built(run(MARCH), people.maker))
    assert [line.month for line in elder_payments(elder)] == [MARCH, FEBRUARY]
