"""Township staff see to it that everybody is visited, in a real Chromium, clicks counted (users.md TA3, TA4, CH6)."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from eldercare.models import Elder
from operations.crypto import encrypt
from operations.models import AuditEntry, Todo
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import TOWN_A, VILLAGE_A, make_user
from tests.portal.browser import MARKS, Desk
from tests.portal.visits import owe
from tests.registry import make_elder
from visits.models import Obligation, Visit
from visits.services.caseload import obligations_assign

pytestmark = MARKS
PEOPLE = 50


def this_month() -> date:
    return timezone.localdate().replace(day=1)


@pytest.fixture
def li(county: Area) -> User:
    """The only worker of 甲一村, with fifty people to see this month."""
    found = make_user("li", Role.VILLAGE_WORKER, VILLAGE_A)
    User.objects.filter(pk=found.pk).update(full_name="李离岗")
    for number in range(PEOPLE):
        elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name=f"孙{number:02d}")
        owe(elder, this_month())
    Elder.objects.update(phone_cipher=encrypt("13800005678"), phone_last4="5678")
    obligations_assign(month=this_month())
    return found


@pytest.fixture
def wang(county: Area) -> User:
    """A colleague of 甲镇 who can take over."""
    found = make_user("wang", Role.TOWNSHIP_CLERK, TOWN_A)
    User.objects.filter(pk=found.pk).update(full_name="王接手")
    return found


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, li: User, wang: User) -> Iterator[Desk]:
    """The lead of 甲镇 at a desk of 1366×768."""
    lead = make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)
    opened = Desk(browser, live_server, lead, (1366, 768), set())
    yield opened
    opened.leave()


def test_the_unvisited_of_a_village_behind_are_two_clicks_away(desk: Desk) -> None:
    desk.fresh()
    desk.click("nav.menu a:has-text('探访')")
    desk.page.wait_for_selector("table.people")
    desk.met("visit-people")
    desk.click("nav.behind a:has-text('甲一村')")
    desk.page.wait_for_url(f"**area={VILLAGE_A}*")
    assert desk.page.locator("table.people tbody tr").count() == PEOPLE
    assert "未达标" in str(desk.page.locator(".tabs a[aria-current]").text_content())
    assert desk.clicks == 2


def test_fifty_people_of_an_absent_worker_change_hands_in_six_clicks(
    desk: Desk, li: User, wang: User
) -> None:
    desk.fresh()
    desk.click("nav.menu a:has-text('探访')")
    desk.page.wait_for_load_state("networkidle")
    desk.click("a[href='/visits/workers/']")
    desk.page.wait_for_selector("text=李离岗")
    desk.met("visit-workers")
    desk.click("tr:has-text('李离岗') a:has-text('移交')")
    desk.page.wait_for_selector("text=移交 50 人")
    desk.met("visit-hand-over")
    desk.click("label.pick:has-text('王接手')")
    desk.click("button:has-text('移交 50 人')")
    desk.page.wait_for_selector("text=本月移交 50 人")
    assert Obligation.objects.filter(assignee=wang).count() == PEOPLE
    assert desk.clicks <= 6


def test_laggards_are_urged_in_two_clicks(desk: Desk) -> None:
    desk.fresh()
    desk.page.goto(f"/visits/{this_month():%Y-%m}/people/")
    desk.click("button:has-text('催办未达标的 50 人')")
    desk.page.wait_for_selector("text=已催办 50 人的探访")
    assert desk.clicks == 1
    assert "月探访还有人未达标，请在" in Todo.objects.get().title


def test_ticked_people_are_given_away_and_a_number_is_called(desk: Desk, wang: User) -> None:
    desk.page.goto(f"/visits/{this_month():%Y-%m}/people/")
    assert desk.page.locator("button:has-text('分配/移交')").is_disabled()
    desk.page.check("table.people tbody tr:nth-child(1) input[name=person]")
    desk.click("button:has-text('分配/移交')")
    desk.click("label.pick:has-text('王接手')")
    desk.click("button:has-text('分配 1 人')")
    desk.page.wait_for_selector("text=本月移交 1 人")
    assert Obligation.objects.filter(assignee=wang).count() == 1
    desk.click("table.people tbody tr:nth-child(2) .reveal summary")
    desk.page.fill("table.people tbody tr:nth-child(2) .reveal-box input", "电话探访核实")
    desk.click("table.people tbody tr:nth-child(2) .reveal-box button")
    desk.page.wait_for_selector("text=13800005678")
    assert AuditEntry.objects.filter(action="查看完整电话").count() == 1


def test_a_paper_is_typed_in_by_keyboard_alone(
    browser: Browser, live_server: LiveServer, li: User, wang: User
) -> None:
    clerk = Desk(browser, live_server, wang, (1366, 768), set())
    day = timezone.localdate().day
    clerk.page.goto(f"/visits/{this_month():%Y-%m}/entry/?area={VILLAGE_A}")
    keys = clerk.page.keyboard
    keys.type("李离岗")
    keys.press("Tab")
    for place in range(3):
        keys.type(str(day))
        keys.press("Tab")
        keys.press("Tab")
        keys.type("1")
        keys.press("Tab")
        keys.press("Tab") if place < 2 else None
    keys.press("Control+End")
    clerk.met("visit-entry")
    clerk.page.locator(".foot-bar button").focus()
    keys.press("Enter")
    clerk.page.wait_for_selector("text=已登记 3 条")
    assert Visit.objects.filter(result="见到本人", recorder=wang, visitor="李离岗").count() == 3
    clerk.page.go_back()
    clerk.page.wait_for_load_state("networkidle")
    clerk.page.locator(".foot-bar button").click()
    clerk.page.wait_for_load_state("networkidle")
    assert Visit.objects.count() == 3
    clerk.leave()
