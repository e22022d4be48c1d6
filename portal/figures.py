"""A month's figures for a user's areas. A published revision never changes, so what was summed once is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.core.cache import cache

from organization.choices import Permission
from organization.models import User
from portal.charts import BarChart, bar_chart
from portal.month_rows import CHANGES
from subsidies.choices import Outcome
from subsidies.models import Month
from subsidies.review import Cell, Key, change_cells, change_keys, month_before
from subsidies.selectors import MonthSummary, month_summary

KEPT_SECONDS: Final = 24 * 3600
MONTHS_SHOWN: Final = 6
KEYS_KEPT: Final = 20_000


@dataclass(frozen=True)
class MonthFigures:
    """One month with its summary."""

    month: Month
    summary: MonthSummary

    @property
    def due(self) -> int:
        """Lines with 应发."""
        return self.summary.outcomes[Outcome.DUE]

    @property
    def missed(self) -> int:
        """Lines entitled but not applied for (漏享)."""
        return self.summary.outcomes[Outcome.NOT_APPLIED]


@dataclass(frozen=True)
class ChangeFigures:
    """Lines that are 应发 and were not a month before, no longer are, or are with another amount."""

    new: int
    stopped: int
    changed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.new + self.stopped + self.changed


def change_figures(month: Month, user: User) -> ChangeFigures:
    """Differences from the month before within the user's areas."""
    cells = change_cells_of(month, month_before(month), user)
    return ChangeFigures(**{change: sum(c.lines for c in cells if c.kind == change) for change, _ in CHANGES})


def change_cells_of(month: Month, before: Month | None, user: User) -> list[Cell]:
    """New, stopped and changed lines by item and township within the user's areas."""
    key = f"change-cells:{_version(month)}:{_version(before) if before else ''}:{_areas(user)}"
    found: list[Cell] | None = cache.get(key)
    if found is None:
        found = change_cells(month, before, user.area_prefixes(Permission.MONTH_VIEW))
        cache.set(key, found, KEPT_SECONDS)
    return found


def change_keys_of(month: Month, before: Month | None, kind: str, user: User) -> list[Key]:
    """Lines of one kind of change within the user's areas, in the order of the list; a short list is kept."""
    key = f"change-keys:{kind}:{_version(month)}:{_version(before) if before else ''}:{_areas(user)}"
    found: list[Key] | None = cache.get(key)
    if found is None:
        found = change_keys(month, before, kind, user.area_prefixes(Permission.MONTH_VIEW))
        if len(found) <= KEYS_KEPT:
            cache.set(key, found, KEPT_SECONDS)
    return found


def month_figures(month: Month, user: User) -> MonthFigures:
    """Summary of the published revision within the user's areas."""
    key = f"month-summary:{_version(month)}:{_areas(user)}"
    summary: MonthSummary | None = cache.get(key)
    if summary is None:
        summary = month_summary(month, user)
        cache.set(key, summary, KEPT_SECONDS)
    return MonthFigures(month, summary)


def amount_chart(figures: Sequence[MonthFigures]) -> BarChart:
    """Money due by month, oldest first; bars carry 万元."""
    return bar_chart(
        [(_label(row.month.month), row.summary.amount, _ten_thousands(row.summary.amount)) for row in figures]
    )


def _version(month: Month) -> str:
    """What a month's published figures depend on."""
    moment = month.published_at.timestamp() if month.published_at else 0
    return f"{month.pk}:{month.revision}:{moment}"


def _areas(user: User) -> str:
    """The areas on which a user's figures depend."""
    return "/".join(
        ".".join(user.area_prefixes(each)) for each in (Permission.ELDER_VIEW, Permission.MONTH_VIEW)
    )


def _label(month: date) -> str:
    return f"{month.year}年{month.month}月" if month.month == 1 else f"{month.month}月"


def _ten_thousands(amount: Decimal) -> str:
    return f"{amount / 10000:,.2f}万"
