"""Tables for Excel: text stays text, and nothing becomes a formula."""

from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from operations.spreadsheets import csv_file, csv_write, plain_cell, safe_text, xlsx_bytes


@pytest.mark.parametrize(
    "text", ["=1+1", "+86", "-1", "@SUM", "\tx", "\rx", "  =1", "＝1", "＋1", "－1", "＠a"]
)
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["张三", "1=1", "990101194003151239", "a@b", ""])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "是"),
        (False, "否"),
        (Decimal("-50.00"), "-50.00"),
        (7, "7"),
        (date(2026, 11, 1), "2026-11-01"),
    ],
)
def test_values_are_written_in_the_contracts_form(value: object, shown: str) -> None:
    assert plain_cell(value) == shown


def test_rows_are_counted() -> None:
    assert csv_write(StringIO(), ["甲"], [["1"], ["2"]]) == 2


def test_a_csv_file_begins_with_a_bom(tmp_path: Path) -> None:
    csv_file(str(tmp_path / "f.csv"), ["姓名"], [["张测"]])
    assert (tmp_path / "f.csv").read_bytes().startswith("\ufeff姓名".encode())


def test_a_workbook_keeps_long_numbers_as_text_and_money_as_money() -> None:
    book = load_workbook(
        BytesIO(xlsx_bytes("表", ["证件号", "金额", "人数"], [["990101194003151239", Decimal("50.10"), 3]]))
    )
    row = next(book.worksheets[0].iter_rows(min_row=2, values_only=True))
    assert row == ("990101194003151239", 50.1, 3)


def test_a_workbook_holds_no_formula() -> None:
    book = load_workbook(BytesIO(xlsx_bytes("表", ["备注"], [["=HYPERLINK(1)"]])))
    assert book.worksheets[0]["A2"].data_type == "s"
