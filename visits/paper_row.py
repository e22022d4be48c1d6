"""What a row of a filled-in paper says, or what is wrong with it (ValueError with a sentence). Touches no database."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid5

from catalog.choices import VisitMode
from eldercare.reading.text import clean_text, half_width
from visits.choices import Result

#: Of record numbers that follow from what a paper says: the same row typed twice is one record.
_PAPERS: Final = UUID("0f6c2c5e-9f0e-5d0a-8f6e-3f1f0f7a9901")
_DAY: Final = re.compile(r"(?:(?:(\d{4})[-/.年])?(\d{1,2})[-/.月])?(\d{1,2})日?")
LONGEST_NOTE: Final = 500
LONGEST_NAME: Final = 40

NO_DAY: Final = "没有填日期；请填哪一天探访的，例如 5 或 11-05"
NOT_A_DAY: Final = "日期“{}”看不懂；请写成 5、11-05 或 2026-11-05"
NO_SUCH_DAY: Final = "日期“{}”不存在；请核对"
OTHER_MONTH: Final = "{}不在 {}年{}月；补录其他月份请先在上方换月份"
FUTURE: Final = "{}还没有到；只登记已经发生的探访"
NO_MODE: Final = "没有选方式；请选上门、电话或视频"
NO_RESULT: Final = "没有选结果；请按纸质表上勾选的填"
LONG_NOTE: Final = f"备注超过 {LONGEST_NOTE} 个字；请缩短"


@dataclass(frozen=True)
class Typed:
    """A row as it was typed."""

    day: str = ""
    mode: str = ""
    result: str = ""
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing but perhaps the mode, which is offered."""
        return not (self.day.strip() or self.result or self.note.strip())


@dataclass(frozen=True)
class PaperRow:
    """One visit that a paper tells of."""

    day: date
    mode: str
    result: str
    note: str

    def number(self, elder_id: int, visitor: str) -> UUID:
        """The record's number: the same for the same elder, day, mode, result and visitor."""
        return uuid5(_PAPERS, f"{elder_id}|{self.day}|{self.mode}|{self.result}|{visitor}")


def read_row(typed: Typed, month: date, today: date) -> PaperRow:
    """Read a row of a month's paper. Raises ValueError."""
    day = _day(half_width(typed.day).replace(" ", ""), month)
    if day.replace(day=1) != month:
        raise ValueError(OTHER_MONTH.format(day, month.year, month.month))
    if day > today:
        raise ValueError(FUTURE.format(day))
    if typed.mode not in VisitMode.values:
        raise ValueError(NO_MODE)
    if typed.result not in Result.values:
        raise ValueError(NO_RESULT)
    note = clean_text(typed.note)
    if len(note) > LONGEST_NOTE:
        raise ValueError(LONG_NOTE)
    return PaperRow(day, typed.mode, typed.result, note)


def _day(text: str, month: date) -> date:
    """A day written as 5, 11-05 or 2026-11-05; what is left out is the paper's."""
    if not text:
        raise ValueError(NO_DAY)
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError(NOT_A_DAY.format(text[:20]))
    year, of_year, of_month = found.groups()
    try:
        return date(int(year or month.year), int(of_year or month.month), int(of_month))
    except ValueError:
        raise ValueError(NO_SUCH_DAY.format(text[:20])) from None
