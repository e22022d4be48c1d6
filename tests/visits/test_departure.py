"""Confirming a reported death, move or institution: what is registered and what else ends with it."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from catalog.models import Document
from eldercare.choices import Kind
from eldercare.models import Elder
from operations.commands import Refused
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import TOWN_A, VILLAGE_A1, TierMaker, open_month, visit
from visits.choices import OPEN_FOLLOW_UP, FollowUpState
from visits.models import FollowUp, Obligation
from visits.services.arrival import visits_arrived
from visits.services.departure import departure_confirm
from visits.services.follow_up_step import follow_up_close

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 20)


@pytest.fixture
def elder(county: Document) -> Elder:
    """An elder of 甲一村."""
    return make_elder(date(1942, 5, 17), hukou=VILLAGE_A1, name="赵春梅")


@pytest.fixture
def clerk(county: Document) -> User:
    """Clerk of 甲镇."""
    return make_user("clerk", Role.TOWNSHIP_CLERK, TOWN_A)


def reported(elder: Elder, result: str = "已故") -> FollowUp:
    """A record with this result came in."""
    event = visit(elder, "2026-03-10", mode="电话", result=result, event_day=date(2026, 3, 9))
    visits_arrived(visit_ids=[event.pk], now=timezone.now())
    return FollowUp.objects.get(visit=event)


def confirm(row: FollowUp, actor: User, day: date = date(2026, 3, 9), **more: str) -> FollowUp:
    """Confirm it."""
    values = {"evidence": "家属出示死亡证明"} | more
    return departure_confirm(follow_up_id=row.pk, day=day, seen=0, actor=actor, **values)


def test_a_death_is_registered_with_its_source_and_evidence(elder: Elder, clerk: User) -> None:
    row = confirm(reported(elder), clerk)
    fact = elder.circumstances.get(kind=Kind.DEATH)
    assert (fact.valid.lower, fact.valid.upper, fact.source, fact.document) == (
        date(2026, 3, 9),
        None,
        "探访核实",
        "家属出示死亡证明",
    )
    assert (row.state, row.steps.get().note) == (FollowUpState.DONE, "2026-03-09：家属出示死亡证明")


def test_the_months_obligation_is_exempt_from_that_day(elder: Elder, clerk: User, tier: TierMaker) -> None:
    tier()
    open_month()
    confirm(reported(elder), clerk)
    row = Obligation.objects.get()
    assert (row.exempt_from, row.exempt_reason) == (date(2026, 3, 9), "死亡")


def test_what_else_was_to_be_done_ends_with_it(elder: Elder, clerk: User) -> None:
    for day in ("2026-03-02", "2026-03-03"):
        visit(elder, day, mode="电话", result="未联系上")
    confirm(reported(elder), clerk)
    assert not FollowUp.objects.filter(state__in=OPEN_FOLLOW_UP).exists()


def test_moving_out_is_registered_with_its_day(elder: Elder, clerk: User) -> None:
    confirm(reported(elder, "已迁出"), clerk, evidence="派出所迁出证明")
    assert elder.circumstances.get(kind=Kind.MOVED_OUT).valid.lower == date(2026, 3, 9)


def test_an_institution_is_registered_as_one_and_nothing_else(elder: Elder, clerk: User) -> None:
    confirm(reported(elder, "入机构"), clerk, institution="养老机构")
    assert elder.circumstances.get(kind=Kind.INSTITUTION).value == "养老机构"
    assert not elder.circumstances.filter(kind__in=(Kind.DEATH, Kind.MOVED_OUT)).exists()


@pytest.mark.parametrize(
    ("result", "institution"), [("已迁出", "养老机构"), ("入机构", "医院"), ("入机构", "宾馆")]
)
def test_only_who_was_reported_there_lives_in_an_institution(
    elder: Elder, clerk: User, result: str, institution: str
) -> None:
    with pytest.raises(Refused, match="入住的机构只能选"):
        confirm(reported(elder, result), clerk, institution=institution)
    assert not elder.circumstances.filter(kind=Kind.INSTITUTION).exists()


@pytest.mark.parametrize(
    ("day", "said"),
    [(date(1942, 5, 16), "早于出生日期"), (date(1942, 5, 17), ""), (None, ""), (date.max, "在今天之后")],
)
def test_the_day_lies_between_birth_and_today(elder: Elder, clerk: User, day: date | None, said: str) -> None:
    row = reported(elder)
    try:
        confirm(row, clerk, day=day or timezone.localdate())
    except Refused as refusal:
        assert said and said in str(refusal)
    row.refresh_from_db()
    assert (row.state == FollowUpState.DONE) is (said == "")


@pytest.mark.parametrize("evidence", ["", "  ", "长" * 101])
def test_without_evidence_nothing_is_registered(elder: Elder, clerk: User, evidence: str) -> None:
    with pytest.raises(Refused, match="请写明依据"):
        confirm(reported(elder), clerk, evidence=evidence)
    assert not elder.circumstances.filter(kind=Kind.DEATH).exists()


def test_confirming_twice_registers_once(elder: Elder, clerk: User) -> None:
    row = reported(elder)
    confirm(row, clerk)
    confirm(row, clerk)
    assert (row.steps.count(), elder.circumstances.filter(kind=Kind.DEATH).count()) == (1, 1)


def test_a_false_report_leaves_everything_as_it_was(elder: Elder, clerk: User, tier: TierMaker) -> None:
    tier()
    open_month()
    before = list(Obligation.objects.values())
    row = reported(elder)
    follow_up_close(
        follow_up_id=row.pk, state=FollowUpState.DROPPED, note="同名误报，本人健在", seen=0, actor=clerk
    )
    visits_arrived(visit_ids=[row.visit_id], now=timezone.now() + timedelta(hours=1))
    row.refresh_from_db()
    assert row.state == FollowUpState.DROPPED and FollowUp.objects.count() == 1
    assert not elder.circumstances.filter(kind=Kind.DEATH).exists()
    assert list(Obligation.objects.values()) == before
