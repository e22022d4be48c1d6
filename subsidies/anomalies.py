"""What makes due lines worth a look before they are paid: one SQL rule per kind, and reads of what was found.

The rules work on two temporary tables of the caller's transaction: anomaly_due (elder_id, item_id, month, amount,
area_code, failed: lines that the run is to pay) and anomaly_elder (the same elders with today's account). Every rule is
a SELECT of (elder_id, item_id, detail, fingerprint), item_id NULL where it concerns all lines of the elder. A detail is
a Chinese sentence without account or ID numbers; a fingerprint is a digest of what the sentence rests on.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from django.db.backends.utils import CursorWrapper
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from catalog.selectors import figure_get
from eldercare.choices import Kind, Sex
from eldercare.facts import month_last_day
from eldercare.identity import parse_id_number
from eldercare.services.monthly_facts import partition_name
from operations.crypto import decrypt
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from subsidies.choices import (
    SETTLED,
    AnomalyKind,
    AnomalyState,
    BatchState,
    LineKind,
    Outcome,
    PaymentState,
)
from subsidies.models import Anomaly, Batch, Month, Payment
from subsidies.reported import REPORTS, reported_select, still_standing
from visits.choices import Result

DUE: Final = "anomaly_due"
PAYEES: Final = "anomaly_elder"
#: A county sets its own figure as a dated parameter of this name; until then the second constant holds.
JUMP_PARAMETER: Final = "金额突变百分比"
JUMP_DEFAULT: Final = Decimal(50)
#: Months back in which most elders were last paid; who was not is looked up one by one.
RECENT_MONTHS: Final = 3
READ_AT_ONCE: Final = 5_000
SETTLED_SQL: Final = ", ".join(f"'{state}'" for state in SETTLED)


def anomalies_of(
    month: Month, user: User, permission: Permission = Permission.MONTH_VIEW
) -> QuerySet[Anomaly]:
    """Anomalies of a run within the areas in which the user has the permission."""
    rows = Anomaly.objects.filter(still_standing(), run=month)
    return in_areas(rows, user.area_prefixes(permission), "area_code")


def anomalies_open(batch: Batch) -> QuerySet[Anomaly]:
    """Undecided anomalies that concern lines of the batch.

    没有账户 never does, for such a line is in no batch; what a visit reported is counted as it stands now (batch_gate).
    """
    elsewhere = (AnomalyKind.NO_ACCOUNT, *REPORTS)
    return _concerning(batch).filter(state=AnomalyState.OPEN).exclude(kind__in=elsewhere)


def anomalies_held(batch: Batch) -> QuerySet[Anomaly]:
    """Anomalies decided 暂缓 that concern lines still to be paid: decided after the draft was made.

    Of the batch's run and the later ones counts the newest row of each elder, item and kind, as in
    `batch_lines.held_select`.
    """
    pending = Payment.objects.filter(batch=batch, state=PaymentState.PENDING)
    rows = Anomaly.objects.filter(run__county_code=batch.county_code).alias(subject=Coalesce("item_id", 0))
    same = {name: OuterRef(name) for name in ("elder", "kind", "subject")}
    newer = rows.filter(**same, run__month__gt=OuterRef("run__month"))
    since = rows.filter(_concerns(pending), run__month__gte=batch.month.month, state=AnomalyState.HELD)
    return since.exclude(Exists(newer))


def _concerning(batch: Batch) -> QuerySet[Anomaly]:
    lines = Payment.objects.filter(batch=batch).exclude(state=PaymentState.VOID)
    return Anomaly.objects.filter(_concerns(lines), run=batch.month_id)


def _concerns(lines: QuerySet[Payment]) -> Q:
    """Condition on an anomaly: about one of the lines."""
    own = lines.filter(elder=OuterRef("elder"))
    return Q(Exists(own.filter(item=OuterRef("item")))) | (Q(item=None) & Q(Exists(own)))


def jump_percent(county_code: str, month: date) -> Decimal:
    """Percent by which an amount may differ from the month before without being an anomaly."""
    figure = figure_get(county_code=county_code, name=JUMP_PARAMETER, day=month_last_day(month))
    return JUMP_DEFAULT if figure is None else figure


def due_take(cursor: CursorWrapper, *, month: Month, items: list[int], today: date) -> None:
    """Fill anomaly_due with what the run is to pay for these items and anomaly_elder with who is to be paid.

    Due are 应发 and 补发 of the run that no batch past its draft covers yet, and failed lines not yet paid again.
    """
    named: dict[str, Any] = {
        "items": items,
        "county": month.county_code,
        "run": month.pk,
        "month": month.month,
    }
    cursor.execute(f"DROP TABLE IF EXISTS {DUE}, {PAYEES}")
    cursor.execute(f"CREATE TEMP TABLE {DUE} ON COMMIT DROP AS {_due_select(month)}", named)
    cursor.execute(f"ANALYZE {DUE}")
    cursor.execute(
        f"""
        CREATE TEMP TABLE {PAYEES} ON COMMIT DROP AS
        SELECT d.elder_id, d.area_code, d.only_failed, e.name, e.household_key, a.holder, a.account_index,
               lower(a.valid) AS since
        FROM (
            SELECT elder_id, max(area_code) AS area_code, bool_and(failed) AS only_failed FROM {DUE} GROUP BY elder_id
        ) d
        JOIN eldercare_elder e ON e.id = d.elder_id
        LEFT JOIN eldercare_bankaccount a ON a.elder_id = d.elder_id AND a.valid @> %(today)s::date""",
        {"today": today},
    )
    cursor.execute(f"ANALYZE {PAYEES}")


def rules_of(
    month: Month, before: Month | None, percent: Decimal
) -> Iterator[tuple[AnomalyKind, str, dict[str, Any]]]:
    """Kind, SELECT and parameters of every rule in SQL; before: the decided month before, for the jump."""
    named = {"county": month.county_code, "month": month.month, "percent": percent}
    yield AnomalyKind.NO_ACCOUNT, _no_account(), named
    yield AnomalyKind.SHARED_ACCOUNT, _shared_account(), named
    yield AnomalyKind.ACCOUNT_CHANGED, _account_changed(month.month), named
    yield AnomalyKind.HOLDER, _holder(), named
    if before is not None:
        yield AnomalyKind.JUMP, _jump(before), named
    yield AnomalyKind.AFTER_DEATH, _after_death(), named
    for kind, (_, result) in REPORTS.items():
        yield kind, _reported(kind, result), named


def identity_mismatches(cursor: CursorWrapper, today: date) -> Iterator[tuple[int, str, str]]:
    """(elder, detail, fingerprint) of due elders whose ID number says another day of birth or sex.

    ID numbers are encrypted: every due elder's is read and compared, a few thousand at a time (about a second for
    100,000); elders whose odd number was checked against the card are left out.
    """
    last = 0
    while True:
        cursor.execute(
            f"""
            SELECT e.id, e.id_number_cipher, e.birth_date, e.sex
            FROM {PAYEES} p JOIN eldercare_elder e ON e.id = p.elder_id
            WHERE NOT e.id_verified AND e.id > %(last)s ORDER BY e.id LIMIT {READ_AT_ONCE}""",
            {"last": last},
        )
        rows = cursor.fetchall()
        for pk, cipher, birth, sex in rows:
            number = decrypt(cipher)
            if not _agrees(number, birth, sex) and (wrong := identity_fault(number, birth, sex, today)):
                yield pk, wrong, sha256(f"{wrong}:{birth}:{sex}".encode()).hexdigest()
        if len(rows) < READ_AT_ONCE:
            return
        last = rows[-1][0]


def _agrees(number: str, birth: date, sex: str) -> bool:
    """Tell at a glance whether an 18-digit number says this day of birth and sex."""
    if len(number) != 18 or number[6:14] != birth.isoformat().replace("-", ""):
        return False
    return (number[16] in "13579") == (sex == Sex.MALE)


def identity_fault(number: str, birth: date, sex: str, today: date) -> str:
    """What an ID number contradicts, as a sentence; '' if nothing.

    >>> identity_fault("990101194205170014", date(1942, 5, 17), "女", date(2026, 1, 1))
    '证件号码上的性别与登记的性别不符'
    """
    try:
        read = parse_id_number(number, today)
    except ValueError:
        return "证件号码的位数或字符不对"
    wrong = [
        word
        for word, differs in (("出生日期", read.birth_date != birth), ("性别", read.sex != sex))
        if differs
    ]
    return f"证件号码上的{'和'.join(wrong)}与登记的{'和'.join(wrong)}不符" if wrong else ""


def _due_select(month: Month) -> str:
    """Lines to pay: (elder_id, item_id, month, amount, area_code, failed); failed: the bank could not pay it in."""
    entitlement = partition_name("subsidies_entitlement", month.month)
    submitted = (
        f"b.county_code = %(county)s AND b.state <> '{BatchState.DRAFT}' AND p.item_id = ANY(%(items)s)"
    )
    return f"""
        SELECT d.elder_id, d.item_id, d.month, d.amount, d.area_code, false AS failed
        FROM (
            SELECT elder_id, item_id, month, amount, area_code FROM {entitlement}
            WHERE county_code = %(county)s AND item_id = ANY(%(items)s) AND outcome = '{Outcome.DUE}' AND amount > 0
              AND rev_from <= {month.revision} AND (rev_to IS NULL OR rev_to > {month.revision})
            UNION ALL
            SELECT elder_id, item_id, month, amount, area_code FROM subsidies_adjustment
            WHERE run_id = %(run)s AND kind = '{LineKind.BACK_PAY}' AND item_id = ANY(%(items)s)
        ) d
        LEFT JOIN (
            SELECT p.elder_id, p.item_id, p.month, sum(p.amount) AS amount
            FROM subsidies_payment p JOIN subsidies_batch b ON b.id = p.batch_id
            WHERE {submitted} AND p.state <> '{PaymentState.VOID}' AND (b.month_id = %(run)s OR p.month = %(month)s)
            GROUP BY p.elder_id, p.item_id, p.month
        ) paid ON paid.elder_id = d.elder_id AND paid.item_id = d.item_id AND paid.month = d.month
        WHERE d.amount > coalesce(paid.amount, 0)
        UNION ALL
        SELECT p.elder_id, p.item_id, p.month, p.amount - p."offset", p.area_code, true
        FROM subsidies_payment p JOIN subsidies_batch b ON b.id = p.batch_id
        WHERE {submitted} AND p.state = '{PaymentState.FAILED}' AND p.month <= %(month)s AND NOT EXISTS (
            SELECT FROM subsidies_payment r JOIN subsidies_batch rb ON rb.id = r.batch_id
            WHERE r.reissues_id = p.id AND r.state <> '{PaymentState.VOID}' AND rb.state <> '{BatchState.DRAFT}')"""


def _digest(*parts: str) -> str:
    """SQL of a fingerprint over texts."""
    return f"encode(sha256(convert_to(concat_ws('|', {', '.join(parts)}), 'UTF8')), 'hex')"


def _month_words(column: str) -> str:
    return f"to_char({column}, 'FMYYYY年FMMM月')"


def _no_account() -> str:
    return f"""
        SELECT elder_id, NULL::bigint, '没有登记现在可用的银行账户，补录账户之前不能发放', 'none'
        FROM {PAYEES} WHERE account_index IS NULL"""


def _shared_account() -> str:
    """Two or more due elders with one account; a couple of one household is listed too, and said to be one."""
    return f"""
        SELECT p.elder_id, NULL::bigint,
               '这个账户同时收 ' || s.persons || ' 位老年人的补贴，'
                   || CASE WHEN s.households = 1 THEN '登记为同一户' ELSE '登记不在同一户' END,
               {_digest("encode(s.account_index, 'hex')", "s.elders")}
        FROM (
            SELECT account_index, count(*) AS persons, count(DISTINCT household_key) AS households,
                   string_agg(elder_id::text, ',' ORDER BY elder_id) AS elders
            FROM {PAYEES} WHERE account_index IS NOT NULL GROUP BY account_index HAVING count(*) > 1
        ) s JOIN {PAYEES} p ON p.account_index = s.account_index"""


def _account_changed(month: date) -> str:
    """Another account than that of the last paid line, or one registered since then.

    Of who has failed lines alone a new account is just what was asked for.
    """
    made_on = "(b.made_at AT TIME ZONE 'Asia/Shanghai')::date"
    columns = f"l.elder_id, l.account_index, l.month, coalesce(l.paid_on, {made_on}) AS paid_on"
    paid = f"l.state = '{PaymentState.PAID}'"
    return f"""
        WITH recent AS MATERIALIZED (
            SELECT DISTINCT ON (l.elder_id) {columns}
            FROM subsidies_payment l JOIN subsidies_batch b ON b.id = l.batch_id
            WHERE {paid} AND l.month >= %(month)s::date - interval '{RECENT_MONTHS} months'
              AND b.county_code = %(county)s
            ORDER BY l.elder_id, l.id DESC
        ), last AS (
            SELECT * FROM recent
            UNION ALL
            SELECT older.* FROM {PAYEES} p CROSS JOIN LATERAL (
                SELECT {columns} FROM subsidies_payment l JOIN subsidies_batch b ON b.id = l.batch_id
                WHERE {paid} AND l.elder_id = p.elder_id ORDER BY l.id DESC LIMIT 1
            ) older WHERE NOT EXISTS (SELECT FROM recent WHERE recent.elder_id = p.elder_id)
        )
        SELECT p.elder_id, NULL::bigint,
               '发放' || {_month_words("last.month")} || '的补贴后'
                   || CASE WHEN p.account_index = last.account_index THEN '重新登记了账户' ELSE '换了账户' END
                   || coalesce('，新账户自 ' || p.since || ' 起', ''),
               {_digest("encode(last.account_index, 'hex')", "encode(p.account_index, 'hex')", "p.since::text")}
        FROM {PAYEES} p JOIN last ON last.elder_id = p.elder_id
        WHERE NOT p.only_failed AND (p.account_index <> last.account_index OR p.since > last.paid_on)"""


def _holder() -> str:
    """The holder is somebody else; blanks and the dot of minority names do not count."""
    plain = "regexp_replace({}, '[[:space:]·•‧・．.]', '', 'g')"
    return f"""
        SELECT elder_id, NULL::bigint, '账户户名“' || holder || '”不是本人', {_digest("holder", "name")}
        FROM {PAYEES}
        WHERE account_index IS NOT NULL AND {plain.format("holder")} <> {plain.format("name")}"""


def _jump(before: Month) -> str:
    """The month's own amount against that of the month before; a change of exactly the percentage is none."""
    entitlement = partition_name("subsidies_entitlement", before.month)
    return f"""
        SELECT d.elder_id, d.item_id,
               '比上月' || CASE WHEN d.amount > o.amount THEN '多 ' ELSE '少 ' END || abs(d.amount - o.amount)
                   || ' 元（上月 ' || o.amount || ' 元，本月 ' || d.amount || ' 元）',
               {_digest("d.month", "o.amount", "d.amount")}
        FROM {DUE} d JOIN {entitlement} o ON o.elder_id = d.elder_id AND o.item_id = d.item_id
        WHERE d.month = %(month)s AND NOT d.failed AND o.county_code = %(county)s AND o.outcome = '{Outcome.DUE}'
          AND o.rev_from <= {before.revision} AND (o.rev_to IS NULL OR o.rev_to > {before.revision})
          AND abs(d.amount - o.amount) * 100 > %(percent)s * o.amount"""


def _after_death() -> str:
    """Lines for months after the month of death: due, on their way, or paid and not yet taken back."""
    until = f"'至' || {_month_words('max(late.month)')}"
    return f"""
        SELECT late.elder_id, late.item_id,
               '已于 ' || late.died || ' 去世，' || {_month_words("min(late.month)")}
                   || CASE WHEN count(DISTINCT late.month) > 1 THEN {until} ELSE '' END || '仍有'
                   || string_agg(DISTINCT late.what, '、' ORDER BY late.what),
               {_digest("late.died", "min(late.month)", "max(late.month)", "count(DISTINCT late.month)")}
        FROM (
            SELECT d.elder_id, d.item_id, d.month, c.died, '应发' AS what
            FROM {DUE} d JOIN ({_deaths()}) c ON c.elder_id = d.elder_id AND d.month > c.died
            UNION
            SELECT p.elder_id, p.item_id, p.month, c.died,
                   CASE WHEN bool_and(p.state = '{PaymentState.PAID}') THEN '已发' ELSE '待发' END
            FROM subsidies_payment p JOIN subsidies_batch b ON b.id = p.batch_id
            JOIN ({_deaths()}) c ON c.elder_id = p.elder_id AND p.month > c.died
            WHERE b.county_code = %(county)s AND p.month <= %(month)s AND p.state IN ({SETTLED_SQL})
            GROUP BY p.elder_id, p.item_id, p.month, c.died
            HAVING sum(p.amount) > coalesce((
                SELECT sum(r.amount) FROM subsidies_recoveryline r
                WHERE r.elder_id = p.elder_id AND r.item_id = p.item_id AND r.month = p.month), 0)
        ) late
        GROUP BY late.elder_id, late.item_id, late.died"""


def _reported(kind: AnomalyKind, result: Result) -> str:
    """A visit said so and nobody has looked into it yet: nothing is paid meanwhile."""
    return f"""
        SELECT p.elder_id, NULL::bigint,
               '探访报告' || coalesce('于 ' || r.event_day || ' ', '') || '{result}，核实之前不发放',
               {_digest("r.kind", "r.event_day")}
        FROM {PAYEES} p JOIN ({reported_select()}) r ON r.elder_id = p.elder_id AND r.kind = '{kind}'"""


def _deaths() -> str:
    return f"""
        SELECT elder_id, min(lower(valid)) AS died FROM eldercare_circumstance
        WHERE kind = '{Kind.DEATH}' AND lower(valid) IS NOT NULL GROUP BY elder_id"""
