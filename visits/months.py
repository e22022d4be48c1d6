"""Which townships' visit months are locked, and the lock under which that may be read and changed.

A township's figure must not be submitted between the moment a visit is judged and the moment it is counted: whoever
counts holds the months together with others (`months_hold`), whoever locks or opens a township, or counts a whole
county, holds them alone (`months_hold_alone`). One lock for all months, so that no two can wait in a circle.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from django.db import connection

from organization.areas import county_code as county_of
from organization.areas import township_code
from visits.choices import LOCKED
from visits.models import VisitMonth

#: The key stands here and nowhere else.
_KEY: Final = "hashtext('visit_months')"


def locked_townships(months: Iterable[date]) -> set[tuple[date, str]]:
    """Give (first day of the month, 12-digit township) of the months whose figure is locked.

    Stays true to the end of the transaction only after `months_hold`.
    """
    rows = VisitMonth.objects.filter(month__in=set(months), state__in=LOCKED)
    return set(rows.values_list("month", "area_code"))


def township_of(area_code: str, county_code: str) -> str:
    """Return the township to whose month an area belongs; the county's code if it lies in none of its townships.

    >>> township_of("530322101201", "530322000000"), township_of("530323101201", "530322000000")
    ('530322101000', '530322000000')
    """
    return township_code(area_code) if county_of(area_code) == county_code else county_code


def township_sql(area: str, county: str) -> str:
    """`township_of` as SQL, for expressions of the two codes."""
    return f"CASE WHEN left({area}, 6) = left({county}, 6) THEN left({area}, 9) || '000' ELSE {county} END"


def months_hold() -> None:
    """Keep every township's month locked or open as it is to the end of the transaction; others may do the same."""
    _hold("pg_advisory_xact_lock_shared")


def months_hold_alone() -> None:
    """Wait until nobody else holds the months, then hold them to the end of the transaction."""
    _hold("pg_advisory_xact_lock")


def _hold(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({_KEY})")
