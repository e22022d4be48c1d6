"""Dates as rosters write them (domain §7)."""

import math
import re
from datetime import date, datetime, timedelta
from typing import Final

from eldercare.reading.text import half_width

WRITE: Final = "请写成 1940-05-06 这样的年月日"
NO_DAY = f"只有年月，缺少日；{WRITE}"
TWO_DIGIT_YEAR = f"年份只有两位，无法确定世纪；{WRITE}"
LUNAR = f"是农历日期，请换算成公历；{WRITE}"
NO_SUCH_DAY = f"不是真实存在的日期；{WRITE}"
NOT_A_DATE = f"不是日期；{WRITE}"

# Day 0 of the 1900 date system as spreadsheets count it from March 1900 on.
_SERIAL_ZERO: Final = date(1899, 12, 30)
_SERIALS: Final = range(61, 73051)
_LUNAR: Final = re.compile(r"农历|阴历|初[一二三四五六七八九十]|腊月|正月|冬月|廿|闰")
_TIME: Final = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_FULL: Final = re.compile(r"(\d{4})[-/.年\s](\d{1,2})[-/.月\s](\d{1,2})日?" + _TIME)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NO_DAY: Final = re.compile(r"\d{4}[-/.年]?(\d{1,2}月?)?|\d{4}年")
_SHORT_YEAR: Final = re.compile(r"\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?")
_DIGITS: Final = "〇○零一二三四五六七八九"
_CHINESE: Final = str.maketrans(_DIGITS, "000123456789")
_CHINESE_DATE: Final = re.compile(
    rf"([{_DIGITS}]{{4}})年([{_DIGITS}十]{{1,3}})月([{_DIGITS}十]{{1,3}})[日号]?"
)


def parse_date(value: object) -> date | None:
    """Return the day a cell means, None for a blank one. Raises ValueError with what to write instead."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date) or value is None:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    return _from_text(half_width(value).replace("。", "."))


def _from_number(value: float) -> date:
    if not math.isfinite(value):
        raise ValueError(NOT_A_DATE)
    if value != int(value):
        if 2100 <= value < _SERIALS.stop:
            return _serial(int(value))
        raise ValueError(NO_DAY if 1800 <= value < 2100 else NOT_A_DATE)
    return _from_digits(str(int(value)))


def _from_digits(digits: str) -> date:
    if match := _COMPACT.fullmatch(digits):
        return _day(*match.groups())
    if len(digits) == 5 and int(digits) in _SERIALS:
        return _serial(int(digits))
    if len(digits) in (4, 6) and "1800" <= digits[:4] < "2100":
        raise ValueError(NO_DAY)
    if digits.isdecimal() and int(digits) in _SERIALS:
        return _serial(int(digits))
    raise ValueError(NOT_A_DATE)


def _from_text(text: str) -> date | None:
    if not text:
        return None
    if text.isdecimal():
        return _from_digits(text)
    if match := _FULL.fullmatch(text):
        return _day(*match.groups())
    if match := _CHINESE_DATE.fullmatch(text):
        return _day(match[1].translate(_CHINESE), _chinese_number(match[2]), _chinese_number(match[3]))
    for pattern, message in ((_LUNAR, LUNAR), (_NO_DAY, NO_DAY), (_SHORT_YEAR, TWO_DIGIT_YEAR)):
        if pattern.search(text) if pattern is _LUNAR else pattern.fullmatch(text):
            raise ValueError(message)
    raise ValueError(NOT_A_DATE)


def _day(year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError(NO_SUCH_DAY) from None


def _serial(number: int) -> date:
    return _SERIAL_ZERO + timedelta(days=number)


def _chinese_number(text: str) -> str:
    """Return 1–31 written 一 … 三十一 in digits."""
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return ones.translate(_CHINESE)
    return f"{tens.translate(_CHINESE) or 1}{ones.translate(_CHINESE) or 0}"
