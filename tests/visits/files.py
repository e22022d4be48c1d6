"""Visit files for tests."""

import csv
import io
from typing import Any
from uuid import uuid4

from openpyxl import Workbook

from eldercare.models import Elder

HEADER = ("记录编号", "身份证号码", "探访时间", "方式", "结果", "探访人", "备注")


def row(elder: Elder | str, at: object = "2026-03-10 09:30", **more: object) -> list[object]:
    """One row with a new record number; more: 记录编号, 方式 … that differ."""
    number = elder.id_number if isinstance(elder, Elder) else elder
    values = {
        "记录编号": str(uuid4()), "身份证号码": number, "探访时间": at,
        "方式": "上门", "结果": "见到本人", "探访人": "测试员", "备注": "",
    }  # fmt: skip
    return list((values | more).values())


def csv_bytes(*rows: list[Any], header: tuple[str, ...] = HEADER, encoding: str = "utf-8-sig") -> bytes:
    """A CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode(encoding)


def xlsx_file(*rows: list[Any], before: tuple[str, ...] = ()) -> bytes:
    """A workbook of one sheet; before: title rows above the header."""
    book = Workbook()
    sheet = book.worksheets[0]
    for title in before:
        sheet.append([title])
    for line in (list(HEADER), *rows):
        sheet.append(line)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
