"""The bank on the pages: file, download, sending, return, failures paid again or given up; each form sent twice."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from eldercare.models import Elder
from operations.models import AuditEntry, Job
from operations.services.job import job_run
from organization.choices import Role
from organization.models import User
from subsidies.choices import BatchState, PaymentState
from subsidies.models import BankFile, BankProfile, Batch, LedgerEntry, Payment, ReturnFile
from subsidies.services.bank import bank_file_download, bank_file_make
from subsidies.services.bank_profile import bank_profiles_ensure
from subsidies.services.batch_step import batch_confirm, batch_send
from tests.conftest import COUNTY, PASSWORD, make_user
from tests.portal.conftest import SignIn


@pytest.fixture
def confirmed(approved: Batch, finance: User) -> Batch:
    """Confirmed by finance; the county has the shipped bank formats."""
    bank_profiles_ensure(county_code=COUNTY)
    return batch_confirm(batch_id=approved.pk, actor=finance)


@pytest.fixture
def sent(confirmed: Batch, finance: User) -> Batch:
    """With the bank."""
    file = bank_file_make(batch_id=confirmed.pk, profile_id=excel().pk, actor=finance)
    bank_file_download(bank_file_id=file.pk, actor=finance)
    return batch_send(batch_id=confirmed.pk, actor=finance)


def excel() -> BankProfile:
    """The shipped Excel format."""
    return BankProfile.objects.get(county_code=COUNTY, name="通用 Excel")


def returned(batch: Batch, *rows: tuple[int, str, str]) -> SimpleUploadedFile:
    """A return file: (number, state, reason) of 50 元 each."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["批次号", "序号", "金额", "状态", "失败原因"])
    for number, state, reason in rows:
        sheet.append([batch.number, number, 50, state, reason])
    buffer = io.BytesIO()
    book.save(buffer)
    return SimpleUploadedFile("回盘.xlsx", buffer.getvalue())


def work() -> None:
    """Do every job that waits."""
    for job in Job.objects.filter(state=Job.State.WAITING):
        job_run(job_id=str(job.pk))


def twice(client: Client, url: str, **data: Any) -> list[int]:
    """Status of the same form sent twice."""
    return [client.post(url, data).status_code for _ in range(2)]


def test_confirming_twice_posts_once(sign_in: SignIn, finance: User, approved: Batch) -> None:
    url = f"/payments/{approved.pk}/confirm/"
    assert twice(sign_in(finance), url, password=PASSWORD) == [302, 302]
    assert LedgerEntry.objects.filter(event=f"batch:{approved.pk}:confirm").count() == 2


def test_confirming_asks_for_the_password(sign_in: SignIn, finance: User, approved: Batch) -> None:
    response = sign_in(finance).post(f"/payments/{approved.pk}/confirm/", {"password": ""})
    assert (response.status_code, "密码不正确" in response.content.decode()) == (409, True)


def test_asking_for_the_file_twice_makes_it_once(sign_in: SignIn, finance: User, confirmed: Batch) -> None:
    client, url = sign_in(finance), f"/payments/{confirmed.pk}/file/"
    assert twice(client, url, profile=str(excel().pk)) == [302, 302]
    work()
    assert client.post(url, {"profile": str(excel().pk)}).status_code == 302
    assert Job.objects.filter(kind="bank_file").count() == BankFile.objects.count() == 1
    text = client.get(f"/payments/{confirmed.pk}/").content.decode()
    assert BankFile.objects.get().sha256 in text
    assert "100.00" in text


def test_a_file_without_a_format_is_refused(sign_in: SignIn, finance: User, confirmed: Batch) -> None:
    response = sign_in(finance).post(f"/payments/{confirmed.pk}/file/", {"profile": "x"})
    assert (response.status_code, "请选择银行文件的格式" in response.content.decode()) == (409, True)


def test_the_second_download_says_so_and_is_audited(sign_in: SignIn, finance: User, confirmed: Batch) -> None:
    bank_file_make(batch_id=confirmed.pk, profile_id=excel().pk, actor=finance)
    client, url = sign_in(finance), f"/payments/{confirmed.pk}/file/download/"
    assert client.get(url).status_code == 405
    first = client.post(url)
    assert first.headers["Content-Disposition"].startswith("attachment")
    assert "第 2 次，会记入审计" in client.get(f"/payments/{confirmed.pk}/").content.decode()
    client.post(url)
    assert AuditEntry.objects.filter(action="再次下载银行文件").count() == 1


def test_sending_before_the_download_is_refused(sign_in: SignIn, finance: User, confirmed: Batch) -> None:
    bank_file_make(batch_id=confirmed.pk, profile_id=excel().pk, actor=finance)
    response = sign_in(finance).post(f"/payments/{confirmed.pk}/send/")
    assert (response.status_code, "还没有下载" in response.content.decode()) == (409, True)


def test_sending_twice_sends_once(sign_in: SignIn, finance: User, confirmed: Batch) -> None:
    file = bank_file_make(batch_id=confirmed.pk, profile_id=excel().pk, actor=finance)
    bank_file_download(bank_file_id=file.pk, actor=finance)
    assert twice(sign_in(finance), f"/payments/{confirmed.pk}/send/") == [302, 302]
    assert confirmed.steps.filter(action="报送银行").count() == 1


def test_a_file_can_be_given_up_before_it_is_sent(sign_in: SignIn, finance: User, confirmed: Batch) -> None:
    bank_file_make(batch_id=confirmed.pk, profile_id=excel().pk, actor=finance)
    client, url = sign_in(finance), f"/payments/{confirmed.pk}/file/discard/"
    assert client.post(url, {"reason": ""}).status_code == 409
    assert client.post(url, {"reason": "银行要求另一种格式"}).status_code == 302
    assert not BankFile.objects.exists()


def test_a_return_is_imported_once_and_opens_its_rows_by_verdict(
    sign_in: SignIn, finance: User, sent: Batch
) -> None:
    client, url = sign_in(finance), f"/payments/{sent.pk}/returns/"
    content = returned(sent, (1, "成功", ""), (2, "失败", "已销户"), (9, "成功", "")).read()
    for _ in range(2):
        file = SimpleUploadedFile("回盘.xlsx", content)
        assert client.post(url, {"file": file}).status_code == 302
        work()
    imported = ReturnFile.objects.get()
    assert imported.counts == {"成功": 1, "失败": 1, "未知": 1}
    page = client.get(f"/payments/{sent.pk}/returns/{imported.pk}/?verdict=未知")
    assert len(page.context["rows"]) == 1
    assert "不是这一批的行" in page.content.decode()
    text = client.get(f"/payments/{sent.pk}/").content.decode()
    for part in ("成功 1", "失败 1", "未知 1", "失败的行：仍欠发 1 笔 50.00 元", "已销户"):
        assert part in text


@pytest.mark.parametrize("name", ["回盘.pdf", ""])
def test_a_file_that_is_no_return_is_refused(sign_in: SignIn, finance: User, sent: Batch, name: str) -> None:
    data = {"file": SimpleUploadedFile(name, b"x")} if name else {}
    response = sign_in(finance).post(f"/payments/{sent.pk}/returns/", data)
    assert response.status_code == 409
    assert "回盘" in response.content.decode() or "请选择" in response.content.decode()


def test_only_finance_works_with_the_bank(sign_in: SignIn, chief: User, sent: Batch) -> None:
    client = sign_in(chief)
    for path in ("file/", "file/download/", "file/discard/", "returns/", "send/"):
        assert client.post(f"/payments/{sent.pk}/{path}").status_code == 403, path


def test_the_maker_handles_no_bank_file(sign_in: SignIn, bureau_clerk: User, sent: Batch) -> None:
    bureau_clerk.assignments.create(role=Role.FINANCE, area_id=COUNTY)
    response = sign_in(bureau_clerk).post(f"/payments/{sent.pk}/file/download/")
    assert (response.status_code, "您是制单人" in response.content.decode()) == (409, True)


def test_closing_twice_closes_once(sign_in: SignIn, finance: User, sent: Batch) -> None:
    client = sign_in(finance)
    assert client.post(f"/payments/{sent.pk}/close/").status_code == 409
    client.post(f"/payments/{sent.pk}/returns/", {"file": returned(sent, (1, "成功", ""), (2, "成功", ""))})
    work()
    assert twice(client, f"/payments/{sent.pk}/close/") == [302, 302]
    sent.refresh_from_db()
    assert sent.state == BatchState.CLOSED
    assert sent.steps.filter(action="关闭").count() == 1


def failed(client: Client, batch: Batch) -> None:
    """The bank pays the first line and not the second."""
    client.post(
        f"/payments/{batch.pk}/returns/",
        {"file": returned(batch, (1, "成功", ""), (2, "失败", "已销户"))},
    )
    work()


def test_failures_are_paid_again_once_however_often_the_button_is_pressed(
    sign_in: SignIn, finance: User, bureau_clerk: User, sent: Batch
) -> None:
    failed(sign_in(finance), sent)
    client, url = sign_in(bureau_clerk), f"/payments/{sent.pk}/reissue/"
    assert "账户失败后还没有更正" in client.get(f"/payments/{sent.pk}/").content.decode()
    assert twice(client, url) == [302, 302]
    work()
    client.post(url)
    work()
    again = Batch.objects.get(kind="重发")
    assert [line.amount for line in again.payments.all()] == [50]
    text = client.get("/payments/").content.decode()
    assert f"打开批次 {again.number}" in text
    assert "都已列入重发" in client.get(f"/payments/{sent.pk}/").content.decode()


def test_a_failed_line_that_is_still_due_is_not_offered_to_be_given_up(
    sign_in: SignIn, finance: User, bureau_clerk: User, sent: Batch, elder_b: Elder
) -> None:
    failed(sign_in(finance), sent)
    client, url = sign_in(bureau_clerk), f"/payments/{sent.pk}/unpaid/"
    assert "没有这样的行" in client.get(url).content.decode()
    refused = client.post(f"{url}cancel/", {"line": "2", "reason": "人已去世"})
    assert (refused.status_code, "仍应发" in refused.content.decode()) == (409, True)
    assert Payment.objects.get(batch=sent, number=2).state == PaymentState.FAILED


def test_failures_are_handled_by_who_makes_batches(sign_in: SignIn, finance: User, sent: Batch) -> None:
    client = sign_in(finance)
    for path in ("reissue/", "unpaid/cancel/"):
        assert client.post(f"/payments/{sent.pk}/{path}").status_code == 403, path
    assert client.get(f"/payments/{sent.pk}/unpaid/").status_code == 403


def test_the_pages_of_a_batch_with_the_bank_keep_their_query_budget(
    sign_in: SignIn, finance: User, sent: Batch, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(finance)
    failed(client, sent)
    imported = ReturnFile.objects.get()
    for path, budget in (
        ("/payments/", 15),
        (f"/payments/{sent.pk}/", 15),
        (f"/payments/{sent.pk}/lines/", 15),
        (f"/payments/{sent.pk}/lines/2/", 23),
        (f"/payments/{sent.pk}/returns/{imported.pk}/", 15),
        ("/payments/reconciliation/", 15),
        (f"/payments/{sent.pk}/results/", 15),
        ("/payments/ledger/", 15),
        ("/payments/budget/", 15),
        ("/payments/terms/", 15),
    ):
        client.get(path)
        with django_assert_max_num_queries(budget):
            assert client.get(path).status_code == 200, path


def test_another_finance_clerk_may_go_on(sign_in: SignIn, sent: Batch) -> None:
    other = make_user("finance_two", Role.FINANCE, COUNTY)
    text = sign_in(other).get(f"/payments/{sent.pk}/").content.decode()
    assert "下一步由您办理：导入回盘" in text
