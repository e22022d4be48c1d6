"""Repeatable chance: the same seed gives the same county."""

from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


def chance(seed: int, subject: str) -> Random:
    """Return the random source of one subject, so that drawing more for one leaves the others as they were."""
    return Random(f"{seed}:{subject}")  # noqa: S311  # invents people; keeps no secret


class Weighted(Generic[T]):
    """Values drawn in proportion to their weights."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self.values = tuple(weights)
        self.bounds = tuple(accumulate(weights.values()))

    def draw(self, random: Random) -> T:
        """Return one value."""
        return self.values[bisect(self.bounds, random.random() * self.bounds[-1])]
