"""How a bank wants its payment file (domain §2.7): layout of a BankProfile, checked.

A JSON object: format (xlsx, csv, fixed), encoding, delimiter, header, control (where a row with 批次号, 总笔数, 总金额
stands), columns (a list of {field, title, width, align, pad}; widths in bytes), control_columns (the same for the row
of totals), memo (text with {县} {项目} {所属月} {类别} {批次号}), unit (元 or 分), month_format, id_type.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from subsidies.layout_reader import CONTROLS, ENCODINGS, FORMATS, UNITS, LayoutError, LayoutReader

ALIGNS: Final = ("left", "right")
FIELDS: Final = {
    "batch": "批次号",
    "number": "序号",
    "holder": "户名",
    "account": "账号",
    "bank": "开户行",
    "amount": "金额",
    "id_type": "证件类型",
    "id_number": "证件号码",
    "memo": "摘要",
    "item": "项目",
    "month": "所属月",
    "first_month": "所属期起",
    "last_month": "所属期止",
    "village": "村组代码",
    "phone": "手机",
    "note": "备注",
}
NEEDED: Final = ("number", "holder", "account", "amount")
CONTROL_FIELDS: Final = {"batch": "批次号", "lines": "总笔数", "total": "总金额"}
MEMO_WORDS: Final = ("县", "项目", "所属月", "类别", "批次号")
MAX_WIDTH: Final = 400


@dataclass(frozen=True, slots=True)
class FileColumn:
    """One column of a payment file; width in bytes of the encoding, 0 where the format has none."""

    field: str
    title: str
    width: int
    align: str
    pad: str


@dataclass(frozen=True, slots=True)
class FileLayout:
    """How a payment file is written."""

    format: str
    encoding: str
    delimiter: str
    header: bool
    control: str
    columns: tuple[FileColumn, ...]
    control_columns: tuple[FileColumn, ...]
    memo: str
    unit: str
    month_format: str
    id_type: str

    @property
    def suffix(self) -> str:
        """How the file's name ends."""
        if self.format == "xlsx":
            return "xlsx"
        return "csv" if self.format == "csv" and self.delimiter == "," else "txt"


def file_layout(data: object) -> FileLayout:
    """Return the layout of payment files. Raises LayoutError with a sentence for each fault."""
    keys = (
        "format", "encoding", "delimiter", "header", "control", "columns", "control_columns", "memo", "unit",
        "month_format", "id_type",
    )  # fmt: skip
    take = LayoutReader(data, keys)
    kind = take.choice("format", FORMATS)
    columns = _columns(take, "columns", kind, FIELDS)
    fields = [column.field for column in columns]
    for name in NEEDED:
        if name not in fields:
            take.fault("columns", f"缺少必需的列 {name}（{FIELDS[name]}）")
    control = take.choice("control", CONTROLS, "none")
    header = take.flag("header", kind != "fixed")
    if kind == "fixed" and header:
        take.fault("header", "定长文本没有表头；请写 false")
    control_columns = _control_columns(take, kind, control)
    layout = FileLayout(
        format=kind,
        encoding=take.choice("encoding", ENCODINGS, "utf-8-sig" if kind == "csv" else "utf-8"),
        delimiter=take.delimiter(kind),
        header=header,
        control=control,
        columns=columns,
        control_columns=control_columns,
        memo=take.text("memo", "{县}{项目}{所属月}", longest=80),
        unit=take.choice("unit", UNITS, "元"),
        month_format=take.pattern("month_format", "%Y-%m", "Ym"),
        id_type=take.text("id_type", "身份证", longest=20),
    )
    _check_template(take, "memo", layout.memo)
    if take.faults:
        raise LayoutError(take.faults)
    return layout


def _columns(take: LayoutReader, key: str, kind: str, fields: Mapping[str, str]) -> tuple[FileColumn, ...]:
    given = take.data.get(key)
    if not isinstance(given, list) or not given:
        take.fault(key, "应是一个列表 […]，至少有一列")
        return ()
    found: list[FileColumn] = []
    for at, column in enumerate(given):
        part = LayoutReader(column, ("field", "title", "width", "align", "pad"), f"{key}[{at}]")
        name = part.choice("field", fields)
        if name in [other.field for other in found]:
            part.fault("field", f"“{name}”已在前面的列里")
        found.append(
            FileColumn(
                field=name,
                title=part.text("title", fields[name], longest=30),
                width=_width(part, kind),
                align=part.choice("align", ALIGNS, "left"),
                pad=part.choice("pad", (" ", "0"), " "),
            )
        )
        take.faults += part.faults
    return tuple(found)


def _width(part: LayoutReader, kind: str) -> int:
    width = part.data.get("width", 0)
    if kind != "fixed":
        return 0
    if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= MAX_WIDTH:
        part.fault("width", f"定长文本的列要写宽度（字节数，1–{MAX_WIDTH}），如 20")
        return 1
    return width


def _control_columns(take: LayoutReader, kind: str, control: str) -> tuple[FileColumn, ...]:
    if control == "none":
        return ()
    if "control_columns" in take.data:
        return _columns(take, "control_columns", kind, CONTROL_FIELDS)
    if kind == "fixed":
        take.fault("control_columns", "定长文本的控制行要写各列及宽度，可用的列：batch、lines、total")
    return tuple(FileColumn(name, title, 0, "left", " ") for name, title in CONTROL_FIELDS.items())


def _check_template(take: LayoutReader, key: str, template: str) -> None:
    try:
        words = [(name, spec, how) for _, name, spec, how in string.Formatter().parse(template)]
    except ValueError:
        take.fault(key, "大括号不成对；请写成 {县}{项目}{所属月} 这样")
        return
    for name, spec, how in words:
        if name is not None and (name not in MEMO_WORDS or spec or how):
            take.fault(key, f"不认识“{{{name}}}”；可用：{'、'.join(f'{{{word}}}' for word in MEMO_WORDS)}")
