"""Rounds by the calendar: which days belong to which, on both sides of each edge."""

from datetime import date

import pytest

from subsidies.certification_periods import period_of


@pytest.mark.parametrize(
    ("day", "months", "name", "opens", "due"),
    [
        (date(2026, 11, 30), 1, "2026年11月生存认证", date(2026, 11, 1), date(2026, 11, 30)),
        (date(2026, 12, 1), 1, "2026年12月生存认证", date(2026, 12, 1), date(2026, 12, 31)),
        (date(2026, 9, 30), 3, "2026年第3季度生存认证", date(2026, 7, 1), date(2026, 9, 30)),
        (date(2026, 10, 1), 3, "2026年第4季度生存认证", date(2026, 10, 1), date(2026, 12, 31)),
        (date(2026, 1, 1), 3, "2026年第1季度生存认证", date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 6, 30), 6, "2026年上半年生存认证", date(2026, 1, 1), date(2026, 6, 30)),
        (date(2026, 7, 1), 6, "2026年下半年生存认证", date(2026, 7, 1), date(2026, 12, 31)),
        (date(2026, 12, 31), 12, "2026年度生存认证", date(2026, 1, 1), date(2026, 12, 31)),
        (date(2027, 1, 1), 12, "2027年度生存认证", date(2027, 1, 1), date(2027, 12, 31)),
        (date(2024, 2, 29), 2, "2024年1月起2个月生存认证", date(2024, 1, 1), date(2024, 2, 29)),
    ],
)
def test_a_day_lies_in_the_period_of_its_cycle(
    day: date, months: int, name: str, opens: date, due: date
) -> None:
    period = period_of(day, months)
    assert (period.name, period.opens, period.due) == (name, opens, due)
