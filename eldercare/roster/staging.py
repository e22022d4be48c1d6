"""From cleaned rows to the staging tables: encrypt, index, COPY."""

from collections import deque
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
from eldercare.roster.sealing import Sealer

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


def private_texts(values: dict[str, Any]) -> tuple[str, ...]:
    """Return what is stored encrypted, in the order in which `staged_row` takes it; '' where there is nothing."""
    get = values.get
    number, head = values["id_number"].number, get("head_id_number")
    return (
        number,
        get("phone") or "",
        head.number if head is not None and head.number != number else "",
        get("disability_card") or "",
        get("account") or "",
        get("contact_phone") or "",
    )


PRIVATE: Final = 6


def staged_row(
    batch_id: int, number: int, layout: int, values: dict[str, Any], sealed: Sequence[bytes]
) -> tuple[Any, ...]:
    """Return a row in the order of StagedRow's columns. sealed: cipher and index of each of `private_texts`."""
    get = values.get
    identity = values["id_number"]
    (
        own,
        own_index,
        phone,
        phone_index,
        head,
        head_index,
        card,
        card_index,
        account,
        account_index,
        call,
        call_index,
    ) = sealed
    return (
        batch_id,
        number,
        layout,
        own_index,
        own,
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
        phone_index,
        phone,
        (get("phone") or "")[-4:],
        head_index or own_index,
        head or (own if get("head_id_number") is not None else b""),
        get("relation") or "",
        card_index,
        card,
        get("note") or "",
        get("bank") or "",
        account_index,
        account,
        get("holder"),
        get("contact_name") or "",
        call_index,
        call,
    )


class StageWriter:
    """Writes one file's rows: sealed beside us, flowing in one COPY while the next are cleaned.

    Their circumstances follow at the end.
    """

    def __init__(self, cursor: CursorWrapper, batch_id: int) -> None:
        self.cursor = cursor
        self.batch_id = batch_id
        self.waiting: deque[list[CleanRow]] = deque()
        self.stated: list[str] = []

    @contextmanager
    def open(self) -> Iterator[Self]:
        """Take rows until the end of the block."""
        with self.cursor.copy(_copy_into(StagedRow)) as self.copy, Sealer() as self.sealer:
            yield self
            while self.waiting:
                self._write_oldest()
        with self.cursor.copy(_copy_into(StagedCircumstance)) as copy:
            for lines in self.stated:
                copy.write(lines)

    def write(self, rows: list[CleanRow]) -> None:
        """Stage cleaned rows."""
        self.sealer.submit([text for row in rows for text in private_texts(row.values)])
        self.waiting.append(rows)
        self.stated.append(
            "".join(
                _line((self.batch_id, row.place.number, *one))
                for row in rows
                for one in circumstances(row.values)
            )
        )
        if len(self.waiting) > AHEAD:
            self._write_oldest()

    def _write_oldest(self) -> None:
        rows, sealed = self.waiting.popleft(), self.sealer.collect()
        width = 2 * PRIVATE
        self.copy.write(
            "".join(
                _line(
                    staged_row(
                        self.batch_id,
                        row.place.number,
                        row.layout,
                        row.values,
                        sealed[at * width : (at + 1) * width],
                    )
                )
                for at, row in enumerate(rows)
            )
        )


def _copy_into(model: type[StagedRow] | type[StagedCircumstance]) -> str:
    names = ", ".join(str(field.column) for field in model._meta.local_concrete_fields if field.column)
    return f"COPY {model._meta.db_table} ({names}) FROM STDIN"


def _line(row: Sequence[Any]) -> str:
    """One line of COPY's text format."""
    return "\t".join([_COPIED[value.__class__](value) for value in row]) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\") if "\\" in text else text


# Cleaned texts hold no tabs and line ends, so that only backslashes need care.
_COPIED: Final[dict[type, Callable[[Any], str]]] = {
    bytes: lambda value: f"\\\\x{value.hex()}",
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
