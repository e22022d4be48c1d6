"""The calendar of 生存认证: in which period of a cycle a day lies, and what that period's round is called."""

from dataclasses import dataclass
from datetime import date, timedelta

from subsidies.first_month import months_later

HALVES = ("上半年", "下半年")


@dataclass(frozen=True)
class Period:
    """One round of a cycle: both days inclusive."""

    name: str
    opens: date
    due: date


def period_of(day: date, months: int) -> Period:
    """Return the period of a cycle of so many months; cycles begin with January of a year divisible by them.

    >>> period_of(date(2026, 11, 22), 3).name
    '2026年第4季度生存认证'
    """
    ordinal = day.year * 12 + day.month - 1
    first = ordinal // months * months
    opens = date(first // 12, first % 12 + 1, 1)
    due = months_later(opens, months) - timedelta(days=1)
    return Period(f"{_name(opens, months)}生存认证", opens, due)


def _name(opens: date, months: int) -> str:
    if months == 1:
        return f"{opens.year}年{opens.month}月"
    if months == 3:
        return f"{opens.year}年第{opens.month // 3 + 1}季度"
    if months == 6:
        return f"{opens.year}年{HALVES[opens.month // 7]}"
    if months == 12:
        return f"{opens.year}年度"
    return f"{opens.year}年{opens.month}月起{months}个月"
