"""The first month after an application, as a table (domain §2.2, golden case of §2.8)."""

from datetime import date

import pytest

from subsidies.first_month import earliest_month, first_month, months_later

SINCE_80 = date(2023, 7, 1)
LATE = date(2024, 11, 20)


@pytest.mark.parametrize(
    ("rule", "applied_on", "approved_on", "lookback", "eligible_from", "first"),
    [
        ("申请当月", LATE, date(2024, 12, 5), 24, SINCE_80, date(2024, 11, 1)),
        ("申请当月", date(2024, 11, 30), date(2024, 12, 1), 0, SINCE_80, date(2024, 11, 1)),
        ("申请当月", date(2024, 12, 1), date(2024, 12, 1), 0, SINCE_80, date(2024, 12, 1)),
        ("申请次月", LATE, date(2025, 1, 5), 24, SINCE_80, date(2024, 12, 1)),
        ("申请次月", date(2024, 12, 31), date(2024, 12, 31), 24, SINCE_80, date(2025, 1, 1)),
        ("审批次月", LATE, date(2024, 11, 30), 24, SINCE_80, date(2024, 12, 1)),
        ("审批次月", LATE, date(2024, 12, 1), 24, SINCE_80, date(2025, 1, 1)),
        ("符合条件起", LATE, date(2024, 11, 25), 24, SINCE_80, SINCE_80),
        ("符合条件起", LATE, date(2025, 3, 25), 16, SINCE_80, SINCE_80),
        ("符合条件起", LATE, date(2024, 11, 25), 15, SINCE_80, date(2023, 8, 1)),
        ("符合条件起", LATE, date(2024, 11, 25), 0, SINCE_80, date(2024, 11, 1)),
        ("本年符合起", LATE, date(2024, 11, 25), 24, SINCE_80, date(2024, 1, 1)),
        ("本年符合起", LATE, date(2025, 1, 2), 24, SINCE_80, date(2024, 1, 1)),
        ("本年符合起", date(2025, 1, 1), date(2025, 1, 2), 24, SINCE_80, date(2025, 1, 1)),
        ("本年符合起", LATE, date(2024, 11, 25), 24, date(2024, 4, 1), date(2024, 4, 1)),
        ("本年符合起", LATE, date(2024, 11, 25), 3, SINCE_80, date(2024, 8, 1)),
    ],
)
def test_the_first_month_follows_the_rule(
    rule: str, applied_on: date, approved_on: date, lookback: int, eligible_from: date, first: date
) -> None:
    assert first_month(rule, applied_on, approved_on, lookback, eligible_from) == first


def test_months_are_counted_over_the_turn_of_the_year() -> None:
    assert months_later(date(2024, 12, 1), 1) == date(2025, 1, 1)
    assert months_later(date(2024, 1, 1), -1) == date(2023, 12, 1)
    assert earliest_month(date(2024, 11, 30), 23) == date(2022, 12, 1)
