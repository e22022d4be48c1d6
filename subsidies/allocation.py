"""Dividing money among its sources so that the parts always add up to the whole, to the 分."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")


def split(total: Decimal, shares: Sequence[Decimal]) -> list[Decimal]:
    """Divide 元 by shares, of which at least one is above 0 and none below; they need not add up to 100.

    Each part is rounded half up and takes no more than is left; the last source with a share takes the rest. A
    negative total is divided like its opposite.

    >>> split(Decimal("100.01"), [Decimal(40), Decimal(60)])
    [Decimal('40.00'), Decimal('60.01')]
    """
    whole = sum(shares, Decimal(0))
    if whole <= 0 or min(shares) < 0:
        raise ValueError("shares must not be negative, and one of them must be above 0")
    last = max(place for place, share in enumerate(shares) if share > 0)
    left = abs(total)
    parts = []
    for place, share in enumerate(shares):
        part = left if place == last else min(left, _cents(abs(total) * share / whole))
        parts.append(-part if total < 0 else part)
        left -= part
    return parts


def split_next(booked: Sequence[Decimal], amount: Decimal, shares: Sequence[Decimal]) -> list[Decimal]:
    """Divide a further amount so that everything booked so far is divided by the shares.

    booked: what each source bears already. Booked plus returned parts is `split` of the new total, unless that would
    take from one source while giving to another (shares changed in between): then nothing moves the wrong way.
    """
    wanted = split(sum(booked, ZERO) + amount, shares)
    steps = [new - old for new, old in zip(wanted, booked, strict=True)]
    up = amount > 0
    parts = [step if (step > 0) == up else ZERO for step in steps]
    excess = sum(parts, ZERO) - amount
    for place in reversed(range(len(parts))):
        taken = min(excess, parts[place]) if up else max(excess, parts[place])
        parts[place] -= taken
        excess -= taken
    return parts


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
