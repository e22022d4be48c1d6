"""Refusing a file before anything is parsed: by size, first bytes, a workbook's table of contents."""

import io
import struct
import zipfile
from enum import StrEnum
from typing import Final

MB: Final = 1024 * 1024
MAX_WORKBOOK: Final = 20 * MB
MAX_TEXT: Final = 50 * MB
MAX_ROWS: Final = 100_000
MAX_COLUMNS: Final = 300
MAX_PARTS: Final = 1_000
MAX_PART: Final = 200 * MB
MAX_TOTAL: Final = 300 * MB
MAX_RATIO: Final = 100
# Below this size a high ratio is only a small repetitive sheet.
RATIO_MATTERS: Final = 10 * MB


class FileRefused(Exception):
    """The file cannot be taken; the message is a Chinese sentence that says what to do."""


class FileKind(StrEnum):
    """How a file is read."""

    XLSX = "xlsx"
    XLS = "xls"
    TEXT = "text"


UPLOAD: Final = "请上传 .xlsx、.xls 或 .csv 花名册"
SAVE_AS: Final = "请用 Excel 或 WPS 打开后另存为 .xlsx 再上传"
TOO_BIG: Final = "文件有 {size:.1f} MB，超过 {limit} MB 的上限；请按镇（街）拆成几个文件分别上传"
BOMB: Final = "文件展开后过大，不像正常的花名册，已拒绝读取；请新建工作簿，只复制花名册内容后再上传"
BROKEN: Final = f"文件已损坏，无法打开；{SAVE_AS}"
ENCRYPTED: Final = "文件设有打开密码；请在 Excel 或 WPS 中取消密码后再上传"
MACRO_FREE: Final = f"这不是 .xlsx 工作簿；{SAVE_AS}"
EMPTY: Final = "文件是空的；请检查是否选错了文件"
TOO_MANY_ROWS: Final = f"文件超过 {MAX_ROWS:,} 行的上限；请按镇（街）拆成几个文件分别上传"
TOO_MANY_COLUMNS: Final = f"工作表超过 {MAX_COLUMNS} 列，不像花名册；请删去多余的列后再上传"
NOT_TEXT: Final = f"不是 Excel 工作簿，也不是可读的 CSV 文本；{SAVE_AS}"

# First bytes → what the file really is.
_OTHERS: Final = (
    (b"%PDF", "PDF 文件"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"GIF8", "图片"),
    (b"Rar!", "压缩包（rar）"),
    (b"7z\xbc\xaf", "压缩包（7z）"),
    (b"\x1f\x8b", "压缩包（gz）"),
    (b"{\\rtf", "Word 文档"),
    (b"\x7fELF", "程序"),
    (b"MZ", "程序"),
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WEB: Final = (b"<html", b"<!doctype", b"<table", b"<?xml", b"mime-version")


def file_kind(content: bytes) -> FileKind:
    """Return how to read the file. Raises FileRefused for what is too big, dangerous or not a spreadsheet."""
    if not content.strip(b"\0 \r\n\t"):
        raise FileRefused(EMPTY)
    _refuse_other_formats(content[:64])
    if content.startswith(b"PK"):
        _refuse_size(content, MAX_WORKBOOK)
        _check_contents(content)
        return FileKind.XLSX
    if content.startswith(_OLE):
        _refuse_size(content, MAX_WORKBOOK)
        _check_ole(content)
        return FileKind.XLS
    _refuse_size(content, MAX_TEXT)
    return FileKind.TEXT


def size_refusal(name: str, size: int) -> str:
    """Return why a file of this name and size (bytes) is not even read, '' if it may be."""
    limit = MAX_WORKBOOK if name.lower().endswith((".xlsx", ".xls", ".xlsm")) else MAX_TEXT
    return TOO_BIG.format(size=size / MB, limit=limit // MB) if size > limit else ""


def _refuse_size(content: bytes, limit: int) -> None:
    if len(content) > limit:
        raise FileRefused(TOO_BIG.format(size=len(content) / MB, limit=limit // MB))


def _refuse_other_formats(head: bytes) -> None:
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise FileRefused(f"这是{what}，不是 Excel 工作簿（只改扩展名没有用）；{UPLOAD}")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(_WEB):
        raise FileRefused(f"这是网页格式的文件，扩展名却像表格；{SAVE_AS}")


def _check_ole(content: bytes) -> None:
    """An OLE container is an old workbook, an encrypted new one, or a Word document."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise FileRefused(ENCRYPTED)
    names = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))
    if not any(name in content for name in names):
        raise FileRefused(MACRO_FREE)


def _check_contents(content: bytes) -> None:
    """Judge a zip by its central directory alone; what really comes out is checked while reading."""
    if _declared_parts(content) > MAX_PARTS:
        raise FileRefused(BOMB)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, UnicodeDecodeError):
        raise FileRefused(BROKEN) from None
    if any(part.flag_bits & 1 for part in parts):
        raise FileRefused(ENCRYPTED)
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise FileRefused(MACRO_FREE)
    if sum(part.file_size for part in parts) > MAX_TOTAL or any(map(_is_bomb, parts)):
        raise FileRefused(BOMB)


def _is_bomb(part: zipfile.ZipInfo) -> bool:
    inflated = part.file_size > RATIO_MATTERS and part.file_size > MAX_RATIO * max(part.compress_size, 1)
    return part.file_size > MAX_PART or inflated


def _declared_parts(content: bytes) -> int:
    """Number of entries that the end record declares, without reading the entries."""
    start = content.rfind(b"PK\x05\x06", max(0, len(content) - 65_557))
    if start < 0 or start + 22 > len(content):
        raise FileRefused(BROKEN)
    return int(struct.unpack_from("<H", content, start + 10)[0])
