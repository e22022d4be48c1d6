"""Typing in papers and uploading files of visits, as pages."""

import io
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from eldercare.models import Elder
from organization.models import User
from tests.conftest import TOWN_A, VILLAGE_A, VILLAGE_B
from tests.portal.conftest import SignIn
from tests.portal.visits import owe
from tests.registry import make_elder
from tests.visits.files import csv_bytes, row
from visits.models import Obligation, Visit

pytestmark = pytest.mark.django_db
ENTRY = f"/visits/2026-03/entry/?area={VILLAGE_A}"
IMPORT = "/visits/import/"


@pytest.fixture
def owed(elder_a: Elder) -> Elder:
    """An elder of 甲一村 to be seen in March."""
    owe(elder_a)
    return elder_a


@pytest.fixture
def second(owed: Elder) -> Elder:
    """Another one."""
    elder = make_elder(date(1941, 1, 1), hukou=VILLAGE_A, name="李丁香")
    owe(elder)
    return elder


def typed(elder: Elder, day: str = "10", result: str = "见到本人", note: str = "") -> dict[str, str]:
    said = {"day": day, "mode": "上门", "result": result, "note": note}
    return {f"{name}-{elder.pk}": value for name, value in said.items()}


def test_a_village_is_chosen_first(sign_in: SignIn, clerk_a: User, owed: Elder) -> None:
    client = sign_in(clerk_a)
    assert "请先选择村" in client.get("/visits/2026-03/entry/").content.decode()
    assert "请先选择村" in client.get(f"/visits/2026-03/entry/?area={TOWN_A}").content.decode()
    assert "赵春梅" in client.get(ENTRY).content.decode()


def test_seeing_the_person_is_never_offered(sign_in: SignIn, clerk_a: User, owed: Elder) -> None:
    assert '<option value="见到本人" selected' not in sign_in(clerk_a).get(ENTRY).content.decode()


def test_filled_rows_are_stored_and_empty_ones_passed_over(
    sign_in: SignIn, clerk_a: User, owed: Elder, second: Elder
) -> None:
    said = sign_in(clerk_a).post(
        ENTRY, {"visitor": "周访", **typed(owed), f"mode-{second.pk}": "上门"}, follow=True
    )
    assert "已登记 1 条" in said.content.decode()
    visit = Visit.objects.get()
    assert (visit.elder, visit.visitor, visit.recorder) == (owed, "周访", clerk_a)


def test_a_bad_row_is_marked_beside_and_the_good_ones_are_stored(
    sign_in: SignIn, clerk_a: User, owed: Elder, second: Elder
) -> None:
    client = sign_in(clerk_a)
    page = client.post(ENTRY, {"visitor": "周访", **typed(owed), **typed(second, "32", note="头晕")})
    text = page.content.decode()
    assert "日期“32”不存在" in text
    assert 'value="32"' in text
    assert 'value="头晕"' in text
    assert 'value="周访"' in text
    assert Visit.objects.get().elder == owed
    client.post(ENTRY, {"visitor": "周访", **typed(owed), **typed(second, "12", note="头晕")})
    assert Visit.objects.count() == 2


def test_sending_the_page_again_doubles_nothing(sign_in: SignIn, clerk_a: User, owed: Elder) -> None:
    client = sign_in(clerk_a)
    given = {"visitor": "周访", **typed(owed)}
    client.post(ENTRY, given)
    said = client.post(ENTRY, given, follow=True).content.decode()
    assert "已登记 0 条。另有 1 条以前登记过，没有重复登记" in said
    assert Visit.objects.count() == 1
    assert Obligation.objects.get().done == 1


def test_without_a_visitor_everything_stays_as_typed(sign_in: SignIn, clerk_a: User, owed: Elder) -> None:
    page = sign_in(clerk_a).post(ENTRY, {"visitor": "", **typed(owed, note="头晕")}).content.decode()
    assert "没有登记：请填写探访人" in page
    assert 'value="头晕"' in page
    assert not Visit.objects.exists()


def test_an_empty_form_is_said(sign_in: SignIn, clerk_a: User, owed: Elder) -> None:
    assert "没有填写任何一行" in sign_in(clerk_a).post(ENTRY, {"visitor": "周访"}).content.decode()


def test_another_townships_village_shows_nobody_and_takes_nothing(
    sign_in: SignIn, clerk_b: User, owed: Elder
) -> None:
    client = sign_in(clerk_b)
    assert "赵春梅" not in client.get(ENTRY).content.decode()
    client.post(ENTRY, {"visitor": "周访", **typed(owed)})
    assert not Visit.objects.exists()


@pytest.mark.parametrize("path", [ENTRY, IMPORT, f"{IMPORT}template/"])
def test_a_reader_types_nothing_in(sign_in: SignIn, reader_a: User, county: object, path: str) -> None:
    assert sign_in(reader_a).get(path).status_code == 403


# files


def upload(client: Client, content: bytes, name: str = "visits.csv") -> tuple[int, str]:
    response = client.post(IMPORT, {"file": SimpleUploadedFile(name, content)})
    return response.status_code, response.content.decode()


def test_a_file_is_taken_in_and_its_counts_are_shown(sign_in: SignIn, clerk_a: User, owed: Elder) -> None:
    content = csv_bytes(row(owed))
    client = sign_in(clerk_a)
    assert "新登记 <strong>1</strong> 条" in upload(client, content)[1]
    assert "重复 <strong>1</strong> 条" in upload(client, content)[1]
    assert Visit.objects.count() == 1


def test_rows_that_stand_in_the_way_are_listed_and_nothing_is_stored(
    sign_in: SignIn, clerk_a: User, owed: Elder
) -> None:
    said = upload(sign_in(clerk_a), csv_bytes(row(owed), row(owed, 结果="好")))[1]
    assert "没有导入任何一行" in said
    assert "不是探访结果" in said
    assert not Visit.objects.exists()


def test_an_elder_of_another_township_is_not_known(sign_in: SignIn, clerk_a: User, elder_b: Elder) -> None:
    assert elder_b.residence_code == VILLAGE_B
    assert "花名册中没有此人" in upload(sign_in(clerk_a), csv_bytes(row(elder_b)))[1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("visits.pdf", b"x", "只能上传 xlsx、xls 或 csv"), ("visits.csv", b"", "这个文件是空的")],
)
def test_a_file_of_another_kind_is_refused(
    sign_in: SignIn, clerk_a: User, name: str, content: bytes, said: str
) -> None:
    status, page = upload(sign_in(clerk_a), content, name)
    assert (status, said in page) == (400, True)


def test_a_file_without_its_columns_is_refused(sign_in: SignIn, clerk_a: User) -> None:
    assert "没有导入任何一行" in upload(sign_in(clerk_a), "姓名,年龄\n甲,80\n".encode())[1]


def test_the_template_has_the_files_columns(sign_in: SignIn, clerk_a: User) -> None:
    content = sign_in(clerk_a).get(f"{IMPORT}template/").content
    heads = next(load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))
    assert heads == ("记录编号", "身份证号码", "探访时间", "方式", "结果", "探访人", "备注")


def test_the_filled_template_is_taken_in(sign_in: SignIn, clerk_a: User, owed: Elder) -> None:
    client = sign_in(clerk_a)
    book = load_workbook(io.BytesIO(client.get(f"{IMPORT}template/").content))
    book.worksheets[0].append(row(owed))
    stream = io.BytesIO()
    book.save(stream)
    assert "新登记 <strong>1</strong> 条" in upload(client, stream.getvalue(), "visits.xlsx")[1]
