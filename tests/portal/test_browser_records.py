"""Records sent back and elders called back in a real Chromium, on a desk and on a phone, the clicks counted."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from eldercare.models import Elder
from operations.crypto import encrypt
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import TOWN_A, VILLAGE_A, make_user
from tests.portal.browser import MARKS, Desk
from tests.portal.visits import owe, visit
from tests.registry import make_elder
from visits.models import CallBack, Signal, VisitReturn

pytestmark = MARKS
LIST = "/visits/records/"
PHONE = "19900001234"
RETURN_CLICKS, CALL_CLICKS = 3, 6


@pytest.fixture
def lead(county: Area) -> User:
    """Lead of 甲镇."""
    return make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)


@pytest.fixture
def elder(county: Area) -> Elder:
    """An elder of 甲镇 with a long name, seen today and last month."""
    found = make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name="阿卜杜热合曼·买买提艾力")
    Elder.objects.filter(pk=found.pk).update(phone_cipher=encrypt(PHONE), phone_last4=PHONE[-4:])
    today = timezone.localdate()
    before = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    owe(found, before)
    record = visit(found, f"{today} 00:00", note="老人精神很好，家中一切正常，已提醒注意用火用电安全")
    Signal.objects.create(visit=record, kind="模拟定位", detail="手机报告的定位精度为 0 米")
    visit(found, f"{before} 10:00")
    return found


@pytest.fixture(params=[(1366, 768), (360, 640)], ids=["desk", "phone"])
def desk(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer, lead: User, elder: Elder
) -> Iterator[Desk]:
    """The lead at the portal."""
    found = Desk(browser, live_server, lead, request.param, set())
    yield found
    found.leave()


def test_a_record_is_returned_from_the_list_in_three_clicks(desk: Desk) -> None:
    desk.page.goto(LIST)
    desk.clicks = 0
    desk.met(f"records-{desk.viewport['width']}")
    desk.click(".row-act summary")
    desk.click(".row-act button:has-text('时间或方式与实际不符')")
    desk.page.wait_for_selector("text=已退回 1 条")
    assert desk.clicks <= RETURN_CLICKS
    assert VisitReturn.objects.get().reason == "时间或方式与实际不符"
    desk.click("table a.strong")
    desk.page.wait_for_selector("text=这条记录不计数")
    desk.met(f"record-{desk.viewport['width']}")


def test_a_double_click_returns_a_record_once(desk: Desk) -> None:
    desk.page.goto(LIST)
    desk.page.locator(".row-act summary").first.click()
    desk.page.locator(".row-act button").first.dblclick()
    desk.page.wait_for_selector("text=已退回 1 条")
    assert VisitReturn.objects.count() == 1


def test_an_elder_is_called_back_in_six_clicks_and_the_record_returned_beside(desk: Desk) -> None:
    desk.page.goto("/visits/call-backs/")
    desk.met(f"call-backs-{desk.viewport['width']}")
    desk.page.get_by_role("button", name="抽取").click()
    desk.page.wait_for_selector("text=种子")
    desk.fresh()
    desk.click("a:has-text('探访回访待拨打')")
    desk.click("a:has-text('去回访')")
    desk.click("button:has-text('查看')")
    desk.page.wait_for_selector(f"text={PHONE}")
    desk.page.fill("input[name=note]", "老人说那天没有人来")
    desk.click("button:has-text('不属实')")
    desk.page.wait_for_selector("text=可以在这一行直接退回")
    assert desk.clicks <= CALL_CLICKS
    desk.met(f"calls-{desk.viewport['width']}")
    desk.click("button:has-text('退回：回访不属实')")
    desk.page.wait_for_selector("text=记录已退回")
    desk.click("a:has-text('验证抽样')")
    desk.page.wait_for_selector("text=验证一致")
    assert CallBack.objects.get().result == "不属实"
