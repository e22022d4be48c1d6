"""Follow-ups kept in step with the records: created, closed, moved and opened again, whatever came in first."""

import itertools
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from catalog.models import Document, FindingKind
from eldercare.choices import Kind
from eldercare.models import Elder
from eldercare.services.circumstance import circumstance_set
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Bureau, User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import COUNTY, VILLAGE_A1, VILLAGE_A2, visit
from visits.choices import OPEN_FOLLOW_UP, FollowUpKind, FollowUpState
from visits.models import Finding, FollowUp, FollowUpStep, Visit, VisitReturn
from visits.services.follow_up import GONE, follow_ups_refresh

pytestmark = pytest.mark.django_db
NO = {"mode": "电话", "result": "未联系上"}


@pytest.fixture
def elder(county: Document) -> Elder:
    """An elder of 甲一村."""
    return make_elder(date(1942, 5, 17), hukou=VILLAGE_A1, name="赵春梅")


@pytest.fixture
def office(county: Document) -> Bureau:
    """县残联, to whom 康复辅具 is referred."""
    bureau = Bureau.objects.create(area_id=COUNTY, code="cl", name="县残联")
    for code, risk, hours, who in (
        ("aids", "", 240, bureau),
        ("fall", "红", 12, bureau),
        ("power", "黄", 72, None),
    ):
        FindingKind.objects.create(
            document=county,
            code=code,
            name=code,
            group="需求",
            risk=risk,
            hours=hours,
            bureau=who,
            order=1,
            valid=DateRange(date(2026, 1, 1), None),
        )
    return bureau


@pytest.fixture
def lead(county: Document) -> User:
    """Who returns records."""
    return make_user("lead", Role.TOWNSHIP_LEAD, COUNTY)


def refresh(*elders: Elder) -> None:
    """Refresh these elders."""
    follow_ups_refresh(elder_ids=[elder.pk for elder in elders], now=timezone.now())


def found(event: Visit, code: str, risk: str = "") -> Finding:
    """Note a finding on the visit."""
    return Finding.objects.create(visit=event, code=code, name=code, group="需求", risk=risk)


def stands(kind: str | None = None) -> list[tuple[str, str]]:
    """(kind, state) of the follow-ups."""
    rows = FollowUp.objects.all() if kind is None else FollowUp.objects.filter(kind=kind)
    return [(row.kind, row.state) for row in rows.order_by("id")]


def test_two_in_a_row_raise_one_visit_at_home_in_the_village(elder: Elder) -> None:
    visit(elder, "2026-03-02", **NO)
    second = visit(elder, "2026-03-05", **NO)
    refresh(elder)
    row = FollowUp.objects.get()
    assert (row.kind, row.state, row.visit_id, row.area_code) == (
        FollowUpKind.HOME_VISIT,
        FollowUpState.WAITING,
        second.pk,
        VILLAGE_A1,
    )
    assert timezone.localtime(row.due_at).isoformat() == "2026-03-05T23:59:00+08:00"


def test_a_refresh_again_changes_nothing_and_writes_no_audit(elder: Elder) -> None:
    visit(elder, "2026-03-02", **NO)
    visit(elder, "2026-03-05", **NO)
    refresh(elder)
    before = (list(FollowUp.objects.values()), AuditEntry.objects.count())
    refresh(elder)
    assert (list(FollowUp.objects.values()), AuditEntry.objects.count()) == before
    assert AuditEntry.objects.get().data == {"产生": {"n": 1, "ids": [FollowUp.objects.get().pk]}}


def _is_gone(row: FollowUp) -> bool:
    """What stood for a while on records that do not bear it now is history."""
    last = row.steps.last()
    return last is not None and last.note == GONE


@pytest.mark.parametrize(
    "said",
    [
        ["电无", "电无", "上见"],
        ["电无", "上见", "电无", "电无"],
        ["电故", "上见", "电无", "电无"],
        ["上无", "电无", "上见", "电迁"],
    ],
)
def test_every_order_of_arrival_ends_the_same(county: Document, said: list[str]) -> None:
    words = {"无": "未联系上", "见": "见到本人", "故": "已故", "迁": "已迁出"}
    ends = set()
    for order in itertools.permutations(range(len(said))):
        elder = make_elder(date(1942, 5, 17), hukou=VILLAGE_A1)
        numbers = {}
        for day in order:
            mode = "上门" if said[day][0] == "上" else "电话"
            event = visit(elder, f"2026-03-{day + 1:02d}", mode=mode, result=words[said[day][1]])
            numbers[event.pk] = day
            refresh(elder)
        rows = [row for row in FollowUp.objects.filter(elder=elder) if not _is_gone(row)]
        ends.add(tuple(sorted((row.kind, numbers[row.visit_id], row.state, row.due_at) for row in rows)))
    assert len(ends) == 1


def test_a_visit_at_home_that_meets_the_elder_closes_it_by_itself(elder: Elder) -> None:
    visit(elder, "2026-03-02", **NO)
    visit(elder, "2026-03-05", **NO)
    refresh(elder)
    visit(elder, "2026-03-05 15:00")
    refresh(elder)
    row = FollowUp.objects.get()
    assert row.state == FollowUpState.DONE
    assert [(step.actor, step.state, step.note) for step in row.steps.all()] == [
        (None, FollowUpState.DONE, "2026-03-05 15:00 已上门，见到本人")
    ]


def test_a_returned_record_takes_its_follow_up_back(elder: Elder, lead: User) -> None:
    visit(elder, "2026-03-02", **NO)
    second = visit(elder, "2026-03-05", **NO)
    refresh(elder)
    VisitReturn.objects.create(visit=second, reason="没有去", by=lead)
    refresh(elder)
    row = FollowUp.objects.get()
    assert (row.state, row.steps.get().note) == (FollowUpState.DROPPED, GONE)


def test_a_meeting_that_is_returned_opens_the_matter_again(elder: Elder, lead: User) -> None:
    visit(elder, "2026-03-02", **NO)
    visit(elder, "2026-03-05", **NO)
    seen = visit(elder, "2026-03-05 15:00")
    refresh(elder)
    assert stands() == [("上门核实", "已办结")]
    VisitReturn.objects.create(visit=seen, reason="冒充", by=lead)
    refresh(elder)
    row = FollowUp.objects.get()
    assert (row.state, row.closed_at, row.steps.count()) == (FollowUpState.WAITING, None, 2)


def test_an_earlier_record_that_comes_late_moves_the_matter_and_keeps_its_steps(
    elder: Elder, lead: User
) -> None:
    visit(elder, "2026-03-02", **NO)
    visit(elder, "2026-03-06", **NO)
    refresh(elder)
    row = FollowUp.objects.get()
    row.steps.create(state=FollowUpState.WORKING, actor=lead, note="正在去")
    FollowUp.objects.update(state=FollowUpState.WORKING)
    between = visit(elder, "2026-03-04", **NO)
    refresh(elder)
    moved = FollowUp.objects.get()
    assert (moved.pk, moved.visit_id, moved.state) == (row.pk, between.pk, FollowUpState.WORKING)


def test_a_finding_goes_to_the_bureau_of_the_list_in_its_time(elder: Elder, office: Bureau) -> None:
    event = visit(elder, "2026-03-02")
    found(event, "aids")
    refresh(elder)
    row = FollowUp.objects.get()
    assert (row.kind, row.bureau, row.due_at - event.at) == (
        FollowUpKind.REFERRAL,
        office,
        timedelta(hours=240),
    )


def test_a_red_finding_goes_to_its_bureau_and_asks_for_a_visit_within_a_day(
    elder: Elder, office: Bureau
) -> None:
    event = visit(elder, "2026-03-02")
    found(event, "fall", "红")
    refresh(elder)
    rows = {row.kind: row for row in FollowUp.objects.all()}
    assert rows["转介"].due_at - event.at == timedelta(hours=12) and rows["转介"].bureau == office
    assert rows["风险复访"].due_at - event.at == timedelta(hours=24) and rows["风险复访"].risk == "红"


def test_a_finding_before_the_list_was_in_force_is_settled_where_it_was_made(
    elder: Elder, office: Bureau
) -> None:
    found(visit(elder, "2025-12-31"), "aids")
    found(visit(elder, "2025-12-30"), "power", "黄")
    refresh(elder)
    row = FollowUp.objects.get()
    assert (row.title, row.bureau, row.due_at - row.visit.at) == ("power", None, timedelta(hours=72))


def test_a_correction_that_says_the_same_keeps_the_referral_and_its_steps(
    elder: Elder, office: Bureau, lead: User
) -> None:
    first = visit(elder, "2026-03-02")
    found(first, "aids")
    refresh(elder)
    row = FollowUp.objects.get()
    FollowUpStep.objects.create(follow_up=row, state=FollowUpState.WORKING, actor=lead)
    FollowUp.objects.update(state=FollowUpState.WORKING)
    second = visit(elder, "2026-03-02 11:00", corrects=first.pk)
    again = found(second, "aids")
    refresh(elder)
    kept = FollowUp.objects.get()
    assert (kept.pk, kept.finding, kept.visit, kept.state) == (row.pk, again, second, FollowUpState.WORKING)


def test_a_correction_without_the_finding_takes_the_referral_back(elder: Elder, office: Bureau) -> None:
    first = visit(elder, "2026-03-02")
    found(first, "aids")
    refresh(elder)
    visit(elder, "2026-03-02 11:00", corrects=first.pk)
    refresh(elder)
    assert stands() == [("转介", "不需办理")]


def test_a_correction_that_came_first_leaves_one_referral(elder: Elder, office: Bureau) -> None:
    first = visit(elder, "2026-03-02")
    found(first, "aids")
    second = visit(elder, "2026-03-02 11:00", corrects=first.pk)
    found(second, "aids")
    refresh(elder)
    assert [(row.visit, row.state) for row in FollowUp.objects.all()] == [(second, FollowUpState.WAITING)]


def test_what_somebody_closed_stays_closed(elder: Elder, office: Bureau, lead: User) -> None:
    event = visit(elder, "2026-03-02")
    found(event, "aids")
    visit(elder, "2026-03-03", **NO)
    visit(elder, "2026-03-04", **NO)
    refresh(elder)
    for row in FollowUp.objects.all():
        FollowUpStep.objects.create(follow_up=row, state=FollowUpState.DONE, actor=lead, note="已配轮椅")
    FollowUp.objects.update(state=FollowUpState.DONE, closed_at=timezone.now())
    refresh(elder)
    assert sorted(stands()) == [("上门核实", "已办结"), ("转介", "已办结")]


def test_who_moves_takes_what_is_open_along(elder: Elder) -> None:
    visit(elder, "2026-03-02", **NO)
    visit(elder, "2026-03-05", **NO)
    refresh(elder)
    Elder.objects.update(residence_code=VILLAGE_A2)
    refresh(elder)
    assert FollowUp.objects.get().area_code == VILLAGE_A2


def test_a_death_registered_elsewhere_settles_everything_that_is_open(elder: Elder) -> None:
    visit(elder, "2026-03-02", **NO)
    visit(elder, "2026-03-05", **NO)
    visit(elder, "2026-03-06", mode="电话", result="已迁出")
    visit(elder, "2026-03-07", mode="电话", result="已故")
    refresh(elder)
    circumstance_set(elder=elder, kind=Kind.DEATH, value="是", starts=date(2026, 3, 6), source="花名册")
    refresh(elder)
    assert not FollowUp.objects.filter(state__in=OPEN_FOLLOW_UP).exists()
    assert ("死亡核实", "已办结") in stands()


def test_an_ordinary_visit_costs_three_queries(elder: Elder, django_assert_num_queries: Any) -> None:
    visit(elder, "2026-03-02")
    with django_assert_num_queries(3):
        refresh(elder)


def test_a_hundred_elders_cost_as_many_queries_as_one(
    county: Document, office: Bureau, django_assert_max_num_queries: Any
) -> None:
    elders = [make_elder(date(1942, 5, 17), hukou=VILLAGE_A1) for _ in range(100)]
    for elder in elders:
        visit(elder, "2026-03-02", **NO)
        visit(elder, "2026-03-03", **NO)
        found(visit(elder, "2026-03-04", mode="上门"), "aids")
    with django_assert_max_num_queries(16):
        refresh(*elders)
    assert FollowUp.objects.count() == 200
    with django_assert_max_num_queries(10):
        refresh(*elders)


def test_nobody_is_asked_about_without_elders(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        follow_ups_refresh(elder_ids=[], now=datetime.now(tz=timezone.get_current_timezone()))
