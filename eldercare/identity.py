"""Citizen ID numbers and the residence permits that share their shape (GB 11643; domain §7)."""

from datetime import date
from functools import cache, lru_cache
from typing import Final, NamedTuple

from eldercare.choices import Sex

CHECK_CHARACTERS: Final = "10X98765432"
WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# GB/T 2260 provinces; 83 is the permit of residents of Taiwan, 81 and 82 of Hong Kong and Macao.
_PROVINCE_RANGES: Final = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
PROVINCES: Final = frozenset(str(n) for low, high in _PROVINCE_RANGES for n in range(low, high + 1))
CENTENARIAN: Final = ("996", "997", "998", "999")

WRONG_SHAPE = "不是有效的证件号码；请填写 18 位公民身份号码（末位可为 X）"
WRONG_CHECK = "校验位不符，号码可能有误；请核对证件，确认无误的在“证件核实”列填“是”"
WRONG_DATE = "号码中的出生日期不存在；请核对证件，确认无误的在“证件核实”列填“是”并填写“出生日期”"
FUTURE_DATE = "号码中的出生日期晚于今天；请核对证件"


class IdNumber(NamedTuple):
    """An 18-character number and what it says; birth_date None: it holds no real date.

    fault: wrong check digit or impossible date, an error unless the number was checked against the card.
    """

    number: str
    birth_date: date | None
    sex: Sex
    fault: str = ""

    @property
    def area_is_known(self) -> bool:
        """The issuing area's province exists; a foreigner's permit has it behind the leading 9."""
        return self.number[:2] in PROVINCES or (self.number[0] == "9" and self.number[1:3] in PROVINCES)


@cache
def _weighted(digits: str, position: int) -> int:
    """Weighted sum of up to four digits from a position on; few enough to be remembered all."""
    return sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS[position:], strict=False))


def check_character(first17: str) -> str:
    """Return the check character of seventeen digits (ISO 7064 MOD 11-2).

    >>> check_character("61030419400315123")
    '9'
    """
    return CHECK_CHARACTERS[sum(_weighted(first17[at : at + 4], at) for at in range(0, 17, 4)) % 11]


def upgrade(number15: str) -> str:
    """Return the 18-character form of a 15-digit number; sequences 996–999: centenarians, born 18xx.

    >>> upgrade("610304400315123")
    '610304194003151239'
    """
    century = "18" if number15.endswith(CENTENARIAN) else "19"
    first17 = f"{number15[:6]}{century}{number15[6:]}"
    return first17 + check_character(first17)


@lru_cache(10_000)
def parse_id_number(text: str, today: date) -> IdNumber:
    """Read a cleaned number (half width, upper case, no spaces). Raises ValueError for any other shape."""
    if len(text) == 15 and _is_digits(text):
        text = upgrade(text)
    elif len(text) != 18 or not _is_digits(text[:17]) or text[17] not in CHECK_CHARACTERS:
        raise ValueError(WRONG_SHAPE)
    birth = _birth_date(text[6:14])
    sex = Sex.MALE if int(text[16]) % 2 else Sex.FEMALE
    return IdNumber(text, birth, sex, _fault(text, birth, today))


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _fault(number: str, birth: date | None, today: date) -> str:
    if birth is None:
        return WRONG_DATE
    if birth > today:
        return FUTURE_DATE
    return "" if check_character(number[:17]) == number[17] else WRONG_CHECK


@cache
def _birth_date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
