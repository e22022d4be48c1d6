"""Lists as files: whole or not at all, harmless in a spreadsheet, with a sheet that says what they are."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from operations.spreadsheets import plain_cell

Cell = str | int | Decimal | None
LIMITS: Final = {"csv": 200_000, "xlsx": 20_000}
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Listing:
    """A list on its way into a file. about: (label, text) lines of the second sheet."""

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    about: Sequence[tuple[str, str]] = ()
    widths: Sequence[int] = ()


def over_limit(kind: str, total: int) -> str:
    """Say why a list of this size cannot become a file of this kind; '' if it can."""
    limit = LIMITS[kind]
    if total <= limit:
        return ""
    other = "；也可以改用 CSV 格式" if kind == "xlsx" and total <= LIMITS["csv"] else ""
    return (
        f"当前条件共有 {total:,} 条，超过 {kind.upper()} 一次可导出的 {limit:,} 条，没有导出任何内容。"
        f"请用区划、年龄或情形缩小范围后分次导出{other}。"
    )


def file_response(kind: str, listing: Listing) -> HttpResponseBase:
    """The list as a CSV (UTF-8 with BOM, streamed) or XLSX download."""
    return _xlsx(listing) if kind == "xlsx" else _csv(listing)


def attachment(content: bytes, name: str, content_type: str = XLSX) -> HttpResponse:
    """Bytes as a download under a Chinese name."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = _disposition(name)
    return response


def _csv(listing: Listing) -> HttpResponseBase:
    response = StreamingHttpResponse(_csv_lines(listing), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = _disposition(f"{listing.name}.csv")
    return response


def _csv_lines(listing: Listing) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(listing.headings)
    yield "\ufeff" + buffer.getvalue()
    for row in listing.rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([plain_cell(value) for value in row])
        yield buffer.getvalue()


def _xlsx(listing: Listing) -> HttpResponseBase:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("名单")
    sheet.freeze_panes = "A2"
    for number, width in enumerate(listing.widths):
        sheet.column_dimensions[chr(ord("A") + number)].width = width
    sheet.append([_heading(sheet, text) for text in listing.headings])
    for row in listing.rows:
        sheet.append([_cell(sheet, value) for value in row])
    about = book.create_sheet("说明")
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 14, 80
    for line in listing.about:
        about.append([_cell(about, value) for value in line])
    buffer = io.BytesIO()
    book.save(buffer)
    buffer.seek(0)
    response = FileResponse(buffer, content_type=XLSX)
    response["Content-Disposition"] = _disposition(f"{listing.name}.xlsx")
    return response


def _heading(sheet: WriteOnlyWorksheet, text: str) -> SheetCell:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="FFE6F2F6")
    cell.alignment = Alignment(horizontal="center")
    return cell


def _cell(sheet: WriteOnlyWorksheet, value: Cell) -> SheetCell:
    """A text is stored as text even if it looks like a formula."""
    cell = WriteOnlyCell(sheet, value=float(value) if isinstance(value, Decimal) else value)
    if isinstance(value, str):
        cell.data_type = "s"
    elif isinstance(value, Decimal):
        cell.number_format = "#,##0.00"
    return cell


def _disposition(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name)}"
