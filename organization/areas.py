"""Area codes (GB/T 2260 and 10114): twelve digits, every level a prefix of the one below.

Shapes: province 2, prefecture 4, county 6, township 9, village 12 significant digits.
"""

from typing import Final

CODE_LENGTH: Final = 12
#: Significant digits of a county, a township, a village.
COUNTY_DIGITS: Final = 6
TOWNSHIP_DIGITS: Final = 9
VILLAGE_DIGITS: Final = 12
LEVEL_DIGITS: Final = (2, 4, COUNTY_DIGITS, TOWNSHIP_DIGITS, VILLAGE_DIGITS)


def area_prefix(code: str) -> str:
    """Return the significant digits of a 12-digit area code: the scope's prefix, '' for the whole country.

    Raises ValueError for anything but digits: prefixes are written into SQL as literals.

    >>> area_prefix("530322000000"), area_prefix("530322101000")
    ('530322', '530322101')
    """
    if not code.isdecimal() or not code.isascii():
        raise ValueError(f"区划代码应为 12 位数字，现为“{code}”")
    stripped = code.rstrip("0")
    for digits in LEVEL_DIGITS:
        if len(stripped) <= digits:
            return code[:digits] if stripped else ""
    return code


def county_code(code: str) -> str:
    """Return the 12-digit code of the county in which an area lies."""
    return code[:COUNTY_DIGITS].ljust(CODE_LENGTH, "0")


def township_code(code: str) -> str:
    """Return the 12-digit code of the township in which a village or township lies."""
    return code[:TOWNSHIP_DIGITS].ljust(CODE_LENGTH, "0")


def is_county(code: str) -> bool:
    """Tell whether the code names a county, district or county-level city."""
    return len(area_prefix(code)) == COUNTY_DIGITS


def parent_code(code: str) -> str | None:
    """Return the code one level up, None for a province."""
    digits = len(area_prefix(code))
    above = [level for level in LEVEL_DIGITS if level < digits]
    return code[: above[-1]].ljust(CODE_LENGTH, "0") if above else None
