"""A file of visits, read row by row: what each says, or what is wrong with it. Touches no database."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from eldercare.reading.table import Sheet, read_table
from eldercare.reading.text import clean_text, half_width
from eldercare.reading.workbook import NO_VALUE
from visits.cells import MODE, NOTE, NUMBER, RECORD, RESULT, TIME, VISITOR, Parser, parsers

COLUMNS: Final = (RECORD, NUMBER, TIME, MODE, RESULT, VISITOR, NOTE)
REQUIRED: Final = COLUMNS[:-1]
OTHER_HEADERS: Final = {"记录编号(UUID)": RECORD, "身份证号": NUMBER, "公民身份号码": NUMBER}
HEADER_ROWS: Final = 10
NO_RESULT: Final = "公式没有结果；请改成填写好的内容"


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A readable row, the `order`th of the file; `place` names it for people, `number` is the ID number."""

    order: int
    place: str
    id: UUID
    number: str
    at: datetime
    mode: str
    result: str
    visitor: str
    note: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell of the `order`th row and what to write instead."""

    order: int
    place: str
    column: str
    value: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}“{self.column}”列“{self.value}”：{self.message}"


@dataclass
class VisitFile:
    """Everything a file says; `total` counts its rows that are not blank."""

    rows: list[VisitRow] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    total: int = 0


def read_visits(content: bytes, now: datetime) -> VisitFile:
    """Read the visible sheets that have the header. FileRefused for other files, ValueError without header."""
    result, readers = VisitFile(), parsers(now)
    sheet, header, any_header = "", None, False
    missing: Sequence[str] = REQUIRED
    for part in read_table(content):
        if isinstance(part, Sheet):
            sheet, header = part.name, None
            continue
        for number, row in enumerate(part.rows, part.first):
            if header is not None:
                if any(map(_is_filled, row)):
                    cells = {column: row[at] for column, at in header.items() if at < len(row)}
                    _take(result, _place(sheet, number), cells, readers)
            elif number <= HEADER_ROWS:
                found = _header(row)
                missing = min(missing, [column for column in REQUIRED if column not in found], key=len)
                header = found if all(column in found for column in REQUIRED) else None
                any_header = any_header or header is not None
    if not any_header:
        raise ValueError(f"前 {HEADER_ROWS} 行里没有找到完整的表头，缺少列：{'、'.join(missing)}")
    return result


def _take(result: VisitFile, place: str, cells: Mapping[str, Any], readers: Mapping[str, Parser]) -> None:
    """Add a row to the file's rows, or its faults to the faults."""
    result.total += 1
    values: dict[str, Any] = {}
    for column, parse in readers.items():
        cell = cells.get(column)
        try:
            if cell == NO_VALUE:
                raise ValueError(NO_RESULT)
            values[column] = parse(cell)
        except ValueError as error:
            result.faults.append(Fault(result.total, place, column, _shown(cell), str(error)))
    if len(values) == len(COLUMNS):
        result.rows.append(VisitRow(result.total, place, *(values[column] for column in COLUMNS)))


def _header(row: Sequence[object]) -> dict[str, int]:
    """Return column → position of the known headers in a row; of repeated ones the first."""
    found: dict[str, int] = {}
    for at, cell in enumerate(row):
        name = re.sub(r"\s", "", half_width(cell)) if isinstance(cell, str) else ""
        column = OTHER_HEADERS.get(name, name)
        if column in COLUMNS:
            found.setdefault(column, at)
    return found


def _place(sheet: str, number: int) -> str:
    return f"第 {number} 行" if sheet == "CSV" else f"工作表“{sheet}”第 {number} 行"


def _is_filled(cell: object) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _shown(cell: object) -> str:
    """Return a cell as the sender knows it, cut to 40 characters."""
    if cell == NO_VALUE:
        return ""
    if isinstance(cell, tuple):
        return "-".join(f"{part:02d}" for part in cell)
    text = cell if isinstance(cell, str) and "\ufffd" in cell else clean_text(cell)
    return text if len(text) <= 40 else f"{text[:40]}…"
