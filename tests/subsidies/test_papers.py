"""Printed papers: what each says ties to the batch, the month and the case; and it stays within the maker's areas."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from eldercare.choices import Kind
from eldercare.models import Elder
from operations.models import AuditEntry, StoredFile
from operations.services.job import job_run
from organization.models import Area, Letterhead, User
from subsidies.choices import BatchState, PaymentState, StopReason
from subsidies.models import Batch, Month, Payment
from subsidies.paper_tasks import KEPT, paper_of, paper_request, papers_expire
from subsidies.papers import sheet as sheets
from subsidies.papers.approval import approval_of
from subsidies.papers.changes import changes_of, changes_sheet
from subsidies.papers.making import Order, paper_make
from subsidies.papers.notice import notices_of
from subsidies.papers.register import register_of, register_sheet
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch_step import batch_submit, township_check
from tests.conftest import COUNTY, TOWN_A, VILLAGE_A, VILLAGE_B
from tests.pdf import embedded, page_count, text_of
from tests.registry import add, make_elder
from tests.subsidies.applicants import approved, make_staff
from tests.subsidies.applicants import terms as application_terms
from tests.subsidies.county import item, publish_list, run, run_through
from tests.subsidies.money import Staff, account, built, staff, terms
from tests.subsidies.recoveries import a_batch, open_case, pay, portal_pays

JUNE, JULY = date(2024, 6, 1), date(2024, 7, 1)
LONG = "阿卜杜热合曼·买买提艾力·托合提·吐尔逊江·阿不都克里木·伊敏江·艾合买提·玉素"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(county: Area) -> Staff:
    """Who handles money in the county."""
    return staff()


@pytest.fixture
def list_of_two(county: Area) -> None:
    """A1: 50 元 from 80 on, 300 from 100 on; A2: 100 元 for 低保."""
    publish_list(
        item("A1", "年龄 >= 80", amount=[{"if": "年龄 >= 100", "pay": 300}, {"if": "年龄 >= 80", "pay": 50}]),
        item("A2", "低保", amount=100, number=2, name="低保老人补贴"),
    )


@pytest.fixture
def elders(list_of_two: None) -> tuple[Elder, Elder]:
    """One of 甲镇 who draws both items, one of 乙镇 with a long name who draws one."""
    first = make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name="赵*春#梅", low_income_allowance=True)
    second = make_elder(date(1941, 1, 1), hukou=VILLAGE_B, name=LONG)
    account(first, "6217000099001111")
    account(second, "6217000099002222")
    return first, second


@pytest.fixture
def batch(elders: tuple[Elder, Elder], people: Staff) -> Batch:
    """The draft of June 2024: three lines, 200 元."""
    for code in ("A1", "A2"):
        terms(code, JUNE)
    return built(run(JUNE), people.maker)


def cells(content: bytes) -> list[list[Any]]:
    """Rows of a workbook, empty cells at the end left out."""
    rows = load_workbook(BytesIO(content)).active.iter_rows(values_only=True)  # type: ignore[union-attr]
    return [[value for value in row if value is not None] for row in rows]


def paper(name: str, target: int, actor: User, form: str = "pdf", **more: Any) -> str:
    """Text of a PDF, made as a page makes it; line breaks left out."""
    made = paper_make(order=Order(name, form, target, **more), actor=actor)
    assert made.mime == "application/pdf"
    return text_of(made.content).replace("\n", "")


def test_the_register_ties_to_its_batch(batch: Batch, people: Staff) -> None:
    register = register_of(batch, people.maker)
    assert (len(register.lines), register.amount) == (batch.lines, batch.amount) == (3, Decimal("200.00"))


def test_subtotals_of_townships_and_items_add_up_to_the_total(batch: Batch, people: Staff) -> None:
    rows = [row for row, strong in register_sheet(register_of(batch, people.maker)).rows if strong]
    assert [(row[0], row[1] or row[4], row[2], row[7]) for row in rows] == [
        ("小计", "甲镇", "2 笔", Decimal("150.00")),
        ("小计", "乙镇", "1 笔", Decimal("50.00")),
        ("其中", "项目A1", "2 笔", Decimal("100.00")),
        ("其中", "低保老人补贴", "1 笔", Decimal("100.00")),
        ("合计", "", "3 笔", Decimal("200.00")),
    ]


def test_the_register_prints_names_as_typed_and_numbers_masked(
    batch: Batch, people: Staff, elders: tuple[Elder, Elder]
) -> None:
    text = paper("register", batch.pk, people.maker)
    for shown in (
        "赵*春#梅",
        LONG,
        "1111",
        "贰佰元整",
        batch.number,
        "制表人：制单",
        elders[0].masked_id_number,
    ):
        assert shown in text
    for hidden in (elders[0].id_number, "6217000099001111"):
        assert hidden not in text


def test_the_workbook_says_the_same_as_the_pdf(batch: Batch, people: Staff) -> None:
    order = Order("register", "xlsx", batch.pk)
    rows = cells(paper_make(order=order, actor=people.maker).content)
    assert [row[7] for row in rows if row and isinstance(row[0], int)] == [50, 100, 50]
    assert 200 in next(row for row in rows if row and row[0] == "合计")


def test_every_page_names_maker_unit_time_and_the_number_in_the_audit_chain(
    batch: Batch, people: Staff
) -> None:
    text = paper("register", batch.pk, people.maker)
    entry = AuditEntry.objects.get(action="导出发放清册")
    assert (entry.subject, entry.data["lines"]) == (f"batch:{batch.number}", 3)
    assert f"文件编号 {entry.data['mark']}" in text
    assert "制单（测试县）" in text


def test_a_township_gets_its_own_lines_only(batch: Batch, people: Staff) -> None:
    batch_submit(batch_id=batch.pk, actor=people.maker)
    register = register_of(batch, people.lead_a)
    assert ([line.name for line in register.lines], register.area) == (["赵*春#梅"] * 2, "甲镇")


def test_held_lines_are_left_out_and_counted(batch: Batch, people: Staff) -> None:
    Payment.objects.filter(batch=batch, number=3).update(state=PaymentState.HELD)
    register = register_of(batch, people.maker)
    assert (len(register.lines), register.held) == (2, 1)
    assert "另有 1 笔暂缓" in register_sheet(register).total


def test_the_register_of_one_item_holds_only_that(batch: Batch, people: Staff) -> None:
    wanted = Payment.objects.get(batch=batch, item__code="A2").item_id
    assert register_of(batch, people.maker, wanted).amount == Decimal("100.00")


def test_a_register_longer_than_a_volume_comes_as_several_with_running_pages(
    batch: Batch, people: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = register_sheet(register_of(batch, people.maker))
    long = replace(sheet, rows=list(sheet.rows) * 20)
    assert len(sheets.sheet_pdfs(long)) == 1
    monkeypatch.setattr(sheets, "VOLUME", 4)
    volumes = sheets.sheet_pdfs(long)
    total = sum(page_count(volume) for volume in volumes)
    assert len(volumes) > 1
    assert f"第 5 页\u3000共 {total} 页" in text_of(volumes[1])
    assert (sheet.total in text_of(volumes[0]), sheet.total in text_of(volumes[-1])) == (False, True)


def test_the_approval_form_shows_every_step_with_its_person_and_opinion(batch: Batch, people: Staff) -> None:
    batch_submit(batch_id=batch.pk, actor=people.maker, note="请核实")
    township_check(batch_id=batch.pk, township=TOWN_A[:9], actor=people.lead_a, note="甲镇无误")
    batch.refresh_from_db()
    text = paper("approval", batch.pk, people.maker)
    for shown in ("请核实", "甲镇核实", "甲镇无误", "200.00", "贰佰元整", "乙镇"):
        assert shown in text
    approval = approval_of(batch, people.maker)
    assert sum(item.lines for item in approval.items) == sum(town.lines for town in approval.townships) == 3


def _end(elder: Elder, kind: Kind, day: date) -> None:
    held = elder.circumstances.get(kind=kind)
    held.valid = type(held.valid)(held.valid.lower, day)
    held.save(update_fields=["valid"])


@pytest.fixture
def july(elders: tuple[Elder, Elder], people: Staff) -> Month:
    """June and July decided: the first lost 低保, the second died, a third turned 80, a fourth turned 100."""
    make_elder(date(1944, 6, 15), hukou=VILLAGE_A, name="孙新")
    make_elder(date(1924, 6, 15), hukou=VILLAGE_A, name="周百岁")
    _end(elders[0], Kind.LOW_INCOME_ALLOWANCE, date(2024, 6, 20))
    add(elders[1], Kind.DEATH, "是", date(2024, 6, 18))
    run(JUNE)
    return run(JULY)


def test_new_lines_say_since_when_and_why(july: Month, people: Staff) -> None:
    lines = changes_of(july, "new", people.maker).lines
    assert [(line.name, line.now, line.why) for line in lines] == [("孙新", Decimal("50.00"), "年满 80 周岁")]


def test_stopped_lines_carry_the_forms_reason(july: Month, people: Staff) -> None:
    lines = changes_of(july, "stopped", people.maker).lines
    assert [(line.name, line.before, line.cause) for line in lines] == [
        (LONG, Decimal("50.00"), StopReason.DEATH.label),
        ("赵*春#梅", Decimal("100.00"), StopReason.STATUS_LOST.label),
    ]
    assert lines[1].why == "低保由“是”变为“否”"


def test_changed_lines_show_both_amounts(july: Month, people: Staff) -> None:
    lines = changes_of(july, "changed", people.maker).lines
    assert [(line.name, line.before, line.now, line.why) for line in lines] == [
        ("周百岁", Decimal("50.00"), Decimal("300.00"), "年满 100 周岁")
    ]


def test_the_lists_of_changes_are_summed_by_item(july: Month, people: Staff) -> None:
    sheet = changes_sheet(changes_of(july, "stopped", people.maker))
    assert [row[0] for row, _ in sheet.rows if len(row) == 1] == ["A1 项目A1", "A2 低保老人补贴"]
    assert [row[6] for row, strong in sheet.rows if strong] == [Decimal("50.00"), Decimal("100.00")]
    assert sheet.total == "合计 2 人次，月减 150.00 元"


def test_the_lists_of_changes_print_and_stay_within_the_makers_areas(july: Month, people: Staff) -> None:
    text = paper("changes", july.pk, people.lead_b, change="stopped")
    assert LONG in text
    assert "赵*春#梅" not in text


def test_without_a_month_before_everything_is_new(elders: tuple[Elder, Elder], people: Staff) -> None:
    changes = changes_of(run(JUNE), "new", people.maker)
    assert len(changes.lines) == 3
    assert {line.why for line in changes.lines} == {"首次核定"}


def test_the_notice_of_a_stop_says_what_why_how_much_and_how_to_object(
    july: Month, people: Staff, elders: tuple[Elder, Elder]
) -> None:
    Letterhead.objects.create(area_id=COUNTY, unit="测试县民政局", phone="0000-1234567")
    text = paper("notice", july.pk, people.maker, elder=elders[0].pk)
    for shown in (
        "养老补贴停发告知书",
        "赵*春#梅",
        "低保老人补贴",
        "100.00",
        "自2024年7月起",
        "0000-1234567",
    ):
        assert shown in text
    assert "如有异议" in text
    assert LONG not in text


def test_the_notice_about_a_dead_elder_goes_to_the_family(
    july: Month, people: Staff, elders: tuple[Elder, Elder]
) -> None:
    assert f"{LONG}的家属" in paper("notice", july.pk, people.maker, elder=elders[1].pk)


def test_notices_for_many_are_one_page_each(july: Month, people: Staff) -> None:
    assert [notice.title for notice in notices_of(july, people.maker).items] == ["停发", "变更", "停发"]
    made = paper_make(order=Order("notice", "pdf", july.pk), actor=people.maker)
    assert page_count(made.content) == 3
    assert embedded(made.content) == {"NotoSerifSC-Regular", "NotoSansSC-Regular"}


def test_who_loses_nothing_gets_no_notice(july: Month, people: Staff) -> None:
    with pytest.raises(MoneyRefusedError, match="不需要告知书"):
        notices_of(july, people.maker, Elder.objects.get(name="孙新"))


def test_the_application_form_shows_the_steps_taken(county: Area) -> None:
    publish_list(item("A2", "低保", application="申请", amount=100))
    elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name="赵春梅", low_income_allowance=True)
    people = make_staff()
    application_terms("A2")
    run(JUNE)
    application = approved(elder, "A2", people, date(2024, 6, 5))
    text = paper("application", application.pk, people.clerk)
    for shown in (
        "项目A2申请审批表",
        "赵春梅",
        "审核通过",
        "批准，自2024年7月起发放",
        "100.00 元（壹佰元整）",
    ):
        assert shown in text
    rows = cells(paper_make(order=Order("application", "xlsx", application.pk), actor=people.clerk).content)
    assert ["姓名", "赵春梅"] in rows


@pytest.fixture
def overpaid(list_of_two: None, people: Staff) -> Any:
    """A case of two months paid after a death in March 2025."""
    elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name="吴故")
    portal_pays("A1", date(2025, 3, 1))
    run_through(date(2025, 3, 1), date(2025, 5, 1))
    for month in (date(2025, 3, 1), date(2025, 4, 1), date(2025, 5, 1)):
        pay(a_batch(Month.objects.get(month=month), people.maker), elder, "A1")
    add(elder, Kind.DEATH, "是", date(2025, 3, 2))
    return open_case(run(date(2025, 6, 1)), elder, "A1", people.maker)


def test_the_recovery_notice_names_months_sum_and_where_to_pay(overpaid: Any, people: Staff) -> None:
    text = paper("recovery", overpaid.pk, people.maker)
    for shown in ("2025年4月", "2025年5月", "100.00 元（大写：壹佰元整）", "吴故的家属", "去世", "开户行："):
        assert shown in text
    assert "2025年3月" not in text


def test_the_recovery_notice_prints_the_countys_refund_account(overpaid: Any, people: Staff) -> None:
    Letterhead.objects.create(area_id=COUNTY, unit="测试县民政局", refund_account="测试县财政专户 0001")
    assert "测试县财政专户 0001" in paper("recovery", overpaid.pk, people.maker)


def test_a_long_paper_is_kept_for_a_day_for_who_ordered_it(batch: Batch, people: Staff) -> None:
    order = Order("register", "xlsx", batch.pk)
    job = paper_request(order=order, title="发放清册", created_by=people.maker)
    assert paper_request(order=order, title="发放清册", created_by=people.maker) == job
    assert job_run(job_id=str(job.pk))
    job.refresh_from_db()
    assert job.finished_at is not None
    stored = paper_of(job, job.finished_at + KEPT)
    assert stored is not None
    assert stored.name == f"发放清册-{batch.number}.xlsx"
    assert paper_of(job, job.finished_at + KEPT + timedelta(seconds=1)) is None
    assert papers_expire() == 0
    type(job).objects.filter(pk=job.pk).update(finished_at=timezone.now() - KEPT - timedelta(seconds=1))
    assert papers_expire() == 1
    assert not StoredFile.objects.exists()


def test_a_batch_sent_back_has_an_empty_register(batch: Batch, people: Staff) -> None:
    Payment.objects.filter(batch=batch).update(state=PaymentState.VOID)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.VOID)
    assert "合计 0 笔，0.00 元，大写 零元整" in paper("register", batch.pk, people.maker)
