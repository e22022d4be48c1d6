"""CSV as it comes out of Chinese offices: UTF-8, UTF-16 or GB18030, comma or tab."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from eldercare.reading.gate import NOT_TEXT, SAVE_AS, FileRefused

_DELIMITERS: Final = (",", "\t", ";", "，", "|")
MAX_FIELD: Final = 10_000
BAD_QUOTES: Final = f"CSV 的引号不成对或单元格过长，无法读取；{SAVE_AS}"


def decode(content: bytes) -> str:
    """Return the text: BOM first, then strict UTF-8, then strict GB18030; mixed files line by line.

    What no encoding can read becomes U+FFFD, which the cell checks refuse row by row.
    """
    for bom, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(bom):
            return content.decode(encoding, errors="replace")
    if b"\0" in content[:4096]:
        return _utf16_without_mark(content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if not _has_utf8_lines(content):
        try:
            return content.decode("gb18030")
        except UnicodeDecodeError:
            pass
    return "".join(map(_decode_line, content.splitlines(keepends=True)))


def rows(text: str) -> Iterator[list[str]]:
    """Yield the rows of a CSV text with the delimiter that its first lines use."""
    if any(ord(character) < 32 and character not in "\t\r\n\f" for character in text[:4096]):
        raise FileRefused(NOT_TEXT)
    csv.field_size_limit(MAX_FIELD)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    except csv.Error:
        raise FileRefused(BAD_QUOTES) from None


def _utf16_without_mark(content: bytes) -> str:
    """Guess the byte order from where the zero bytes of ASCII characters stand."""
    sample = content[:4096]
    order = "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    try:
        return content.decode(order)
    except UnicodeDecodeError:
        raise FileRefused(NOT_TEXT) from None


def _has_utf8_lines(content: bytes) -> bool:
    """Tell whether at least half of the lines with Chinese are UTF-8: the file is mixed, not GB18030."""
    lines = [line for line in content.split(b"\n") if not line.isascii()]
    return sum(map(_is_utf8, lines)) * 2 >= len(lines)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decode_line(line: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("gb18030", errors="replace")


def _delimiter(text: str) -> str:
    """Return the delimiter that splits one of the first ten lines into most fields."""
    lines = text[:20_000].splitlines()[:10]
    return max(_DELIMITERS, key=lambda mark: max((line.count(mark) for line in lines), default=0))
