"""Carrying out a plan: set-based, inside the caller's transaction."""

from datetime import date
from typing import Final

from django.db.backends.utils import CursorWrapper

from eldercare.choices import Kind
from eldercare.roster.plan import ROWS, STATED, Layouts

SOURCE: Final = "花名册"
# Staged columns that are copied as they stand, and the roster column that brings them (None: every row does).
COPIED: Final = (
    ("name", None),
    ("pinyin", None),
    ("sex", None),
    ("birth_date", None),
    ("ethnicity", "ethnicity"),
    ("address", "address"),
    ("phone_cipher", "phone"),
    ("phone_index", "phone"),
    ("phone_last4", "phone"),
    ("household_key", "head_id_number"),
    ("head_cipher", "head_id_number"),
    ("relation_to_head", "relation"),
    ("disability_card_cipher", "disability_card"),
    ("disability_card_index", "disability_card"),
    ("note", "note"),
)
FRESH_ONLY: Final = (
    "id_number_cipher", "id_number_index", "id_last4", "id_verified", "hukou_code", "residence_code",
)  # fmt: skip


def plan_apply(cursor: CursorWrapper, *, batch_id: int, layouts: Layouts, today: date) -> None:
    """Write everything that the plan (roster_* tables) holds; note what stood there before."""
    _remember(cursor, batch_id)
    _elders(cursor, batch_id, layouts)
    _cut(cursor, batch_id, "eldercare_circumstance", "roster_cut")
    _cut(cursor, batch_id, "eldercare_bankaccount", "roster_account_cut")
    _circumstances(cursor, batch_id)
    _accounts(cursor, batch_id)
    _contacts(cursor, batch_id)
    areas_refresh(cursor, "roster_moved", today)


def areas_refresh(cursor: CursorWrapper, elders: str, today: date) -> None:
    """Bring the area codes of the elders in a relation (id) in line with what their circumstances say today.

    Where nothing holds today the next range counts, else the last one, so that nobody drops out of every scope.
    """
    day = f"date '{today}'"
    cursor.execute(
        f"""UPDATE eldercare_elder e SET hukou_code = n.hukou, residence_code = coalesce(n.residence, n.hukou)
            FROM (
                SELECT p.id, coalesce(max(h.value), '') AS hukou, max(r.value) AS residence
                FROM {elders} p
                LEFT JOIN LATERAL (
                    SELECT c.value FROM eldercare_circumstance c
                    WHERE c.elder_id = p.id AND c.kind = '{Kind.HUKOU}'
                    ORDER BY c.valid @> {day} DESC, lower(c.valid) > {day} DESC,
                             abs(lower(c.valid) - {day})
                    LIMIT 1) h ON true
                LEFT JOIN LATERAL (
                    SELECT c.value FROM eldercare_circumstance c
                    WHERE c.elder_id = p.id AND c.kind = '{Kind.RESIDENCE}' AND c.valid @> {day}) r ON true
                GROUP BY p.id) n
            WHERE e.id = n.id
              AND (e.hukou_code, e.residence_code) IS DISTINCT FROM (n.hukou, coalesce(n.residence, n.hukou))"""
    )


def _remember(cursor: CursorWrapper, batch_id: int) -> None:
    """Put what is about to change on the stack: nothing for new elders, the rows concerned for known ones."""
    cursor.execute(
        f"""INSERT INTO eldercare_importchange (elder_id, batch_id, before)
            SELECT elder_id, {batch_id}, NULL FROM roster_match WHERE fresh"""
    )
    cursor.execute(
        f"""INSERT INTO eldercare_importchange (elder_id, batch_id, before)
            SELECT t.elder_id, {batch_id}, jsonb_build_object(
                'elder', to_jsonb(e),
                'circumstances', (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM roster_cut x
                                  JOIN eldercare_circumstance c ON c.id = x.id WHERE x.elder_id = t.elder_id),
                'accounts', (SELECT coalesce(jsonb_agg(to_jsonb(a)), '[]') FROM roster_account_cut x
                             JOIN eldercare_bankaccount a ON a.id = x.id WHERE x.elder_id = t.elder_id),
                'contact_changed', EXISTS (SELECT FROM roster_contact x WHERE x.elder_id = t.elder_id),
                'contact', (SELECT to_jsonb(c) FROM eldercare_contact c WHERE c.elder_id = t.elder_id))
            FROM roster_touched t JOIN eldercare_elder e ON e.id = t.elder_id"""
    )


def _elders(cursor: CursorWrapper, batch_id: int, layouts: Layouts) -> None:
    copied = [name for name, _ in COPIED]
    names = ", ".join((*FRESH_ONLY, *copied))
    cursor.execute(
        f"""INSERT INTO eldercare_elder (id, {names}, version, created_at)
            SELECT m.elder_id, {", ".join(f"s.{name}" for name in (*FRESH_ONLY, *copied))}, 0, now()
            FROM roster_match m JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = m.number
            WHERE m.fresh ORDER BY m.number"""
    )
    changes = []
    for name, column in COPIED:
        brought = layouts.having(column) if column else "true"
        changes.append(f"{name} = CASE WHEN {brought} THEN s.{name} ELSE e.{name} END")
    cursor.execute(
        f"""UPDATE eldercare_elder e
            SET {", ".join(changes)}, id_verified = e.id_verified OR s.id_verified
            FROM roster_elder t JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = t.number
            WHERE e.id = t.elder_id"""
    )


def _cut(cursor: CursorWrapper, batch_id: int, table: str, cuts: str) -> None:
    cursor.execute(f"DELETE FROM {table} x USING {cuts} c WHERE x.id = c.id AND c.until IS NULL")
    cursor.execute(
        f"""UPDATE {table} x
            SET valid = daterange(lower(x.valid), c.until), ended_by_id = {batch_id}, ended_from = upper(x.valid)
            FROM {cuts} c WHERE x.id = c.id"""
    )


def _circumstances(cursor: CursorWrapper, batch_id: int) -> None:
    """Insert in scattered order: the exclusion index takes ascending keys a third slower."""
    cursor.execute(
        f"""INSERT INTO eldercare_circumstance (elder_id, kind, value, valid, source, document, batch_id, version)
            SELECT elder_id, kind, value, daterange(starts, until), '{SOURCE}', '', {batch_id}, 0
            FROM (
                SELECT elder_id, kind, value, starts, until FROM roster_add
                UNION ALL
                SELECT m.elder_id, c.kind, c.value, c.starts, c.ends
                FROM roster_match m JOIN {STATED} c ON c.batch_id = {batch_id} AND c.number = m.number
                WHERE m.fresh) AS stated
            ORDER BY hashint8(elder_id)"""
    )


def _accounts(cursor: CursorWrapper, batch_id: int) -> None:
    names = "elder_id, bank, holder, account_cipher, account_index, valid, batch_id"
    cursor.execute(
        f"""INSERT INTO eldercare_bankaccount ({names})
            SELECT a.elder_id, a.bank, a.holder, s.account_cipher, s.account_index,
                   daterange(a.starts, a.until), {batch_id}
            FROM roster_account_add a JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = a.number
            UNION ALL
            SELECT m.elder_id, s.bank, coalesce(s.holder, s.name), s.account_cipher, s.account_index,
                   daterange(s.starts, NULL), {batch_id}
            FROM roster_match m JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = m.number
            WHERE m.fresh AND s.account_index <> ''
            ORDER BY account_index"""
    )


def _contacts(cursor: CursorWrapper, batch_id: int) -> None:
    cursor.execute(
        "DELETE FROM eldercare_contact c USING roster_contact x WHERE c.elder_id = x.elder_id AND x.is_gone"
    )
    cursor.execute(
        f"""INSERT INTO eldercare_contact (elder_id, name, phone_index, phone_cipher)
            SELECT elder_id, name, phone_index, phone_cipher FROM roster_contact WHERE NOT is_gone
            UNION ALL
            SELECT m.elder_id, s.contact_name, s.contact_phone_index, s.contact_phone_cipher
            FROM roster_match m JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = m.number
            WHERE m.fresh AND (s.contact_name <> '' OR s.contact_phone_index <> '')
            ON CONFLICT (elder_id) DO UPDATE
            SET name = excluded.name, phone_index = excluded.phone_index, phone_cipher = excluded.phone_cipher"""
    )
