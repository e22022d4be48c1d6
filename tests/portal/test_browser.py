"""A clerk's way through the pages in a real Chromium: no policy violation, no error, no request to another host."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from eldercare.models import Elder
from organization.models import User
from subsidies.models import Month
from tests.portal.browser import MARKS, SERIOUS, Watch, picture, sign_in

pytestmark = MARKS


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A page at 1366×768; the test fails on anything that its watch saw."""
    context = browser.new_context(
        viewport={"width": 1366, "height": 768}, locale="zh-CN", base_url=live_server.url
    )
    opened = context.new_page()
    watch = Watch(opened, urlsplit(live_server.url).netloc)
    yield opened
    context.close()
    assert watch.faults == []


def test_from_signing_in_to_the_reasons_and_the_month(
    page: Page, bureau_clerk: User, month: Month, elder_a: Elder
) -> None:
    sign_in(page, bureau_clerk)
    picture(page, "workbench")
    page.click("nav.menu >> text=老年人")
    picture(page, "elders")
    page.click(f"text={elder_a.name}")
    page.wait_for_selector("#services details.service")
    page.click("#services details.service >> nth=0 >> summary")
    assert page.is_visible("text=逐条核对")
    picture(page, "elder")
    page.click("nav.menu >> text=月度核定")
    page.click("text=2026年3月 >> nth=-1")
    picture(page, "month")
    page.click("text=漏享（未申请）")
    assert page.is_visible(f"text={elder_a.name}")
    picture(page, "lines")


def test_a_slash_and_four_digits_find_an_elder_by_keyboard_alone(
    page: Page, bureau_clerk: User, elder_a: Elder
) -> None:
    sign_in(page, bureau_clerk)
    page.keyboard.press("/")
    page.keyboard.type(elder_a.id_last4)
    page.keyboard.press("Enter")
    page.wait_for_url("**/elders/?find=*")
    assert page.is_visible(f"text={elder_a.name}")
    assert elder_a.id_last4 not in page.url


def test_the_tree_unfolds_and_the_number_is_revealed_in_place(
    page: Page, bureau_clerk: User, elder_a: Elder
) -> None:
    sign_in(page, bureau_clerk)
    page.goto("/elders/")
    page.click("summary[aria-label='展开甲镇']")
    page.click("text=甲一村")
    page.click(f"text={elder_a.name}")
    page.fill("input[name=reason]", "核对身份证原件")
    page.click("#id-number button")
    page.wait_for_selector(f"text={elder_a.id_number}")


def test_pages_work_without_scripts(
    browser: Browser, live_server: LiveServer, bureau_clerk: User, elder_a: Elder, month: Month
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    sign_in(page, bureau_clerk)
    page.fill("input[data-search]", elder_a.name)
    page.press("input[data-search]", "Enter")
    page.click(f"a:has-text('{elder_a.name}')")
    page.click("#services a")
    assert page.is_visible("text=未申请")
    context.close()


def test_no_page_has_a_serious_accessibility_fault(
    browser: Browser, live_server: LiveServer, bureau_clerk: User, elder_a: Elder, month: Month
) -> None:
    context = browser.new_context(
        base_url=live_server.url, bypass_csp=True
    )  # the checker is an inline script
    page = context.new_page()
    sign_in(page, bureau_clerk)
    faults = []
    for path in (
        "/",
        "/elders/",
        f"/elders/{elder_a.pk}/",
        "/imports/",
        "/months/2026-03/",
        "/items/",
        "/guide/",
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        found = Axe().run(page).response["violations"]
        faults += [(path, fault["id"]) for fault in found if fault["impact"] in SERIOUS]
    context.close()
    assert faults == []


@pytest.mark.parametrize("path", ["/login/", "/login/?idle=1"])
def test_the_sign_in_page_fits_a_phone(browser: Browser, live_server: LiveServer, path: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640}, base_url=live_server.url)
    page = context.new_page()
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
