"""The list of people to be visited on paper, to be filled in by hand where there is no phone; one village a sheet."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from operations.papers import pdf

MOST_ON_PAPER: Final = 1_000


@dataclass(frozen=True)
class SheetRow:
    """One line: village, name, door, tier, visits made and owed («0/1»), masked phone."""

    place: str
    name: str
    door: str
    tier: str
    times: str
    phone: str


def visit_sheet(
    *, month: date, rows: Sequence[SheetRow], maker: str, unit: str, now: datetime
) -> tuple[bytes, str]:
    """Set the list as PDF, its rows in the order given; return it with the number printed on every page."""
    mark = uuid.uuid4().hex[:8].upper()
    data: dict[str, Any] = {
        "title": f"{month.year}年{month.month}月探访登记表",
        "made": {"maker": maker, "unit": unit, "at": f"{now:%Y-%m-%d %H:%M}", "mark": mark},
        "villages": [
            {"name": place, "people": [vars(row) | {"number": n} for n, row in enumerate(people, start=1)]}
            for place, people in groupby(sorted(rows, key=lambda row: row.place), key=lambda row: row.place)
        ],
    }
    return pdf(template="visits.typ", data=data, tagged=False), mark
