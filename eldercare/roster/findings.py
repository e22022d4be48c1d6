"""What only the whole file and the registry together show; one query each, over the staged rows and the plan."""

from collections.abc import Iterator

from django.db.backends.utils import CursorWrapper

from eldercare.choices import Kind
from eldercare.roster.plan import ROWS
from eldercare.roster.report import Severity
from eldercare.roster.scope import Scope, inside

Finding = tuple[int, Severity, str, str]
"""Row number, severity, attribute of the column, message."""

ELSEWHERE = "该证件号码已在您管理范围之外登记；请由县级办理迁移，或联系登记地"


def out_of_scope(cursor: CursorWrapper, batch_id: int, scope: Scope) -> Iterator[Finding]:
    """Rows that lead, or whose elder is registered, where the sender has no say."""
    if scope is None:
        return
    cursor.execute(
        f"""SELECT s.number FROM {ROWS} s LEFT JOIN eldercare_elder e ON e.id_number_index = s.id_number_index
            WHERE s.batch_id = {batch_id}
              AND (NOT {inside("s", scope)} OR e.id IS NOT NULL AND NOT {inside("e", scope)})"""
    )
    for (number,) in cursor.fetchall():
        yield number, Severity.ERROR, "id_number", ELSEWHERE


def findings(cursor: CursorWrapper, batch_id: int, scope: Scope) -> Iterator[Finding]:
    """All other findings; none keeps a row out, none tells of anybody outside the scope."""
    yield from _other_name(cursor, batch_id)
    yield from _suspected(cursor, batch_id, scope)
    yield from _shared_account(cursor, batch_id, scope)
    yield from _death_taken_back(cursor)


def _other_name(cursor: CursorWrapper, batch_id: int) -> Iterator[Finding]:
    cursor.execute(
        f"""SELECT s.number, e.name FROM roster_elder t
            JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = t.number
            JOIN eldercare_elder e ON e.id = t.elder_id
            WHERE e.name <> s.name"""
    )
    for number, name in cursor.fetchall():
        yield number, Severity.WARNING, "name", f"登记的姓名是“{name}”，将按本表改名；请核对是否同一人"


def _suspected(cursor: CursorWrapper, batch_id: int, scope: Scope) -> Iterator[Finding]:
    """疑似重复: a new number, but name and birth date of somebody else."""
    fresh = f"""(SELECT s.number, s.name, s.birth_date, s.id_last4 FROM roster_match m
                 JOIN {ROWS} s ON s.batch_id = {batch_id} AND s.number = m.number WHERE m.fresh)"""
    cursor.execute(
        f"""SELECT f.number, '登记中' || max(e.id_last4) FROM {fresh} f
            JOIN eldercare_elder e ON e.name = f.name AND e.birth_date = f.birth_date AND {inside("e", scope)}
            GROUP BY f.number
            UNION ALL
            SELECT f.number, '本表中' || max(o.id_last4) FROM {fresh} f
            JOIN {fresh} o ON o.name = f.name AND o.birth_date = f.birth_date AND o.number <> f.number
            GROUP BY f.number
            ORDER BY 1"""
    )
    for number, where in cursor.fetchall():
        message = f"与{where[:3]}证件号码尾号 {where[3:]} 的人同名同生日；请核对是否同一人换了号码"
        yield number, Severity.SUSPECTED, "id_number", message


def _shared_account(cursor: CursorWrapper, batch_id: int, scope: Scope) -> Iterator[Finding]:
    cursor.execute(
        f"""SELECT s.number FROM {ROWS} s JOIN (
                SELECT account_index FROM {ROWS} WHERE batch_id = {batch_id} AND account_index <> ''
                GROUP BY account_index HAVING count(*) > 1) AS shared USING (account_index)
            WHERE s.batch_id = {batch_id}
            UNION
            SELECT s.number FROM {ROWS} s JOIN roster_match m ON m.number = s.number
            JOIN eldercare_bankaccount a ON a.account_index = s.account_index AND upper_inf(a.valid)
                 AND a.elder_id IS DISTINCT FROM m.elder_id
            JOIN eldercare_elder e ON e.id = a.elder_id AND {inside("e", scope)}
            WHERE s.batch_id = {batch_id} AND s.account_index <> ''
            ORDER BY 1"""
    )
    for (number,) in cursor.fetchall():
        yield number, Severity.WARNING, "account", "同一账号用于不止一人；请核对是否填了配偶或代领人的账号"


def _death_taken_back(cursor: CursorWrapper) -> Iterator[Finding]:
    cursor.execute(
        f"""SELECT m.number FROM roster_cut c JOIN roster_match m ON m.elder_id = c.elder_id
            WHERE c.kind = '{Kind.DEATH}'
              AND NOT EXISTS (SELECT FROM roster_add a WHERE a.elder_id = c.elder_id AND a.kind = c.kind)
            ORDER BY 1"""
    )
    for (number,) in cursor.fetchall():
        message = "登记中已有死亡日期，本表该列为空，将撤销死亡记录；请核对"
        yield number, Severity.WARNING, "death_date", message
