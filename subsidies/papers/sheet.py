"""A list of thousands of rows as PDF (A4 landscape) and as XLSX, from the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from operations.long_table import PADDING, Column, Layout, Row, pages_of
from operations.papers import pdf
from operations.plain_workbook import plain_workbook
from subsidies.papers.head import Head

LAYOUT: Final = Layout(size=9, line=4.2, gap=2.2, room=143)
WIDTH: Final = 271.0  # mm between the margins
VOLUME: Final = 1000  # pages, about 21,000 rows: what the typesetter holds in about 650 MB
Value = str | int | Decimal | None


@dataclass(frozen=True)
class Sheet:
    """A list ready to be printed. facts: lines above the table, two at the left and two at the right.

    rows: (cells, strong); a single cell heads the rows after it. total: the line below them. signatures: 制表人：张三,
    nothing after the colon where nobody has signed yet.
    """

    title: str
    facts: tuple[str, str, str, str]
    columns: Sequence[Column]
    rows: Sequence[tuple[Sequence[Value], bool]]
    total: str
    signatures: Sequence[str]
    head: Head


def sheet_pdfs(sheet: Sheet) -> list[bytes]:
    """The list as PDF, head and signatures on every page; one of many pages as volumes with running page numbers."""
    rows = (Row([printed(value) for value in cells], strong) for cells, strong in sheet.rows)
    pages = pages_of(sheet.columns, rows, LAYOUT)
    data: dict[str, Any] = {
        "title": sheet.title,
        "made": sheet.head.made(),
        "head": sheet.facts,
        "columns": [vars(column) for column in sheet.columns],
        "layout": {"size": LAYOUT.size, "line": LAYOUT.line, "padding": PADDING},
        "total": sheet.total,
        "signatures": sheet.signatures,
        "count": len(pages),
    }
    volumes = range(0, len(pages), VOLUME)
    return [
        pdf(
            template="long.typ",
            data=data | {"first": at + 1, "pages": pages[at : at + VOLUME]},
            tagged=False,
        )
        for at in volumes
    ]


def sheet_xlsx(sheet: Sheet) -> bytes:
    """The list as a workbook: title and facts, heads, rows, total, who made it."""
    above: list[Sequence[Value]] = [[sheet.title], [fact for fact in sheet.facts if fact]]
    heads = [column.head for column in sheet.columns]
    below: list[Sequence[Value]] = [[sheet.total], list(sheet.signatures), *sheet.head.about()]
    rows = [*above, heads, *(cells for cells, _ in sheet.rows), *below]
    widths = [max(8, round(column.width / 2)) for column in sheet.columns]
    return plain_workbook(sheet.title, rows, headings=len(above) + 1, widths=widths)


def printed(value: Value) -> str:
    """A cell as papers print it."""
    return "" if value is None else f"{value:,.2f}" if isinstance(value, Decimal) else str(value)
