"""A township's month: submitted, withdrawn, accepted, sent back, and frozen with the last one."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from django.utils import timezone

from eldercare.models import Elder
from operations.commands import Refused
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import make_user
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
from visits.choices import MonthAction, MonthState
from visits.models import Obligation, RateSnapshot, VisitMonth
from visits.month_table import TRANSITIONS
from visits.months import locked_townships
from visits.services.month import (
    visit_month_accept,
    visit_month_send_back,
    visit_month_submit,
    visit_month_withdraw,
    visit_months_open,
)

pytestmark = pytest.mark.django_db
APRIL_2 = datetime(2026, 4, 2, 9, tzinfo=SHANGHAI)
Step = Callable[..., VisitMonth]


@pytest.fixture(autouse=True)
def _after_the_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: APRIL_2)


@pytest.fixture
def elders(tier: TierMaker) -> dict[str, Elder]:
    """One visited and one unvisited elder in 甲镇, one visited in 乙镇; March is open."""
    tier(rule="户籍在本县")
    found = {
        "seen": make_elder(date(1950, 5, 5), hukou=VILLAGE_A1),
        "missed": make_elder(date(1950, 5, 5), hukou=VILLAGE_A1),
        "other": make_elder(date(1950, 5, 5), hukou=VILLAGE_B1),
    }
    open_month()
    visit(found["seen"], "2026-03-10")
    visit(found["other"], "2026-03-10")
    return found


@pytest.fixture
def lead_a(county: Area) -> User:
    return make_user("lead_a", Role.TOWNSHIP_LEAD, TOWN_A)


@pytest.fixture
def lead_b(county: Area) -> User:
    return make_user("lead_b", Role.TOWNSHIP_LEAD, TOWN_B)


@pytest.fixture
def clerk(county: Area) -> User:
    return make_user("county_clerk", Role.BUREAU_CLERK, COUNTY)


@pytest.fixture
def chief(county: Area) -> User:
    return make_user("county_chief", Role.BUREAU_CHIEF, COUNTY)


def submit_a(lead: User, note: str = "外出务工，已电话联系") -> VisitMonth:
    return visit_month_submit(month=MARCH, area_code=TOWN_A, actor=lead, note=note)


def test_submitting_locks_the_township_with_its_figure(elders: dict[str, Elder], lead_a: User) -> None:
    row = submit_a(lead_a)
    assert (row.state, row.obliged, row.visited, row.submitted_by) == (MonthState.SUBMITTED, 2, 1, lead_a)
    assert locked_townships([MARCH]) == {(MARCH, TOWN_A)}


def test_a_submission_counts_what_no_refresh_has_seen_yet(elders: dict[str, Elder], lead_a: User) -> None:
    visit(elders["missed"], "2026-03-31 23:59:59")
    assert submit_a(lead_a, note="").visited == 2


@pytest.mark.parametrize(
    ("at", "refused"),
    [("2026-03-30 23:59:59", True), ("2026-03-31 00:00:00", False), ("2026-03-15 10:00", True)],
)
def test_a_month_can_be_submitted_from_its_last_day_on(
    elders: dict[str, Elder], lead_a: User, at: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat(at).replace(tzinfo=SHANGHAI))
    if refused:
        with pytest.raises(Refused, match="03月31日起可以提交"):
            submit_a(lead_a)
    else:
        assert submit_a(lead_a).state == MonthState.SUBMITTED


def test_who_is_not_visited_must_be_explained(elders: dict[str, Elder], lead_a: User) -> None:
    with pytest.raises(Refused, match="请填写未达标说明"):
        submit_a(lead_a, note="  ")
    assert not locked_townships([MARCH])


def test_a_township_without_gaps_submits_without_a_note(elders: dict[str, Elder], lead_b: User) -> None:
    row = visit_month_submit(month=MARCH, area_code=TOWN_B, actor=lead_b)
    assert (row.obliged, row.visited) == (1, 1)


def test_a_note_that_is_too_long_is_refused_whole(elders: dict[str, Elder], lead_a: User) -> None:
    with pytest.raises(Refused, match="301 个字，最多 300 个字"):
        submit_a(lead_a, note="长" * 301)


def test_a_month_that_was_never_opened_cannot_be_submitted(elders: dict[str, Elder], lead_a: User) -> None:
    with pytest.raises(Refused, match="没有应访对象"):
        visit_month_submit(month=date(2026, 2, 1), area_code=TOWN_A, actor=lead_a)


def test_a_future_month_cannot_be_submitted(elders: dict[str, Elder], lead_a: User) -> None:
    with pytest.raises(Refused, match="还没有结束"):
        visit_month_submit(month=date(2026, 5, 1), area_code=TOWN_A, actor=lead_a)


def test_another_townships_lead_cannot_submit(elders: dict[str, Elder], lead_b: User) -> None:
    with pytest.raises(Refused, match="没有“提交探访月报”的权限"):
        submit_a(lead_b)


def test_submitting_twice_is_submitting_once(elders: dict[str, Elder], lead_a: User) -> None:
    first = submit_a(lead_a)
    again = submit_a(lead_a, note="再点一次")
    assert (again.submitted_at, again.note) == (first.submitted_at, first.note)
    assert AuditEntry.objects.filter(action="探访月报提交").count() == 1


def test_a_second_lead_is_told_who_submitted(elders: dict[str, Elder], lead_a: User) -> None:
    other = make_user("lead_a2", Role.TOWNSHIP_LEAD, TOWN_A)
    submit_a(lead_a)
    with pytest.raises(Refused, match=r"已提交.*负责人一.*04-02 09:00"):
        submit_a(other)


def test_late_visits_stand_beside_a_submitted_figure(elders: dict[str, Elder], lead_a: User) -> None:
    submit_a(lead_a)
    visit(elders["missed"], "2026-03-20")
    refresh()
    row = Obligation.objects.get(elder=elders["missed"])
    assert (row.done, row.met, row.late_done, row.late_met) == (0, False, 1, True)


def test_a_return_after_submission_moves_nothing(elders: dict[str, Elder], lead_a: User) -> None:
    submit_a(lead_a)
    visit(elders["seen"], "2026-03-10", result="未联系上", corrects=elders["seen"].visits.get().pk)
    refresh()
    row = Obligation.objects.get(elder=elders["seen"])
    assert (row.done, row.met, row.late_done, row.late_met) == (1, True, 0, False)


def test_withdrawing_unlocks_and_counts_what_was_late(elders: dict[str, Elder], lead_a: User) -> None:
    submit_a(lead_a)
    visit(elders["missed"], "2026-03-20")
    refresh()
    row = visit_month_withdraw(month=MARCH, area_code=TOWN_A, actor=lead_a)
    found = Obligation.objects.get(elder=elders["missed"])
    assert (row.state, row.obliged, row.submitted_at) == (MonthState.OPEN, 0, None)
    assert (found.done, found.met, found.late_done, found.late_met) == (1, True, 0, False)


def test_what_was_accepted_cannot_be_withdrawn(elders: dict[str, Elder], lead_a: User, clerk: User) -> None:
    submit_a(lead_a)
    visit_month_accept(month=MARCH, area_code=TOWN_A, actor=clerk)
    with pytest.raises(Refused, match=r"已接收.*不能撤回"):
        visit_month_withdraw(month=MARCH, area_code=TOWN_A, actor=lead_a)


def test_nobody_accepts_what_he_submitted(elders: dict[str, Elder], lead_a: User) -> None:
    both = make_user("both", Role.BUREAU_CLERK, COUNTY)
    both.assignments.create(role=Role.TOWNSHIP_LEAD, area_id=TOWN_A)
    submit_a(both)
    with pytest.raises(Refused, match="您自己提交"):
        visit_month_accept(month=MARCH, area_code=TOWN_A, actor=both)


def test_a_township_lead_accepts_nothing(elders: dict[str, Elder], lead_a: User) -> None:
    submit_a(lead_a)
    with pytest.raises(Refused, match="接收探访月报"):
        visit_month_accept(month=MARCH, area_code=TOWN_A, actor=make_user("l2", Role.TOWNSHIP_LEAD, TOWN_A))


def test_sending_back_needs_a_reason_and_leaves_it_on_the_month(
    elders: dict[str, Elder], lead_a: User, clerk: User
) -> None:
    submit_a(lead_a)
    with pytest.raises(Refused, match="请填写退回原因"):
        visit_month_send_back(month=MARCH, area_code=TOWN_A, actor=clerk, reason="")
    row = visit_month_send_back(month=MARCH, area_code=TOWN_A, actor=clerk, reason="请补访甲一村")
    assert (row.state, row.note) == (MonthState.OPEN, "退回：请补访甲一村")
    assert AuditEntry.objects.get(action="探访月报退回").data["reason"] == "请补访甲一村"


def test_an_accepted_month_can_be_sent_back_until_the_county_is_frozen(
    elders: dict[str, Elder], lead_a: User, lead_b: User, clerk: User
) -> None:
    submit_a(lead_a)
    visit_month_accept(month=MARCH, area_code=TOWN_A, actor=clerk)
    assert visit_month_send_back(month=MARCH, area_code=TOWN_A, actor=clerk, reason="漏报").state == "进行中"
    submit_a(lead_a)
    visit_month_accept(month=MARCH, area_code=TOWN_A, actor=clerk)
    visit_month_submit(month=MARCH, area_code=TOWN_B, actor=lead_b)
    visit_month_accept(month=MARCH, area_code=TOWN_B, actor=clerk)
    with pytest.raises(Refused, match="全县数字已经锁定"):
        visit_month_send_back(month=MARCH, area_code=TOWN_A, actor=clerk, reason="漏报")


@pytest.mark.parametrize("state", list(MonthState))
@pytest.mark.parametrize("action", list(MonthAction))
def test_only_the_steps_of_the_table_are_taken(
    elders: dict[str, Elder], lead_a: User, clerk: User, state: MonthState, action: MonthAction
) -> None:
    maker = make_user("maker", Role.TOWNSHIP_LEAD, TOWN_A)
    row = VisitMonth.objects.create(
        month=MARCH, county_code=COUNTY, area_code=TOWN_A, state=state, submitted_by=maker, accepted_by=maker
    )
    steps: dict[MonthAction, Callable[[], VisitMonth]] = {
        MonthAction.SUBMIT: lambda: submit_a(lead_a),
        MonthAction.WITHDRAW: lambda: visit_month_withdraw(month=MARCH, area_code=TOWN_A, actor=lead_a),
        MonthAction.ACCEPT: lambda: visit_month_accept(month=MARCH, area_code=TOWN_A, actor=clerk),
        MonthAction.SEND_BACK: lambda: visit_month_send_back(
            month=MARCH, area_code=TOWN_A, actor=clerk, reason="请补"
        ),
    }
    transition = TRANSITIONS.get((state, action))
    if transition is None:
        with pytest.raises(Refused):
            steps[action]()
        row.refresh_from_db()
        assert row.state == state
    else:
        assert steps[action]().state == transition.target


def test_opening_again_leaves_a_submitted_township_as_it_is(
    elders: dict[str, Elder], lead_a: User, lead_b: User
) -> None:
    submit_a(lead_a)
    for village in (VILLAGE_A1, VILLAGE_B1):
        make_elder(date(1950, 5, 5), hukou=village)
    visit_months_open(month=MARCH, county_code=COUNTY)
    assert open_month() == 1
    assert Obligation.objects.filter(area_code=VILLAGE_A1).count() == 2
    assert set(VisitMonth.objects.values_list("area_code", "state")) == {
        (TOWN_A, "已提交"),
        (TOWN_B, "进行中"),
        (COUNTY, "进行中"),
    }


def test_the_last_acceptance_freezes_the_county(
    elders: dict[str, Elder], lead_a: User, lead_b: User, clerk: User, chief: User
) -> None:
    outside = make_elder(date(1950, 5, 5), hukou=VILLAGE_A1, residence="530302001001")
    open_month()
    submit_a(lead_a)
    visit_month_submit(month=MARCH, area_code=TOWN_B, actor=lead_b)
    visit_month_accept(month=MARCH, area_code=TOWN_A, actor=clerk)
    assert not RateSnapshot.objects.exists()
    visit_month_accept(month=MARCH, area_code=TOWN_B, actor=chief)
    snapshot = RateSnapshot.objects.get()
    assert (snapshot.county_code, snapshot.taken_by) == (COUNTY, chief)
    assert (MARCH, COUNTY) in locked_townships([MARCH])
    assert Obligation.objects.get(elder=outside).area_code == "530302001001"
