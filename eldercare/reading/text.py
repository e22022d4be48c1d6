"""Cleaning what people and programs put into cells; digits are never changed, only width, case and space."""

import re
import unicodedata
from typing import Final

# Full-width forms to ASCII, spaces of every kind to one, what has no width to nothing.
_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_BLANKS: Final = (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0xA0, 0x2002, 0x2003, 0x2009, 0x202F, 0x3000)
_INVISIBLE: Final = (0x00, 0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF)
_VISIBLE: Final[dict[int, str | None]] = {**dict.fromkeys(_BLANKS, " "), **dict.fromkeys(_INVISIBLE)}
_DASHES: Final = dict.fromkeys((0x2212, 0x2013, 0x2014), "-")
_ASCII: Final[dict[int, int | str | None]] = {**_HALF_WIDTH, **_VISIBLE, **_DASHES}
_BETWEEN_HAN: Final = re.compile(r"(?<=[^\x00-\u024f]) +(?=[^\x00-\u024f])")
_EXPONENT: Final = re.compile("[EeＥｅ]")
_SCIENTIFIC: Final = re.compile(r"[+-]?\d+(\.\d+)?[Ee][+]?\d+")
_DOTS: Final = str.maketrans(dict.fromkeys("•‧・．⋅∙●●.", "·"))


def clean_text(value: object) -> str:
    """Return the text of a cell: NFC, no invisible characters, single spaces; a number as Excel shows it."""
    text = value if isinstance(value, str) else number_text(value)
    if text.isascii():
        return " ".join(text.replace("\0", "").split())
    return " ".join(unicodedata.normalize("NFC", text).translate(_VISIBLE).split())


def clean_code(value: object) -> str:
    """Return a number-like text: half width, upper case, without spaces, leading apostrophe and × for X."""
    text = value if isinstance(value, str) else number_text(value)
    if not text.isascii():
        text = text.translate(_ASCII).replace("×", "X").replace("Χ", "X").replace("χ", "X").replace("х", "X")
        text = text.replace("Х", "X").replace("‘", "").replace("’", "").replace("′", "")
    return "".join(text.split()).replace("'", "").replace("`", "").replace("\0", "").upper()


def clean_name(value: object) -> str:
    """Return a name: no spaces between Chinese characters, one form of the middle dot."""
    text = clean_text(value)
    if text.isascii():
        return text
    return _BETWEEN_HAN.sub("", text).translate(_DOTS)


def half_width(value: object) -> str:
    """Return the text of a cell in half width."""
    return clean_text(clean_text(value).translate(_ASCII))


def number_text(value: object) -> str:
    """Return a cell's value as text; whole numbers without a decimal point, huge ones in scientific form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int) and abs(value) >= 10**15:
        return f"{value:.5E}"
    return repr(value).upper() if isinstance(value, float) else str(value)


def has_lost_digits(value: object) -> bool:
    """Tell whether a number cell or a text in scientific form has lost digits: fifteen are kept."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return abs(value) >= 1e15 or (isinstance(value, float) and not value.is_integer())
    if not isinstance(value, str) or not _EXPONENT.search(value):
        return False
    return _SCIENTIFIC.fullmatch(half_width(value)) is not None
