"""The way of a roster file through the pages."""

import io
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from eldercare.models import Elder, ImportBatch
from eldercare.services.roster import roster_check, roster_commit
from operations.models import AuditEntry, Job
from organization.models import User
from tests.conftest import VILLAGE_A, VILLAGE_B
from tests.portal.conftest import SignIn
from tests.registry import id_number

LIST = "/imports/"
HEADER = "姓名,身份证号码,户籍区划,低保\r\n"


def roster(*rows: str) -> bytes:
    """A CSV roster."""
    return ("\ufeff" + HEADER + "".join(f"{row}\r\n" for row in rows)).encode()


def good_row(serial: int = 1, village: str = VILLAGE_A) -> str:
    """A row without a fault."""
    return f"周好{serial},{id_number(date(1944, 4, 4), serial)},{village},是"


def send(
    client: Client, content: bytes, name: str = "名册.csv", as_of: str = "2026-03-01"
) -> ImportBatch | str:
    """Upload a file; the batch, or the page's text if it was refused."""
    response = client.post(LIST, {"file": SimpleUploadedFile(name, content), "as_of": as_of})
    if response.status_code == 302:
        return ImportBatch.objects.latest("pk")
    assert response.status_code == 400
    return response.content.decode()


def checked(client: Client, content: bytes) -> ImportBatch:
    """Upload and check a file."""
    batch = send(client, content)
    assert isinstance(batch, ImportBatch)
    roster_check(batch=batch)
    Job.objects.update(state=Job.State.DONE)
    return ImportBatch.objects.get(pk=batch.pk)


def page(client: Client, batch: ImportBatch) -> str:
    """Text of the batch's page."""
    return client.get(reverse("portal:import-detail", args=[batch.pk])).content.decode()


def test_the_list_shows_batches_that_have_no_figures(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = send(client, roster(good_row()))
    assert isinstance(batch, ImportBatch)
    assert client.get(LIST).status_code == 200  # still being checked
    refused = checked(client, b"hello")
    assert (refused.state, refused.counts) == (ImportBatch.State.REFUSED, {})
    response = client.get(LIST)
    assert response.status_code == 200
    assert '<td class="num">—</td>' in response.content.decode()


def test_rows_that_contradict_each_other_both_say_so_beside_their_other_errors(
    sign_in: SignIn, clerk_a: User
) -> None:
    row = good_row(village="没有的镇/没有的村")
    batch = checked(sign_in(clerk_a), roster(row, row.removesuffix("是")))
    messages = {group["message"] for group in batch.report["groups"]}
    assert {text for text in messages if "同一证件号码" in text} == {
        f"与第 {line} 行是同一证件号码，但内容不同；请核对后只保留一行" for line in (2, 3)
    }


def test_an_upload_becomes_a_batch_that_is_checked_in_the_background(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = send(client, roster(good_row()))
    assert isinstance(batch, ImportBatch)
    assert (batch.state, batch.as_of, batch.created_by) == ("checking", date(2026, 3, 1), clerk_a)
    assert batch.job is not None
    assert (batch.job.kind, batch.job.params) == ("roster_check", {"batch": batch.pk})
    text = page(client, batch)
    assert "排队中" in text
    assert reverse("portal:job-progress", args=[batch.job.pk]) in text


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"%PDF-1.4", "名册.xlsx", "PDF"),
        (b"MZ", "名册.exe", "只能上传 xlsx、xls 或 csv 文件"),
        (b"", "名册.csv", "这个文件是空的"),
    ],
)
def test_a_wrong_file_is_answered_on_the_form_and_nothing_is_kept(
    sign_in: SignIn, clerk_a: User, content: bytes, name: str, said: str
) -> None:
    text = send(sign_in(clerk_a), content, name)
    assert isinstance(text, str)
    assert said in text
    assert "登记没有改动" in text
    assert not ImportBatch.objects.exists()


def test_a_bad_day_is_answered_on_the_form_and_kept_as_typed(sign_in: SignIn, clerk_a: User) -> None:
    text = send(sign_in(clerk_a), roster(good_row()), as_of="三月一日")
    assert isinstance(text, str)
    assert "日期应写成" in text
    assert 'value="三月一日"' in text


def test_the_preview_counts_and_groups_the_whole_file(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster(good_row(), "周错,990101194404,530322101201,是"))
    text = page(client, batch)
    assert (batch.counts["created"], batch.counts["errors"]) == (1, 1)
    assert "正确的先入库（新增 1、更新 0）" in text
    assert "下载错误清单" in text


def test_a_file_without_faults_is_committed_whole(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster(good_row()))
    assert "全部入库（新增 1、更新 0）" in page(client, batch)
    client.post(reverse("portal:import-commit", args=[batch.pk]), {"mode": "all"})
    job = Job.objects.get(kind="roster_commit")
    assert job.params == {"batch": batch.pk, "mode": "all"}


def test_a_second_click_on_commit_changes_nothing(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster(good_row()))
    for _ in range(2):
        client.post(reverse("portal:import-commit", args=[batch.pk]), {"mode": "all"})
    assert Job.objects.filter(kind="roster_commit").count() == 1


@pytest.mark.parametrize("mode", ["", "everything"])
def test_an_unknown_mode_is_not_taken(sign_in: SignIn, clerk_a: User, mode: str) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster(good_row()))
    url = reverse("portal:import-commit", args=[batch.pk])
    assert "请选择入库方式" in client.post(url, {"mode": mode}, follow=True).content.decode()
    assert not Job.objects.filter(kind="roster_commit").exists()


def test_a_batch_that_is_not_ready_is_not_committed(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster(good_row()))
    client.post(reverse("portal:import-discard", args=[batch.pk]))
    response = client.post(reverse("portal:import-commit", args=[batch.pk]), {"mode": "all"}, follow=True)
    assert "不能入库" in response.content.decode()


def test_the_result_is_shown_and_can_be_taken_back(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = roster_commit(batch=checked(client, roster(good_row())), mode="all", actor=clerk_a)
    assert "已入库：新增 1 人" in page(client, batch)
    assert Elder.objects.count() == 1
    client.post(reverse("portal:import-undo", args=[batch.pk]))
    assert Elder.objects.count() == 0
    assert "这一批已撤销" in page(client, batch)


def test_a_discarded_batch_writes_nothing(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster(good_row()))
    client.post(reverse("portal:import-discard", args=[batch.pk]))
    assert "这一批已放弃" in page(client, batch)
    assert not Elder.objects.exists()


def test_rows_of_another_township_are_refused(sign_in: SignIn, clerk_a: User) -> None:
    batch = checked(sign_in(clerk_a), roster(good_row(village=VILLAGE_B)))
    assert (batch.counts["created"], batch.counts["errors"]) == (0, 1)


def test_the_error_workbook_and_the_template_are_workbooks(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster("周错,990101194404,530322101201,是"))
    for url in (reverse("portal:import-errors", args=[batch.pk]), reverse("portal:import-template")):
        response = client.get(url)
        assert "attachment" in response.headers["Content-Disposition"]
        assert load_workbook(io.BytesIO(response.getvalue())).sheetnames


def test_the_error_workbook_of_another_user_is_taken_under_audit(
    sign_in: SignIn, clerk_a: User, bureau_clerk: User
) -> None:
    batch = checked(sign_in(clerk_a), roster("周错,990101194404,530322101201,是"))
    url = reverse("portal:import-errors", args=[batch.pk])
    sign_in(clerk_a).get(url)
    assert not AuditEntry.objects.filter(action="import_errors").exists()
    sign_in(bureau_clerk).get(url)
    entry = AuditEntry.objects.get(action="import_errors")
    assert (entry.actor, entry.subject, entry.data["errors"]) == (bureau_clerk, f"导入批次 {batch.pk}", 1)


def test_a_batch_without_errors_has_no_workbook(sign_in: SignIn, clerk_a: User) -> None:
    client = sign_in(clerk_a)
    batch = checked(client, roster(good_row()))
    assert client.get(reverse("portal:import-errors", args=[batch.pk])).status_code == 404


@pytest.mark.parametrize("step", ["detail", "errors", "commit", "undo", "discard"])
def test_a_batch_of_another_township_does_not_exist(
    sign_in: SignIn, clerk_a: User, clerk_b: User, step: str
) -> None:
    batch = checked(sign_in(clerk_a), roster(good_row()))
    url = reverse(f"portal:import-{step}", args=[batch.pk])
    client = sign_in(clerk_b)
    response = client.get(url) if step in {"detail", "errors"} else client.post(url, {"mode": "all"})
    assert response.status_code == 404


def test_the_bureau_sees_the_batches_of_its_townships_but_not_the_other_way_round(
    sign_in: SignIn, clerk_a: User, bureau_clerk: User
) -> None:
    own = checked(sign_in(clerk_a), roster(good_row()))
    bureaus = checked(sign_in(bureau_clerk), roster(good_row(2)))
    assert set(sign_in(bureau_clerk).get(LIST).context["batches"]) == {own, bureaus}
    assert set(sign_in(clerk_a).get(LIST).context["batches"]) == {own}
