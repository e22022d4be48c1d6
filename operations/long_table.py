"""A table of thousands of rows broken into lines and pages before it is set: no cell can overflow, pages are known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from unicodedata import east_asian_width

from operations.fonts import lettering_for

MM_PER_POINT: Final = 0.3528
PADDING: Final = 1.2  # mm at either side of a cell's text
WIDE: Final = {"W", "F", "A"}


@dataclass(frozen=True)
class Column:
    """Head, width in mm, and where cells stand: left, center or right."""

    head: str
    width: float
    align: str = "left"


@dataclass(frozen=True)
class Row:
    """Cells of a row; strong: a subtotal; a single cell runs across the table and heads what follows."""

    cells: Sequence[str]
    strong: bool = False


@dataclass(frozen=True)
class Layout:
    """Size of the text in points, and in mm: a line, what a row adds to its lines, a page's room for rows."""

    size: float
    line: float
    gap: float
    room: float


def pages_of(columns: Sequence[Column], rows: Iterable[Row], layout: Layout) -> list[list[dict[str, Any]]]:
    """Pages of rows as templates take them: height in mm, cells with their line breaks, strong."""
    rows = list(rows)
    lettering = lettering_for({character for row in rows for character in "".join(row.cells)})
    widths = [(column.width - 2 * PADDING) / (layout.size * MM_PER_POINT) for column in columns]
    pages: list[list[dict[str, Any]]] = [[]]
    left = layout.room
    for row in rows:
        texts = map(lettering.readable, row.cells)
        across = [sum(widths)] if len(row.cells) == 1 else widths
        cells = [wrapped(text, width) for text, width in zip(texts, across, strict=True)]
        lines = max(text.count("\n") for text in cells) + 1
        height = round(lines * layout.line + layout.gap, 2)
        if height > left and pages[-1]:
            pages.append([])
            left = layout.room
        pages[-1].append({"height": height, "cells": cells, "strong": row.strong})
        left -= height
    return pages


def wrapped(text: str, width: float) -> str:
    """The text broken into lines of at most `width` ems; every character counts at least its printed width."""
    if len(text) <= width and "\n" not in text:
        return text
    lines, line, used = [], "", 0.0
    for character in " ".join(text.split()):
        em = _ems(character)
        if line and used + em > width:
            lines.append(line)
            line, used = "", 0.0
        line += character
        used += em
    return "\n".join([*lines, line])


def _ems(character: str) -> float:
    if east_asian_width(character) in WIDE:
        return 1.0
    if character.isupper() or character in "@%&mw":
        return 1.0
    return 0.5 if character in "*.,- " else 0.6
