"""Drawing records to be called back: plain calculation, so that the same seed and records give the same sample."""

import hmac
from collections.abc import Collection
from typing import Final
from uuid import UUID

#: One record in so many is called back, rounded up: 5 %.
ONE_IN: Final = 20


def sample_size(records: int) -> int:
    """Return how many of so many records are called back.

    >>> [sample_size(records) for records in (0, 1, 20, 21, 40)]
    [0, 1, 1, 2, 2]
    """
    return -(-records // ONE_IN)


def sample_draw(seed: str, records: Collection[UUID], flagged: Collection[UUID]) -> list[UUID]:
    """Draw the sample: half of it, rounded up, among the flagged while there are any, the rest among all others.

    records: each once; flagged: those of them with a signal. Records come in the order of a hash keyed with the
    seed, so that neither the order in which they are given nor who draws makes a difference.
    """
    suspect = set(flagged)
    order = sorted(set(records), key=lambda record: _rank(seed, record))
    size = sample_size(len(order))
    first = [record for record in order if record in suspect][: -(-size // 2)]
    taken = set(first)
    return first + [record for record in order if record not in taken][: size - len(first)]


def _rank(seed: str, record: UUID) -> bytes:
    return hmac.digest(seed.encode(), record.bytes, "sha256")
