"""The file sent back, and the template."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from eldercare.models import Elder, ImportBatch
from eldercare.resources.roster import RosterResource
from eldercare.roster.template import roster_template
from eldercare.services.roster import roster_commit
from operations.services.stored_file import stored_file_read
from tests.eldercare.rosters import checked, counts, errors, person, saved, sheets, workbook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]


def sent_back(batch: ImportBatch) -> bytes:
    assert batch.errors_file is not None
    return stored_file_read(stored=batch.errors_file)


def cells(content: bytes, sheet: str = "花名册") -> Sequence[Sequence[Any]]:
    return list(load_workbook(io.BytesIO(content))[sheet].iter_rows())


def test_the_rows_come_back_as_they_were_with_the_reason_beside_them() -> None:
    batch = checked(workbook([person(1), person(2, 低保="也许", 联系电话="123")], title="标题"))
    rows = [[cell.value for cell in row] for row in cells(sent_back(batch))]
    assert rows[0][0] == "标题"
    assert rows[1] == ["姓名", "身份证号码", "户籍区划", "低保", "联系电话", "错误原因", "提示"]
    assert rows[2][:3] == list(person(1).values())
    assert rows[3][3:6] == ["也许", "123", "低保：应填“是”，不是的留空"]
    assert "联系电话：不像手机号或固定电话" in rows[3][6]


def test_wrong_cells_are_coloured_and_long_numbers_are_text() -> None:
    batch = checked(workbook([person(1, 低保="也许", 联系电话="123")]))
    row = cells(sent_back(batch))[1]
    assert row[3].fill.start_color.rgb == "FFF4C7C3"
    assert row[4].fill.start_color.rgb == "FFFFF2CC"
    assert (row[1].number_format, row[1].data_type) == ("@", "s")


def test_it_can_be_uploaded_as_it_is_and_says_the_same() -> None:
    rows = [
        person(1),
        person(2, 低保="也许"),
        person(3, 身份证号码=610304194003151239),
        person(4, 低保="=1+1"),
        person(5, 死亡日期="1940.5"),
        person(6, 银行账号=6228480012345678903),
    ]
    first = checked(workbook(rows, title="标题"))
    again = checked(sent_back(first))
    assert counts(again) == counts(first) == (1, 0, 0, 5)
    assert errors(again) == errors(first)
    assert not again.report["notices"]


def test_a_mended_file_goes_through() -> None:
    first = checked(workbook([person(1), person(2, 低保="也许")]))
    roster_commit(batch=first, mode=ImportBatch.Mode.VALID)
    book = load_workbook(io.BytesIO(sent_back(first)))
    book["花名册"]["D3"] = "是"
    again = checked(saved(book))
    assert counts(again) == (1, 0, 1, 0)


def test_every_sheet_comes_back() -> None:
    batch = checked(sheets({"甲": [person(1, 低保="也许")], "乙": [person(2)]}))
    assert [row[0].value for row in cells(sent_back(batch), "乙")] == ["姓名", "张国华"]


def test_formulas_in_texts_are_disarmed() -> None:
    book = Workbook()
    page = book.worksheets[0]
    page.append([*person(1), "住址", "低保"])
    page.append([*person(1).values(), "x", "也许"])
    page["D2"].value = "=cmd|'/c calc'!A1"
    page["D2"].data_type = "s"
    row = cells(sent_back(checked(saved(book))), "Sheet")[1]
    assert (row[3].data_type, row[3].quotePrefix) == ("s", True)


def test_a_file_without_errors_has_none() -> None:
    assert checked(workbook([person(1)])).errors_file is None


def test_the_template_takes_a_row_and_goes_through() -> None:
    book = load_workbook(io.BytesIO(roster_template()))
    page = book["花名册"]
    header = [cell.value for cell in page[1]]
    row = person(1, 低保="是", 特困供养="分散")
    for name, value in row.items():
        page.cell(row=2, column=header.index(name) + 1, value=value)
    batch = roster_commit(batch=checked(saved(book)))
    assert counts(batch) == (1, 0, 0, 0)
    assert Elder.objects.count() == 1
    assert batch.report["notices"] == ["工作表“填写说明”没有花名册表头，没有读取"]


def test_the_template_has_text_columns_choices_and_a_version() -> None:
    book = load_workbook(io.BytesIO(roster_template()))
    page = book["花名册"]
    assert page.column_dimensions["B"].number_format == "@"
    choices = {validation.formula1 for validation in page.data_validations.dataValidation}
    assert {'"是"', '"分散,集中"', '"0,1,2,3,4"'} <= choices
    assert "模板版本" in book["填写说明"]["A1"].value


def test_the_template_has_every_column_of_the_contract() -> None:
    contract = [
        "姓名",
        "身份证号码",
        "户籍区划",
        "居住区划",
        "民族",
        "住址",
        "联系电话",
        "户主身份证号码",
        "与户主关系",
        "特困供养",
        "自理能力",
        "低保",
        "低保边缘",
        "居住状况",
        "计生特殊",
        "优抚类别",
        "残疾类别",
        "残疾等级",
        "残疾证号",
        "残疾证有效期至",
        "需长期照护",
        "能力等级",
        "评估日期",
        "入住机构",
        "养老保险",
        "长护险",
        "死亡日期",
        "迁出日期",
        "证件核实",
        "起始日期",
        "开户行",
        "银行账号",
        "账户户名",
        "联系人",
        "联系人电话",
        "备注",
    ]
    header = [cell.value for cell in load_workbook(io.BytesIO(roster_template()))["花名册"][1]]
    assert not set(contract) - set(header)
    assert {field.column_name for field in RosterResource.columns().values()} >= set(header)
