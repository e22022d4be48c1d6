"""A table of known columns, read row by row: what each cell means, or what is wrong with it. Knows no Django."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from eldercare.identity import WRONG_SHAPE, parse_id_number
from eldercare.reading.table import Sheet, read_table
from eldercare.reading.text import clean_code, clean_text, half_width, has_lost_digits
from eldercare.reading.workbook import NO_VALUE

HEADER_ROWS: Final = 10
SHOWN: Final = 40
NO_RESULT: Final = "公式没有结果；请改成填写好的内容"
LOST_DIGITS: Final = "是数字格式，末几位已丢失；请把该列设为文本后重新填写"
ID_NUMBER: Final = "身份证号码"

#: Returns what a cell means; ValueError says what is wrong and what to write instead.
Parser = Callable[[object], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its header; `others` are headers that mean the same."""

    name: str
    parse: Parser
    required: bool = True
    others: tuple[str, ...] = ()


def id_number_column(today: date) -> Column:
    """The ID number by which a row names its elder, in a file that arrives today.

    A wrong check digit is the registry's matter: the number either stands there or it does not.
    """

    def parse(cell: object) -> str:
        if has_lost_digits(cell):
            raise ValueError(LOST_DIGITS)
        text = clean_code(cell)
        if not text:
            raise ValueError(WRONG_SHAPE)
        return parse_id_number(text, today).number

    return Column(ID_NUMBER, parse, others=("身份证号", "公民身份号码"))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell, of the `order`th row, and what to write instead."""

    place: str
    column: str
    value: str
    message: str
    order: int = 0

    def __str__(self) -> str:
        return f"{self.place}“{self.column}”列“{self.value}”：{self.message}"


@dataclass(frozen=True, slots=True)
class Record:
    """A readable row, the `order`th of the file; `place` names it for people.

    A column that its sheet lacks is missing in `values`.
    """

    order: int
    place: str
    values: Mapping[str, Any]


@dataclass
class Records:
    """Everything a file says; `total` counts its rows that are not blank."""

    rows: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    total: int = 0


def read_records(content: bytes, columns: Sequence[Column]) -> Records:
    """Read the visible sheets that have the header. FileRefused for other files, ValueError without header."""
    result = Records()
    required = [column.name for column in columns if column.required]
    sheet, header, any_header, missing = "", None, False, required
    for part in read_table(content):
        if isinstance(part, Sheet):
            sheet, header = part.name, None
            continue
        for number, row in enumerate(part.rows, part.first):
            if header is not None:
                if any(map(_is_filled, row)):
                    _take(result, _place(sheet, number), row, header)
            elif number <= HEADER_ROWS:
                found = _header(row, columns)
                names = {column.name for column, _ in found}
                missing = min(missing, [name for name in required if name not in names], key=len)
                header = found if names.issuperset(required) else None
                any_header = any_header or header is not None
    if not any_header:
        raise ValueError(f"前 {HEADER_ROWS} 行里没有找到完整的表头，缺少列：{'、'.join(missing)}")
    return result


def _take(result: Records, place: str, row: Sequence[object], header: Sequence[tuple[Column, int]]) -> None:
    """Add a row to the file's rows, or its faults to the faults."""
    result.total += 1
    values: dict[str, Any] = {}
    for column, at in header:
        cell = row[at] if at < len(row) else None
        try:
            if cell == NO_VALUE:
                raise ValueError(NO_RESULT)
            values[column.name] = column.parse(cell)
        except ValueError as error:
            result.faults.append(Fault(place, column.name, shown(cell), str(error), result.total))
    if len(values) == len(header):
        result.rows.append(Record(result.total, place, values))


def _header(row: Sequence[object], columns: Sequence[Column]) -> list[tuple[Column, int]]:
    """Return the known columns of a header row and where they stand; of repeated ones the first."""
    names = {name: column for column in columns for name in (column.name, *column.others)}
    found: dict[str, tuple[Column, int]] = {}
    for at, cell in enumerate(row):
        column = names.get(re.sub(r"\s", "", half_width(cell))) if isinstance(cell, str) else None
        if column is not None:
            found.setdefault(column.name, (column, at))
    return list(found.values())


def shown(cell: object) -> str:
    """Return a cell as the sender knows it, cut to 40 characters."""
    if cell == NO_VALUE:
        return ""
    if isinstance(cell, tuple):
        return "-".join(f"{part:02d}" for part in cell)
    text = cell if isinstance(cell, str) and "\ufffd" in cell else clean_text(cell)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _place(sheet: str, number: int) -> str:
    return f"第 {number} 行" if sheet == "CSV" else f"工作表“{sheet}”第 {number} 行"


def _is_filled(cell: object) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))
