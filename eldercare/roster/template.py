"""The empty roster that a clerk downloads: text columns, drop-downs, notes."""

import io
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from eldercare.choices import YES
from eldercare.resources.roster import VERSION, RosterField, RosterResource
from eldercare.resources.widgets import ChoiceWidget, YesWidget

ROSTER_SHEET: Final = "花名册"
NOTES_SHEET: Final = "填写说明"
ROWS: Final = 5_000
REQUIRED: Final = PatternFill("solid", start_color="FFFCE4D6")
PLAIN: Final = PatternFill("solid", start_color="FFE7EEF7")
ASIDE: Final = ("township", "village", "sex")


def roster_template() -> bytes:
    """Return the template (xlsx)."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = ROSTER_SHEET
    columns = [field for name, field in RosterResource.columns().items() if name not in ASIDE]
    for position, field in enumerate(columns, start=1):
        _column(sheet, position, field)
    sheet.freeze_panes = "C2"
    _notes(book.create_sheet(NOTES_SHEET), columns)
    book.properties.title = f"老年人花名册模板 {VERSION}"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _column(sheet: Worksheet, position: int, field: RosterField) -> None:
    letter = get_column_letter(position)
    dimension = sheet.column_dimensions[letter]
    dimension.width = max(12, len(field.column_name) * 2 + 4)
    dimension.number_format = "@"
    head = sheet.cell(row=1, column=position, value=field.column_name)
    head.font = Font(bold=True)
    head.fill = REQUIRED if field.required else PLAIN
    head.alignment = Alignment(horizontal="center")
    words = _choices(field)
    if words:
        validation = DataValidation(type="list", formula1=f'"{",".join(words)}"', allow_blank=True)
        validation.error = f"请从下拉列表中选择：{'、'.join(words)}"
        validation.errorTitle = field.column_name
        validation.add(f"{letter}2:{letter}{ROWS}")
        sheet.add_data_validation(validation)


def _choices(field: RosterField) -> tuple[str, ...]:
    if isinstance(field.widget, YesWidget):
        return (YES,)
    return field.widget.choices if isinstance(field.widget, ChoiceWidget) else ()


def _notes(sheet: Worksheet, columns: list[RosterField]) -> None:
    sheet.append([f"填写说明（模板版本 {VERSION}）"])
    sheet.append(
        ["一行一人；整列不填的内容可以删去该列，删去的列不改动已登记的内容；留空的单元格表示“不再是”。"]
    )
    sheet.append(["证件号码、账号、电话请保持文本格式；日期写成 1940-05-06。"])
    sheet.append([])
    sheet.append(["列", "必填", "怎样填"])
    for field in columns:
        sheet.append([field.column_name, "必填" if field.required else "", field.help])
    sheet["A1"].font = Font(bold=True, size=14)
    for letter, width in (("A", 20), ("B", 8), ("C", 60)):
        sheet.column_dimensions[letter].width = width
