"""What staged rows would change in the registry, in SQL; the preview counts it, the commit applies the same.

How a row's circumstance meets what is known (reading):
S standing: nothing to do if the value already held on its day; else it ends what held that day and speaks until the
  day on which the registry already knows of a change. Later knowledge stays.
D dated: as S, but a value with another first day is new (an ability level assessed again).
E ending: the row says the last day too; what held that day is replaced up to there or to the next known range.
P event (death, moving out): there is one; another day replaces it.
A blank cell ends what holds on the row's day; what began that very day goes, and a blank death date takes a death back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.backends.utils import CursorWrapper

from eldercare.choices import Kind
from eldercare.resources.roster import RosterResource

ROWS: Final = "eldercare_stagedrow"
STATED: Final = "eldercare_stagedcircumstance"
TABLES: Final = (
    "match",
    "wanted",
    "add",
    "cut",
    "elder",
    "account_add",
    "account_cut",
    "contact",
    "moved",
    "touched",
)

# Elder column, roster column that brings it (None: every row does), staged column to compare by.
OWN: Final = (
    ("name", None, "name"),
    ("sex", None, "sex"),
    ("birth_date", None, "birth_date"),
    ("ethnicity", "ethnicity", "ethnicity"),
    ("address", "address", "address"),
    ("phone_index", "phone", "phone_index"),
    ("household_key", "head_id_number", "household_key"),
    ("relation_to_head", "relation", "relation_to_head"),
    ("disability_card_index", "disability_card", "disability_card_index"),
    ("note", "note", "note"),
)


@dataclass(frozen=True)
class Layouts:
    """The column sets of a file's sheets."""

    sets: Sequence[Sequence[str]]

    def having(self, column: str) -> str:
        """SQL condition on a staged row `s`: its sheet has the column."""
        numbers = [str(number) for number, names in enumerate(self.sets) if column in names]
        if len(numbers) == len(self.sets):
            return "true"
        return f"s.layout IN ({', '.join(numbers)})" if numbers else "false"

    def kinds(self) -> str:
        """SQL rows (layout, kind) of the circumstances that a sheet speaks about, 户籍 apart: it is never blank."""
        pairs = [
            f"({number}, '{kind}')"
            for number, names in enumerate(self.sets)
            for name, field in RosterResource.columns().items()
            if name in names
            for kind in field.kinds
            if kind is not Kind.HUKOU
        ]
        return ", ".join(pairs) or "(-1, '')"


def plan_build(cursor: CursorWrapper, *, batch_id: int, layouts: Layouts, lock: bool) -> None:
    """Fill the temporary tables roster_*. lock: hold the elders met until the transaction ends, and number new ones."""
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(f'roster_{name}' for name in TABLES)}")
    _match(cursor, batch_id, lock)
    _wanted(cursor, batch_id)
    _add(cursor)
    _cut(cursor, batch_id, layouts)
    _own(cursor, batch_id, layouts)
    _accounts(cursor, batch_id, layouts)
    _contacts(cursor, batch_id, layouts)
    moving = f"kind IN ('{Kind.HUKOU}', '{Kind.RESIDENCE}')"
    _table(
        cursor,
        "moved",
        f"""SELECT elder_id AS id FROM roster_wanted WHERE {moving}
            UNION SELECT elder_id FROM roster_cut WHERE {moving}""",
    )
    _table(
        cursor,
        "touched",
        " UNION ".join(
            f"SELECT elder_id FROM roster_{name}"
            for name in ("add", "cut", "elder", "account_add", "account_cut", "contact")
        ),
    )


def plan_counts(cursor: CursorWrapper) -> tuple[int, int, int]:
    """Return rows that create, change and leave as it is."""
    cursor.execute("SELECT count(*) FILTER (WHERE fresh), count(*) FROM roster_match")
    created, total = cursor.fetchone()
    cursor.execute("SELECT count(*) FROM roster_touched")
    updated = int(cursor.fetchone()[0])
    return created, updated, total - created - updated


def _table(cursor: CursorWrapper, name: str, select: str) -> None:
    cursor.execute(f"CREATE TEMP TABLE roster_{name} ON COMMIT DROP AS {select}")
    cursor.execute(f"ANALYZE roster_{name}")


def _match(cursor: CursorWrapper, batch_id: int, lock: bool) -> None:
    cursor.execute("SELECT pg_get_serial_sequence('eldercare_elder', 'id')")
    fresh_id = f"nextval('{cursor.fetchone()[0]}')" if lock else "NULL::bigint"
    _table(
        cursor,
        "match",
        f"""SELECT s.number, coalesce(e.id, {fresh_id}) AS elder_id, e.id IS NULL AS fresh, s.starts, s.layout
            FROM {ROWS} s LEFT JOIN eldercare_elder e ON e.id_number_index = s.id_number_index
            WHERE s.batch_id = {batch_id}""",
    )
    if lock:
        cursor.execute(
            """SELECT count(*) FROM (
                   SELECT e.id FROM eldercare_elder e JOIN roster_match m ON m.elder_id = e.id AND NOT m.fresh
                   ORDER BY e.id FOR NO KEY UPDATE OF e) AS held"""
        )


def _wanted(cursor: CursorWrapper, batch_id: int) -> None:
    """What the rows of known elders say, beside what the registry has around that day."""
    held = "FILTER (WHERE x.valid @> c.starts)"
    _table(
        cursor,
        "wanted",
        f"""SELECT m.elder_id, c.kind, c.value, c.starts, c.ends, c.reading,
                   max(x.id) {held} AS held_id, max(x.value) {held} AS held_value,
                   max(lower(x.valid)) {held} AS held_from, max(upper(x.valid)) {held} AS held_to,
                   min(lower(x.valid)) FILTER (WHERE lower(x.valid) > c.starts) AS next_from,
                   count(x.id) FILTER (WHERE x.valid && daterange(c.starts, NULL)) = 1
                       AND bool_or(x.valid = daterange(c.starts, NULL)) AS is_the_event
            FROM roster_match m
            JOIN {STATED} c ON c.batch_id = {batch_id} AND c.number = m.number
            LEFT JOIN eldercare_circumstance x ON x.elder_id = m.elder_id AND x.kind = c.kind
            WHERE NOT m.fresh
            GROUP BY m.elder_id, c.kind, c.value, c.starts, c.ends, c.reading""",
    )
    cursor.execute("ALTER TABLE roster_wanted ADD COLUMN until date, ADD COLUMN is_known boolean")
    cursor.execute("""
        UPDATE roster_wanted SET until = CASE
            WHEN reading = 'E' THEN least(ends, next_from)
            WHEN reading = 'P' THEN NULL
            WHEN held_id IS NOT NULL THEN held_to
            ELSE next_from END""")
    cursor.execute("""
        UPDATE roster_wanted SET is_known = coalesce(CASE reading
            WHEN 'S' THEN held_value = value
            WHEN 'D' THEN held_value = value AND held_from = starts
            WHEN 'E' THEN held_value = value AND held_to IS NOT DISTINCT FROM until
            ELSE is_the_event END, false)""")
    cursor.execute("DELETE FROM roster_wanted WHERE is_known")


def _add(cursor: CursorWrapper) -> None:
    _table(
        cursor,
        "add",
        """SELECT elder_id, kind, value, starts, until FROM roster_wanted
           WHERE until IS NULL OR until > starts""",
    )


def _cut(cursor: CursorWrapper, batch_id: int, layouts: Layouts) -> None:
    """Ranges that end (at `until`) or go (`until` NULL)."""
    _table(
        cursor,
        "cut",
        f"""SELECT held_id AS id, elder_id, kind, CASE WHEN held_from < starts THEN starts END AS until
            FROM roster_wanted WHERE held_id IS NOT NULL AND reading <> 'P'
            UNION
            SELECT x.id, x.elder_id, x.kind, NULL
            FROM roster_wanted w JOIN eldercare_circumstance x ON x.elder_id = w.elder_id AND x.kind = w.kind
            WHERE w.reading = 'P' AND x.valid && daterange(w.starts, NULL)
            UNION
            SELECT x.id, x.elder_id, x.kind,
                   CASE WHEN x.kind <> '{Kind.DEATH}' AND lower(x.valid) < m.starts THEN m.starts END
            FROM roster_match m
            JOIN eldercare_circumstance x ON x.elder_id = m.elder_id
            JOIN (VALUES {layouts.kinds()}) AS k (layout, kind) ON k.layout = m.layout AND k.kind = x.kind
            WHERE NOT m.fresh AND (x.valid @> m.starts OR x.kind = '{Kind.DEATH}')
              AND NOT EXISTS (SELECT FROM {STATED} c
                              WHERE c.batch_id = {batch_id} AND c.number = m.number AND c.kind = x.kind)""",
    )


def _own(cursor: CursorWrapper, batch_id: int, layouts: Layouts) -> None:
    """Elders whose own columns change."""
    changes = [
        f"{layouts.having(column) if column else 'true'} AND e.{name} IS DISTINCT FROM s.{staged}"
        for name, column, staged in OWN
    ]
    changes.append("s.id_verified AND NOT e.id_verified")
    _table(
        cursor,
        "elder",
        f"""SELECT m.elder_id, m.number FROM roster_match m
            JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = m.number
            JOIN eldercare_elder e ON e.id = m.elder_id
            WHERE NOT m.fresh AND ({" OR ".join(f"({change})" for change in changes)})""",
    )


def _accounts(cursor: CursorWrapper, batch_id: int, layouts: Layouts) -> None:
    """Accounts are dated like standing circumstances; the same number with other details is a new row."""
    bank = f"CASE WHEN {layouts.having('bank')} THEN s.bank"
    same = "a.account_index = s.account_index"
    held = f"""
        SELECT m.elder_id, m.number, s.starts, s.account_index,
               a.id AS held_id, lower(a.valid) AS held_from, upper(a.valid) AS held_to, {same} AS same,
               {bank} WHEN {same} THEN a.bank ELSE '' END AS bank,
               coalesce(s.holder, CASE WHEN {same} THEN a.holder END, s.name) AS holder,
               a.bank AS held_bank, a.holder AS held_holder
        FROM roster_match m
        JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = m.number AND {layouts.having("account")}
        LEFT JOIN eldercare_bankaccount a ON a.elder_id = m.elder_id AND a.valid @> s.starts
        WHERE NOT m.fresh"""
    changed = "coalesce(NOT (same AND bank = held_bank AND holder = held_holder), true)"
    following = """(SELECT min(lower(a.valid)) FROM eldercare_bankaccount a
                    WHERE a.elder_id = h.elder_id AND lower(a.valid) > h.starts)"""
    _table(
        cursor,
        "account_add",
        f"""SELECT elder_id, number, bank, holder, starts,
                   CASE WHEN held_id IS NOT NULL THEN held_to ELSE {following} END AS until
            FROM ({held}) h WHERE account_index <> '' AND {changed}""",
    )
    _table(
        cursor,
        "account_cut",
        f"""SELECT held_id AS id, elder_id, CASE WHEN held_from < starts THEN starts END AS until
            FROM ({held}) h WHERE held_id IS NOT NULL AND (account_index = '' OR {changed})""",
    )


def _contacts(cursor: CursorWrapper, batch_id: int, layouts: Layouts) -> None:
    """Contacts that come, change or (is_gone) go."""
    name, phone = layouts.having("contact_name"), layouts.having("contact_phone")
    _table(
        cursor,
        "contact",
        f"""SELECT *, name = '' AND phone_index = '' AS is_gone FROM (
                SELECT m.elder_id,
                       CASE WHEN {name} THEN s.contact_name ELSE coalesce(c.name, '') END AS name,
                       CASE WHEN {phone} THEN s.contact_phone_index ELSE coalesce(c.phone_index, '') END AS phone_index,
                       CASE WHEN {phone} THEN s.contact_phone_cipher
                            ELSE coalesce(c.phone_cipher, '') END AS phone_cipher,
                       coalesce(c.name, '') AS held_name, coalesce(c.phone_index, '') AS held_phone
                FROM roster_match m
                JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = m.number AND ({name} OR {phone})
                LEFT JOIN eldercare_contact c ON c.elder_id = m.elder_id
                WHERE NOT m.fresh) AS w
            WHERE (name, phone_index) IS DISTINCT FROM (held_name, held_phone)""",
    )
