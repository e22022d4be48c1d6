"""Rosters for tests: rows as dicts, files as bytes, and what came of them."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook

from eldercare.models import Circumstance, Elder, ImportBatch
from eldercare.services.roster import roster_check, roster_commit, roster_upload
from operations.crypto import blind_index
from tests.registry import id_number

VILLAGE = "530322101201"
OTHER_VILLAGE = "530322102201"
AS_OF = date(2026, 1, 1)


def person(serial: int = 1, **cells: Any) -> dict[str, Any]:
    """A row with the required columns and the given ones; serial makes another fictional ID number."""
    number = id_number(date(1940, 5, 6), serial)
    return {"姓名": "张国华", "身份证号码": number, "户籍区划": VILLAGE, **cells}


def workbook(rows: Sequence[dict[str, Any]], *, title: str = "", sheet: str = "花名册") -> bytes:
    """An xlsx of one sheet; the header is the union of the rows' keys."""
    return sheets({sheet: rows}, title=title)


def sheets(
    pages: Mapping[str, Sequence[dict[str, Any]]], *, title: str = "", hidden: tuple[str, ...] = ()
) -> bytes:
    """An xlsx of several sheets."""
    book = Workbook()
    del book["Sheet"]
    for name, rows in pages.items():
        page = book.create_sheet(name)
        if title:
            page.append([title])
        header = list(dict.fromkeys(key for row in rows for key in row))
        for line in ([*header], *([row.get(key) for key in header] for row in rows)):
            page.append(line)
        page.sheet_state = "hidden" if name in hidden else "visible"
    return saved(book)


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook."""
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def csv_text(rows: Sequence[dict[str, Any]], delimiter: str = ",") -> str:
    """A CSV text."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def checked(content: bytes, *, as_of: date = AS_OF, name: str = "花名册.xlsx", **options: Any) -> ImportBatch:
    """Upload and check a file."""
    return roster_check(batch=roster_upload(name=name, content=content, as_of=as_of, **options))


def imported(*rows: dict[str, Any], as_of: date = AS_OF, **options: Any) -> ImportBatch:
    """Upload, check and commit rows."""
    return roster_commit(batch=checked(workbook(rows), as_of=as_of, **options))


def counts(batch: ImportBatch) -> tuple[int, int, int, int]:
    """created, updated, unchanged, errors."""
    created, updated, unchanged, wrong = (
        batch.counts[key] for key in ("created", "updated", "unchanged", "errors")
    )
    return created, updated, unchanged, wrong


def errors(batch: ImportBatch) -> list[tuple[int, str, str]]:
    """row, column and message of every error shown."""
    return remarks(batch, "groups")


def remarks(batch: ImportBatch, key: str = "warnings") -> list[tuple[int, str, str]]:
    """row, column and message of the remarks of a kind."""
    return sorted(
        (row["row"], row["column"], row["message"]) for group in batch.report[key] for row in group["rows"]
    )


def elder_of(row: dict[str, Any]) -> Elder:
    """The elder registered under a row's ID number."""
    return Elder.objects.get(id_number_index=blind_index(row["身份证号码"]))


def held(row: dict[str, Any], kind: str) -> list[tuple[str, str, str]]:
    """value, first day and day after the last ('' open) of an elder's circumstances of a kind, in order."""
    found = Circumstance.objects.filter(elder=elder_of(row), kind=kind).order_by("valid")
    return [(one.value, str(one.valid.lower), str(one.valid.upper or "")) for one in found]
