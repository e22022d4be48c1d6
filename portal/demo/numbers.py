"""Fictional numbers: ID numbers of area 99…, phones 1990000xxxx and accounts 9901…, none of them issued."""

from collections import defaultdict
from datetime import date
from random import Random
from typing import Final

from eldercare.choices import Sex
from eldercare.identity import check_character

SEQUENCES: Final = 496
DISABILITY_TYPES: Final = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")


class IdNumbers:
    """Hands out ID numbers, each once; the issuing area moves on where a birthday's sequences are used up."""

    def __init__(self) -> None:
        self._used: defaultdict[tuple[date, Sex], int] = defaultdict(int)

    def take(self, birth: date, sex: Sex) -> str:
        """Return an unused number; the 17th digit says the sex (GB 11643: odd for men)."""
        used = self._used[birth, sex]
        self._used[birth, sex] = used + 1
        area, sequence = divmod(used, SEQUENCES)
        # 996–999 once meant a centenarian, and 000 at the end looks as if Excel had cut it: leave both out.
        first17 = f"9901{area + 1:02d}{birth:%Y%m%d}{sequence * 2 + 2 + (sex is Sex.MALE):03d}"
        return first17 + check_character(first17)


def phone(random: Random) -> str:
    """Return a mobile number of the block 1990000, the same for several people now and then."""
    return f"1990000{int(random.random() * 10_000):04d}"


def bank_account(random: Random) -> str:
    """Return a 19-digit card number with a right Luhn digit under a prefix that no bank has."""
    body = f"9901{int(random.random() * 10**14):014d}"
    return body + str(_luhn_digit(body))


def disability_card(id_number: str, kind: str, level: int) -> str:
    """Return the card number: ID number, digit of the type, digit of the level (GB/T 26341)."""
    return f"{id_number}{DISABILITY_TYPES.index(kind) + 1}{level}"


def _luhn_digit(body: str) -> int:
    """The digit that makes the sum of all digits, every second one from the right doubled, a multiple of ten."""
    doubled = (sum(divmod(int(digit) * 2, 10)) for digit in body[::-2])
    return -(sum(doubled) + sum(int(digit) for digit in body[-2::-2])) % 10
