"""How far apart two places are on the ground: one formula, for plain values and for SQL."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

#: Mean radius in metres.
EARTH: Final = 6_371_000


def metres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great-circle distance between two places given in degrees.

    >>> round(metres(25, 103, 26, 103))
    111195
    """
    north = sin(radians(other_latitude - latitude) / 2) ** 2
    east = sin(radians(other_longitude - longitude) / 2) ** 2
    return (
        2 * EARTH * asin(min(1, sqrt(north + cos(radians(latitude)) * cos(radians(other_latitude)) * east)))
    )


def metres_sql(one: str, other: str) -> str:
    """SQL: the distance between two visits, given by their aliases."""
    north = f"sin(radians(({other}.latitude - {one}.latitude)::float8) / 2) ^ 2"
    east = f"sin(radians(({other}.longitude - {one}.longitude)::float8) / 2) ^ 2"
    level = f"cos(radians({one}.latitude::float8)) * cos(radians({other}.latitude::float8))"
    return f"2 * {EARTH} * asin(least(1, sqrt({north} + {level} * {east})))"
