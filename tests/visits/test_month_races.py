"""Two at once with a visit month: one wins, and the county is frozen exactly once; without the lock it is not."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.utils import timezone

from eldercare.models import Elder
from operations.commands import Refused
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.registry import make_elder
from tests.visits.conftest import (
    COUNTY,
    MARCH,
    SHANGHAI,
    TOWN_A,
    TOWN_B,
    VILLAGE_A1,
    VILLAGE_B1,
    TierMaker,
    open_month,
    refresh,
    visit,
)
from visits.models import RateSnapshot, VisitMonth
from visits.services import month as services
from visits.services.month import (
    visit_month_accept,
    visit_month_submit,
    visit_month_withdraw,
)
from visits.snapshot import digest_of, snapshot_check

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _after_the_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 4, 2, 9, tzinfo=SHANGHAI))


@pytest.fixture
def elders(tier: TierMaker) -> list[Elder]:
    """One visited elder in each of two townships."""
    tier()
    found = [make_elder(date(1950, 5, 5), hukou=village) for village in (VILLAGE_A1, VILLAGE_B1)]
    open_month()
    for elder in found:
        visit(elder, "2026-03-10")
    refresh()
    return found


@pytest.fixture
def leads(elders: list[Elder]) -> list[User]:
    """The leads of both townships."""
    return [make_user(f"lead{code}", Role.TOWNSHIP_LEAD, code) for code in (TOWN_A, TOWN_B)]


@pytest.fixture
def county_staff(elders: list[Elder]) -> list[User]:
    """The county's clerk and chief."""
    return [make_user("clerk", Role.BUREAU_CLERK, COUNTY), make_user("chief", Role.BUREAU_CHIEF, COUNTY)]


@pytest.fixture
def submitted(leads: list[User]) -> None:
    """Both townships have submitted."""
    for code, lead in zip((TOWN_A, TOWN_B), leads, strict=True):
        visit_month_submit(month=MARCH, area_code=code, actor=lead)


def accept(code: str, actor: User) -> Callable[[], VisitMonth]:
    return lambda: visit_month_accept(month=MARCH, area_code=code, actor=actor)


def slowed(monkeypatch: pytest.MonkeyPatch, name: str, wait: float) -> None:
    """Let two threads meet after a reading function of the service, if no lock keeps the second from it."""
    monkeypatch.setattr(services, name, met_after(getattr(services, name), wait))


def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "months_hold_alone", lambda: None)


def test_the_last_of_two_acceptances_at_once_freezes_the_county(
    submitted: None, county_staff: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    slowed(monkeypatch, "_take", IN_VAIN)
    results = at_once(accept(TOWN_A, county_staff[0]), accept(TOWN_B, county_staff[1]))
    assert raised(results) == []
    assert snapshot_check(RateSnapshot.objects.get()).holds


def test_without_the_lock_two_approvers_both_accept(
    submitted: None, county_staff: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_lock(monkeypatch)
    slowed(monkeypatch, "_take", SURELY)
    at_once(*(accept(TOWN_A, user) for user in county_staff))
    assert AuditEntry.objects.filter(action="探访月报接收").count() == 2


def test_of_two_approvers_at_once_one_accepts_and_the_other_is_told(
    submitted: None, county_staff: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    slowed(monkeypatch, "_take", IN_VAIN)
    failed = raised(at_once(*(accept(TOWN_A, user) for user in county_staff)))
    assert [type(error) for error in failed] == [Refused]
    assert "已接收" in str(failed[0])
    assert AuditEntry.objects.filter(action="探访月报接收").count() == 1


def test_a_double_click_submits_once(leads: list[User], monkeypatch: pytest.MonkeyPatch) -> None:
    slowed(monkeypatch, "_take", IN_VAIN)
    step: Callable[[], Any] = lambda: visit_month_submit(month=MARCH, area_code=TOWN_A, actor=leads[0])  # noqa: E731
    assert raised(at_once(step, step)) == []
    assert AuditEntry.objects.filter(action="探访月报提交").count() == 1
    assert VisitMonth.objects.filter(month=MARCH, area_code=TOWN_A).count() == 1


def test_without_the_lock_a_month_is_withdrawn_and_accepted(
    submitted: None, leads: list[User], county_staff: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_lock(monkeypatch)
    slowed(monkeypatch, "_take", SURELY)
    withdraw = lambda: visit_month_withdraw(month=MARCH, area_code=TOWN_A, actor=leads[0])  # noqa: E731
    assert raised(at_once(withdraw, accept(TOWN_A, county_staff[0]))) == []


def test_of_a_withdrawal_and_an_acceptance_at_once_one_wins(
    submitted: None, leads: list[User], county_staff: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    slowed(monkeypatch, "_take", IN_VAIN)
    withdraw = lambda: visit_month_withdraw(month=MARCH, area_code=TOWN_A, actor=leads[0])  # noqa: E731
    failed = raised(at_once(withdraw, accept(TOWN_A, county_staff[0])))
    assert [type(error) for error in failed] == [Refused]
    row = VisitMonth.objects.get(area_code=TOWN_A)
    assert (row.state, row.submitted_by_id is None, row.accepted_by_id is None) in {
        ("进行中", True, True),
        ("已接收", False, False),
    }


def test_a_visit_that_comes_in_beside_a_submission_is_counted_in_it_or_late(
    leads: list[User], elders: list[Elder]
) -> None:
    """Whatever comes first, the submitted figure is the sum of its rows."""
    other = make_elder(date(1950, 5, 5), hukou=VILLAGE_A1)
    open_month()

    def come_in() -> None:
        visit(other, "2026-03-31")
        refresh(elder_ids=[other.pk])

    def submit() -> None:
        visit_month_submit(month=MARCH, area_code=TOWN_A, actor=leads[0], note="补访中")

    assert raised(at_once(come_in, submit)) == []
    row, late = VisitMonth.objects.get(area_code=TOWN_A), other.obligations.get()
    assert (row.obliged, row.visited) == (2, 1 + late.met)
    assert late.met != late.late_met


def test_the_digest_is_of_the_very_bytes(submitted: None, county_staff: list[User]) -> None:
    for code in (TOWN_A, TOWN_B):
        accept(code, county_staff[0])()
    snapshot = RateSnapshot.objects.get()
    assert snapshot.sha256 == digest_of(snapshot.body)
    assert '"total":{"exempt":{},"obliged":2,"visited":2}' in snapshot.body
