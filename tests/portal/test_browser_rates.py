"""In a real browser: from the county to a person in three clicks, the month submitted in two, one sheet of paper."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from organization.choices import Role
from organization.models import Area, User
from tests.conftest import COUNTY, TOWN_A, VILLAGE_A, make_user
from tests.portal.browser import MARKS, Desk
from tests.portal.test_visit_rates import Oblige, oblige
from tests.visits.conftest import visit
from visits.models import Obligation, VisitMonth

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["oblige"]
pytestmark = MARKS
STAFF = (1366, 768)
A4_PAGE = re.compile(rb"/Type\s*/Page[^s]")
Sit = Callable[[User], Desk]


def last_month() -> date:
    """First day of the month that is over."""
    return (timezone.localdate().replace(day=1) - timedelta(days=1)).replace(day=1)


@pytest.fixture
def sit(browser: "Browser", live_server: LiveServer) -> Sit:
    """Sit somebody down at a desk."""
    return lambda user: Desk(browser, live_server, user, STAFF, set())


@pytest.fixture
def month(oblige: Oblige) -> date:
    """Last month: thirty townships with somebody each, 甲镇 1/2."""
    month = last_month()
    for number in range(30):
        code = f"5303223{number:02d}000"
        Area.objects.create(code=code, name=f"名字很长的第{number}镇（街道）", parent_id=COUNTY)
        oblige(f"5303223{number:02d}201", month=month, met=number % 3 > 0, done=int(number % 3 > 0))
    seen: Obligation = oblige(VILLAGE_A, month=month, met=True, done=1)
    visit(seen.elder, f"{month:%Y-%m}-10")
    oblige(VILLAGE_A, month=month)
    return month


def test_three_clicks_lead_from_the_county_to_a_person(sit: Sit, month: date, bureau_clerk: User) -> None:
    desk = sit(bureau_clerk)
    desk.page.goto(f"/visits/{month:%Y-%m}/rates/")
    desk.met("rates-county")
    desk.click("table >> text=甲镇")
    desk.met("rates-township")
    desk.click("table >> text=甲一村")
    desk.page.wait_for_url("**/people/**")
    desk.click("table.people tbody a.strong")
    desk.page.wait_for_url("**/elders/*/")
    assert desk.clicks == 3
    desk.leave()


def test_thirty_townships_print_on_one_sheet(sit: Sit, month: date, bureau_clerk: User) -> None:
    desk = sit(bureau_clerk)
    for page in ("rates", "trend"):
        desk.page.goto(f"/visits/{month:%Y-%m}/{page}/")
        desk.met(f"print-{page}")
        assert len(A4_PAGE.findall(desk.page.pdf(prefer_css_page_size=True))) == 1, page
    desk.leave()


def test_the_lead_submits_a_month_in_three_clicks_and_a_second_changes_nothing(
    sit: Sit, month: date, county: Area
) -> None:
    desk = sit(make_user("lead_a", Role.TOWNSHIP_LEAD, TOWN_A))
    desk.fresh()
    desk.click("text=探访月报待提交")
    desk.met("report-gaps")
    desk.page.fill("input[name=note]", "外出务工，已约定下月补访")
    desk.page.locator("#next button").dblclick()
    desk.clicks += 1
    desk.page.wait_for_selector("text=锁定的数")
    desk.met("report-submitted")
    row = VisitMonth.objects.get(month=month, area_code=TOWN_A)
    assert (row.state, row.visited, row.obliged) == ("已提交", 1, 2)
    assert desk.clicks <= 3
    desk.click("text=撤回月报")
    desk.page.wait_for_selector("text=已撤回")
    row.refresh_from_db()
    assert row.state == "进行中"
    desk.leave()


def test_the_county_accepts_and_looks_at_the_frozen_figure(
    sit: Sit, oblige: Oblige, bureau_clerk: User, county: Area
) -> None:
    month = last_month()
    row: Obligation = oblige(VILLAGE_A, month=month)
    lead = sit(make_user("lead_a", Role.TOWNSHIP_LEAD, TOWN_A))
    lead.page.goto(f"/visits/{month:%Y-%m}/report/")
    lead.page.fill("input[name=note]", "住院")
    lead.click("#next button")
    lead.page.wait_for_selector("text=锁定的数")
    lead.leave()
    desk = sit(bureau_clerk)
    desk.page.goto(f"/visits/{month:%Y-%m}/report/")
    desk.met("report-county")
    desk.click("text=接收勾选的镇（街）")
    desk.click("text=看快照")
    desk.page.wait_for_selector("text=✓ 一致")
    desk.met("snapshot")
    assert desk.clicks == 2
    desk.page.goto("/visits/months/")
    desk.met("report-months")
    row.refresh_from_db()
    assert not row.met
    desk.leave()
