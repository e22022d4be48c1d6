"""From cells to cleaned rows: column by column, every distinct value once."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from eldercare.reading.gate import MAX_ROWS, TOO_MANY_ROWS, FileRefused
from eldercare.reading.table import Rows, Sheet, read_table
from eldercare.reading.text import half_width
from eldercare.reading.workbook import NO_VALUE
from eldercare.resources.roster import RosterResource
from eldercare.resources.widgets import CellWidget
from eldercare.roster.headers import HEADER_ROWS, NO_HEADER, Header, find_header, is_header_again
from eldercare.roster.report import Place, Report, Severity

NO_RESULT: Final = "公式没有计算结果或结果有错；请改成固定的值（复制后选择性粘贴为数值）"
UNREADABLE: Final = "含有无法识别的字符（文件编码混乱）；请重新填写"
FOOTER: Final = re.compile(
    r"^(合计|总计|小计|本页|共计|累计|制表|填表|审核|经办|负责人|联系人[:：]|说明|注[:：]|备注[:：]|单位)"
)
# More distinct values than this are hardly met again: the memory is better spent elsewhere.
MAX_REMEMBERED: Final = 10_000

Clean = Callable[[Any], Any]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """Stands in place of a value that could not be read."""

    message: str


class Memory(dict[Any, Any]):
    """Raw value → cleaned value or Fault, computed once; warnings: raw value → what is odd about it."""

    def __init__(self, widget: CellWidget) -> None:
        super().__init__()
        self.widget = widget
        self.warnings: dict[Any, str] = {}
        self.faults: set[Any] = set()

    def __missing__(self, raw: Any) -> Any:
        self[raw] = value = self._read(raw)
        if value.__class__ is Fault:
            self.faults.add(raw)
        return value

    def _read(self, raw: Any) -> Any:
        if raw == "" or raw is None:
            return None
        if raw == NO_VALUE:
            return Fault(NO_RESULT)
        if raw.__class__ is str and "\ufffd" in raw:
            return Fault(UNREADABLE)
        try:
            value = self.widget.clean(date(*raw) if raw.__class__ is tuple else raw)
        except ValueError as error:
            return Fault(str(error))
        if value is not None and (warning := self.widget.warning(value)):
            self.warnings[raw] = warning
        return value

    def forget(self) -> None:
        """Make room where nearly every value is new."""
        if len(self) > MAX_REMEMBERED:
            self.clear()
            self.warnings.clear()
            self.faults.clear()


@dataclass(slots=True)
class CleanRow:
    """A data row: cleaned values by attribute (None: blank, Fault: unreadable) and the cells as they were."""

    place: Place
    values: dict[str, Any]
    cells: list[Any]
    header: Header
    layout: int

    def raw(self, attribute: str) -> Any:
        """The cell as it stands in the file."""
        position = self.header.columns.get(attribute)
        return self.cells[position] if position is not None and position < len(self.cells) else ""


class RosterReader:
    """Reads a file into chunks of cleaned rows and notes per-cell remarks in the report.

    layouts: the column sets of the sheets, in order of number; skipped: blank, heading and total rows passed over.
    """

    def __init__(self, resource: RosterResource, report: Report) -> None:
        self.fields = resource.fields
        self.memories = {name: Memory(field.widget) for name, field in resource.fields.items()}
        self.report = report
        self.layouts: dict[tuple[str, ...], int] = {}
        self.total = 0
        self.skipped = 0

    def chunks(self, content: bytes) -> Iterator[list[CleanRow]]:
        """Yield the rows of all visible sheets with a roster's header. Raises FileRefused."""
        found = False
        for sheet, header, rows in sheet_rows(content, self.report.notices):
            if header is None:
                continue
            found = True
            if chunk := self._clean(sheet, header, rows):
                yield chunk
        if not found:
            raise FileRefused(NO_HEADER)
        if not self.total:
            raise FileRefused("表头下面没有数据；请检查是否选错了文件")

    def _clean(self, sheet: str, header: Header, rows: list[tuple[int, list[Any]]]) -> list[CleanRow]:
        data = [(number, cells) for number, cells in rows if not self._is_passed_over(header, cells)]
        self.skipped += len(rows) - len(data)
        if self.total + len(data) > MAX_ROWS:
            raise FileRefused(TOO_MANY_ROWS)
        layout = self.layouts.setdefault(tuple(header.columns), len(self.layouts))
        chunk = [
            CleanRow(Place(self.total + offset, sheet, number), {}, cells, header, layout)
            for offset, (number, cells) in enumerate(data, start=1)
        ]
        self.total += len(chunk)
        columns = [self._column(name, position, chunk) for name, position in header.columns.items()]
        for row, values in zip(chunk, zip(*columns, strict=True), strict=True):
            row.values = dict(zip(header.columns, values, strict=True))
        return chunk

    def _column(self, name: str, position: int, chunk: list[CleanRow]) -> list[Any]:
        """Clean one column of a chunk and note what is wrong or odd in it."""
        memory = self.memories[name]
        memory.forget()
        raw = [row.cells[position] if position < len(row.cells) else "" for row in chunk]
        values = list(map(memory.__getitem__, raw))
        if memory.faults:
            for row, cell, value in zip(chunk, raw, values, strict=True):
                if cell in memory.faults:
                    self._note(Severity.ERROR, row, name, value.message)
        if memory.warnings:
            for row, cell in zip(chunk, raw, strict=True):
                if cell in memory.warnings:
                    self._note(Severity.WARNING, row, name, memory.warnings[cell])
        return values

    def _note(self, severity: Severity, row: CleanRow, name: str, message: str) -> None:
        raw = row.raw(name)
        self.report.add(severity, row.place, row.header.titles[name], message, "" if raw == NO_VALUE else raw)

    def _is_passed_over(self, header: Header, cells: list[Any]) -> bool:
        """Blank rows, headers printed again, totals and the lines below the table are no data."""
        position = header.columns["id_number"]
        number = cells[position] if position < len(cells) else ""
        if number not in ("", None):
            return is_header_again(number) if isinstance(number, str) and len(number) < 15 else False
        mapped = [cells[at] for at in header.columns.values() if at < len(cells)]
        if not any(half_width(cell) for cell in mapped):
            return True
        return any(isinstance(cell, str) and FOOTER.match(half_width(cell)) for cell in cells[:4])


def sheet_rows(
    content: bytes, notices: list[str]
) -> Iterator[tuple[str, Header | None, list[tuple[int, list[Any]]]]]:
    """Yield sheet, header and numbered data rows, chunk by chunk; sheets without a header come once, without rows."""
    name, header, skip = "", None, False
    for item in read_table(content):
        if isinstance(item, Sheet):
            name, header, skip = item.name, None, not item.visible
            if skip:
                notices.append(f"隐藏的工作表“{name}”没有读取")
            continue
        if skip:
            continue
        if item.first == 1:
            header, skip = _open(name, item, notices)
            if header is None:
                yield name, None, []
                continue
        if header is not None:
            yield name, header, _numbered(item, header)


def _open(name: str, item: Rows, notices: list[str]) -> tuple[Header | None, bool]:
    """Find the header of a sheet in its first rows; say what is passed over."""
    header = find_header(name, item.rows[: HEADER_ROWS + 1])
    if header is None:
        if any(any(row) for row in item.rows):
            notices.append(f"工作表“{name}”没有花名册表头，没有读取")
        return None, True
    if header.ignored:
        notices.append(f"工作表“{name}”中不认识的列没有读取：{'、'.join(header.ignored)}")
    return header, False


def _numbered(item: Rows, header: Header) -> list[tuple[int, list[Any]]]:
    return [
        (number, cells)
        for number, cells in enumerate(item.rows, start=item.first)
        if number > header.last_row
    ]
