"""The file sent back: the rows as they were, coloured where something is wrong, and why. Can be uploaded as it is."""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from eldercare.reading.table import Rows, Sheet, read_table
from eldercare.reading.text import half_width, number_text
from eldercare.reading.workbook import NO_VALUE
from eldercare.roster.headers import ERRORS_COLUMN, HEADER_ROWS, HINTS_COLUMN, Header, find_header
from eldercare.roster.report import Note, Places, Severity
from operations.spreadsheets import FORMULA_STARTS

RED: Final = PatternFill("solid", start_color="FFF4C7C3")
YELLOW: Final = PatternFill("solid", start_color="FFFFF2CC")
BOLD: Final = Font(bold=True)
TEXT: Final = "@"
AS_TEXT: Final = (
    "id_number",
    "head_id_number",
    "account",
    "phone",
    "contact_phone",
    "disability_card",
    "hukou",
)


def error_workbook(content: bytes, notes: Mapping[int, Sequence[Note]], places: Places) -> bytes:
    """Return the workbook (xlsx). notes: remarks by row number; places: where each numbered row stands."""
    remarks = {places[number][1:]: found for number, found in notes.items()}
    book = Workbook(write_only=True)
    page: _Page | None = None
    for item in read_table(content):
        if isinstance(item, Sheet):
            page = None
            name, visible = item.name, item.visible
        elif visible:
            if item.first == 1 and (header := find_header(name, item.rows[: HEADER_ROWS + 1])):
                page = _Page(book.create_sheet(name), name, header)
            if page is not None:
                page.write(item, remarks)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


class _Page:
    """One sheet that is being written."""

    def __init__(self, sheet: Any, name: str, header: Header) -> None:
        self.sheet, self.name, self.header = sheet, name, header
        self.by_title = {title: header.columns[attribute] for attribute, title in header.titles.items()}
        self.as_text = {header.columns[name] for name in AS_TEXT if name in header.columns}
        self.reasons = max(header.columns.values()) + 1
        for position in range(self.reasons):
            sheet.column_dimensions[get_column_letter(position + 1)].width = 16
        sheet.column_dimensions[get_column_letter(self.reasons + 1)].width = 60
        sheet.column_dimensions[get_column_letter(self.reasons + 2)].width = 40

    def write(self, item: Rows, remarks: Mapping[tuple[str, int], Sequence[Note]]) -> None:
        for number, cells in enumerate(item.rows, start=item.first):
            self.sheet.append(list(self._row(number, cells, remarks.get((self.name, number), ()))))

    def _row(self, number: int, cells: list[Any], notes: Sequence[Note]) -> Iterator[Any]:
        fills = self._fills(notes)
        for position in range(self.reasons):
            raw = cells[position] if position < len(cells) else ""
            yield self._cell(raw, fills.get(position), position in self.as_text)
        if number == self.header.last_row:
            yield self._cell(ERRORS_COLUMN, RED, False)
            yield self._cell(HINTS_COLUMN, YELLOW, False)
        elif notes:
            yield _reasons(notes, errors=True)
            yield _reasons(notes, errors=False)

    def _fills(self, notes: Sequence[Note]) -> dict[int, PatternFill]:
        fills: dict[int, PatternFill] = {}
        for note in sorted(notes, key=lambda note: -note.severity):
            position = self.by_title.get(note.column)
            if position is not None:
                fills[position] = RED if note.severity is Severity.ERROR else YELLOW
        return fills

    def _cell(self, raw: Any, fill: PatternFill | None, as_text: bool) -> Any:
        """Return a plain text, or a cell where colour, text format or protection against formulas is needed."""
        text = cell_text(raw)
        risky = text.lstrip(" \u3000").startswith(FORMULA_STARTS)
        if fill is None and not as_text and not risky:
            return text or None
        cell = WriteOnlyCell(self.sheet, value=text)
        cell.data_type = "e" if raw == NO_VALUE else "s"
        cell.number_format = TEXT
        if risky:
            cell.quotePrefix = True
        if fill is not None:
            cell.fill = fill
        return cell


def cell_text(raw: Any) -> str:
    """Return a cell as text; what had lost digits stays in scientific form, so that it is refused again."""
    if raw == NO_VALUE:
        return "#N/A"
    if isinstance(raw, tuple):
        return date(*raw).isoformat()
    text = raw if isinstance(raw, str) else number_text(raw)
    return str(ILLEGAL_CHARACTERS_RE.sub("", text))


def _reasons(notes: Sequence[Note], *, errors: bool) -> str:
    chosen = [note for note in notes if (note.severity is Severity.ERROR) is errors]
    return "；".join(
        f"{half_width(note.column)}：{note.message}" if note.column else note.message for note in chosen
    )
