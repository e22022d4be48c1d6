"""Reading a bank's return file (回盘) row by row. Touches no database.

The profile says where things stand; what the file is (workbook or text, which encoding) is seen from its bytes, so
that a file saved again with Excel can still be read.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, NamedTuple

from eldercare.reading.csv_text import decode
from eldercare.reading.csv_text import rows as guessed_rows
from eldercare.reading.dates import parse_date
from eldercare.reading.gate import FileKind, FileRefused, file_kind
from eldercare.reading.table import Sheet, read_table
from eldercare.reading.text import clean_code, clean_text, half_width, has_lost_digits, number_text
from subsidies.choices import Verdict
from subsidies.refusals import MoneyRefusedError
from subsidies.return_layout import RETURN_FIELDS, RETURN_NEEDED, ReturnLayout
from subsidies.return_words import fold, return_reason

HEADER_ROWS: Final = 10
TEXT_LENGTH: Final = 120
MAX_LINE: Final = 2_147_483_647
MAX_AMOUNT: Final = Decimal(10) ** 12
SAMPLE: Final = 4096
MAX_KNOWN: Final = 4096
_TOTALS: Final = ("合计", "总计", "小计", "总笔数", "总金额", "汇总")
_BATCH_NUMBER: Final = re.compile(r"(?<!\d)\d{6}-\d{6}-\d{2}(?!\d)")
_TAIL: Final = re.compile(r"\*\d*(\d{4})$")
_LONG_NUMBER: Final = re.compile(r"\d{9,}[0-9Xx]?")
_CENT: Final = Decimal("0.01")
Row = tuple[int, Sequence[object]]


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """What one row says. row: its number in the file; line: 序号 in the batch; amount in 元.

    None in line, amount or result: not readable. account: '' if the file has none or masks it; tail: the last four
    digits of a masked one, '' if they do not show; text: the bank's words, long numbers masked.
    """

    row: int
    batch: str
    line: int | None
    amount: Decimal | None
    account: str
    result: Verdict | None
    reason: str
    text: str
    paid_on: date | None
    tail: str = ""


class _Answer(NamedTuple):
    """What the bank's words mean; said: all of them."""

    result: Verdict | None
    reason: str
    said: str


class _Words:
    """Reads a layout's words, each combination once."""

    def __init__(self, layout: ReturnLayout) -> None:
        self.layout = layout
        self.known: dict[tuple[str, str, str], _Answer] = {}

    def answer(self, state: str, code: str, reason: str) -> _Answer:
        key = (state, code, reason)
        if key not in self.known:
            if len(self.known) > MAX_KNOWN:
                self.known.clear()
            self.known[key] = self._read(*key)
        return self.known[key]

    def _read(self, state: str, code: str, reason: str) -> _Answer:
        result = self.layout.states.get(fold(state))
        failed = result == Verdict.FAILED
        why = return_reason(code, reason or state, self.layout.reasons) if failed else ""
        return _Answer(result, why, " ".join(filter(None, (state, code, reason))))


def read_return(content: bytes, layout: ReturnLayout, named: set[str] | None = None) -> Iterator[ReturnLine]:
    """Yield the rows of a return file. Raises MoneyRefusedError for what cannot be read as one.

    named: is given the batch numbers that stand in rows of totals and above the header; whole once all is read.
    """
    named = set() if named is None else named
    try:
        yield from _lines(_without_control(_rows(content, layout), layout, named), layout, named)
    except FileRefused as refusal:
        # the reader speaks to people who bring rosters
        said = str(refusal).replace("花名册", "回盘文件").replace("按镇（街）", "")
        raise MoneyRefusedError(said) from None


def _rows(content: bytes, layout: ReturnLayout) -> Iterator[Row]:
    """Yield number and cells of every row that is not blank; sheets are counted through."""
    kind = file_kind(content)
    if kind is not FileKind.TEXT:
        if layout.format == "fixed":
            raise MoneyRefusedError("这是 Excel 工作簿，而该行的回盘是定长文本；请上传银行给的原文件")
        rows = _sheet_rows(content)
    elif layout.format == "fixed":
        rows = _fixed_rows(content, layout)
    else:
        rows = _text_rows(content, layout)
    for number, cells in rows:
        if any(cell is not None and (not isinstance(cell, str) or cell.strip()) for cell in cells):
            yield number, cells


def _sheet_rows(content: bytes) -> Iterator[Row]:
    before, number = 0, 0
    for part in read_table(content):
        if isinstance(part, Sheet):
            before = number
            continue
        for at, cells in enumerate(part.rows, part.first):
            number = before + at
            yield number, cells


def _text_rows(content: bytes, layout: ReturnLayout) -> Iterator[Row]:
    text = _decoded(content, layout)
    mark = layout.delimiter if layout.format == "csv" else ""
    if mark and mark != "," and mark in text[:SAMPLE]:
        # banks' own separators know no quotes: a quotation mark is part of a name
        lines: Iterator[list[str]] = (line.split(mark) for line in io.StringIO(text))
        return enumerate(([cell.strip("\r\n") for cell in line] for line in lines), 1)
    if mark and mark in text[:SAMPLE]:
        return enumerate(_csv_rows(text, mark), 1)
    return enumerate(guessed_rows(text), 1)


def _decoded(content: bytes, layout: ReturnLayout) -> str:
    """Return the text; bytes that two encodings can read (联通 in GBK) go by the words found, then by profile."""
    text = decode(content)
    if text.isascii() or text.startswith("\ufeff") or not layout.encoding.startswith("gb"):
        return text
    try:
        other = content.decode("gb18030")
    except UnicodeDecodeError:
        return text
    words = [word for word in layout.states if not word.isascii()]
    return other if sum(word in other for word in words) >= sum(word in text for word in words) else text


def _csv_rows(text: str, mark: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    except csv.Error:
        raise FileRefused("CSV 的引号不成对或单元格过长，无法读取；请向银行重新索取回盘文件") from None


def _fixed_rows(content: bytes, layout: ReturnLayout) -> Iterator[Row]:
    """Cut lines by bytes of the encoding; a line end is never part of a Chinese character in any of them."""
    encoding = "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding
    places = [place for place in layout.columns.values() if isinstance(place, tuple)]
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        cells = []
        for place in places:
            start, width = int(place[0]) - 1, int(place[1])
            cells.append(line[start : start + width].decode(encoding, errors="replace").strip())
        yield number, cells


def _without_control(rows: Iterator[Row], layout: ReturnLayout, named: set[str]) -> Iterator[Row]:
    """Leave the row of totals out, the first or last where the layout has one, but for the batch it names."""
    if layout.control == "first" and not layout.header and (control := next(rows, None)):
        named |= _batch_numbers(control[1])
    held = next(rows, None) if layout.control == "last" else None
    for row in rows:
        if held is not None:
            yield held
            held = row
        else:
            yield row
    if held is not None:
        named |= _batch_numbers(held[1])


def _batch_numbers(cells: Sequence[object]) -> set[str]:
    """Return what is written like a batch number of ours: 530322-202411-01."""
    return {
        number
        for cell in cells
        if isinstance(cell, str)
        for number in _BATCH_NUMBER.findall(half_width(cell))
    }


def _lines(rows: Iterator[Row], layout: ReturnLayout, named: set[str]) -> Iterator[ReturnLine]:
    if layout.format == "fixed":
        places = {name: at for at, name in enumerate(layout.columns)}
    elif layout.header:
        places = _header(rows, layout, named)
    else:
        places = {name: int(at) - 1 for name, at in layout.columns.items() if isinstance(at, int)}
    words = _Words(layout)
    for number, cells in rows:
        first = next((cell for cell in cells if cell not in (None, "")), "")
        if isinstance(first, str) and clean_text(first).startswith(_TOTALS):
            named |= _batch_numbers(cells)
            continue
        yield _line(number, cells, places, words)


def _header(rows: Iterator[Row], layout: ReturnLayout, named: set[str]) -> dict[str, int]:
    """Return where each field stands. Raises MoneyRefusedError unless one of the first rows is the header."""
    titles = {
        fold(title): name
        for name, known in layout.columns.items()
        if isinstance(known, tuple)
        for title in known
        if isinstance(title, str)
    }
    missing: Sequence[str] = RETURN_NEEDED
    for _, (_, cells) in zip(range(HEADER_ROWS), rows, strict=False):
        found: dict[str, int] = {}
        for at, cell in enumerate(cells):
            name = titles.get(fold(cell)) if isinstance(cell, str) else None
            if name is not None:
                found.setdefault(name, at)
        lacking = [name for name in RETURN_NEEDED if name not in found]
        if not lacking:
            return found
        named |= _batch_numbers(cells)
        missing = min(missing, lacking, key=len)
    names = "、".join(RETURN_FIELDS[name] for name in missing)
    raise MoneyRefusedError(
        f"前 {HEADER_ROWS} 行里没有找到完整的表头，缺少列：{names}；"
        "请核对是否选错文件，或请数据管理员按银行的表头更正银行文件格式"
    )


def _line(number: int, cells: Sequence[object], places: Mapping[str, int], words: _Words) -> ReturnLine:
    def cell(name: str) -> object:
        at = places.get(name)
        return cells[at] if at is not None and at < len(cells) else ""

    line, amount = _whole(cell("number")), _amount(cell("amount"), words.layout.unit)
    answer = words.answer(_text(cell("state")), _text(cell("code")), _text(cell("reason")))
    account, tail = _account(cell("account"))
    said, result = answer.said, answer.result
    if line is None or amount is None or result is None or account is None:
        wrong = {"number": line is None, "amount": amount is None, "state": result is None}
        names = [f"{RETURN_FIELDS[name]}“{_text(cell(name))[:20]}”" for name in wrong if wrong[name]]
        said = f"无法识别：{'、'.join([*names, *(['账号末几位已丢失'] if account is None else [])])}"
        result = None
    return ReturnLine(
        row=number,
        batch=clean_code(cell("batch")),
        line=line,
        amount=amount,
        account=account or "",
        result=result,
        reason=answer.reason if result == Verdict.FAILED else "",
        text=_masked(said)[:TEXT_LENGTH],
        paid_on=_day(cell("paid_on"), words.layout.date_format),
        tail=tail,
    )


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) and cell.isalnum() else clean_text(cell)


def _masked(text: str) -> str:
    return _LONG_NUMBER.sub(lambda found: f"****{found[0][-4:]}", text)


def _whole(cell: object) -> int | None:
    """Return a line number written 12, 000012 or 12.0."""
    if isinstance(cell, float) and not cell.is_integer():
        return None
    text = clean_code(cell)
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        return None
    return int(text) if int(text) <= MAX_LINE else None


def _amount(cell: object, unit: str) -> Decimal | None:
    """Return 元 of a cell in 元 or 分; None for anything but a plain amount of whole 分."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    return _parsed_amount(cell, unit)


@lru_cache(maxsize=4096, typed=True)
def _parsed_amount(cell: str | int | float, unit: str) -> Decimal | None:
    text = half_width(number_text(cell)).replace(",", "").replace("¥", "").removesuffix("元").strip()
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) >= MAX_AMOUNT:
        return None
    if unit == "分":
        amount = amount / 100
    rounded = amount.quantize(_CENT)
    # a workbook's 50.1 may come as 50.099999999999994
    return rounded if abs(rounded - amount) < Decimal("0.000001") else None


def _account(cell: object) -> tuple[str | None, str]:
    """Return the account's text and a masked one's last four digits.

    The text is '' if it is blank or masked with *, None if a number cell has lost digits.
    """
    if has_lost_digits(cell):
        return None, ""
    text = clean_code(cell)
    if "*" not in text:
        return text, ""
    found = _TAIL.search(text)
    return "", found[1] if found else ""


def _day(cell: object, pattern: str) -> date | None:
    return _parsed_day(cell, pattern) if isinstance(cell, str | int | float | tuple) and cell else None


@lru_cache(maxsize=1024)
def _parsed_day(cell: Any, pattern: str) -> date | None:
    """Return the day of a cell, None for an unreadable one: no money hangs on it."""
    try:
        if isinstance(cell, tuple):
            return date(*cell)
        if pattern:
            try:
                return datetime.strptime(clean_code(cell), pattern).date()  # noqa: DTZ007  # a day of the bank's
            except ValueError:
                pass
        return parse_date(cell)
    except ValueError:
        return None
