"""What a recovery case comes to: open sum, state, offsets and counter-lines, from plain values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from subsidies.choices import RecoveryEntryKind, RecoveryState

NOTHING: Final = Decimal("0.00")
RETURNED: Final = frozenset({RecoveryEntryKind.REPAID, RecoveryEntryKind.OFFSET})


@dataclass(frozen=True)
class Booked:
    """One entry of a case in 元; a counter-entry bears the kind of what it takes back and is negative."""

    kind: str
    amount: Decimal


def booked_sum(booked: Iterable[Booked], *kinds: str) -> Decimal:
    """What entries of these kinds (all without any) come to after counter-entries."""
    return sum((entry.amount for entry in booked if not kinds or entry.kind in kinds), NOTHING)


def recovery_state(*, amount: Decimal, notified: bool, booked: Iterable[Booked]) -> RecoveryState:
    """Where a case of this amount stands after these entries (domain §2.5)."""
    entries = list(booked)
    if booked_sum(entries) < amount:
        if booked_sum(entries, *RETURNED) > 0:
            return RecoveryState.PARTLY
        return RecoveryState.NOTIFIED if notified else RecoveryState.PROPOSED
    if booked_sum(entries, RecoveryEntryKind.CANCEL) > 0:
        return RecoveryState.CANCELLED
    if booked_sum(entries, RecoveryEntryKind.WRITE_OFF) > 0:
        return RecoveryState.WRITTEN_OFF
    return RecoveryState.SETTLED


def counter_lines(*, lines: Mapping[date, Decimal], amount: Decimal) -> list[tuple[date, Decimal]]:
    """Take a sum back from a case's months, newest first; (month, −元), together exactly the sum.

    lines: what the case still claims by month. Raises ValueError if it claims less.
    """
    left, counters = amount, []
    for month in sorted(lines, reverse=True):
        part = min(left, lines[month])
        if part > 0:
            counters.append((month, -part))
            left -= part
    if left:
        raise ValueError(f"{amount} 大于各月合计")
    return counters


def offsets_over(*, open_sums: Mapping[int, Decimal], amount: Decimal) -> dict[int, Decimal]:
    """Spread an offset over cases in their order, each up to its open sum. Raises ValueError if they are too small."""
    left, parts = amount, {}
    for case, open_sum in open_sums.items():
        part = min(left, open_sum)
        if part > 0:
            parts[case] = part
            left -= part
    if left:
        raise ValueError(f"{amount} 大于未退合计")
    return parts
