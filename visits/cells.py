"""What the cells of a visit file mean, or what is wrong with them and what to write instead (ValueError)."""

import re
from datetime import datetime, timedelta, timezone
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from catalog.choices import VisitMode
from eldercare.reading.records import ID_NUMBER, Parser, id_number_column
from eldercare.reading.text import clean_text, half_width
from visits.choices import Result

RECORD: Final = "记录编号"
TIME: Final = "探访时间"
MODE: Final = "方式"
RESULT: Final = "结果"
VISITOR: Final = "探访人"
NOTE: Final = "备注"
EARLIEST_YEAR: Final = 2000
ZONE: Final = ZoneInfo("Asia/Shanghai")

_DAY: Final = r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
_TIME: Final = re.compile(
    _DAY + r"[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)? ?(?:(Z)|([+-])(\d{2}):?(\d{2}))?", re.IGNORECASE
)
_HEX: Final = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}")

NO_TIME: Final = "缺少时刻；请写成 2026-03-05 09:30"
NOT_A_TIME: Final = "不是探访时间；请写成 2026-03-05 09:30"
NO_SUCH_TIME: Final = "不是真实存在的时间；请核对后写成 2026-03-05 09:30"
IN_FUTURE: Final = "晚于现在；请核对，只登记已经发生的探访"
TOO_EARLY: Final = f"早于 {EARLIEST_YEAR} 年；请核对年份"
NOT_A_UUID: Final = "不是记录编号；请填写形如 123e4567-e89b-12d3-a456-426614174000 的编号，每次探访一个"
UNREADABLE: Final = "含有无法识别的字符（文件编码混乱）；请重新填写"
NO_VISITOR: Final = "没有填写；请填写探访人姓名"


def parsers(now: datetime) -> dict[str, Parser]:
    """Return what reads each column, for a file that arrives at `now`."""
    return {
        RECORD: parse_uuid,
        ID_NUMBER: id_number_column(now.astimezone(ZONE).date()).parse,
        TIME: lambda cell: parse_time(cell, now),
        MODE: _one_of("探访方式", tuple(VisitMode.values)),
        RESULT: _one_of("探访结果", tuple(Result.values)),
        VISITOR: _text(40, blank=NO_VISITOR),
        NOTE: _text(500),
    }


def parse_uuid(cell: object) -> UUID:
    """Return the record's UUID, written with or without hyphens."""
    text = half_width(cell).lower()
    if _HEX.fullmatch(text) is None:
        raise ValueError(NOT_A_UUID)
    return UUID(text)


def parse_time(cell: object, now: datetime) -> datetime:
    """Return when a visit took place; without an offset it is the time in Shanghai.

    >>> parse_time("2026/3/5 9:30", datetime(2027, 1, 1, tzinfo=ZONE)).isoformat()
    '2026-03-05T09:30:00+08:00'
    """
    if isinstance(cell, tuple):  # a date cell
        raise ValueError(NO_TIME)
    text = half_width(cell)
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(NO_TIME if re.fullmatch(_DAY, text) else NOT_A_TIME)
    at = _moment(match)
    if at > now:
        raise ValueError(IN_FUTURE)
    return at


def _moment(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if year < EARLIEST_YEAR:
        raise ValueError(TOO_EARLY)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone(*match.groups()[6:]))
    except ValueError:
        raise ValueError(NO_SUCH_TIME) from None


def _zone(zulu: str | None, sign: str | None, hours: str, minutes: str) -> ZoneInfo | timezone:
    if sign is None:
        return timezone(timedelta()) if zulu else ZONE
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(offset if sign == "+" else -offset)


def _one_of(what: str, words: tuple[str, ...]) -> Parser:
    def parse(cell: object) -> str:
        text = half_width(cell).replace(" ", "")
        if text not in words:
            raise ValueError(f"不是{what}；请填写 {'、'.join(words)} 之一")
        return text

    return parse


def _text(limit: int, blank: str = "") -> Parser:
    """Texts of at most `limit` characters; `blank`: what to say of an empty cell, '' if it may be empty."""

    def parse(cell: object) -> str:
        text = clean_text(cell)
        if "\ufffd" in text:
            raise ValueError(UNREADABLE)
        if not text and blank:
            raise ValueError(blank)
        if len(text) > limit:
            raise ValueError(f"超过 {limit} 个字；请缩短")
        return text

    return parse
