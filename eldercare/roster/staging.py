"""From cleaned rows to the staging tables: encrypt, index, COPY."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Final, Self

from django.db import connection
from django.db.backends.utils import CursorWrapper

from eldercare.choices import YES, Kind, Sex
from eldercare.models import StagedCircumstance, StagedRow
from eldercare.pinyin import search_key
from eldercare.resources.roster import RosterResource
from eldercare.roster.cleaning import CleanRow
from eldercare.roster.sealing import PRIVATE_COLUMNS, PrivateRow, Sealer

Reading = StagedCircumstance.Reading

# Columns in which every value is one circumstance that simply holds from the row's day on.
STANDING: Final = tuple(
    (name, field.kinds[0])
    for name, field in RosterResource.columns().items()
    if field.kinds
    and field.kinds[0]
    not in {Kind.HUKOU, Kind.RESIDENCE, Kind.ABILITY_LEVEL, Kind.DEATH, Kind.MOVED_OUT, Kind.LIVES_ALONE}
    and name not in ("disability_type", "disability_level")
)
EVENTS: Final = (("death_date", Kind.DEATH), ("moved_out_date", Kind.MOVED_OUT))
DISABILITY: Final = (("disability_type", Kind.DISABILITY_TYPE), ("disability_level", Kind.DISABILITY_LEVEL))

# Chunks that may be on their way to be sealed before the first of them is waited for.
AHEAD: Final = 2

Stated = tuple[Kind, str, date, date | None, Reading]
"""Kind, value, first day, day after the last (None: open), reading."""


def circumstances(values: dict[str, Any]) -> Iterator[Stated]:
    """Yield what a row says about its elder, circumstance by circumstance."""
    starts: date = values["starts"]
    yield Kind.HUKOU, values["hukou"], starts, None, Reading.STANDING
    residence = values.get("residence")
    if residence is not None and residence != values["hukou"]:
        yield Kind.RESIDENCE, residence, starts, None, Reading.STANDING
    for name, standing in STANDING:
        value = values.get(name)
        if value is not None:
            yield standing, YES if value is True else value, starts, None, Reading.STANDING
    for lives in sorted(values.get("living") or ()):
        yield lives, YES, starts, None, Reading.STANDING
    for name, event in EVENTS:
        if (day := values.get(name)) is not None:
            yield event, YES, day, None, Reading.EVENT
    yield from _ability(values)
    yield from _disability(values)


def _ability(values: dict[str, Any]) -> Iterator[Stated]:
    """A level is known from its assessment on; a date given with the row stands in for that of the assessment."""
    level = values.get("ability_level")
    if level is None:
        return
    dated = values.get("assessed_on") is not None or values["starts_given"]
    starts = values.get("assessed_on") or values["starts"]
    yield Kind.ABILITY_LEVEL, level, starts, None, Reading.DATED if dated else Reading.STANDING


def _disability(values: dict[str, Any]) -> Iterator[Stated]:
    """Disability holds through the last day of the card; an expired card says nothing."""
    starts, until = values["starts"], values.get("disability_until")
    if until is not None and until < starts:
        return
    reading = Reading.ENDING if "disability_until" in values else Reading.STANDING
    ends = until + timedelta(days=1) if until is not None else None
    for name, kind in DISABILITY:
        if (value := values.get(name)) is not None:
            yield kind, value, starts, ends, reading


PLAIN_COLUMNS: Final = (
    "batch_id",
    "number",
    "layout",
    "id_last4",
    "id_verified",
    "name",
    "pinyin",
    "sex",
    "birth_date",
    "starts",
    "hukou_code",
    "residence_code",
    "ethnicity",
    "address",
    "phone_last4",
    "relation_to_head",
    "note",
    "bank",
    "holder",
    "contact_name",
)


def private_row(batch_id: int, row: CleanRow) -> PrivateRow:
    """Return a row with its plain columns in the order of PLAIN_COLUMNS."""
    values = row.values
    get = values.get
    identity, head = values["id_number"], get("head_id_number")
    phone = get("phone") or ""
    plain = (
        batch_id,
        row.place.number,
        row.layout,
        identity.number[-4:],
        get("verified") is True,
        values["name"],
        search_key(values["name"]),
        identity.sex.value,
        values["birth_date"],
        values["starts"],
        values["hukou"],
        get("residence") or values["hukou"],
        get("ethnicity") or "",
        get("address") or "",
        phone[-4:],
        get("relation") or "",
        get("note") or "",
        get("bank") or "",
        get("holder"),
        get("contact_name") or "",
    )
    return PrivateRow(
        _copied(plain),
        identity.number,
        phone,
        get("disability_card") or "",
        get("account") or "",
        get("contact_phone") or "",
        head.number if head is not None else identity.number,
        head.number if head is not None else "",
    )


COPY_ROWS: Final = (
    f"COPY {StagedRow._meta.db_table} ({', '.join((*PLAIN_COLUMNS, *PRIVATE_COLUMNS))}) FROM STDIN"
)
COPY_STATED: Final = (
    f"COPY {StagedCircumstance._meta.db_table}"
    " (batch_id, number, kind, value, starts, ends, reading) FROM STDIN"
)


class StageWriter:
    """Writes one file's rows: sealed beside us, flowing in one COPY while the next are cleaned.

    Their circumstances follow at the end.
    """

    def __init__(self, cursor: CursorWrapper, batch_id: int) -> None:
        self.cursor = cursor
        self.batch_id = batch_id
        self.stated: list[str] = []

    @contextmanager
    def open(self) -> Iterator[Self]:
        """Take rows until the end of the block."""
        with self.cursor.copy(COPY_ROWS) as self.copy, Sealer() as self.sealer:
            yield self
            while self.sealer.pending:
                self.copy.write(self.sealer.collect())
        with self.cursor.copy(COPY_STATED) as copy:
            for lines in self.stated:
                copy.write(lines)

    def write(self, rows: list[CleanRow]) -> None:
        """Stage cleaned rows."""
        self.sealer.submit([private_row(self.batch_id, row) for row in rows])
        stated = [
            _copied((self.batch_id, row.place.number, *one))
            for row in rows
            for one in circumstances(row.values)
        ]
        self.stated.append("".join(f"{line}\n" for line in stated))
        if self.sealer.pending > AHEAD:
            self.copy.write(self.sealer.collect())


def _copied(row: Sequence[Any]) -> str:
    """Return values in COPY's text format, without the line end."""
    return "\t".join([_COPIED[value.__class__](value) for value in row])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\") if "\\" in text else text


# Cleaned texts hold no tabs and line ends, so that only backslashes need care.
_COPIED: Final[dict[type, Callable[[Any], str]]] = {
    str: _escaped,
    Kind: str,
    Reading: str,
    int: str,
    bool: lambda value: "t" if value else "f",
    date: date.isoformat,
    type(None): lambda value: "\\N",
    Sex: str,
}


def staged_clear(batch_id: int) -> None:
    """Empty the staging tables of a batch."""
    with connection.cursor() as cursor:
        for model in (StagedRow, StagedCircumstance):
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE batch_id = %s", [batch_id])


def staged_drop(cursor: CursorWrapper, batch_id: int, numbers: Iterable[int]) -> None:
    """Take rows out of the staging tables that turned out not to be written."""
    listed = list(numbers)
    if not listed:
        return
    for model in (StagedRow, StagedCircumstance):
        cursor.execute(
            f"DELETE FROM {model._meta.db_table} WHERE batch_id = %s AND number = ANY(%s)",
            [batch_id, listed],
        )
