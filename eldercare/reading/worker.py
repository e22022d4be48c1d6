"""The process that opens other people's files: little memory, little time, no keys, no database.

stdin: one line with kind, memory and seconds, then the file. stdout: frames (length, marshal).
"""

import datetime
import marshal
import resource
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final

from eldercare.reading import csv_text, workbook
from eldercare.reading.gate import (
    MAX_COLUMNS,
    MAX_ROWS,
    TOO_MANY_COLUMNS,
    TOO_MANY_ROWS,
    FileKind,
    FileRefused,
)

CHUNK: Final = 1_000
# Blank and title rows do not count as data.
MAX_LINES: Final = MAX_ROWS + 20_000
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


def main(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Read the file from stdin and write its sheets as frames."""
    kind, memory, seconds = stdin.readline().decode().split()
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    try:
        for frame in frames(stdin.read(), FileKind(kind)):
            _send(stdout, frame)
    except FileRefused as refusal:
        _send(stdout, ("refused", str(refusal)))
    stdout.flush()


def frames(content: bytes, kind: FileKind) -> Iterator[tuple[Any, ...]]:
    """Yield ("sheet", name, visible), then its ("rows", first row number, rows), for each sheet; ("end",)."""
    lines = 0
    for name, visible, rows in _sheets(content, kind):
        yield "sheet", name, visible
        if not visible:
            continue
        for first, chunk in _chunks(rows):
            lines += sum(map(_is_used, chunk))
            if lines > MAX_LINES:
                raise FileRefused(TOO_MANY_ROWS)
            yield "rows", first, chunk
    yield ("end",)


def _sheets(content: bytes, kind: FileKind) -> Iterable[tuple[str, bool, Iterator[list[Any]]]]:
    if kind is FileKind.TEXT:
        return [("CSV", True, csv_text.rows(csv_text.decode(content)))]
    return workbook.sheets(content, kind)


def _chunks(rows: Iterator[list[Any]]) -> Iterator[tuple[int, list[list[Any]]]]:
    first, chunk = 1, []
    for row in rows:
        if len(row) > MAX_COLUMNS:
            raise FileRefused(TOO_MANY_COLUMNS)
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield first, chunk
            first, chunk = first + CHUNK, []
    if chunk:
        yield first, chunk


def _is_used(row: list[Any]) -> bool:
    return any(row)


def _send(stdout: BinaryIO, frame: tuple[Any, ...]) -> None:
    try:
        body = marshal.dumps(frame)
    except ValueError:
        kind, first, rows = frame
        body = marshal.dumps((kind, first, [[_plain(cell) for cell in row] for row in rows]))
    stdout.write(struct.pack("<I", len(body)))
    stdout.write(body)


def _plain(cell: Any) -> Any:
    """Return a date as (year, month, day), everything else that marshal does not know as text.

    A moment that is not midnight is text too: its time of day is what somebody wrote.
    """
    if type(cell) in _PLAIN:
        return cell
    if isinstance(cell, datetime.datetime) and cell.time() != datetime.time():
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, datetime.date):
        return cell.year, cell.month, cell.day
    return str(cell)


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
