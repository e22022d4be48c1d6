"""Freezing the registry for a month: the evidence on which it is decided.

All functions work on a cursor inside the caller's transaction and on temporary tables that they make: month_persons
(id, birth_date, sex), month_census (these, opening, closing, changed) and month_fresh (the columns of MonthlyFacts
without month, county and revisions).
"""

from dataclasses import replace
from datetime import date

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F

from eldercare.facts import (
    FactsPolicy,
    Persons,
    census_select,
    closing_reading,
    facts_select,
    opening_reading,
)
from eldercare.models import Elder
from eldercare.vocabulary import FROM_CIRCUMSTANCE
from organization.areas import area_prefix

PERSONS = "month_persons"
FRESH = "month_fresh"
CENSUS = "month_census"
CHANGED = "month_changed"
FACT_COLUMNS = (
    "elder_id, area_code, hukou_code, residence_code, death_date, moved_out_date, birth_date, age, sex, hukou_here, "
    "resident_here, " + ", ".join(column.column for column in FROM_CIRCUMSTANCE)
)
ROW_COLUMNS = f"{FACT_COLUMNS}, opening, closing"


def registry_version() -> int:
    """Return a version such that everything written at or below it is visible from now on.

    Waits for writers under way: they hold the registry lock in shared mode until they commit.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('eldercare_registry'))")
        cursor.execute("SELECT last_value FROM eldercare_version")
        return int(cursor.fetchone()[0])


def changed_since(version: int) -> str:
    """SELECT of the ids of elders whose facts changed after a registry version."""
    return (
        f"SELECT id FROM eldercare_elder WHERE version > {version}"
        f" UNION SELECT elder_id FROM eldercare_circumstance WHERE version > {version}"
    )


def elders_changed(version: int) -> list[int]:
    """Ids of elders whose facts changed after a registry version."""
    with connection.cursor() as cursor:
        cursor.execute(changed_since(version))
        return [row[0] for row in cursor.fetchall()]


def elders_touch(*, elder_ids: list[int]) -> None:
    """Mark elders as changed, so that the next run of a month decides them again."""
    Elder.objects.filter(id__in=elder_ids).update(version=F("version"))


def partition_name(table: str, month: date) -> str:
    """Name of a month's partition of a table."""
    return f"{table}_{month:%Y%m}"


def partition_ensure(cursor: CursorWrapper, table: str, month: date) -> str:
    """Create the month's partition of a table if it is missing; return its name."""
    name = partition_name(table, month)
    cursor.execute("SELECT to_regclass(%s)", [name])
    if cursor.fetchone()[0] is None:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES IN ('{month}')")
    return name


def townships_of(county_code: str) -> list[str]:
    """Return the 9-digit prefixes of townships with elders, '' for those registered outside the county."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT {_township(area_prefix(county_code))} FROM eldercare_elder e")
        return sorted(township for (township,) in cursor.fetchall())


def persons_take(
    cursor: CursorWrapper, *, townships: tuple[str, ...] | None, county_prefix: str, since: int | None
) -> Persons | None:
    """Fill month_persons with townships' elders, or only those changed after version `since`; None if there are none.

    townships: as in `townships_of`; None: all.
    """
    where = "true" if townships is None else f"{_township(county_prefix)} = ANY (%(townships)s)"
    if since is not None:
        where += f" AND e.id IN ({changed_since(since)})"
    cursor.execute(f"DROP TABLE IF EXISTS {PERSONS}, {CENSUS}, {CHANGED}, {FRESH}")
    cursor.execute(
        f"CREATE TEMP TABLE {PERSONS} ON COMMIT DROP AS"
        f" SELECT e.id, e.birth_date, e.sex FROM eldercare_elder e WHERE {where}",
        {"townships": list(townships or ())},
    )
    return _persons(cursor, PERSONS)


def facts_freeze(cursor: CursorWrapper, *, month: date, policy: FactsPolicy, persons: Persons) -> None:
    """Fill month_fresh with opening and closing facts of the persons; equal ones share a row."""
    cursor.execute(f"CREATE TEMP TABLE {CENSUS} ON COMMIT DROP AS {census_select(month, policy, persons)}")
    cursor.execute(f"CREATE TEMP TABLE {CHANGED} ON COMMIT DROP AS SELECT * FROM {CENSUS} WHERE changed")
    cursor.execute(f"ANALYZE {CENSUS} (id)")
    everyone, changed = replace(persons, relation=CENSUS), _persons(cursor, CHANGED)
    cursor.execute(f"""
        CREATE TEMP TABLE {FRESH} ON COMMIT DROP AS
        SELECT {FACT_COLUMNS}, true AS opening,
               death_date IS NULL AND moved_out_date IS NULL AND NOT changed AS closing
        FROM ({facts_select(opening_reading(month), policy, everyone)}) AS opening_facts
    """)
    if changed:
        cursor.execute(
            f"INSERT INTO {FRESH} SELECT {FACT_COLUMNS}, false, true"
            f" FROM ({facts_select(closing_reading(month), policy, changed)}) AS closing_facts"
        )
    cursor.execute(f"ANALYZE {FRESH} (elder_id)")


def persons_unaccounted(cursor: CursorWrapper) -> int:
    """Return by how many month_fresh differs from the census; a doubled person counts as a difference."""
    counts = "SELECT count(*) FILTER (WHERE opening), count(*) FILTER (WHERE closing) FROM"
    cursor.execute(f"{counts} {FRESH}")
    frozen = cursor.fetchone()
    cursor.execute(f"{counts} {CENSUS}")
    return sum(abs(is_ - should) for is_, should in zip(frozen, cursor.fetchone(), strict=True))


def _persons(cursor: CursorWrapper, relation: str) -> Persons | None:
    cursor.execute(f"ANALYZE {relation}")
    cursor.execute(f"SELECT min(id), max(id) FROM {relation}")
    lowest, highest = cursor.fetchone()
    return None if lowest is None else Persons(relation, lowest, highest)


def _township(county_prefix: str) -> str:
    """SQL of the township to which an elder is dealt: of the 户籍, or of the 居住 where the 户籍 lies elsewhere."""
    return (
        f"CASE WHEN starts_with(e.hukou_code, '{county_prefix}') THEN left(e.hukou_code, 9)"
        f" WHEN starts_with(e.residence_code, '{county_prefix}') THEN left(e.residence_code, 9) ELSE '' END"
    )


def facts_store(cursor: CursorWrapper, *, month: date, county_code: str, revision: int, first: bool) -> int:
    """Write month_fresh as this revision's facts; rows that say the same stay. Return the number of changed rows.

    first: nothing of the month has been written yet, so there is nothing to compare with.
    """
    table = partition_name("eldercare_monthlyfacts", month)
    if first:
        cursor.execute(
            f"INSERT INTO {table} (month, county_code, rev_from, {ROW_COLUMNS})"
            f" SELECT '{month}', '{county_code}', {revision}, {ROW_COLUMNS} FROM {FRESH}"
        )
        return int(cursor.rowcount)
    return revision_store(
        cursor,
        table=table,
        fresh=FRESH,
        columns=ROW_COLUMNS,
        month=month,
        county_code=county_code,
        revision=revision,
    )


def revision_store(
    cursor: CursorWrapper,
    *,
    table: str,
    fresh: str,
    columns: str,
    month: date,
    county_code: str,
    revision: int,
    scope: str = f"elder_id IN (SELECT id FROM {PERSONS})",
) -> int:
    """Bring a revisioned table in line with `fresh` for the rows of `scope`; return how many rows changed.

    scope: condition on the old rows that `fresh` replaces, beginning with a column of the table.
    A row that is no longer right ends at this revision (or goes, if this very revision wrote it); a new one begins.
    """
    mine = f"t.county_code = '{county_code}' AND t.rev_to IS NULL AND t.{scope}"
    names = [name.strip() for name in columns.split(",")]
    old, new = (f"ROW({', '.join(f'{side}.{name}' for name in names)})" for side in "tf")
    same = f"f.elder_id = t.elder_id AND {new} IS NOT DISTINCT FROM {old}"
    outdated = f"{mine} AND NOT EXISTS (SELECT FROM {fresh} f WHERE {same})"
    changed = 0
    for statement in (
        f"DELETE FROM {table} t WHERE t.rev_from = {revision} AND {outdated}",
        f"UPDATE {table} t SET rev_to = {revision} WHERE {outdated}",
        f"INSERT INTO {table} (month, county_code, rev_from, {columns})"
        f" SELECT '{month}', '{county_code}', {revision}, {columns} FROM {fresh} f"
        f" WHERE NOT EXISTS (SELECT FROM {table} t WHERE {mine} AND {same})",
    ):
        cursor.execute(statement)
        changed += cursor.rowcount
    return changed
