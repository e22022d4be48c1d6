"""Writes of administrative areas."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zipfile import BadZipFile

from django.db import transaction
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from organization.areas import CODE_LENGTH, parent_code
from organization.models import Area

SYNONYMS: Final = {
    "code": ("区划代码", "代码", "行政区划代码", "统计用区划代码", "编码"),
    "name": ("名称", "区划名称", "行政区划名称", "单位名称"),
    "parent": ("上级代码", "上级区划代码", "上级", "父级代码"),
}
HEADER_ROWS: Final = 10
MAX_BYTES: Final = 100 * 1024 * 1024


@dataclass(frozen=True)
class AreaRow:
    """One row of the file; number: the row as the spreadsheet shows it."""

    number: int
    code: str
    name: str
    parent: str


@dataclass
class AreaImport:
    """What an import did or why it was refused: errors are «第 n 行：…»."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)


def areas_import(*, name: str, content: bytes) -> AreaImport:
    """Create and rename areas from a file 区划代码,名称[,上级代码], all or nothing, in any order of rows."""
    result = AreaImport()
    rows = _read(name, content, result.errors)
    result.rows = len(rows)
    known = dict(Area.objects.values_list("code", "parent_id"))
    _check(rows, set(known), result.errors)
    if not result.errors:
        _write(rows, result)
    return result


def _read(name: str, content: bytes, errors: list[str]) -> list[AreaRow]:
    if len(content) > MAX_BYTES:
        errors.append(f"文件超过 {MAX_BYTES // 1024 // 1024} MB；请按县拆分")
        return []
    try:
        cells = _workbook(content) if content.startswith(b"PK") else _csv(content)
    except (UnicodeDecodeError, csv.Error, InvalidFileException, BadZipFile, KeyError, ValueError, OSError):
        errors.append(f"文件“{name}”打不开；请另存为 .xlsx 或 .csv 再导入")
        return []
    for number, row in enumerate(cells[:HEADER_ROWS], start=1):
        columns = _columns(row)
        if {"code", "name"} <= columns.keys():
            return [
                _row(at, line, columns) for at, line in enumerate(cells, start=1) if at > number and any(line)
            ]
    errors.append("前 10 行里找不到表头；表头应为：区划代码,名称[,上级代码]")
    return []


def _workbook(content: bytes) -> list[list[str]]:
    sheet = load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
    return [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]


def _csv(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text))]


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _columns(row: Sequence[str]) -> dict[str, int]:
    return {
        attribute: position
        for position, cell in enumerate(row)
        for attribute, names in SYNONYMS.items()
        if cell.strip() in names
    }


def _row(number: int, cells: Sequence[str], columns: dict[str, int]) -> AreaRow:
    values = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}
    return AreaRow(number, _full(values["code"]), values["name"], _full(values.get("parent", "")))


def _full(code: str) -> str:
    """Return a code of 2, 4, 6 or 9 digits with the zeros that fill it up; anything else as it is."""
    return code.ljust(CODE_LENGTH, "0") if re.fullmatch(r"\d{2}|\d{4}|\d{6}|\d{9}", code) else code


def _check(rows: Iterable[AreaRow], known: set[str], errors: list[str]) -> None:
    seen: dict[str, AreaRow] = {}
    for row in rows:
        if not re.fullmatch(r"\d{12}", row.code):
            errors.append(f"第 {row.number} 行：区划代码“{row.code}”应为 12 位数字")
        elif not row.name:
            errors.append(f"第 {row.number} 行：没有名称")
        elif row.code in seen and seen[row.code].name != row.name:
            errors.append(
                f"第 {row.number} 行：{row.code} 与第 {seen[row.code].number} 行重复而名称不同；请只保留一行"
            )
        seen.setdefault(row.code, row)
    for row in seen.values():
        if row.parent and row.parent not in seen and row.parent not in known:
            errors.append(f"第 {row.number} 行：上级代码 {row.parent} 既不在文件中，也不在区划表中")
        if row.parent == row.code:
            errors.append(f"第 {row.number} 行：上级代码不能是自己")


def _write(rows: Iterable[AreaRow], result: AreaImport) -> None:
    """Write parents first; without a stated parent the code's own level above counts, if it exists."""
    with transaction.atomic():
        held = {area.code: area for area in Area.objects.select_for_update()}
        for row in sorted({row.code: row for row in rows}.values(), key=lambda row: row.code):
            above = row.parent or parent_code(row.code) or ""
            parent = above if above in held else None
            area = held.get(row.code)
            if area is None:
                held[row.code] = Area.objects.create(code=row.code, name=row.name, parent_id=parent)
                result.created += 1
            elif (area.name, area.parent_id) != (row.name, parent or area.parent_id):
                area.name, area.parent_id = row.name, parent or area.parent_id
                area.save(update_fields=["name", "parent"])
                result.updated += 1
        result.unchanged = result.rows - result.created - result.updated
