"""Slots, windows and the months that a day belongs to."""

from datetime import date

import pytest

from catalog.choices import Per
from visits.slots import counted_days, months_counting, slot_count


@pytest.mark.parametrize(
    ("month", "per", "slots"),
    [
        (date(2026, 3, 1), Per.MONTH, 1),
        (date(2026, 3, 1), Per.WEEK, 5),  # Mondays 2, 9, 16, 23, 30
        (date(2026, 2, 1), Per.WEEK, 4),
        (date(2026, 6, 1), Per.WEEK, 5),  # the 1st is a Monday
        (date(2027, 2, 1), Per.WEEK, 4),  # 28 days from a Monday
        (date(2026, 1, 1), Per.QUARTER, 0),
        (date(2026, 2, 1), Per.QUARTER, 0),
        (date(2026, 3, 1), Per.QUARTER, 1),
        (date(2026, 12, 1), Per.QUARTER, 1),
    ],
)
def test_a_month_has_its_slots(month: date, per: Per, slots: int) -> None:
    assert slot_count(month, per) == slots


@pytest.mark.parametrize(
    ("month", "per", "first", "after"),
    [
        (date(2026, 12, 1), Per.MONTH, date(2026, 12, 1), date(2027, 1, 1)),
        (date(2026, 3, 1), Per.WEEK, date(2026, 3, 2), date(2026, 4, 6)),
        (date(2026, 12, 1), Per.WEEK, date(2026, 12, 7), date(2027, 1, 4)),
        (date(2027, 2, 1), Per.WEEK, date(2027, 2, 1), date(2027, 3, 1)),
        (date(2026, 3, 1), Per.QUARTER, date(2026, 1, 1), date(2026, 4, 1)),
        (date(2026, 12, 1), Per.QUARTER, date(2026, 10, 1), date(2027, 1, 1)),
    ],
)
def test_slots_cover_a_range_of_days(month: date, per: Per, first: date, after: date) -> None:
    assert counted_days(month, per) == (first, after)


@pytest.mark.parametrize(
    ("day", "months"),
    [
        (date(2026, 3, 1), {date(2026, 3, 1), date(2026, 2, 1)}),  # Sunday of a week of February
        (date(2026, 3, 2), {date(2026, 3, 1)}),
        (date(2026, 4, 5), {date(2026, 4, 1), date(2026, 3, 1), date(2026, 6, 1)}),
        (date(2026, 4, 6), {date(2026, 4, 1), date(2026, 6, 1)}),
        (date(2026, 1, 1), {date(2026, 1, 1), date(2025, 12, 1), date(2026, 3, 1)}),
    ],
)
def test_a_visit_counts_in_its_month_its_weeks_month_and_its_quarters_month(
    day: date, months: set[date]
) -> None:
    assert months_counting(day) == months


def test_every_month_that_counts_a_day_is_among_the_months_of_that_day() -> None:
    months = [date(year, month, 1) for year in (2025, 2026, 2027) for month in range(1, 13)]
    for ordinal in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal()):
        day = date.fromordinal(ordinal)
        counting = {
            month
            for month in months
            for per in Per
            if slot_count(month, per) and counted_days(month, per)[0] <= day < counted_days(month, per)[1]
        }
        assert counting == months_counting(day)
