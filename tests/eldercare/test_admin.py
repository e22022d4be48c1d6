"""The admin's view of the registry and its import of small files."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from eldercare.models import Elder, ImportBatch
from eldercare.resources import small_file
from operations.models import StoredFile
from operations.services.stored_file import stored_file_create
from organization.models import User
from tests.eldercare.rosters import OTHER_VILLAGE, VILLAGE, imported, person, workbook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]

ADD = "/admin/eldercare/elder/import/"
CONFIRM = "/admin/eldercare/elder/process_import/"


def signed_in(user: User) -> Client:
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def preview(client: Client, content: bytes) -> str:
    upload = SimpleUploadedFile("小名册.xlsx", content)
    return client.post(ADD, {"import_file": upload, "format": "0", "resource": "0"}).content.decode()


def confirmation(page: str) -> dict[str, str]:
    """The hidden fields with which a preview is confirmed."""
    named = r'name="(import_file_name|original_file_name|format|resource)" value="([^"]*)"'
    return dict(re.findall(named, page))


def test_the_list_shows_elders_of_the_users_areas_with_masked_numbers(clerk_a: User) -> None:
    imported(person(1), person(2, 姓名="李秀英", 户籍区划=OTHER_VILLAGE))
    page = signed_in(clerk_a).get("/admin/eldercare/elder/").content.decode()
    assert "张国华" in page
    assert "李秀英" not in page
    assert not re.search(r"\d{17}[\dX]", page)


def test_an_elder_is_shown_and_cannot_be_changed(clerk_a: User) -> None:
    imported(person(1, 低保="是", 联系电话="13800138000", 银行账号="6228480012345678903", 联系人="李四"))
    client = signed_in(clerk_a)
    path = f"/admin/eldercare/elder/{Elder.objects.get().pk}/change/"
    page = client.get(path).content.decode()
    assert "2026-01-01 起" in page
    assert "13800138000" not in page
    assert "6228480012345678903" not in page
    assert client.post(path, {"name": "改"}).status_code == 403


def test_an_elder_of_another_township_is_not_there(clerk_b: User) -> None:
    imported(person(1))
    response = signed_in(clerk_b).get(f"/admin/eldercare/elder/{Elder.objects.get().pk}/change/")
    assert response.status_code in (302, 404)


def test_a_system_administrator_sees_no_elder(system_admin: User) -> None:
    client = signed_in(system_admin)
    assert client.get("/admin/eldercare/elder/").status_code == 403
    assert client.get(ADD).status_code == 403


def test_a_small_file_is_previewed_then_written(clerk_a: User) -> None:
    client = signed_in(clerk_a)
    page = preview(client, workbook([person(1, 低保="是"), person(2)]))
    assert not Elder.objects.exists()
    assert not ImportBatch.objects.exists()
    client.post(CONFIRM, confirmation(page))
    assert Elder.objects.count() == 2
    assert ImportBatch.objects.get().created_by == clerk_a
    assert not StoredFile.objects.filter(name="待确认的花名册").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (workbook([person(1, 低保="也许")]), "低保：应填“是”，不是的留空（1 行，如工作表“花名册”第 2 行）"),
        (workbook([person(1, 户籍区划=OTHER_VILLAGE)]), "不在您的管理范围内"),
        (b"%PDF-1.7", "这是PDF 文件"),
        (workbook([{"甲": 1, "乙": 2}]), "前 10 行里找不到表头"),
    ],
)
def test_a_wrong_small_file_is_explained_and_not_confirmed(
    clerk_a: User, content: bytes, sentence: str
) -> None:
    page = preview(signed_in(clerk_a), content)
    assert sentence in page
    assert "process_import" not in page


def test_a_large_file_is_sent_to_the_page_for_it(clerk_a: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_file, "MAX_ROWS", 1)
    page = preview(signed_in(clerk_a), workbook([person(1), person(2, 户籍区划=VILLAGE)]))
    assert "请到“导入”页面上传" in page


def test_a_waiting_file_of_another_user_does_not_exist(clerk_a: User, clerk_b: User) -> None:
    fields = confirmation(preview(signed_in(clerk_a), workbook([person(1)])))
    assert signed_in(clerk_b).post(CONFIRM, fields).status_code == 404
    assert not Elder.objects.exists()
    assert StoredFile.objects.filter(pk=fields["import_file_name"]).exists()


@pytest.mark.parametrize("own", [True, False])
def test_only_a_waiting_file_is_confirmed_and_removed(clerk_a: User, own: bool) -> None:
    client = signed_in(clerk_a)
    fields = confirmation(preview(client, workbook([person(1)])))
    kept = stored_file_create(name="错误清单.xlsx", content=workbook([person(2)]), created_by=clerk_a)
    other = str(kept.pk) if own else "../etc"
    assert client.post(CONFIRM, fields | {"import_file_name": other}).status_code == 404
    assert StoredFile.objects.filter(pk=kept.pk).exists()
