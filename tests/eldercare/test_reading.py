"""Files: refused before they hurt, in plain words; read in every encoding."""

import io
import resource
import struct
import zipfile
from typing import Any

import pytest
from openpyxl import Workbook

from eldercare.reading import gate
from eldercare.reading.csv_text import decode
from eldercare.reading.gate import FileRefused, file_kind, size_refusal
from eldercare.reading.table import Rows, Sheet, read_table
from eldercare.reading.workbook import NO_VALUE
from tests.eldercare.rosters import csv_text, person, saved, workbook

TEXT = csv_text([person(1, 姓名="龘𠮷", 住址="第一行\n第二行"), person(2)])


def table(content: bytes, **options: int) -> list[list[Any]]:
    return [row for item in read_table(content, **options) if isinstance(item, Rows) for row in item.rows]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "文件是空的"),
        (b"\0\0\0\n", "文件是空的"),
        (b"%PDF-1.7 ...", "这是PDF 文件，不是 Excel 工作簿（只改扩展名没有用）"),
        (b"\x89PNG\r\n\x1a\n", "这是图片"),
        (b"Rar!\x1a\x07\x00", "这是压缩包（rar）"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "这是网页格式的文件"),
        (b"\xef\xbb\xbf  <!DOCTYPE html>", "这是网页格式的文件"),
        (b"PK\x03\x04 broken", "文件已损坏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "文件设有打开密码"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "这不是 .xlsx 工作簿"),
        (b"a,b\n" * (14 * gate.MB), "文件有 56.0 MB，超过 50 MB 的上限；请按镇（街）拆成几个文件"),
    ],
    ids=[
        "empty",
        "blank",
        "pdf",
        "png",
        "rar",
        "html",
        "html with mark",
        "broken",
        "encrypted",
        "word",
        "huge",
    ],
)
def test_what_is_no_spreadsheet_is_refused_in_plain_words(content: bytes, sentence: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        file_kind(content)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "size", "refused"),
    [
        ("a.xlsx", 20 * gate.MB, False),
        ("a.xlsx", 20 * gate.MB + 1, True),
        ("a.csv", 50 * gate.MB, False),
        ("a.csv", 50 * gate.MB + 1, True),
        ("a.xls", 1024 * gate.MB, True),
    ],
)
def test_a_file_too_big_is_known_by_its_size_alone(name: str, size: int, refused: bool) -> None:
    assert bool(size_refusal(name, size)) is refused


def zipped(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_a_zip_bomb_is_refused_by_its_table_of_contents() -> None:
    bomb = zipped({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": b" " * (30 * gate.MB)})
    with pytest.raises(FileRefused, match="文件展开后过大"):
        file_kind(bomb)


def test_a_zip_of_many_parts_is_refused() -> None:
    with pytest.raises(FileRefused, match="文件展开后过大"):
        file_kind(zipped({f"xl/{number}.xml": b"" for number in range(gate.MAX_PARTS + 1)}))


def test_an_ordinary_zip_is_no_workbook() -> None:
    with pytest.raises(FileRefused, match=r"这不是 \.xlsx 工作簿"):
        file_kind(zipped({"word/document.xml": b"<w/>"}))


def test_a_bomb_that_lies_about_its_size_does_not_take_the_worker_along() -> None:
    content = bytearray(
        zipped({"xl/workbook.xml": b"<w/>", "xl/worksheets/sheet1.xml": b"<c/>" * (15 * gate.MB)})
    )
    start = content.rfind(b"PK\x01\x02")
    struct.pack_into("<I", content, start + 24, 1000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileRefused):
        table(bytes(content))
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 100


def test_a_file_that_needs_too_much_memory_ends_with_a_sentence() -> None:
    with pytest.raises(FileRefused, match="文件展开后过大"):
        table(b"a,b,c,d\n" * 2_000_000, memory=64 * gate.MB)


def test_a_worker_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(FileRefused, match="文件读取超过两分钟"):
        table(b"a,b\n" * 2_000_000, seconds=0)


@pytest.mark.parametrize(("lines", "taken"), [(100_001, True), (120_002, False)])
def test_more_rows_than_the_limit_are_refused_while_reading(lines: int, taken: bool) -> None:
    content = b"a,b\n" * lines
    if taken:
        assert len(table(content)) == lines
    else:
        with pytest.raises(FileRefused, match="超过 100,000 行"):
            table(content)


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(FileRefused, match="超过 300 列"):
        table(",".join("a" * 301).encode())


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-8"),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("gb18030"),
        TEXT.replace("𠮷", "吉").encode("gbk"),
        TEXT.replace("龘𠮷", "张三").encode("gb2312"),
        TEXT.replace("\r\n", "\n").encode("gb18030"),
        TEXT.replace("\r\n", "\n").replace(",", "\t").encode("utf-16"),
        TEXT.replace(",", ";").encode("utf-8"),
    ],
    ids=[
        "utf8",
        "utf8-bom",
        "utf16",
        "utf16le",
        "utf16be",
        "utf16be-bom",
        "gb18030",
        "gbk",
        "gb2312",
        "gb-unix",
        "tab-utf16",
        "semicolon",
    ],
)
def test_a_csv_is_read_in_twelve_encodings(content: bytes) -> None:
    header, first, second = table(content)
    assert header == ["姓名", "身份证号码", "户籍区划", "住址"]
    assert first[0] in {"龘𠮷", "龘吉", "张三"}
    assert first[1] == person(1)["身份证号码"]
    assert second[0] == "张国华"


def test_mixed_encodings_are_read_line_by_line_and_what_is_lost_is_marked() -> None:
    lines = [
        "姓名,住址\n".encode(),
        "张三,甲村\n".encode(),
        "李四,乙村\n".encode("gbk"),
        b"\xff\xff\xff,\x81\n",
    ]
    text = decode(b"".join(lines)).splitlines()
    assert text[:3] == ["姓名,住址", "张三,甲村", "李四,乙村"]
    assert "\ufffd" in text[3]


def test_binary_rubbish_is_no_text() -> None:
    with pytest.raises(FileRefused, match="不是 Excel 工作簿，也不是可读的 CSV"):
        table(bytes(range(1, 32)) * 40)


def test_rows_begin_at_the_first_row_and_column_of_the_sheet() -> None:
    book = Workbook()
    book.worksheets[0]["C3"] = "甲"
    assert table(saved(book)) == [["", "", ""], ["", "", ""], ["", "", "甲"]]


def test_formulas_without_result_and_error_cells_are_not_blank() -> None:
    book = Workbook()
    page = book.worksheets[0]
    page.append(["甲", "=1+1", "乙"])
    page["D1"] = "#N/A"
    page["D1"].data_type = "e"
    assert table(saved(book)) == [["甲", NO_VALUE, "乙", NO_VALUE]]


def test_hidden_sheets_come_without_rows() -> None:
    book = Workbook()
    book.worksheets[0].append(["甲"])
    hidden = book.create_sheet("旧表")
    hidden.append(["乙"])
    hidden.sheet_state = "hidden"
    items = list(read_table(saved(book)))
    assert [item for item in items if isinstance(item, Sheet)] == [Sheet("Sheet", True), Sheet("旧表", False)]
    assert table(saved(book)) == [["甲"]]


def test_dates_come_as_year_month_day() -> None:
    import datetime

    assert table(workbook([{"日期": datetime.date(1940, 5, 6)}]))[1] == [(1940, 5, 6)]
