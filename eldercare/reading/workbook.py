"""Cells of a workbook, read by calamine, and the formulas and errors that calamine shows as blank."""

import html
import io
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from eldercare.reading.gate import BOMB, BROKEN, ENCRYPTED, MAX_PART, MAX_TOTAL, MB, FileKind, FileRefused

NO_VALUE: Final = "\x00formula"
_SHEET: Final = re.compile(rb"<sheet\s[^>]*>")
_NAME: Final = re.compile(rb'\sname="([^"]*)"')
_RELATION: Final = re.compile(rb'\sr:id="([^"]*)"')
_TARGET: Final = re.compile(rb"<Relationship\s[^>]*>")
# A cell with a formula and no cached value: <c r="B7"…><f>…</f></c>, also with an empty <v/>.
_VALUELESS: Final = re.compile(
    rb'<c\s[^>]*?r="([A-Z]{1,3})(\d{1,7})"[^>]*>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
# A cell that shows #N/A, #REF! …
_ERROR: Final = re.compile(rb'<c\s(?=[^>]*?\bt="e")[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_OVERLAP: Final = 9_000


def sheets(content: bytes, kind: FileKind) -> Iterator[tuple[str, bool, Iterator[list[Any]]]]:
    """Yield name, visibility and the rows, from row 1 and column A on, of each sheet."""
    with ThreadPoolExecutor(1) as beside:
        # zlib and calamine both work outside the interpreter's lock, so that the second look costs no time.
        scan = beside.submit(valueless_formulas if kind is FileKind.XLSX else _no_formulas, content)
        try:
            workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
            for metadata in workbook.sheets_metadata:
                sheet = workbook.get_sheet_by_name(metadata.name)
                visible = metadata.visible == SheetVisibleEnum.Visible
                left = sheet.start[1] if sheet.start else 0
                valueless = scan.result().get(metadata.name, {})
                yield metadata.name, visible, _rows(sheet.iter_rows(), left, valueless)
                del sheet
        except PasswordError:
            raise FileRefused(ENCRYPTED) from None
        except CalamineError:
            scan.result()
            raise FileRefused(BROKEN) from None


def _no_formulas(content: bytes) -> dict[str, dict[int, list[int]]]:
    """An old workbook keeps the value of every formula."""
    return {}


def _rows(rows: Iterator[list[Any]], left: int, valueless: dict[int, list[int]]) -> Iterator[list[Any]]:
    margin = [""] * left
    for number, cells in enumerate(rows, start=1):
        row = [*margin, *cells] if left else cells
        for column in valueless.get(number, ()):
            if column < len(row):
                row[column] = NO_VALUE
            else:
                row.extend([""] * (column - len(row)) + [NO_VALUE])
        yield row


def valueless_formulas(content: bytes) -> dict[str, dict[int, list[int]]]:
    """Return sheet → row → columns (0-based) of cells without a usable value; inflates under a cap."""
    found: dict[str, dict[int, list[int]]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = _sheet_names(archive)
        total = 0
        for part in archive.infolist():
            cells, size = _scan(archive, part)
            total += size
            if total > MAX_TOTAL:
                raise FileRefused(BOMB)
            if cells and part.filename in names:
                found[names[part.filename]] = cells
    return found


def _scan(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> tuple[dict[int, list[int]], int]:
    cells: dict[int, list[int]] = {}
    size, tail = 0, b""
    is_sheet = part.filename.startswith("xl/worksheets/")
    try:
        with archive.open(part) as stream:
            while piece := stream.read(MB):
                size += len(piece)
                if size > MAX_PART:
                    raise FileRefused(BOMB)
                if is_sheet:
                    tail = _valueless_in(tail + piece, cells)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError):
        raise FileRefused(BROKEN) from None
    return cells, size


def _valueless_in(text: bytes, cells: dict[int, list[int]]) -> bytes:
    """Note the cells found; return the end of the text that the next piece continues."""
    for pattern, sign in ((_VALUELESS, b"<f"), (_ERROR, b't="e"')):
        for match in pattern.finditer(text) if sign in text else ():
            columns = cells.setdefault(int(match[2]), [])
            if (column := _column(match[1])) not in columns:
                columns.append(column)
    return text[-_OVERLAP:]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return part → sheet name from the workbook's own list."""
    try:
        book = archive.read("xl/workbook.xml")
        relations = archive.read("xl/_rels/workbook.xml.rels")
    except (KeyError, zipfile.BadZipFile):
        raise FileRefused(BROKEN) from None
    targets = {}
    for relation in _TARGET.findall(relations):
        key, target = re.search(rb'\sId="([^"]*)"', relation), re.search(rb'\sTarget="([^"]*)"', relation)
        if key and target:
            targets[key[1]] = target[1].decode().removeprefix("/").removeprefix("xl/")
    names = {}
    for sheet in _SHEET.findall(book):
        name, key = _NAME.search(sheet), _RELATION.search(sheet)
        if name and key and key[1] in targets:
            names[f"xl/{targets[key[1]]}"] = html.unescape(name[1].decode())
    return names
