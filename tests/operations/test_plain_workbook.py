"""Workbooks written as text: every reader sees the cells that were put in."""

import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from operations import plain_workbook as module
from operations.plain_workbook import Cell, plain_workbook


def read(content: bytes) -> list[list[object]]:
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    return [list(row) for row in sheet.iter_rows()]


def test_texts_numbers_and_money_come_out_as_they_went_in() -> None:
    rows: list[list[Cell]] = [["序号", "账号"], [1, "6217000000000000001"], [2, Decimal("50.10")]]
    content = plain_workbook("明细", rows, headings=1)
    assert read(content) == [["序号", "账号"], [1.0, "6217000000000000001"], [2.0, 50.1]]


def test_openpyxl_reads_types_formats_and_the_bold_heading() -> None:
    content = plain_workbook("明细", [["名"], ["0012"], [Decimal("7.00")]], headings=1, widths=[30])
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    assert (sheet.title, sheet["A1"].font.b, sheet.column_dimensions["A"].width) == ("明细", True, 30)
    assert (sheet["A2"].value, sheet["A2"].number_format, sheet["A2"].data_type) == ("0012", "@", "s")
    assert (sheet["A3"].value, sheet["A3"].number_format) == (7, "0.00")


def test_what_looks_like_a_formula_stays_a_text() -> None:
    content = plain_workbook("明细", [["=1+1"]])
    cell = load_workbook(io.BytesIO(content)).worksheets[0]["A1"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_nothing_is_an_empty_cell_and_columns_go_on_after_z() -> None:
    content = plain_workbook("明细", [[None] * 27 + ["末"]])
    assert load_workbook(io.BytesIO(content)).worksheets[0]["AB1"].value == "末"


@given(st.text(max_size=40))
def test_any_text_gives_a_workbook_that_can_be_read(text: str) -> None:
    sheet = load_workbook(io.BytesIO(plain_workbook(text, [[text, "末"]]))).worksheets[0]
    assert sheet["B1"].value == "末"


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    assert plain_workbook("明细", [["一"], ["二"]])
    with pytest.raises(ValueError, match="最多 2 行"):
        plain_workbook("明细", [["一"], ["二"], ["三"]])
