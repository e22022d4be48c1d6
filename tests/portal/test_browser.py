"""A clerk's way through the pages in a real Chromium: no policy violation, no error, no request to another host."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from eldercare.models import Elder
from organization.models import User
from subsidies.models import Month
from tests.conftest import PASSWORD

CHROMIUM: Final = os.environ.get("PORTAL_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PICTURES: Final = os.environ.get("PORTAL_PICTURES")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="没有 Chromium：浏览器测试未运行"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module; its event loop must not look like an asynchronous context to Django."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Watch:
    """Everything that must not happen while a page is open."""

    def __init__(self, page: Page, host: str) -> None:
        self.faults: list[str] = []
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", lambda request: self._request(request.url, host))
        page.on("response", lambda response: self._response(response.status, response.url))

    def _console(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.faults.append(f"console: {text}")

    def _request(self, url: str, host: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "data" and parts.netloc != host:
            self.faults.append(f"request: {url}")

    def _response(self, status: int, url: str) -> None:
        if status >= 400:
            self.faults.append(f"{status}: {url}")


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


def sign_in(page: Page, user: User) -> None:
    """Sign in by the form."""
    page.goto("/login/")
    page.fill("#id_username", user.username)
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/")


def picture(page: Page, name: str) -> None:
    """Keep a picture where PORTAL_PICTURES says."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


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
        faults += [(path, fault["id"]) for fault in found if fault["impact"] in {"serious", "critical"}]
    context.close()
    assert faults == []


@pytest.mark.parametrize("path", ["/login/", "/login/?idle=1"])
def test_the_sign_in_page_fits_a_phone(browser: Browser, live_server: LiveServer, path: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640}, base_url=live_server.url)
    page = context.new_page()
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
