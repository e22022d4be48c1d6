"""How a bank gives its return (回盘): return_layout of a BankProfile, checked.

A JSON object: format (xlsx, csv, fixed), encoding, delimiter, header, control (where a row of totals stands, which
is passed over), columns (field → title, several titles, position from 1, or {start, width} in bytes), states
(成功, 失败, 处理中 → what the bank writes), reasons (normalised reason → words or codes), date_format, unit (元 or 分).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from subsidies.choices import ReturnReason, Verdict
from subsidies.layout_reader import CONTROLS, ENCODINGS, FORMATS, UNITS, LayoutError, LayoutReader
from subsidies.return_words import STATES, fold

RETURN_FIELDS: Final = {
    "batch": "批次号",
    "number": "序号",
    "account": "账号",
    "holder": "户名",
    "amount": "金额",
    "state": "状态",
    "code": "返回码",
    "reason": "失败原因",
    "paid_on": "入账日期",
}
RETURN_NEEDED: Final = ("number", "amount", "state")
RESULTS: Final = (Verdict.PAID, Verdict.FAILED, Verdict.PROCESSING)
Place = tuple[str, ...] | int | tuple[int, int]


@dataclass(frozen=True, slots=True)
class ReturnLayout:
    """How a return file is read. states: text → 成功, 失败 or 处理中; reasons: (text or code, reason), first wins."""

    format: str
    encoding: str
    delimiter: str
    header: bool
    control: str
    columns: Mapping[str, Place]
    states: Mapping[str, Verdict]
    reasons: tuple[tuple[str, ReturnReason], ...]
    date_format: str
    unit: str


def return_layout(data: object) -> ReturnLayout:
    """Return the layout of return files. Raises LayoutError with a sentence for each fault."""
    keys = (
        "format", "encoding", "delimiter", "header", "control", "columns", "states", "reasons", "date_format",
        "unit",
    )  # fmt: skip
    take = LayoutReader(data, keys)
    kind = take.choice("format", FORMATS)
    header = take.flag("header", kind != "fixed")
    if kind == "fixed" and header:
        take.fault("header", "定长文本没有表头；请写 false")
    layout = ReturnLayout(
        format=kind,
        encoding=take.choice("encoding", ENCODINGS, "utf-8"),
        delimiter=take.delimiter(kind),
        header=header,
        control=take.choice("control", CONTROLS, "none"),
        columns=_places(take, kind, header),
        states=_states(take),
        reasons=_reasons(take),
        date_format=take.pattern("date_format", "", "Ymd"),
        unit=take.choice("unit", UNITS, "元"),
    )
    if take.faults:
        raise LayoutError(take.faults)
    return layout


def _places(take: LayoutReader, kind: str, header: bool) -> Mapping[str, Place]:
    given = take.data.get("columns")
    if not isinstance(given, dict) or not given:
        take.fault("columns", '应是 {列: 表头名称或位置}，如 {"number": "序号"}')
        return {}
    part = LayoutReader(given, RETURN_FIELDS, "columns")
    read = _place_reader(kind, header)
    found = {}
    for name, value in given.items():
        place = read(value)
        if place is None:
            part.fault(name, _PLACE_WANTED[kind if kind == "fixed" else ("title" if header else "position")])
        else:
            found[name] = place
    for name in RETURN_NEEDED:
        if name not in given:
            part.fault(name, f"缺少必需的列（{RETURN_FIELDS[name]}）")
    take.faults += part.faults
    return found


_PLACE_WANTED: Final = {
    "fixed": '应写成 {"start": 起始字节（从 1 数）, "width": 字节数}',
    "title": "应写表头名称，如 “序号”，有几种叫法时写成列表",
    "position": "没有表头时应写第几列（从 1 数），如 2",
}


def _place_reader(kind: str, header: bool) -> Callable[[object], Place | None]:
    if kind == "fixed":
        return _byte_range
    return _titles if header else _position


def _byte_range(value: object) -> Place | None:
    if not isinstance(value, dict) or set(value) != {"start", "width"}:
        return None
    start, width = _position(value["start"]), _position(value["width"])
    return (start, width) if start is not None and width is not None else None


def _position(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 1 <= value <= 1000 else None


def _titles(value: object) -> Place | None:
    titles = [value] if isinstance(value, str) else value
    if not isinstance(titles, list) or not titles:
        return None
    return tuple(titles) if all(isinstance(title, str) and title.strip() for title in titles) else None


def _states(take: LayoutReader) -> Mapping[str, Verdict]:
    given = take.data.get("states", STATES)
    part = LayoutReader(given, RESULTS, "states")
    found: dict[str, Verdict] = {}
    for name in RESULTS:
        for text in _texts(part, name):
            if found.setdefault(text, name) != name:
                part.fault(name, f"“{text}”已写在“{found[text]}”里，一种写法只能是一种结果")
    for name in RESULTS[:2]:
        if name not in found.values():
            part.fault(name, '没有写法；请写出银行表示它的文字或代码，如 ["成功", "0000"]')
    take.faults += part.faults
    return found


def _reasons(take: LayoutReader) -> tuple[tuple[str, ReturnReason], ...]:
    part = LayoutReader(take.data.get("reasons", {}), ReturnReason.values, "reasons")
    found = tuple(
        (text, ReturnReason(name))
        for name in part.data
        if name in ReturnReason.values
        for text in _texts(part, name)
    )
    take.faults += part.faults
    return found


def _texts(part: LayoutReader, key: str) -> list[str]:
    texts = part.data.get(key, [])
    if not isinstance(texts, list | tuple) or not all(
        isinstance(text, str) and text.strip() for text in texts
    ):
        part.fault(key, '应是文字的列表，如 ["成功", "0000"]')
        return []
    return [fold(text) for text in texts]
