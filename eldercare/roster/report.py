"""What is wrong or odd in a roster, row by row and in groups."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, NamedTuple

from operations.masking import mask_id_number, mask_phone

SHOWN: Final = 10
_LONG_NUMBER: Final = re.compile(r"\d{7,}[\dXx]?")


class Severity(IntEnum):
    """ERROR: the row is not taken. WARNING: taken. SUSPECTED: taken, perhaps the same person under two numbers."""

    ERROR = 0
    WARNING = 1
    SUSPECTED = 2


class Place(NamedTuple):
    """A data row of the file: its number among them, sheet, and row as the spreadsheet shows it."""

    number: int
    sheet: str
    row: int


class Note(NamedTuple):
    """One remark on a cell or, with column '', on a row."""

    severity: Severity
    column: str
    message: str


@dataclass
class Group:
    """Remarks that say the same about the same column."""

    count: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)


class Report:
    """Collects remarks; knows every row that has some, shows the first ten of each group."""

    def __init__(self) -> None:
        self.groups: dict[Note, Group] = {}
        self.notes: dict[int, list[Note]] = {}
        self.numbers: dict[Severity, set[int]] = {severity: set() for severity in Severity}
        self.notices: list[str] = []

    def add(self, severity: Severity, place: Place, column: str, message: str, value: object = "") -> None:
        """Note a remark; long numbers in the value are masked."""
        note = Note(severity, column, message)
        group = self.groups.get(note)
        if group is None:
            group = self.groups[note] = Group()
        group.count += 1
        if len(group.rows) < SHOWN:
            group.rows.append(
                {
                    "sheet": place.sheet,
                    "row": place.row,
                    "column": column,
                    "value": masked(value),
                    "message": message,
                }
            )
        self.notes.setdefault(place.number, []).append(note)
        self.numbers[severity].add(place.number)

    @property
    def refused(self) -> set[int]:
        """Numbers of the rows that are not taken."""
        return self.numbers[Severity.ERROR]

    def as_json(self) -> dict[str, Any]:
        """Return the report as ImportBatch keeps it, the largest groups first."""
        return {
            "groups": list(self._groups(Severity.ERROR)),
            "warnings": list(self._groups(Severity.WARNING)),
            "suspected": list(self._groups(Severity.SUSPECTED)),
            "notices": self.notices,
        }

    def _groups(self, severity: Severity) -> Iterator[dict[str, Any]]:
        groups = [(note, group) for note, group in self.groups.items() if note.severity is severity]
        for note, group in sorted(groups, key=lambda pair: -pair[1].count):
            yield {
                "kind": note.column or "整行",
                "message": note.message,
                "count": group.count,
                "rows": group.rows,
            }


def masked(value: object) -> str:
    """Return a cell's value for showing: long numbers keep their ends only."""
    text = "" if value is None else str(value)
    return _LONG_NUMBER.sub(lambda match: _mask(match[0]), text)[:80]


def _mask(number: str) -> str:
    return mask_id_number(number) if len(number) > 11 else mask_phone(number)
