"""What a case comes to, from plain values."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subsidies.choices import RecoveryEntryKind as Entry
from subsidies.choices import RecoveryState
from subsidies.recovery_state import Booked, counter_lines, offsets_over, recovery_state

APRIL, MAY = date(2025, 4, 1), date(2025, 5, 1)
SUMS = st.decimals(min_value="0.01", max_value="9999.99", places=2)


@pytest.mark.parametrize(
    ("booked", "notified", "expected"),
    [
        ([], False, RecoveryState.PROPOSED),
        ([], True, RecoveryState.NOTIFIED),
        ([(Entry.REPAID, "0.01")], False, RecoveryState.PARTLY),
        ([(Entry.OFFSET, "99.99")], True, RecoveryState.PARTLY),
        ([(Entry.REPAID, "100.00")], True, RecoveryState.SETTLED),
        ([(Entry.REPAID, "40.00"), (Entry.OFFSET, "60.00")], True, RecoveryState.SETTLED),
        ([(Entry.REPAID, "40.00"), (Entry.WRITE_OFF, "60.00")], True, RecoveryState.WRITTEN_OFF),
        ([(Entry.REPAID, "40.00"), (Entry.CANCEL, "60.00")], True, RecoveryState.CANCELLED),
        ([(Entry.REPAID, "100.00"), (Entry.REPAID, "-100.00")], True, RecoveryState.NOTIFIED),
        ([(Entry.WRITE_OFF, "100.00"), (Entry.WRITE_OFF, "-100.00")], False, RecoveryState.PROPOSED),
        (
            [(Entry.WRITE_OFF, "100.00"), (Entry.WRITE_OFF, "-100.00"), (Entry.REPAID, "100.00")],
            True,
            RecoveryState.SETTLED,
        ),
    ],
)
def test_a_case_stands_where_its_entries_have_brought_it(
    booked: list[tuple[Entry, str]], notified: bool, expected: RecoveryState
) -> None:
    entries = [Booked(kind, Decimal(amount)) for kind, amount in booked]
    assert recovery_state(amount=Decimal(100), notified=notified, booked=entries) == expected


def test_the_newest_months_are_taken_back_first() -> None:
    lines = {APRIL: Decimal(50), MAY: Decimal(50)}
    assert counter_lines(lines=lines, amount=Decimal(60)) == [(MAY, Decimal(-50)), (APRIL, Decimal(-10))]


@given(st.dictionaries(st.dates(), SUMS, min_size=1, max_size=12), st.data())
def test_counter_lines_come_to_exactly_the_sum_and_no_month_below_zero(
    lines: dict[date, Decimal], data: st.DataObject
) -> None:
    amount = data.draw(st.decimals(min_value="0.01", max_value=sum(lines.values()), places=2))
    counters = counter_lines(lines=lines, amount=amount)
    assert -sum(part for _, part in counters) == amount
    assert all(0 < -part <= lines[month] for month, part in counters)


def test_more_than_the_months_claim_is_not_taken_back() -> None:
    with pytest.raises(ValueError, match=r"50\.01"):
        counter_lines(lines={MAY: Decimal(50)}, amount=Decimal("50.01"))


@given(st.dictionaries(st.integers(1, 99), SUMS, min_size=1, max_size=6), st.data())
def test_an_offset_fills_the_cases_in_order(sums: dict[int, Decimal], data: st.DataObject) -> None:
    amount = data.draw(st.decimals(min_value="0.01", max_value=sum(sums.values()), places=2))
    parts = offsets_over(open_sums=sums, amount=amount)
    assert sum(parts.values()) == amount
    filled = list(sums)[: len(parts)]
    assert list(parts) == filled
    assert all(parts[case] == sums[case] for case in filled[:-1])


def test_an_offset_over_cases_that_are_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.02"):
        offsets_over(open_sums={1: Decimal("0.01")}, amount=Decimal("0.02"))
