"""A file of enrolments: its columns and what their cells mean. Touches no database."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from eldercare.reading.records import ID_NUMBER as NUMBER
from eldercare.reading.records import Column, Fault, Record, Records, id_number_column, read_records
from eldercare.reading.text import half_width
from subsidies.choices import EnrolmentState

CODE: Final = "项目编码"
FIRST: Final = "起始月"
LAST: Final = "终止月"
STATE: Final = "状态"

NO_CODE: Final = "没有填写；请填写清单中的项目编码，如 L11"
NO_MONTH: Final = "没有填写；请写成 2026-03"
NOT_A_MONTH: Final = "不是月份；请写成 2026-03"
NOT_A_STATE: Final = f"不是登记状态；请填写 {'、'.join(EnrolmentState.values)} 之一，或留空表示享受中"
EARLIEST: Final = 1990
_MONTH: Final = re.compile(r"(\d{4})(?:[-/]|年)(\d{1,2})月?")


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """What a row says; None in last_month or state: the file has no such column."""

    place: str
    number: str
    code: str
    first_month: date
    last_month: date | None
    state: EnrolmentState | None
    says_last: bool


def read_enrolments(content: bytes, today: date) -> tuple[Records, list[EnrolmentRow]]:
    """Read a CSV or workbook. FileRefused for other files, ValueError without header."""
    records = read_records(content, columns(today))
    return records, [_row(record) for record in records.rows]


def columns(today: date) -> tuple[Column, ...]:
    """The columns of the file, for one that arrives today."""
    return (
        id_number_column(today),
        Column(CODE, _code),
        Column(FIRST, parse_month_cell),
        Column(LAST, _month_or_none, required=False),
        Column(STATE, _state, required=False),
    )


def parse_month_cell(cell: object) -> date:
    """Return the first day of a month written 2026-03, 2026/3 or 2026年3月, or of a date cell on the 1st.

    A number such as 2026.1 may mean January or October and is refused.
    """
    if isinstance(cell, tuple):  # a date cell: spreadsheets turn 2026-03 into 1 March
        year, month, day = cell
        if day != 1:
            raise ValueError(NOT_A_MONTH)
        return _month(year, month)
    text = half_width(cell)
    if not text:
        raise ValueError(NO_MONTH)
    match = _MONTH.fullmatch(text)
    if match is None:
        raise ValueError(NOT_A_MONTH)
    return _month(int(match[1]), int(match[2]))


def _month(year: int, month: int) -> date:
    if year < EARLIEST or not 1 <= month <= 12:
        raise ValueError(NOT_A_MONTH)
    return date(year, month, 1)


def _month_or_none(cell: object) -> date | None:
    return parse_month_cell(cell) if half_width(cell if not isinstance(cell, tuple) else "1") else None


def _code(cell: object) -> str:
    text = half_width(cell).replace(" ", "")
    if not text:
        raise ValueError(NO_CODE)
    return text


def _state(cell: object) -> EnrolmentState:
    text = half_width(cell).replace(" ", "")
    if not text:
        return EnrolmentState.RECEIVING
    if text not in EnrolmentState.values:
        raise ValueError(NOT_A_STATE)
    return EnrolmentState(text)


def _row(record: Record) -> EnrolmentRow:
    values = record.values
    return EnrolmentRow(
        place=record.place,
        number=values[NUMBER],
        code=values[CODE],
        first_month=values[FIRST],
        last_month=values.get(LAST),
        state=values.get(STATE),
        says_last=LAST in values,
    )


__all__ = ["CODE", "FIRST", "LAST", "NUMBER", "STATE", "EnrolmentRow", "Fault", "Records", "read_enrolments"]
