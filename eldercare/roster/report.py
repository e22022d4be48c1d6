"""What is wrong or odd in a roster, row by row and in groups."""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain
from typing import Any, Final, NamedTuple

from operations.masking import mask_id_number, mask_phone

SHOWN: Final = 10
# Digits in one piece, or eleven and more with blanks, hyphens or dots between them; a day and an hour have ten.
_BETWEEN: Final = r"[\s\u200b-\u200d\ufeff.·_\-\u2010-\u2015\u2212\uff0d\uff0e]{0,3}"
_LONG_NUMBER: Final = re.compile(rf"\d(?:{_BETWEEN}\d){{10,}}(?:{_BETWEEN}[XxＸｘ])?|\d{{7,}}[XxＸｘ]?")
_NO_DIGIT: Final = re.compile(r"[^\dXxＸｘ]")


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


class Places:
    """Where each numbered row stands; a file has 100,000 of them."""

    def __init__(self) -> None:
        self.rows = array("L")
        self.sheets: list[str] = []

    def append(self, place: Place) -> None:
        """Note the place of the next row."""
        self.rows.append(place.row)
        self.sheets.append(place.sheet)

    def __getitem__(self, number: int) -> Place:
        """Return the place of a row by its number, from 1 on."""
        return Place(number, self.sheets[number - 1], self.rows[number - 1])


class Note(NamedTuple):
    """One remark on a cell or, with column '', on a row."""

    severity: Severity
    column: str
    message: str


@dataclass
class Group:
    """Remarks that say the same about the same column."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    numbers: "array[int]" = field(default_factory=lambda: array("L"))

    @property
    def count(self) -> int:
        """How many remarks there are."""
        return len(self.numbers)


class Report:
    """Collects remarks, knows every row that has some and shows the first ten of each group.

    refused: numbers of the rows that are not taken.
    """

    def __init__(self) -> None:
        self.groups: dict[Note, Group] = {}
        self.refused: set[int] = set()
        self.notices: list[str] = []

    def add(self, severity: Severity, place: Place, column: str, message: str, value: object = "") -> None:
        """Note a remark; long numbers in the value are masked."""
        note = Note(severity, column, message)
        group = self.groups.get(note)
        if group is None:
            group = self.groups[note] = Group()
        group.numbers.append(place.number)
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
        if severity is Severity.ERROR:
            self.refused.add(place.number)

    def rows_with(self, severity: Severity) -> int:
        """Return how many rows have a remark of this severity."""
        numbers = (group.numbers for note, group in self.groups.items() if note.severity is severity)
        return len(set(chain.from_iterable(numbers)))

    def by_row(self) -> dict[int, list[Note]]:
        """Return the remarks by row number."""
        notes: dict[int, list[Note]] = {}
        for note, group in self.groups.items():
            for number in group.numbers:
                notes.setdefault(number, []).append(note)
        return notes

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


def _mask(found: str) -> str:
    number = _NO_DIGIT.sub("", found)
    return mask_id_number(number) if len(number) > 11 else mask_phone(number)
