"""A registry of any size, written by COPY: what benchmarks run on. The persons are the demonstration's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Final, Literal

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from eldercare.choices import YES, Kind
from eldercare.models import Circumstance, Elder
from eldercare.pinyin import search_key
from operations.crypto import blind_index, encrypt
from organization.models import Area
from portal.demo.areas import COUNTY, COUNTY_NAME, county_areas, village_codes
from portal.demo.numbers import disability_card
from portal.demo.people import Person, Population

BATCH: Final = 20_000
ELDER_COLUMNS: Final = (
    "id, id_number_cipher, id_number_index, id_last4, id_verified, name, pinyin, sex, birth_date, ethnicity, address, "
    "hukou_code, residence_code, phone_cipher, phone_index, phone_last4, household_key, head_cipher, relation_to_head, "
    "disability_card_cipher, disability_card_index, note, version, created_at"
)
CIRCUMSTANCE_COLUMNS: Final = "elder_id, kind, value, valid, source, document, version"
SOURCE: Final = "演示数据"
Dated = tuple[Kind, str, date, date | None]


class RegistryNotEmptyError(Exception):
    """The fast load writes only into an empty registry."""


def registry_load_fast(
    elders: int,
    seed: int,
    county_code: str = COUNTY,
    county_name: str = COUNTY_NAME,
    townships: int = 30,
    villages: int = 600,
    as_of: date | None = None,
) -> dict[str, int]:
    """Write a county's areas, elders and circumstances as of a day (default: the first of this month) and ANALYZE.

    Takes secondary indexes and foreign keys off while it writes, in one transaction; needs an empty registry
    (RegistryNotEmptyError). Contacts and accounts are left out. Returns counts: elders, circumstances, areas.
    """
    as_of = as_of or timezone.localdate().replace(day=1)
    areas = county_areas(seed, county=county_code, name=county_name, townships=townships, villages=villages)
    people = Population(seed=seed, villages=village_codes(areas, county_code), as_of=as_of).draw(elders)
    with transaction.atomic(), connection.cursor() as cursor:
        if Elder.objects.exists():
            raise RegistryNotEmptyError("登记册里已有老年人，快速装入只写空的登记册")
        Area.objects.bulk_create(
            [Area(code=area.code, name=area.name, parent_id=area.parent) for area in areas],
            ignore_conflicts=True,
        )
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        with _bare(cursor, Elder._meta.db_table), _bare(cursor, Circumstance._meta.db_table):
            circumstances = _write(cursor, people, as_of)
        cursor.execute("SELECT setval(pg_get_serial_sequence('eldercare_elder', 'id'), %s)", [max(elders, 1)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE organization_area, eldercare_elder, eldercare_circumstance")
    return {"elders": elders, "circumstances": circumstances, "areas": len(areas)}


def _write(cursor: CursorWrapper, people: Iterator[Person], as_of: date) -> int:
    cursor.execute("SELECT nextval('eldercare_version')")
    version, now, first, written = cursor.fetchone()[0], timezone.now(), 1, 0
    while batch := list(islice(people, BATCH)):
        with cursor.copy(f"COPY eldercare_elder ({ELDER_COLUMNS}) FROM STDIN") as copy:
            for elder_id, person in enumerate(batch, first):
                copy.write_row((elder_id, *_elder_row(person), version, now))
        with cursor.copy(f"COPY eldercare_circumstance ({CIRCUMSTANCE_COLUMNS}) FROM STDIN") as copy:
            for elder_id, person in enumerate(batch, first):
                for kind, value, lower, upper in circumstances_of(person, as_of):
                    copy.write_row(
                        (elder_id, kind.value, value, f"[{lower},{upper or ''})", SOURCE, "", version)
                    )
                    written += 1
        first += len(batch)
    return written


def _elder_row(person: Person) -> tuple[Any, ...]:
    """Values of ELDER_COLUMNS between id and version."""
    number = person.number
    card = (
        disability_card(number, person.disability, person.disability_level or 4) if person.disability else ""
    )
    return (
        encrypt(number),
        blind_index(number),
        number[-4:],
        False,
        person.name,
        _search_key(person.name),
        person.sex.value,
        person.birth,
        person.ethnicity,
        f"{person.group}组",
        person.hukou,
        person.residence or person.hukou,
        encrypt(person.phone),
        blind_index(person.phone),
        person.phone[-4:],
        blind_index(person.head or number),
        encrypt(person.head),
        person.relation,
        encrypt(card),
        blind_index(card),
        "",
    )


_search_key = lru_cache(maxsize=100_000)(search_key)


def circumstances_of(person: Person, as_of: date) -> Iterator[Dated]:
    """Yield kind, value, first day and day after the last, as the roster import would store them."""
    since = person.since or as_of
    yield Kind.HUKOU, person.hukou, since, None
    for kind, value in _stated(person):
        if value:
            yield kind, value, since, None
    if person.disability:
        until = person.card_until + timedelta(days=1) if person.card_until else None
        yield Kind.DISABILITY_TYPE, person.disability, since, until
        yield Kind.DISABILITY_LEVEL, str(person.disability_level), since, until
    if person.ability is not None:
        yield Kind.ABILITY_LEVEL, str(person.ability), person.assessed or since, None


def _stated(person: Person) -> tuple[tuple[Kind, str | Literal[False]], ...]:
    """Kinds that hold from the row's first day on, '' or False where nothing is stated."""
    return (
        (Kind.RESIDENCE, person.residence if person.residence != person.hukou else ""),
        (Kind.DESTITUTE, person.destitute),
        (Kind.SELF_CARE, person.self_care),
        (Kind.LOW_INCOME_ALLOWANCE, person.allowance and YES),
        (Kind.LOW_INCOME_MARGINAL, person.marginal and YES),
        (Kind.LIVES_ALONE, "独居" in person.living and YES),
        (Kind.EMPTY_NEST, "空巢" in person.living and YES),
        (Kind.LEFT_BEHIND, "留守" in person.living and YES),
        (Kind.FAMILY_PLANNING, person.family_planning),
        (Kind.VETERAN_CATEGORY, person.veteran),
        (Kind.REGULAR_PENSION, person.regular_pension and YES),
        (Kind.NO_SUPPORTER, person.no_supporter and YES),
        (Kind.LONG_TERM_CARE, person.long_term_care and YES),
        (Kind.DEMENTIA, person.dementia and YES),
        (Kind.INSTITUTION, person.institution),
        (Kind.PENSION, person.pension),
        (Kind.PENSION_IN_PAY, person.pension_in_pay and YES),
        (Kind.CARE_INSURANCE, person.care_insurance and YES),
    )


@contextmanager
def _bare(cursor: CursorWrapper, table: str) -> Iterator[None]:
    """Take foreign keys, exclusion constraint, secondary indexes and the version trigger off a table for a while.

    Checking and indexing four million rows at once takes a fraction of doing it row by row.
    """
    constraints = _definitions(cursor, table, CONSTRAINTS)
    indexes = _definitions(cursor, table, INDEXES)
    for name, _ in constraints:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for _, definition in indexes:
        cursor.execute(definition)
    for name, definition in constraints:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


CONSTRAINTS: Final = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype IN ('f', 'x') ORDER BY contype DESC"""
INDEXES: Final = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i
    WHERE indrelid = %s::regclass AND NOT indisunique
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)"""


def _definitions(cursor: CursorWrapper, table: str, query: str) -> list[tuple[str, str]]:
    cursor.execute(query, [table])
    return [(name, definition) for name, definition in cursor.fetchall()]
