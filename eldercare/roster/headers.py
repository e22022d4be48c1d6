"""Where a sheet's header stands and which column is which."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from eldercare.reading.gate import FileRefused
from eldercare.reading.text import half_width
from eldercare.resources.roster import RosterField, RosterResource

HEADER_ROWS: Final = 10
ERRORS_COLUMN: Final = "错误原因"
HINTS_COLUMN: Final = "提示"
NO_HEADER: Final = "前 10 行里找不到表头；表头至少要有“姓名”“身份证号码”“户籍区划”三列，可下载模板对照"
MISSING: Final = "工作表“{sheet}”缺少必需的列：{columns}；请补上这一列，或下载模板对照"
TWICE: Final = "工作表“{sheet}”的“{first}”与“{second}”是同一内容的两列；请只保留一列"


@dataclass(frozen=True)
class Header:
    """The header of one sheet. columns: attribute → position; titles: attribute → header as the file has it.

    last_row: number of the last header row, data begin below it. ignored: headers that mean nothing to us.
    """

    last_row: int
    columns: Mapping[str, int]
    titles: Mapping[str, str]
    ignored: Sequence[str] = field(default_factory=tuple)


def header_key(value: object) -> str:
    """Return a header without spaces, asterisks and colons, in half width."""
    return re.sub(r"[\s*:]", "", half_width(value))


@cache
def known_headers() -> dict[str, tuple[str, bool]]:
    """Header key → attribute, and whether it is the column's own name rather than a synonym."""
    keys: dict[str, tuple[str, bool]] = {}
    for attribute, column in RosterResource.columns().items():
        for name in column.names:
            keys.setdefault(header_key(name), (attribute, name == column.column_name))
    return keys


def find_header(sheet: str, rows: Sequence[Sequence[Any]]) -> Header | None:
    """Return the header among the first ten rows, None if the sheet has none.

    Raises FileRefused where a required column is missing or one stands there twice.
    """
    found = [_match(row) for row in rows[:HEADER_ROWS]]
    best = max(range(len(found)), key=lambda number: len(found[number]), default=-1)
    if best < 0 or len(found[best]) < 2 or not found[best].keys() & {"name", "id_number"}:
        return None
    titles = [half_width(cell) for cell in rows[best]]
    last_row = best + 1
    if best + 1 < len(rows) and _is_second_level(rows[best + 1], found[best]):
        titles = _joined(titles, [half_width(cell) for cell in rows[best + 1]])
        last_row = best + 2
    return _header(sheet, titles, last_row)


def is_header_again(value: object) -> bool:
    """Tell whether a cell of the ID column repeats its header, as printed pages do."""
    return isinstance(value, str) and _attribute(value) == ("id_number", _attribute(value)[1])


def _attribute(value: object) -> tuple[str, bool]:
    """Return the attribute a header means and whether by its own name; ('', False) if none."""
    key = header_key(value)
    known = known_headers()
    return known.get(key) or known.get(re.sub(r"\(.*?\)|【.*?】|\[.*?\]", "", key)) or ("", False)


def _match(row: Sequence[Any]) -> dict[str, int]:
    return {name: column for column, cell in enumerate(row) if (name := _attribute(cell)[0])}


def _is_second_level(row: Sequence[Any], columns: Mapping[str, int]) -> bool:
    """A second header row is blank under name and ID number, and all words."""
    anchors = [
        row[columns[name]] for name in ("name", "id_number") if name in columns and columns[name] < len(row)
    ]
    words = [cell for cell in row if cell not in ("", None)]
    return bool(words) and not any(anchors) and all(isinstance(cell, str) for cell in words)


def _joined(above: list[str], below: list[str]) -> list[str]:
    """Put two header rows into one; a merged heading counts for the columns to its right."""
    joined, heading = [], ""
    for column in range(max(len(above), len(below))):
        top = above[column] if column < len(above) else ""
        sub = below[column] if column < len(below) else ""
        heading = top or heading
        ways = [f"{heading}{sub}", f"{heading[:2]}{sub}", sub] if sub else [top]
        joined.append(next((way for way in ways if _attribute(way)[0]), ways[-1]))
    return joined


def _header(sheet: str, titles: list[str], last_row: int) -> Header:
    columns: dict[str, int] = {}
    ignored = []
    for position, title in enumerate(titles):
        attribute, own_name = _attribute(title)
        if not attribute:
            ignored += [title] if title and title not in (ERRORS_COLUMN, HINTS_COLUMN) else []
        elif attribute not in columns:
            columns[attribute] = position
        else:
            _settle(sheet, titles, columns, ignored, attribute, position, own_name)
    _require(sheet, columns)
    return Header(last_row, columns, {name: titles[at] for name, at in columns.items()}, ignored)


def _settle(
    sheet: str,
    titles: list[str],
    columns: dict[str, int],
    ignored: list[str],
    attribute: str,
    position: int,
    own_name: bool,
) -> None:
    """Of two columns for one thing the one with the proper name counts; two equals are refused."""
    former = columns[attribute]
    if _attribute(titles[former])[1] == own_name:
        raise FileRefused(TWICE.format(sheet=sheet, first=titles[former], second=titles[position]))
    if own_name:
        columns[attribute] = position
    ignored.append(titles[former if own_name else position])


def _require(sheet: str, columns: Mapping[str, int]) -> None:
    fields: dict[str, RosterField] = RosterResource.columns()
    missing = [name for name, column in fields.items() if column.required and name not in columns]
    if "hukou" in missing and columns.keys() & {"township", "village"}:
        missing.remove("hukou")
    if missing:
        names = "、".join(fields[name].column_name for name in missing)
        raise FileRefused(MISSING.format(sheet=sheet, columns=names))
