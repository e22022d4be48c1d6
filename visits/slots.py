"""In which periods visits are counted (contract «Obligations»): plain calculation with days.

A slot is the month (月), a week Monday–Sunday whose Monday lies in the month (周), or the quarter, which is
shown in its last month (季). Months are given by their first day.
"""

from datetime import date, timedelta

from catalog.choices import Per

WEEK = timedelta(days=7)


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def first_monday(month: date) -> date:
    """Return the first Monday in the month: the month's weeks begin on it."""
    return month + timedelta(days=-month.weekday() % 7)


def slot_count(month: date, per: Per) -> int:
    """Return how many slots the month shows: weeks 4 or 5, quarters 1 in its last month and else 0."""
    match per:
        case Per.MONTH:
            return 1
        case Per.WEEK:
            return -((first_monday(month) - next_month(month)) // WEEK)
        case Per.QUARTER:
            return int(closes_quarter(month))


def closes_quarter(month: date) -> bool:
    """Tell whether the month is the last of its quarter."""
    return month.month % 3 == 0


def quarter_start(month: date) -> date:
    """Return the first day of the quarter in which the month lies."""
    return month.replace(month=(month.month - 1) // 3 * 3 + 1)


def counted_days(month: date, per: Per) -> tuple[date, date]:
    """Return the half-open range of days whose visits can fill the month's slots."""
    match per:
        case Per.MONTH:
            return month, next_month(month)
        case Per.WEEK:
            first = first_monday(month)
            return first, first + WEEK * slot_count(month, per)
        case Per.QUARTER:
            return quarter_start(month), next_month(month)


def months_counting(day: date) -> set[date]:
    """Return the months in whose obligations a visit on the day can count."""
    month = day.replace(day=1)
    monday = day - timedelta(days=day.weekday())
    quarter_end = quarter_start(month).replace(month=quarter_start(month).month + 2)
    return {month, monday.replace(day=1), quarter_end}
