"""SQL of a batch's lines: what is due is collected in a temporary table, then written as payments in one statement."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

from django.db.backends.utils import CursorWrapper

from subsidies.balance import (
    Span,
    balance_select,
    balances_parameters,
    balances_select,
    claimed_sql,
    reissued_sql,
)
from subsidies.choices import (
    AnomalyState,
    BatchState,
    LineKind,
    PaymentState,
    RecoveryState,
    Verdict,
)
from subsidies.models import Batch, Month
from subsidies.reported import reported_select

COLLECTED: Final = "batch_due"
FAILED: Final = "batch_failed"
#: States of a batch in which an offset is planned but not booked yet.
NOT_SENT: Final = (
    BatchState.DRAFT,
    BatchState.TOWNSHIP,
    BatchState.APPROVAL,
    BatchState.NOTICE,
    BatchState.FINANCE,
    BatchState.CONFIRMED,
)
#: States of a case from which something may still be kept back.
RECOVERABLE: Final = (RecoveryState.PROPOSED, RecoveryState.NOTIFIED, RecoveryState.PARTLY)


def collection_begin(cursor: CursorWrapper) -> None:
    """Make the temporary table anew. version_id: by which the month was decided. reissues_id: the failed line."""
    cursor.execute("SET LOCAL work_mem = '64MB'")
    cursor.execute(f"DROP TABLE IF EXISTS {COLLECTED}, {FAILED}")
    cursor.execute(
        f"CREATE TEMP TABLE {COLLECTED} (elder_id bigint, item_id bigint, month date, amount numeric(12, 2),"
        " area_code varchar(12), kind varchar(2), version_id bigint, reissues_id bigint) ON COMMIT DROP"
    )


def collect_due(cursor: CursorWrapper, span: Span) -> None:
    """Collect what is to be paid as new lines for one month."""
    cursor.execute(
        f"""
        INSERT INTO {COLLECTED} (elder_id, item_id, month, amount, area_code, version_id)
        SELECT elder_id, item_id, '{span.month.month}', line, area_code, version_id
        FROM ({balance_select(span)}) due WHERE line > 0""",
        span.parameters,
    )


def contradicted_sql(line: str) -> str:
    """Condition on a payment: of it, or of a line that it pays again, the bank once said two things (矛盾).

    That the bank repeats one of the two later says nothing about the other.
    """
    return f"""EXISTS (
        WITH RECURSIVE chain AS (
            SELECT {line}.id AS id, {line}.reissues_id AS before
            UNION ALL
            SELECT o.id, o.reissues_id FROM subsidies_payment o JOIN chain ON o.id = chain.before
        )
        SELECT FROM chain JOIN subsidies_returnrow w ON w.payment_id = chain.id
        WHERE w.verdict = '{Verdict.CONFLICT}')"""


def failed_take(
    cursor: CursorWrapper, *, county_code: str, until: date, items: Iterable[int] | None = None
) -> list[date]:
    """Note the failed lines of runs up to a month that nobody pays again yet; return their months.

    items: only these. A line of which the bank said two things (矛盾) is left alone: it might be paid twice. So is one
    whose month is claimed back since it was made.
    """
    among = "" if items is None else " AND p.item_id = ANY(%(items)s)"
    cursor.execute(
        f"""
        CREATE TEMP TABLE {FAILED} ON COMMIT DROP AS
        SELECT p.id, p.elder_id, p.item_id, p.month, p.kind, p.item_version_id, p.area_code,
               p.amount - p."offset" AS net
        FROM subsidies_payment p
        JOIN subsidies_batch b ON b.id = p.batch_id JOIN subsidies_month m ON m.id = b.month_id
        WHERE p.state = '{PaymentState.FAILED}' AND b.county_code = %(county)s AND m.month <= %(until)s{among}
          AND NOT {reissued_sql("p")} AND NOT {claimed_sql("p", "b")}
          AND NOT {contradicted_sql("p")}""",
        {"county": county_code, "until": until, "items": list(items or ())},
    )
    cursor.execute(f"SELECT DISTINCT month FROM {FAILED} ORDER BY month")
    return [month for (month,) in cursor.fetchall()]


def failed_parts(spans: Sequence[Span]) -> str:
    """SELECT the noted failed lines with part: what of each is still due, the oldest paid first, 0 or less for nothing.

    Lines of a suspended month are missing: it is not known yet whether they are due. Binds `balances_parameters`.
    """
    return f"""
        SELECT f.*, least(f.net, due.due + f.net - sum(f.net) OVER (
                   PARTITION BY f.elder_id, f.item_id, f.month ORDER BY f.id)) AS part
        FROM {FAILED} f
        JOIN ({balances_select(spans, elders=f"SELECT elder_id FROM {FAILED}")}) due
          USING (elder_id, item_id, month)"""


def collect_failed(cursor: CursorWrapper, spans: Sequence[Span]) -> None:
    """Collect of the failed lines as much as is still due."""
    cursor.execute(
        f"""
        INSERT INTO {COLLECTED} (elder_id, item_id, month, amount, area_code, kind, version_id, reissues_id)
        SELECT elder_id, item_id, month, part, area_code, kind, item_version_id, id
        FROM ({failed_parts(spans)}) parts
        WHERE part > 0""",
        balances_parameters(spans),
    )


def held_back(run: Month) -> str:
    """Condition on a collected line d: held back over an anomaly of this run or a later one, or over a report.

    A clerk holds back after looking; what a visit reported (death, moving out) holds by itself until it is decided.
    """
    return (
        f"(EXISTS (SELECT FROM ({held_select(run)}) x"
        " WHERE x.elder_id = d.elder_id AND (x.item_id IS NULL OR x.item_id = d.item_id))"
        f" OR EXISTS (SELECT FROM ({reported_select()}) r WHERE r.elder_id = d.elder_id))"
    )


def held_select(run: Month) -> str:
    """SELECT elder_id, item_id (NULL for all) of what is held back: 暂缓 where the newest row of its kind says so.

    Newest of the run and the later ones: an older batch's lines follow the latest decision (`anomalies.anomalies_held`
    says the same of a batch). Runs before do not count: what holds on, this run has taken over from them.
    """
    county = f"county_code = '{run.county_code}'"
    return f"""
        SELECT h.elder_id, h.item_id FROM subsidies_anomaly h JOIN subsidies_month m ON m.id = h.run_id
        WHERE h.state = '{AnomalyState.HELD}' AND m.{county} AND m.month >= '{run.month}' AND NOT EXISTS (
            SELECT FROM subsidies_anomaly newer JOIN subsidies_month o ON o.id = newer.run_id
            WHERE newer.elder_id = h.elder_id AND newer.kind = h.kind
              AND newer.item_id IS NOT DISTINCT FROM h.item_id AND o.{county} AND o.month > m.month)"""


def account_missing() -> str:
    """Condition on a collected line d: the elder has no account on the day bound as `today`."""
    return (
        "NOT EXISTS (SELECT FROM eldercare_bankaccount k"
        " WHERE k.elder_id = d.elder_id AND k.valid @> %(today)s::date)"
    )


def lines_insert(cursor: CursorWrapper, *, batch: Batch, run: Month, today: date, offsets: bool) -> int:
    """Write the collected lines as the batch's payments; return how many.

    Left out are elders without an account today and what a clerk holds back. offsets: keep back what the family agreed
    to, up to the open sum less what other batches are going to keep back.
    """
    parameters: dict[str, Any] = {"batch": batch.pk, "today": today, "month": run.month}
    cursor.execute(f"ANALYZE {COLLECTED}")
    room = _room(run) if offsets else "SELECT NULL::bigint AS elder_id, NULL::numeric AS room WHERE false"
    cursor.execute(
        f"""
        INSERT INTO subsidies_payment
            (batch_id, number, elder_id, item_id, item_version_id, month, kind, sequence, amount, "offset",
             area_code, bank, holder, account_cipher, account_index, state, reason, reissues_id)
        SELECT %(batch)s, row_number() OVER (ORDER BY d.area_code, d.elder_id, d.month, d.item_id, d.reissues_id),
               d.elder_id, d.item_id, d.version_id, d.month,
               coalesce(d.kind, CASE WHEN d.month = %(month)s AND NOT coalesce(before.live, false)
                                     THEN '{LineKind.REGULAR}' ELSE '{LineKind.BACK_PAY}' END),
               coalesce(before.last, 0) + row_number() OVER (
                   PARTITION BY d.elder_id, d.item_id, d.month ORDER BY d.reissues_id),
               d.amount,
               CASE WHEN room.room IS NULL THEN 0
                    ELSE greatest(least(d.amount, room.room + d.amount - sum(d.amount) OVER (
                        PARTITION BY d.elder_id ORDER BY d.month, d.item_id)), 0) END,
               d.area_code, k.bank, k.holder, k.account_cipher, k.account_index, '{PaymentState.PENDING}', '',
               d.reissues_id
        FROM {COLLECTED} d
        JOIN eldercare_bankaccount k ON k.elder_id = d.elder_id AND k.valid @> %(today)s::date
        LEFT JOIN (
            SELECT p.elder_id, p.item_id, p.month, max(p.sequence) AS last,
                   bool_or(p.state <> '{PaymentState.VOID}') AS live
            FROM {COLLECTED} d JOIN subsidies_payment p USING (elder_id, item_id, month)
            GROUP BY p.elder_id, p.item_id, p.month
        ) before ON before.elder_id = d.elder_id AND before.item_id = d.item_id AND before.month = d.month
        LEFT JOIN ({room}) room ON room.elder_id = d.elder_id
        WHERE NOT {held_back(run)}""",
        parameters,
    )
    return int(cursor.rowcount)


def left_behind(cursor: CursorWrapper, *, run: Month, today: date) -> tuple[int, int]:
    """Count the collected lines that cannot be paid: without an account, and held back by a clerk."""
    cursor.execute(
        f"SELECT count(*) FILTER (WHERE {account_missing()}), count(*) FILTER (WHERE {held_back(run)})"
        f" FROM {COLLECTED} d",
        {"today": today},
    )
    accounts, held = cursor.fetchone()
    return int(accounts), int(held)


def _room(run: Month) -> str:
    """SELECT elder_id, room: what may still be kept back, of open cases with a recorded consent."""
    open_batches = ", ".join(repr(state.value) for state in NOT_SENT)
    open_cases = ", ".join(repr(state.value) for state in RECOVERABLE)
    return f"""
        SELECT elder_id, sum(open) AS room FROM (
            SELECT c.elder_id, c.amount - coalesce(
                       (SELECT sum(e.amount) FROM subsidies_recoveryentry e WHERE e.recovery_id = c.id), 0) AS open
            FROM subsidies_recovery c
            WHERE c.county_code = '{run.county_code}' AND c.consent_on IS NOT NULL AND c.state IN ({open_cases})
            UNION ALL
            SELECT p.elder_id, -p."offset"
            FROM subsidies_payment p JOIN subsidies_batch b ON b.id = p.batch_id
            WHERE b.county_code = '{run.county_code}' AND b.state IN ({open_batches})
              AND p.state <> '{PaymentState.VOID}' AND p."offset" > 0
        ) rooms
        GROUP BY elder_id HAVING sum(open) > 0"""
