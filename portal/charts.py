"""Geometry of bar charts drawn as SVG by the server: plain numbers in, coordinates out."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

WIDTH: Final = 342
HEIGHT: Final = 214
TOP: Final = 28
BOTTOM: Final = 28


@dataclass(frozen=True)
class Bar:
    """One bar: its rectangle, the place of its words, what it stands for."""

    x: int
    y: int
    width: int
    height: int
    middle: int
    label: str
    value: str
    is_last: bool


@dataclass(frozen=True)
class BarChart:
    """Bars over a zero line; `base` is the line's height from the top."""

    bars: list[Bar]
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - BOTTOM


def bar_chart(
    points: Sequence[tuple[str, Decimal, str]], width: int = WIDTH, full: Decimal | None = None
) -> BarChart:
    """Lay out (label, value ≥ 0, words) points from left to right; `full`, else the largest, fills the height."""
    if not points:
        return BarChart([], width)
    slot = width // len(points)
    thick = min(slot * 5 // 9, 56)
    largest = full or max(value for _, value, _ in points) or Decimal(1)
    room = HEIGHT - TOP - BOTTOM
    bars = []
    for number, (label, value, words) in enumerate(points):
        height = int(value * room / largest)
        middle = slot * number + slot // 2
        bars.append(
            Bar(
                x=middle - thick // 2,
                y=HEIGHT - BOTTOM - height,
                width=thick,
                height=height,
                middle=middle,
                label=label,
                value=words,
                is_last=number == len(points) - 1,
            )
        )
    return BarChart(bars, width)
