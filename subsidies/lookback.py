"""How far back the due lines of a run reach: which months, and in each which items (design §2 step 7)."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from catalog.models import ItemVersion
from eldercare.facts import month_last_day
from subsidies.models import Month


class VersionReach(NamedTuple):
    """How many months a version of an item looks back. valid_from, valid_until: half-open, None for no end."""

    item_id: int
    valid_from: date
    valid_until: date | None
    lookback: int

    def in_force(self, day: date) -> bool:
        """Tell whether the version holds on the day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


def months_between(first: date, last: date) -> int:
    """Number of months from one month to a later one."""
    return (last.year - first.year) * 12 + last.month - first.month


def version_reaches(county_code: str) -> list[VersionReach]:
    """Every version of the county's items, the latest last. One query."""
    versions = ItemVersion.objects.filter(item__document__area=county_code).order_by("valid")
    return [
        VersionReach(item_id, valid.lower, valid.upper, lookback)
        for item_id, valid, lookback in versions.values_list("item_id", "valid", "lookback")
    ]


def months_within(earlier: Iterable[Month], month: date, reaches: list[VersionReach]) -> list[Month]:
    """Months that some item of the county, in force or ended, may still pay or recover."""
    longest = max((reach.lookback for reach in reaches), default=0)
    return [past for past in earlier if months_between(past.month, month) <= longest]


def items_reaching(reaches: list[VersionReach], month: date, past: date) -> list[int]:
    """Items that look back from one month to an earlier one.

    Of an item counts the version of the later month, else that of the earlier one, else the latest: one that has ended
    keeps its look-back, even if ended back-dated.
    """
    lookbacks = {reach.item_id: reach.lookback for reach in reaches}
    for day in (month_last_day(past), month_last_day(month)):
        lookbacks |= {reach.item_id: reach.lookback for reach in reaches if reach.in_force(day)}
    distance = months_between(past, month)
    return [item_id for item_id, lookback in lookbacks.items() if lookback >= distance]
