"""Writing tables for people with Excel: CSV with BOM and XLSX, safe against formulas."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any, TextIO

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def safe_text(text: str) -> str:
    """Return text that no spreadsheet reads as a formula: a leading ' before =, +, -, @ even after spaces."""
    return f"'{text}" if text.lstrip().startswith(FORMULA_STARTS) or text.startswith(("\t", "\r")) else text


def plain_cell(value: Any) -> str:
    """Text of a value: dates YYYY-MM-DD, money with two decimals, yes/no as 是/否, nothing as ''."""
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case Decimal() | int():
            return str(value)
        case date():
            return value.isoformat()
        case _:
            return safe_text(str(value))


def csv_write(stream: TextIO, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a CSV to an open text stream; return the number of rows."""
    writer = csv.writer(stream)
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([plain_cell(value) for value in row])
        count += 1
    return count


def csv_file(path: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a CSV file in UTF-8 with BOM; return the number of rows."""
    with Path(path).open("w", encoding="utf-8-sig", newline="") as stream:
        return csv_write(stream, header, rows)


def xlsx_bytes(title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a workbook of one sheet; texts stay texts, money keeps two decimals."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    heads = []
    for name in header:
        cell = WriteOnlyCell(sheet, value=name)
        cell.font = Font(bold=True)
        heads.append(cell)
    sheet.append(heads)
    for row in rows:
        sheet.append([_xlsx_cell(sheet, value) for value in row])
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _xlsx_cell(sheet: Any, value: Any) -> Cell:
    cell = WriteOnlyCell(sheet, value=plain_cell(value))
    if isinstance(value, Decimal):
        cell.value = float(value)  # a workbook knows no decimals; 12 digits are exact
        cell.number_format = "#,##0.00"
    elif isinstance(value, int) and not isinstance(value, bool):
        cell.value = value
    else:
        cell.data_type = "s"
        cell.number_format = "@"
    return cell
