"""A file of visits: its columns and what its rows say. Touches no database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from eldercare.reading.records import ID_NUMBER, Column, Record, Records, id_number_column, read_records
from visits.cells import MODE, NOTE, RECORD, RESULT, TIME, VISITOR, ZONE, parsers


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A readable row, the `order`th of the file; `place` names it for people, `number` is the ID number."""

    order: int
    place: str
    id: UUID
    number: str
    at: datetime
    mode: str
    result: str
    visitor: str
    note: str


def read_visits(content: bytes, now: datetime) -> tuple[Records, list[VisitRow]]:
    """Read a CSV or workbook. FileRefused for other files, ValueError without header."""
    records = read_records(content, columns(now))
    return records, [_row(record) for record in records.rows]


def columns(now: datetime) -> tuple[Column, ...]:
    """The columns of the file, for one that arrives now."""
    parse = parsers(now)
    return (
        Column(RECORD, parse[RECORD], others=("记录编号(UUID)",)),
        id_number_column(now.astimezone(ZONE).date()),
        *(Column(name, parse[name]) for name in (TIME, MODE, RESULT, VISITOR)),
        Column(NOTE, parse[NOTE], required=False),
    )


def _row(record: Record) -> VisitRow:
    said = record.values
    return VisitRow(
        order=record.order,
        place=record.place,
        id=said[RECORD],
        number=said[ID_NUMBER],
        at=said[TIME],
        mode=said[MODE],
        result=said[RESULT],
        visitor=said[VISITOR],
        note=said.get(NOTE, ""),
    )
