"""Builders of registry rows for tests: an elder with dated circumstances in one call."""

from datetime import date
from itertools import count

from django.db.backends.postgresql.psycopg_any import DateRange

from eldercare.choices import YES, Kind
from eldercare.models import Circumstance, Elder
from operations.crypto import blind_index, encrypt

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
VILLAGE = "530322101201"
LONG_AGO = date(2020, 1, 1)
_serial = count(1)


def id_number(birth: date, serial: int, area: str = "990101") -> str:
    """A fictional ID number with a right check digit."""
    body = f"{area}{birth:%Y%m%d}{serial % 1000:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def make_elder(
    birth: date,
    *,
    hukou: str = VILLAGE,
    since: date = LONG_AGO,
    head: str | None = None,
    name: str = "张测",
    **kinds: object,
) -> Elder:
    """Register an elder; kinds: Kind values → value, True, or (value, first day[, first day after])."""
    serial = next(_serial)
    number = id_number(birth, serial, area=f"99{serial // 1000:04d}")
    elder = Elder.objects.create(
        id_number_cipher=encrypt(number),
        id_number_index=blind_index(number),
        id_last4=number[-4:],
        name=name,
        pinyin=" zc zhangce",
        sex="男" if int(number[16]) % 2 else "女",
        birth_date=birth,
        hukou_code=hukou,
        residence_code=str(kinds.get("residence", hukou)),
        household_key=blind_index(head or number),
    )
    add(elder, Kind.HUKOU, hukou, since)
    for kind, given in kinds.items():
        value, first, until = (
            given
            if isinstance(given, tuple) and len(given) == 3
            else ((*given, None) if isinstance(given, tuple) else (given, since, None))
        )
        add(elder, Kind(kind), YES if value is True else str(value), first, until)
    return elder


def add(elder: Elder, kind: Kind, value: str, first: date, until: date | None = None) -> Circumstance:
    """Give an elder a circumstance over a half-open range of days."""
    return Circumstance.objects.create(
        elder=elder, kind=kind, value=value, valid=DateRange(first, until), source="测试"
    )
