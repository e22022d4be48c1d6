"""A decided month taken to 关闭 by its people in a real Chromium, through the pages alone, their clicks counted."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from django.utils import timezone
from openpyxl import load_workbook
from playwright.sync_api import Browser
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from eldercare.choices import YES, Kind
from eldercare.models import BankAccount
from operations.models import Job
from operations.services.job import job_run
from organization.choices import Role
from organization.models import Area, User
from portal.demo.bank import bank_answer
from subsidies.choices import BatchKind, BatchState, FundSource
from subsidies.models import BankProfile, Batch, Month
from subsidies.services.appropriation import appropriation_record
from subsidies.services.bank_profile import bank_profiles_ensure
from subsidies.services.notice import notices_end
from tests.conftest import COUNTY, PASSWORD, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.browser import MARKS, Desk
from tests.portal.conftest import an_item
from tests.registry import LONG_AGO, add, make_elder
from tests.subsidies.county import item, publish_list, run
from tests.subsidies.money import account, terms

pytestmark = MARKS
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
DESKTOP, PHONE = (1366, 768), (360, 640)
NAMES = ("赵春梅", "钱乙福", "孙丙良", "李丁香", "周戊山", "吴己秀")


class Cast(NamedTuple):
    """Who takes the steps."""

    clerk: User
    lead_a: User
    lead_b: User
    chief: User
    finance: User
    auditor: User


@pytest.fixture
def cast(county: Area) -> Cast:
    """The county's people of money, and its supervisor."""
    return Cast(
        make_user("jingban", Role.BUREAU_CLERK, COUNTY),
        make_user("jiazhen", Role.TOWNSHIP_LEAD, TOWN_A),
        make_user("yizhen", Role.TOWNSHIP_LEAD, TOWN_B),
        make_user("lingdao", Role.BUREAU_CHIEF, COUNTY),
        make_user("caiwu", Role.FINANCE, COUNTY),
        make_user("jiandu", Role.SUPERVISOR, COUNTY),
    )


@pytest.fixture
def decided(cast: Cast, settings: Settings, tmp_path: Path) -> Month:
    """March decided: six elders draw 高龄津贴 with a public notice, two of them 养老服务补贴; one account is odd."""
    settings.MEDIA_ROOT = tmp_path / "media"
    publish_list(
        item("A1", "年龄 >= 80", name="高龄津贴"),
        item("A2", "低保", name="养老服务补贴", amount=90, number=2),
    )
    for number, name in enumerate(NAMES):
        village = VILLAGE_A if number % 2 else VILLAGE_B
        elder = make_elder(date(1938, 1 + number, 5), hukou=village, name=name)
        if number < 2:
            add(elder, Kind.LOW_INCOME_ALLOWANCE, YES, LONG_AGO)
        account(elder)
    BankAccount.objects.filter(elder__name=NAMES[-1]).update(holder="吴大壮")
    terms("A1", MARCH, notice_days=3)
    terms("A2", MARCH)
    bank_profiles_ensure(county_code=COUNTY)
    BankProfile.objects.exclude(name="通用 Excel").update(active=False)
    for code in ("A1", "A2"):
        appropriation_record(
            county_code=COUNTY,
            year=2026,
            source=FundSource.FISCAL,
            item=an_item(code),
            amount=Decimal(20_000),
            document="测财社〔2026〕1号",
            actor=cast.finance,
        )
    run(FEBRUARY)
    return run(MARCH)


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Desk]]:
    """Seat a person at the portal; what was seen on the way is judged when the test ends."""
    seated: list[Desk] = []
    looked: set[str] = set()

    def seat(user: User, size: tuple[int, int] = DESKTOP) -> Desk:
        seated.append(Desk(browser, live_server, user, size, looked))
        return seated[-1]

    yield seat
    for each in seated:
        each.leave()


def work() -> None:
    """Do every job that waits, as the worker would."""
    for job in Job.objects.filter(state=Job.State.WAITING):
        job_run(job_id=str(job.pk))


def test_a_month_is_paid_to_the_end_and_traced_back(
    decided: Month, cast: Cast, desk: Callable[..., Desk], tmp_path: Path
) -> None:
    clerk = desk(cast.clerk)
    review_and_decide(clerk)
    make_and_submit(clerk)
    batch = Batch.objects.get()
    for lead in (cast.lead_a, cast.lead_b):
        check(desk(lead))
    approve(desk(cast.chief, PHONE))
    read_the_notice(desk(cast.auditor, PHONE), batch)
    # the days of the notice go by
    Batch.objects.filter(pk=batch.pk).update(notice_until=timezone.localdate() - timedelta(days=1))
    assert notices_end(today=timezone.localdate()) == 1
    finance = desk(cast.finance)
    confirm(finance)
    fetch_the_file(finance, batch, tmp_path)
    bring_the_return(finance, batch, tmp_path)
    pay_again(clerk)
    second = Batch.objects.get(kind=BatchKind.REISSUE)
    for lead in (cast.lead_a, cast.lead_b):
        check_if_asked(desk(lead), second)
    approve(desk(cast.chief, PHONE))
    confirm(finance)
    fetch_the_file(finance, second, tmp_path)
    bring_the_return(finance, second, tmp_path)
    reconcile(finance)
    for each in (batch, second):
        close(finance, each)
    assert set(Batch.objects.values_list("state", flat=True)) == {BatchState.CLOSED}
    trace(desk(cast.auditor), batch)


def review_and_decide(at: Desk) -> None:
    """From the workbench to the changes of the month; the odd account is looked at and let through."""
    at.met("01-workbench-clerk")
    at.page.goto("/months/2026-03/review/")
    at.met("02-review")
    at.click("text=处理异常")
    at.met("03-anomalies")
    at.click("input[data-check-all]")
    at.page.fill("#reason", "监护人代领，已核对证明")
    at.click("text=放行所选")
    at.page.wait_for_selector("text=没有待核实的异常")


def make_and_submit(at: Desk) -> None:
    """BC4: make the list and send it for approval in at most six clicks."""
    at.fresh()
    at.click("nav.menu >> text=发放")
    at.met("04-batches")
    at.click("main >> text=生成批次")
    at.met("05-batch-new")
    at.click("text=生成草稿")
    at.met("06-building")
    work()
    at.page.reload()
    at.click("a:has-text('打开批次')")
    at.met("07-draft")
    at.click("button:has-text('提交核实：8 笔')")
    at.page.wait_for_selector(".pill:has-text('镇街核实')")
    assert at.clicks <= 6


def check(at: Desk) -> None:
    """A lead checks the own township's part."""
    at.fresh()
    at.click("#queues >> text=批次待核实")
    at.met("08-check")
    at.click("button:has-text('核实无误')")
    at.page.wait_for_load_state("networkidle")


def check_if_asked(at: Desk, batch: Batch) -> None:
    """A reissue goes only to the townships that it has lines of."""
    if at.page.locator("#queues >> text=批次待核实").count():
        check(at)


def approve(at: Desk) -> None:
    """CH3: three clicks on a phone, with the password again."""
    at.fresh()
    at.met("09-workbench-chief-phone")
    at.click("#queues >> text=批次待审批")
    at.met("10-approve-phone")
    at.page.fill("input[name=password]", PASSWORD)
    at.click("button:has-text('审批通过')")
    at.page.wait_for_selector("text=已审批")
    assert at.clicks <= 3


def read_the_notice(at: Desk, batch: Batch) -> None:
    """Anybody reads the notice: masked names, no whole numbers."""
    batch.refresh_from_db()
    at.page.goto(f"/public/notices/{batch.notice_key}/")
    at.met("11-notice-phone")
    at.click("a:has-text('甲镇')")
    at.click("a:has-text('甲一村')")
    at.met("11-notice-village-phone")
    text = at.page.inner_text("body")
    assert "高龄津贴" in text
    assert not any(name in text for name in NAMES)


def confirm(at: Desk) -> None:
    """Finance confirms with the password."""
    at.fresh()
    at.met("12-workbench-finance")
    at.click("#queues >> text=批次待财政确认")
    at.met("13-confirm")
    at.page.fill("input[name=password]", PASSWORD)
    at.click("button:has-text('确认支付')")
    at.page.wait_for_selector(".pill:has-text('待报银行')")


def fetch_the_file(at: Desk, batch: Batch, folder: Path) -> None:
    """FI2: the bank file in three clicks; the page says what is in it. Then it is noted as sent."""
    at.fresh()
    at.click("#queues >> text=批次待生成银行文件")
    at.click("button:has-text('生成银行文件')")
    work()
    at.page.reload()
    at.met("14-bank-file")
    with at.page.expect_download() as download:
        at.click("button:has-text('下载银行文件')")
    assert at.clicks <= 3
    path = folder / f"{batch.number}.xlsx"
    download.value.save_as(path)
    at.page.reload()
    batch.refresh_from_db()
    rows = list(load_workbook(path, read_only=True).active.iter_rows(min_row=2, values_only=True))  # type: ignore[union-attr]  # it has one sheet
    assert (len(rows), sum(Decimal(str(row[5])) for row in rows)) == (batch.lines, batch.amount)
    assert f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}" in at.page.inner_text("#bank")
    at.click("button:has-text('登记报送')")
    at.page.wait_for_selector(".pill:has-text('已报银行')")


def bring_the_return(at: Desk, batch: Batch, folder: Path) -> None:
    """FI3: the bank's answer is imported in four clicks."""
    batch.refresh_from_db()
    path = folder / f"回盘-{batch.number}.xlsx"
    path.write_bytes(bank_answer(batch, seed=1, today=timezone.localdate()))
    at.fresh()
    at.click("#queues >> text=批次待导入回盘")
    at.page.set_input_files("input[name=file]", path)
    at.clicks += 1
    at.click("button:has-text('导入回盘')")
    work()
    at.page.reload()
    at.met("15-returned")
    assert at.page.is_visible("a.pill:has-text('成功')")
    assert at.clicks <= 4


def pay_again(at: Desk) -> None:
    """FI4: a batch of the failed lines in three clicks; then submitted."""
    at.fresh()
    at.met("16-workbench-failed")
    at.click("#queues >> text=发放失败待重发")
    at.met("17-failed")
    at.click("button:has-text('生成重发批次')")
    work()
    at.page.reload()
    assert at.clicks <= 3
    again = Batch.objects.get(kind=BatchKind.REISSUE)
    at.page.goto(f"/payments/{again.pk}/")
    at.met("18-reissue")
    at.click("button:has-text('提交核实：1 笔')")
    at.page.wait_for_selector(".pill:has-text('镇街核实')")


def reconcile(at: Desk) -> None:
    """FI5: one page, no difference."""
    at.page.goto("/payments/reconciliation/")
    at.met("19-reconciliation")
    assert at.page.is_visible("text=三方相符，差额 0.00 元")


def close(at: Desk, batch: Batch) -> None:
    """Finance closes."""
    at.page.goto(f"/payments/{batch.pk}/")
    at.met("20-close")
    at.click("button:has-text('关闭批次')")
    at.page.wait_for_selector(".pill:has-text('关闭')")


def trace(at: Desk, batch: Batch) -> None:
    """The auditor goes from the list of batches to facts, rule and document of one payment in four clicks."""
    at.page.goto("/payments/")
    at.clicks = 0
    at.click(f"text={batch.number}")
    at.met("21-batch-auditor")
    at.click(".tile:has-text('人数')")
    at.met("22-lines")
    at.click(f"main >> text={NAMES[0]}")
    at.met("23-trace")
    text = at.page.inner_text("main")
    for part in ("逐条核对", "年龄 ≥ 80", "测试清单", "第1项", batch.number):
        assert part in text
    assert at.clicks <= 4
