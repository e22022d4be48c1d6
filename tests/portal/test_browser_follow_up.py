"""Follow-ups in a real Chromium: a bureau closes a referral, a clerk stops a payment; clicks counted, pages seen."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from eldercare.choices import Kind
from organization.choices import Role
from organization.models import Area, Assignment, Bureau, User
from tests.conftest import COUNTY, PASSWORD, TOWN_A, make_user
from tests.portal.browser import MARKS, Desk
from tests.portal.test_follow_ups import matter
from visits.choices import FollowUpKind, FollowUpState
from visits.models import FollowUp

pytestmark = MARKS
DESKTOP = (1366, 768)
Desks = Callable[[User], Desk]


@pytest.fixture
def desks(browser: Browser, live_server: LiveServer) -> Iterator[Desks]:
    """Open a desk for a user; all are closed, and their faults told, in the end."""
    opened: list[Desk] = []
    looked: set[str] = set()

    def open_for(user: User) -> Desk:
        opened.append(Desk(browser, live_server, user, DESKTOP, looked))
        return opened[-1]

    yield open_for
    for desk in opened:
        desk.leave()


def test_a_bureau_takes_a_referral_and_closes_it_in_five_clicks(county: Area, desks: Desks) -> None:
    bureau = Bureau.objects.create(area_id=COUNTY, code="cl", name="县残联")
    officer = User.objects.create_user("officer", password=PASSWORD, full_name="残联王")
    Assignment.objects.create(user=officer, role=Role.DEPARTMENT, area_id=COUNTY, bureau=bureau)
    row = matter(bureau=bureau, name="赵春梅")
    matter(bureau=bureau, name="钱乙福", hours=-30, risk="红")
    desk = desks(officer)
    desk.fresh()
    desk.met("workbench-bureau")
    desk.click("text=跟进转介未办结")
    desk.met("follow-up-list")
    desk.click("text=赵春梅")
    desk.met("follow-up-referral")
    desk.click("text=只接收")
    desk.click("#note")
    desk.page.keyboard.type("已上门评估，配发轮椅一辆")
    desk.click("button:has-text('已办结')")
    desk.met("follow-up-closed")
    row.refresh_from_db()
    assert (row.state, row.steps.count()) == (FollowUpState.DONE, 2)
    assert desk.clicks <= 5


def test_a_clerk_registers_a_reported_death_in_five_clicks(county: Area, desks: Desks) -> None:
    row = matter(FollowUpKind.DEATH, result="已故", name="赵春梅")
    desk = desks(make_user("clerk", Role.TOWNSHIP_CLERK, TOWN_A))
    desk.fresh()
    desk.met("workbench-clerk")
    desk.click("text=报告去世待核实")
    desk.click("text=赵春梅")
    desk.met("follow-up-death")
    desk.click("#evidence")
    desk.page.keyboard.type("火化证明")
    desk.click("text=属实，登记并停发")
    desk.met("follow-up-death-done")
    fact = row.elder.circumstances.get(kind=Kind.DEATH)
    assert (fact.valid.lower, fact.document) == (row.visit.event_day, "火化证明")
    assert desk.clicks <= 5


def test_a_false_report_is_closed_in_five_clicks(county: Area, desks: Desks) -> None:
    row = matter(FollowUpKind.MOVED_OUT, result="已迁出", name="赵春梅")
    desk = desks(make_user("clerk", Role.TOWNSHIP_CLERK, TOWN_A))
    desk.fresh()
    desk.click("text=报告迁出、入机构待核实")
    desk.click("text=赵春梅")
    desk.click("text=误报或先记下情况")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.type("同名误报，本人在家")
    desk.click("text=误报，办结")
    desk.met("follow-up-false")
    row.refresh_from_db()
    assert row.state == FollowUpState.DROPPED and desk.clicks <= 5


def test_a_lead_sees_what_is_to_be_done_in_visits(county: Area, desks: Desks) -> None:
    for number in range(3):
        matter(FollowUpKind.HOME_VISIT, name=f"老人{number}", hours=-50 if number == 0 else 5)
    FollowUp.objects.filter(elder__name="老人2").update(due_at=timezone.now() + timedelta(days=3))
    desk = desks(make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A))
    desk.fresh()
    desk.met("workbench-lead-visits")
    desk.click("text=跟进事项已过时限")
    desk.met("follow-up-overdue")
    assert desk.page.locator("tbody tr").count() == 1
