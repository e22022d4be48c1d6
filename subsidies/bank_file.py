"""The bytes of a payment file: a bank's layout filled with lines. Touches no database."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Final

from operations.plain_workbook import Cell, plain_workbook
from operations.spreadsheets import safe_text
from subsidies.bank_layout import FileColumn, FileLayout
from subsidies.refusals import MoneyRefusedError

LINE_END: Final = "\r\n"
SHOWN: Final = 10
#: Columns whose text is what it is: a mark before them would make a number wrong.
EXACT: Final = frozenset({"account", "id_number", "phone", "batch", "village"})
_ACCOUNT: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_Text = Callable[["BankLine"], Cell]


@dataclass(frozen=True, slots=True)
class BankLine:
    """One payment as the bank gets it; amount: 元 that the bank pays; month: 所属月."""

    number: int
    holder: str
    account: str
    bank: str
    amount: Decimal
    id_number: str
    item: str
    month: date
    kind: str
    village: str
    phone: str


@dataclass(frozen=True, slots=True)
class Control:
    """What the row of totals says; amount in 元."""

    batch: str
    lines: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class _Fault:
    """A value that the file cannot hold."""

    column: str
    number: int
    what: str
    way_out: str
    sample: str = ""


def file_bytes(layout: FileLayout, control: Control, lines: Iterable[BankLine], *, county: str = "") -> bytes:
    """Return the file. Raises MoneyRefusedError naming lines (序号) and columns that it cannot hold, and what to do."""
    texts = [_extractor(layout, column, control.batch, county) for column in layout.columns]
    if layout.format == "xlsx":
        return _workbook(layout, control, lines, texts)
    faults: list[_Fault] = []
    buffer = BytesIO()
    if layout.encoding == "utf-8-sig":
        buffer.write(b"\xef\xbb\xbf")
    make = _fixed_row if layout.format == "fixed" else _delimited_row
    if layout.control == "first":
        buffer.write(make(layout, _control_row(layout, control), layout.control_columns, None, faults))
    if layout.header:
        titles: list[Cell] = [column.title for column in layout.columns]
        buffer.write(make(layout, titles, layout.columns, None, faults))
    for line in _checked(lines, faults):
        buffer.write(make(layout, [text(line) for text in texts], layout.columns, line.number, faults))
    if layout.control == "last":
        buffer.write(make(layout, _control_row(layout, control), layout.control_columns, None, faults))
    if faults:
        raise MoneyRefusedError(_refusal(faults))
    return buffer.getvalue()


def _workbook(layout: FileLayout, control: Control, lines: Iterable[BankLine], texts: list[_Text]) -> bytes:
    faults: list[_Fault] = []

    def rows() -> Iterator[list[Cell]]:
        if layout.control == "first":
            yield _control_row(layout, control)
        if layout.header:
            yield [column.title for column in layout.columns]
        for line in _checked(lines, faults):
            yield [text(line) for text in texts]
        if layout.control == "last":
            yield _control_row(layout, control)

    headings = layout.header + (layout.control == "first") if layout.header else 0
    content = plain_workbook("发放明细", rows(), headings=headings)
    if faults:
        raise MoneyRefusedError(_refusal(faults))
    return content


def _checked(lines: Iterable[BankLine], faults: list[_Fault]) -> Iterator[BankLine]:
    """Pass lines on; an account that is more than digits, letters and hyphens is no account."""
    for line in lines:
        if not _ACCOUNT.fullmatch(line.account):
            way_out = "请更正老人的银行账户；这一行可在财政确认前暂缓"
            faults.append(_Fault("账号", line.number, "不是由数字组成的账号", way_out))
        yield line


def _control_row(layout: FileLayout, control: Control) -> list[Cell]:
    values: dict[str, Cell] = {
        "batch": control.batch,
        "lines": control.lines,
        "total": _money(layout, control.amount),
    }
    return [values[column.field] for column in layout.control_columns]


def _money(layout: FileLayout, amount: Decimal) -> Cell:
    return int(amount * 100) if layout.unit == "分" else amount


def _extractor(layout: FileLayout, column: FileColumn, batch: str, county: str) -> _Text:
    """Return what gives a column's value of a line, ready for the format."""
    months: dict[date, str] = {}
    memos: dict[tuple[str, date, str], str] = {}

    def month(line: BankLine) -> str:
        if line.month not in months:
            months[line.month] = line.month.strftime(layout.month_format)
        return months[line.month]

    def memo(line: BankLine) -> str:
        key = (line.item, line.month, line.kind)
        if key not in memos:
            words = {
                "县": county,
                "项目": line.item,
                "所属月": f"{line.month:%Y}年{line.month.month}月",
                "类别": line.kind,
                "批次号": batch,
            }
            memos[key] = layout.memo.format(**words)
        return memos[key]

    values: dict[str, _Text] = {
        "batch": lambda line: batch,
        "number": lambda line: line.number,
        "holder": lambda line: line.holder,
        "account": lambda line: line.account,
        "bank": lambda line: line.bank,
        "amount": lambda line: _money(layout, line.amount),
        "id_type": lambda line: layout.id_type if line.id_number else "",
        "id_number": lambda line: line.id_number,
        "memo": memo,
        "item": lambda line: line.item,
        "month": month,
        "first_month": month,
        "last_month": month,
        "village": lambda line: line.village,
        "phone": lambda line: line.phone,
        "note": lambda line: line.kind,
    }
    value = values[column.field]
    if column.field in EXACT or column.field in ("number", "amount"):
        return value
    if layout.format == "fixed":
        return lambda line: _one_line(str(value(line)))
    return lambda line: safe_text(_one_line(str(value(line))))


def _one_line(text: str) -> str:
    return text if text.isprintable() else " ".join(text.split())


def _delimited_row(
    layout: FileLayout,
    values: list[Cell],
    columns: tuple[FileColumn, ...],
    number: int | None,
    faults: list[_Fault],
) -> bytes:
    mark = layout.delimiter
    texts = [str(value) for value in values]
    line = mark.join(texts)
    if line.count(mark) != len(texts) - 1 or '"' in line:
        for at, text in enumerate(texts):
            if mark == "," and ("," in text or '"' in text):
                texts[at] = '"' + text.replace('"', '""') + '"'
            elif mark in text and number is not None:
                way_out = f"“{mark}”是这种格式的分隔符；请更正该栏，或改用 Excel 格式"
                faults.append(_Fault(columns[at].title, number, f"含有“{mark}”", way_out))
        line = mark.join(texts)
    return _encoded(line + LINE_END, layout.encoding, texts, columns, number, faults)


def _fixed_row(
    layout: FileLayout,
    values: list[Cell],
    columns: tuple[FileColumn, ...],
    number: int | None,
    faults: list[_Fault],
) -> bytes:
    cells = []
    for column, value in zip(columns, values, strict=True):
        text = str(value)
        cell = _encoded(text, layout.encoding, [text], (column,), number, faults)
        if len(cell) > column.width:
            what = f"超过 {column.width} 个字节"
            way_out = "请缩短该栏，或请数据管理员在银行文件格式里改宽这一列"
            faults.append(_Fault(column.title, number or 0, what, way_out))
        pad = column.pad.encode()
        cells.append(
            cell.rjust(column.width, pad) if column.align == "right" else cell.ljust(column.width, pad)
        )
    return b"".join(cells) + LINE_END.encode()


def _encoded(
    line: str,
    encoding: str,
    texts: list[str],
    columns: tuple[FileColumn, ...],
    number: int | None,
    faults: list[_Fault],
) -> bytes:
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        return line.encode(codec)
    except UnicodeEncodeError:
        pass
    for column, text in zip(columns, texts, strict=True):
        rare = [letter for letter in text if not letter.encode(codec, "ignore")]
        if rare:
            what = f"有 {encoding.upper()} 编码没有的字"
            way_out = "请改用 GB18030 或 Excel 的银行文件格式；银行只收 GBK 时，请与银行商定代用办法"
            faults.append(_Fault(column.title, number or 0, what, way_out, "".join(dict.fromkeys(rare))))
    return b""


def _refusal(faults: list[_Fault]) -> str:
    """Say which lines cannot be written, at most ten of each kind, and what to do."""
    sorts: dict[tuple[str, str, str], list[_Fault]] = {}
    for fault in faults:
        sorts.setdefault((fault.column, fault.what, fault.way_out), []).append(fault)
    said = []
    for (column, what, way_out), found in list(sorts.items())[:SHOWN]:
        numbers = "、".join(str(fault.number) if fault.number else "控制行" for fault in found[:SHOWN])
        more = f" 等 {len(found)} 笔" if len(found) > SHOWN else ""
        samples = "、".join(dict.fromkeys(fault.sample for fault in found[:SHOWN] if fault.sample))
        shown = f"（{samples}）" if samples else ""
        said.append(f"序号 {numbers}{more} 的“{column}”{what}{shown}。{way_out}")
    return f"没有生成银行文件：{'。'.join(said)}。"
