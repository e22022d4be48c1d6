"""A worker's phone for browser tests: its own Chromium that can be killed and opened again, and a village to visit."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, Playwright, ViewportSize, sync_playwright

from catalog.models import Document, FindingKind, VisitTier
from eldercare.models import Elder
from operations.crypto import encrypt
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import COUNTY, PASSWORD, TOWN_A, VILLAGE_A, make_user
from tests.portal.browser import ARGUMENTS, CHROMIUM, SERIOUS, picture
from tests.registry import make_elder
from visits.models import Obligation

SIZE: Final[ViewportSize] = {"width": 360, "height": 640}
SECOND_VILLAGE: Final = "530322101202"
NAMES: Final = ("赵春梅", "钱有福", "孙桂兰", "李大山", "周秀英", "吴长顺", "郑玉珍", "王天佑")
ALWAYS: Final = DateRange(date(2020, 1, 1), None)
#: What an offline browser says of requests that did not get through; nothing else may be said.
CUT_OFF: Final = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "ERR_CONNECTION")


@contextmanager
def player() -> Iterator[Playwright]:
    """Playwright; its event loop must not look like an asynchronous context to Django."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        yield playwright
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Phone:
    """One phone: 360×640, touched; what it stores lies in `folder` and outlives its browser. taps are counted."""

    def __init__(self, playwright: Playwright, host: str, folder: Path) -> None:
        self.playwright, self.host, self.folder = playwright, host, folder
        self.faults: list[str] = []
        self.taps = 0
        self.context: BrowserContext
        self.page: Page

    def start(self, *, offline: bool = False) -> Page:
        """Open the app; offline: the phone has no network from the start."""
        self.context = self.playwright.chromium.launch_persistent_context(
            str(self.folder),
            executable_path=CHROMIUM,
            args=ARGUMENTS,
            viewport=SIZE,
            has_touch=True,
            is_mobile=True,
            device_scale_factor=2,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            base_url=self.host,
            permissions=["geolocation"],
            geolocation={"latitude": 25.03, "longitude": 103.67, "accuracy": 12},
            offline=offline,
        )
        self.context.set_default_timeout(20_000)
        self.page = self.context.pages[0]
        self.watch(self.page)
        return self.page

    def tab(self) -> Page:
        """Open a second tab of the app."""
        page = self.context.new_page()
        self.watch(page)
        page.goto("/m/")
        return page

    def watch(self, page: Page) -> None:
        """Note whatever must not happen on a page."""
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", lambda request: self._request(request.url))

    def _console(self, kind: str, text: str) -> None:
        expected = any(word in text for word in CUT_OFF) or "401 (Unauthorized)" in text
        if kind in {"error", "warning"} and not expected:
            self.faults.append(f"console: {text}")

    def _request(self, url: str) -> None:
        if urlsplit(url).scheme in {"http", "https"} and not url.startswith(self.host):
            self.faults.append(f"request: {url}")

    def kill(self) -> None:
        """The system ends the browser without asking the page."""
        self.context.close()

    def sign_in(self, user: User) -> None:
        """Sign in on the phone's own page, and wait until the list is there and the app works without a network."""
        self.page.goto("/m/login/")
        self.page.fill("input[name=username]", user.username)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("form button")
        self.page.wait_for_url("**/m/")
        self.page.wait_for_selector(".figures, .empty")
        self.settled()
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    def cut(self, off: bool = True) -> None:
        """Cut the network, or give it back."""
        self.context.set_offline(off)

    def settled(self, page: Page | None = None) -> None:
        """Wait until the app has talked to the server."""
        (page or self.page).wait_for_selector(".net.good")

    def see(self, text: str) -> Locator:
        """Wait until a text is seen."""
        found = self.page.locator(f"text={text}").first
        found.wait_for()
        return found

    def tap(self, selector: str) -> None:
        """Touch what is seen, and count it."""
        self.page.locator(selector).first.tap()
        self.taps += 1

    def chip(self, text: str) -> None:
        """Touch a choice by its whole text."""
        self.tap(f"main button:text-is('{text}')")

    def open(self, name: str) -> None:
        """Touch a person's card; a new task begins."""
        self.taps = 0
        self.tap(f".card:has(b:text-is('{name}'))")
        self.page.wait_for_selector(".save")

    def save(self) -> None:
        """Touch the big button and wait for the list."""
        self.tap(".save button")
        self.page.wait_for_selector(".tabs:not([hidden])")

    def go(self, tab: str) -> None:
        """Open one of the three tabs."""
        self.tap(f".tabs button:has-text('{tab}')")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table of the phone's database, without what is sealed."""
        found: list[dict[str, Any]] = self.page.evaluate(
            """async (table) => (await Store.all(table)).map(
            (row) => Object.assign({}, row, {box: 0, key: 0, label: 0}))""",
            table,
        )
        return found

    def looked(self, name: str) -> list[str]:
        """Look at the screen as it stands: a picture, what is too wide or too small, what axe finds serious."""
        picture(self.page, f"phone-{name}")
        found = []
        if (wide := self.page.evaluate("document.documentElement.scrollWidth")) > SIZE["width"]:
            found.append(f"{name}: {wide} px wide")
        small = self.page.evaluate(
            """() => [...document.querySelectorAll("button, a, input, textarea")]
            .map((item) => [item.closest("label") || item, item])
            .map(([box, item]) => [item.textContent || item.type, box.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.height < 44 || box.width < 44)).map(([text]) => text)"""
        )
        found += [f"{name}: small target {text}" for text in small]
        violations = Axe().run(self.page).response["violations"]
        serious = [fault for fault in violations if fault["impact"] in SERIOUS]
        return found + [f"{name}: {fault['id']} {fault['nodes'][0]['html']}" for fault in serious]


def make_village(county: Area) -> User:
    """A worker with eight elders in two villages: weekly and monthly tiers, one of them to be seen at home."""
    Area.objects.create(code=SECOND_VILLAGE, name="甲二村", parent_id=TOWN_A)
    worker = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)
    document = Document.objects.create(
        code="visits", title="测试清单", issued=date(2020, 1, 1), area_id=COUNTY
    )
    modes = ["上门", "电话", "视频", "智能设备"]
    weekly = VisitTier.objects.create(
        document=document,
        code="high",
        name="高风险",
        rule="居住在本县",
        times=1,
        per="周",
        modes=modes,
        order=1,
        valid=ALWAYS,
    )
    monthly = VisitTier.objects.create(
        document=document,
        code="base",
        name="一般",
        rule="居住在本县",
        times=1,
        per="月",
        modes=modes,
        order=9,
        valid=ALWAYS,
    )
    for order, (code, group, name, risk) in enumerate(
        (
            ("ill", "健康", "生病卧床", "黄"),
            ("fall", "健康", "跌倒受伤", "红"),
            ("poor", "经济", "补贴没收到", ""),
            ("wire", "安全", "电线老化", "黄"),
            ("roof", "安全", "房屋漏雨", "黄"),
            ("meal", "需求", "需要送餐", ""),
        )
    ):
        FindingKind.objects.create(
            document=document,
            code=code,
            group=group,
            name=name,
            risk=risk,
            hours=72,
            order=order,
            valid=ALWAYS,
        )
    month = timezone.localdate().replace(day=1)
    for number, name in enumerate(NAMES):
        village = SECOND_VILLAGE if number % 3 == 2 else VILLAGE_A
        elder = make_elder(date(1940 + number, 3, 1), hukou=village, name=name)
        elder.address = f"{number % 3 + 1} 组 {number + 11} 号"
        elder.phone_cipher = encrypt(f"1990000{number:04d}")
        elder.save()
        Obligation.objects.create(
            month=month,
            county_code=COUNTY,
            elder=elder,
            tier=weekly if number < 3 else monthly,
            area_code=village,
            due=4 if number < 3 else 1,
            assignee=worker,
        )
    return worker


def elder_named(name: str) -> Elder:
    """An elder of the village."""
    return Elder.objects.get(name=name)
