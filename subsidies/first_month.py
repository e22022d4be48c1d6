"""The first month paid after an application (domain §2.2, late application)."""

from datetime import date

from subsidies.choices import FirstMonth


def month_of(day: date) -> date:
    """First day of the day's month."""
    return day.replace(day=1)


def months_later(month: date, count: int) -> date:
    """First day of the month so many months later, or earlier if negative.

    >>> months_later(date(2024, 11, 1), 2), months_later(date(2024, 11, 1), -11)
    (datetime.date(2025, 1, 1), datetime.date(2023, 12, 1))
    """
    ordinal = month.year * 12 + month.month - 1 + count
    return date(ordinal // 12, ordinal % 12 + 1, 1)


def earliest_month(applied_on: date, lookback: int) -> date:
    """The earliest month that an application can reach: the look-back counts from the month in which it was made.

    So a slow decision takes nothing away; what lies behind the look-back of the run that follows is not paid by it.
    """
    return months_later(month_of(applied_on), -lookback)


def first_month(rule: str, applied_on: date, approved_on: date, lookback: int, eligible_from: date) -> date:
    """First month paid, as its first day.

    lookback: months before the application that may still be paid. eligible_from: first month of the unbroken row of
    months in which the elder was entitled; used by the rules 符合条件起 and 本年符合起 alone.
    """
    applied = month_of(applied_on)
    match FirstMonth(rule):
        case FirstMonth.APPLIED:
            return applied
        case FirstMonth.AFTER_APPLIED:
            return months_later(applied, 1)
        case FirstMonth.AFTER_APPROVED:
            return months_later(month_of(approved_on), 1)
        case FirstMonth.THIS_YEAR:
            return max(eligible_from, earliest_month(applied_on, lookback), date(applied.year, 1, 1))
        case FirstMonth.ELIGIBLE:
            return max(eligible_from, earliest_month(applied_on, lookback))
