"""Headers: found among the first rows, under any of their names, once or twice."""

from typing import Any

import pytest
from openpyxl import Workbook

from eldercare.models import ImportBatch
from eldercare.roster import cleaning
from tests.eldercare.rosters import VILLAGE, checked, counts, person, remarks, saved, sheets, workbook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]


def page(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    return saved(book)


def line(serial: int = 1, name: str = "张国华") -> list[Any]:
    row = person(serial)
    return [name, row["身份证号码"], VILLAGE]


HEADER = ["姓名", "身份证号码", "户籍区划"]


def test_a_title_above_the_header_is_passed_over() -> None:
    assert counts(checked(workbook([person()], title="2026 年高龄津贴对象花名册"))) == (1, 0, 0, 0)


@pytest.mark.parametrize(("titles", "found"), [(9, True), (10, False)])
def test_the_header_is_looked_for_in_ten_rows(titles: int, found: bool) -> None:
    batch = checked(page(*([["标题"]] * titles), HEADER, line()))
    assert (batch.state == ImportBatch.State.READY) is found
    if not found:
        assert "前 10 行里找不到表头" in batch.report["refusal"]


@pytest.mark.parametrize(
    "header",
    [
        ["老人姓名", "身份证号", "户籍地址"],
        ["姓 名", "公民身份号码", "户口所在地"],
        ["*姓名（必填）", "身份证号码【18位】", "户籍区划："],
        ["姓名", "身份证", "户籍地"],
    ],
)
def test_headers_go_by_other_names(header: list[str]) -> None:
    assert counts(checked(page(header, line()))) == (1, 0, 0, 0)


def test_township_and_village_may_stand_in_two_columns() -> None:
    batch = checked(page(["镇（街）", "村（社区）", "姓名", "身份证号码"], ["乙镇", "东门村", *line()[:2]]))
    assert counts(batch) == (1, 0, 0, 0)


def test_two_levels_of_headers_are_put_together() -> None:
    rows = [
        ["姓名", "身份证号码", "户籍区划", "残疾情况", ""],
        ["", "", "", "类别", "等级"],
        [*line(), "肢体", "二级"],
    ]
    batch = checked(page(*rows))
    assert counts(batch) == (1, 0, 0, 0)
    assert {"disability_type", "disability_level"} <= set(batch.columns[0])


def test_a_missing_required_column_is_named() -> None:
    batch = checked(page(["姓名", "户籍区划"], ["张三", VILLAGE]))
    assert batch.report["refusal"] == "工作表“Sheet”缺少必需的列：身份证号码；请补上这一列，或下载模板对照"


def test_the_same_column_twice_is_refused() -> None:
    batch = checked(page([*HEADER, "手机", "电话"], [*line(), "1", "2"]))
    assert "“手机”与“电话”是同一内容的两列" in batch.report["refusal"]


def test_the_column_with_the_proper_name_wins_over_a_synonym() -> None:
    batch = checked(page([*HEADER, "户籍地址"], [*line(), "不在表中的地方"]))
    assert counts(batch) == (1, 0, 0, 0)
    assert "工作表“Sheet”中不认识的列没有读取：户籍地址" in batch.report["notices"]


def test_unknown_columns_are_named_and_passed_over() -> None:
    batch = checked(page(["序号", *HEADER, "发放金额"], [1, *line(), "50元"]))
    assert batch.report["notices"] == ["工作表“Sheet”中不认识的列没有读取：序号、发放金额"]


def test_blank_total_and_repeated_header_rows_are_no_data() -> None:
    rows = [
        HEADER,
        line(1),
        ["", None, " "],
        HEADER,
        line(2),
        ["合计", "", "2 人"],
        ["填表人：李四"],
        [" 审核：王五"],
    ]
    batch = checked(page(*rows))
    assert counts(batch) == (2, 0, 0, 0)
    assert (batch.counts["rows"], batch.counts["skipped"]) == (2, 5)


def test_every_visible_sheet_is_read_and_others_are_named() -> None:
    pages = {
        "甲一村": [person(1)],
        "乙一村": [person(2)],
        "旧": [person(3)],
        "说明": [{"怎样填": "一行一人"}],
    }
    batch = checked(sheets(pages, hidden=("旧",)))
    assert counts(batch) == (2, 0, 0, 0)
    assert set(batch.report["notices"]) == {
        "隐藏的工作表“旧”没有读取",
        "工作表“说明”没有花名册表头，没有读取",
    }


def test_a_file_without_rows_says_so() -> None:
    assert "表头下面没有数据" in checked(page(HEADER)).report["refusal"]


def test_a_merged_village_cell_is_not_taken_for_same_as_above() -> None:
    rows = [["村", "姓名", "身份证号码"], ["甲一村", *line(1)[:2]], ["", *line(2)[:2]]]
    batch = checked(page(*rows))
    assert counts(batch) == (1, 0, 0, 1)
    assert "合并单元格请先取消合并" in remarks(batch, "groups")[0][2]


@pytest.mark.parametrize(("rows", "taken"), [(3, True), (4, False)])
def test_data_rows_are_limited_and_blank_ones_do_not_count(
    rows: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "MAX_ROWS", 3)
    batch = checked(
        page(["标题"], HEADER, *(line(serial) for serial in range(rows)), ["", "", " "], ["合计"])
    )
    assert (batch.state == ImportBatch.State.READY) is taken
    if not taken:
        assert "超过 100,000 行的上限" in batch.report["refusal"]
