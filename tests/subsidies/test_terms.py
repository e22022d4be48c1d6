"""Payment terms: from which month on the portal may begin to pay."""

from datetime import date

import pytest

from catalog.models import Item
from subsidies.choices import FirstMonth
from subsidies.models import PaymentTerms
from subsidies.refusals import MoneyRefusedError
from subsidies.services.terms import Terms, terms_set
from tests.subsidies.county import item, publish_list, run
from tests.subsidies.money import Staff, staff

JANUARY, FEBRUARY, MARCH = (date(2025, n, 1) for n in (1, 2, 3))
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(db: None) -> Staff:
    """January and February are decided; nothing is paid by the portal yet."""
    publish_list(item("POOR", "低保"))
    who = staff()
    run(JANUARY)
    run(FEBRUARY)
    return who


def start(month: date, people: Staff, *, notice_days: int = 0) -> PaymentTerms:
    given = Terms(month, notice_days, FirstMonth.APPLIED, 0, 30)
    return terms_set(item=Item.objects.get(code="POOR"), terms=given, actor=people.maker)


def test_months_decided_before_the_newest_are_not_paid_again_by_a_slip_of_the_pen(people: Staff) -> None:
    with pytest.raises(MoneyRefusedError, match="2025年02月"):
        start(JANUARY, people)
    assert not PaymentTerms.objects.exists()


@pytest.mark.parametrize("month", [FEBRUARY, MARCH])
def test_the_newest_decided_month_or_a_later_one_may_be_the_first(people: Staff, month: date) -> None:
    assert start(month, people).first_month == month


def test_the_first_month_does_not_move_behind_the_newest_decided_one(people: Staff) -> None:
    start(MARCH, people)
    with pytest.raises(MoneyRefusedError, match="2025年02月"):
        start(JANUARY, people)
    assert PaymentTerms.objects.get().first_month == MARCH


def test_terms_that_stand_keep_their_first_month_when_the_rest_is_changed(people: Staff) -> None:
    start(FEBRUARY, people)
    run(MARCH)
    assert start(FEBRUARY, people, notice_days=7).notice_days == 7
