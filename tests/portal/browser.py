"""A real Chromium for tests of pages: what must not happen while one is open, signing in, pictures, counted clicks."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from organization.models import User
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
SERIOUS: Final = frozenset({"serious", "critical"})
MARKS: Final = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="没有 Chromium：浏览器测试未运行"),
    pytest.mark.django_db(transaction=True),
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """One Chromium; its event loop must not look like an asynchronous context to Django."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()
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


class Desk:
    """One person at the portal, signed in; clicks are counted from the workbench on.

    looked: names of pages that were looked at already, by this person or others of the test.
    """

    def __init__(
        self, browser: Browser, server: LiveServer, user: User, size: tuple[int, int], looked: set[str]
    ) -> None:
        self.browser, self.looked, self.clicks = browser, looked, 0
        self.viewport = {"width": size[0], "height": size[1]}
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN", base_url=server.url
        )
        self.page = self.context.new_page()
        self.watch = Watch(self.page, urlsplit(server.url).netloc)
        self.faulty: list[tuple[str, str]] = []
        sign_in(self.page, user)

    def click(self, selector: str) -> None:
        """Click what is seen, and count it."""
        self.page.locator(selector).first.click()
        self.clicks += 1

    def fresh(self) -> None:
        """Back to the workbench: a new task begins."""
        self.page.goto("/")
        self.clicks = 0

    def met(self, name: str) -> None:
        """Look at the page as it stands: does it fit, is it accessible, a picture if wanted."""
        self.page.wait_for_load_state("networkidle")
        if name in self.looked:
            return
        self.looked.add(name)
        picture(self.page, name)
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        if wide > self.viewport["width"]:
            self.faulty.append((name, f"{wide} px wide"))
        # the checker is an inline script: it looks at the same page past the policy
        past = self.browser.new_context(
            viewport={"width": self.viewport["width"], "height": self.viewport["height"]},
            storage_state=self.context.storage_state(),
            bypass_csp=True,
        )
        other = past.new_page()
        other.goto(self.page.url)
        other.wait_for_load_state("networkidle")
        found = Axe().run(other).response["violations"]
        serious = [fault for fault in found if fault["impact"] in SERIOUS]
        self.faulty += [(name, f"{fault['id']}: {fault['nodes'][0]['html']}") for fault in serious]
        past.close()

    def leave(self) -> None:
        """Close the page; fails on anything that was seen on the way."""
        self.context.close()
        assert not (self.watch.faults or self.faulty), f"{self.watch.faults} {self.faulty}"


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
