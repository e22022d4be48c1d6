"""A workbook of one plain sheet, written row by row straight into its zip: for tens of thousands of rows.

openpyxl builds an object per cell; here a row is one piece of text. Cells hold their texts themselves (inlineStr).
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Final
from xml.sax.saxutils import escape

Cell = str | int | Decimal | None
ROWS_AT_ONCE: Final = 2_000
MAX_ROWS: Final = 1_048_576
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_NAMES: Final = re.compile(r"[\\/*?:\[\]]")

_DECLARED: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    # cell formats: 0 whole number, 1 text, 2 money, 3 heading
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}">'
        '<fonts count="2"><font><sz val="11"/><name val="宋体"/></font>'
        '<font><b/><sz val="11"/><name val="宋体"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
        '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}


def plain_workbook(
    title: str, rows: Iterable[Sequence[Cell]], *, headings: int = 0, widths: Sequence[int] = ()
) -> bytes:
    """Return the workbook. headings: rows from the top that are bold; widths: of the columns, in characters.

    Texts stay texts, whatever they begin with; money keeps two decimals. Raises ValueError for too many rows.
    """
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as book:
        for name, content in _PARTS.items():
            book.writestr(name, _DECLARED + content)
        book.writestr("xl/workbook.xml", _DECLARED + _workbook(title))
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for piece in _sheet(rows, headings, widths):
                sheet.write(piece.encode())
    return buffer.getvalue()


def _workbook(title: str) -> str:
    plain = _NOT_IN_NAMES.sub(" ", _ILLEGAL.sub("", title)).strip(" '\t\r\n")[:31]
    name = escape(plain or "Sheet1", {'"': "&quot;"})
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f'<sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )


def _sheet(rows: Iterable[Sequence[Cell]], headings: int, widths: Sequence[int]) -> Iterator[str]:
    yield f'{_DECLARED}<worksheet xmlns="{_MAIN}">'
    if widths:
        columns = (
            f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>'
            for at, width in enumerate(widths, 1)
        )
        yield f"<cols>{''.join(columns)}</cols>"
    yield "<sheetData>"
    letters: list[str] = []
    piece: list[str] = []
    for number, row in enumerate(rows, 1):
        if number > MAX_ROWS:
            raise ValueError(f"一张工作表最多 {MAX_ROWS:,} 行")
        while len(letters) < len(row):
            letters.append(_letters(len(letters)))
        piece.append(_row(number, row, letters, 3 if number <= headings else 1))
        if len(piece) == ROWS_AT_ONCE:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)
    yield "</sheetData></worksheet>"


def _row(number: int, row: Sequence[Cell], letters: Sequence[str], style: int) -> str:
    cells = []
    for letter, value in zip(letters, row, strict=False):
        if value.__class__ is str:
            text = escape(str(value))
            if not text.isprintable():
                text = _ILLEGAL.sub("", text)
            cells.append(
                f'<c r="{letter}{number}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
            )
        elif value is not None:
            cells.append(
                f'<c r="{letter}{number}" s="{0 if isinstance(value, int) else 2}"><v>{value}</v></c>'
            )
    return f'<row r="{number}">{"".join(cells)}</row>'


def _letters(at: int) -> str:
    """Name of the column at an index from 0: A, B … Z, AA …"""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(65 + rest) + name
    return name
