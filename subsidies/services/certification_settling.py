"""Which proofs meet which rounds, and what follows: the overdue are suspended, the certified resumed (domain §2.6).

Set-based and recomputed from nothing, so that any order of news, twice, leads to the same end. Everything runs in the
caller's transaction: first the advisory lock (alone for a whole county, shared for one elder), then the elders in order
of their keys, then enrolments.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from catalog.choices import Application, Subject, VisitMode
from eldercare.choices import Kind
from eldercare.services.monthly_facts import elders_touch, partition_name
from subsidies.choices import (
    CertificationMode,
    EnrolmentAction,
    EnrolmentState,
    Outcome,
    ResumeReason,
    StopReason,
)
from visits.choices import Result
from visits.standing import standing

ZONE: Final = "Asia/Shanghai"
#: Ways of visiting in which one can see that it is the person.
SEEING: Final = (VisitMode.HOME, VisitMode.VIDEO)
ENTITLED: Final = (Outcome.DUE, Outcome.NOT_HIGHEST, Outcome.NOT_FIRST)
TOUCHED_AT_ONCE: Final = 5_000
#: Met rounds older than this are left as they are; a correction of a visit comes sooner.
SETTLED_DAYS: Final = 400


class Settled(NamedTuple):
    """What changed: proofs taken from visits, names met or no longer, enrolments suspended and resumed."""

    from_visits: int
    met: int
    suspended: int
    resumed: int


def lock_alone() -> None:
    """Keep every other change of certification away to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('certification'))")


def lock_shared() -> None:
    """Keep the nightly pass and the opening of rounds away; two certifications do not disturb each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext('certification'))")


def certifications_settle(
    *, today: date, elder_ids: Sequence[int] | None = None, visits: bool = True
) -> Settled:
    """Bring names, proofs and suspensions in line; elder_ids: only these, None: all. visits: look for new proofs."""
    mine = "true" if elder_ids is None else "d.elder_id = ANY (%(elders)s)"
    parameters: dict[str, Any] = {"today": today, "elders": list(elder_ids or ())}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        met = _meet(cursor, mine, parameters)
        found = _take_visits(cursor, mine, parameters) if visits else 0
        met += _meet(cursor, mine, parameters) if found else 0
        resumed, awake = _resume(cursor, mine, parameters)
        suspended, held = _suspend(cursor, mine, parameters)
    touched = sorted({*awake, *held})
    for start in range(0, len(touched), TOUCHED_AT_ONCE):
        elders_touch(elder_ids=touched[start : start + TOUCHED_AT_ONCE])
    return Settled(found, met, suspended, resumed)


def _day(visit: str) -> str:
    return f"({visit}.at AT TIME ZONE '{ZONE}')::date"


def _seen(visit: str) -> str:
    """The visit met the person, nothing corrects it and nobody sent it back."""
    modes = ", ".join(f"'{mode}'" for mode in SEEING)
    return f"{visit}.result = '{Result.SEEN}' AND {visit}.mode IN ({modes}) AND {standing(visit)}"


def _dead(elder: str, condition: str) -> str:
    return (
        f"EXISTS (SELECT FROM eldercare_circumstance x WHERE x.elder_id = {elder}"
        f" AND x.kind = '{Kind.DEATH}' AND {condition})"
    )


def _meet(cursor: CursorWrapper, mine: str, parameters: dict[str, Any]) -> int:
    """Link each name with the first proof since its round opened; a proof that has lost its ground is let go."""
    cursor.execute(
        f"""
        UPDATE subsidies_certificationdue AS target SET certification_id = best.certification_id
        FROM (
            SELECT d.id, (
                SELECT c.id FROM subsidies_certification c
                WHERE c.elder_id = d.elder_id AND c.alive AND c."on" >= r.opens
                  AND (c.mode <> '{CertificationMode.VISIT}' OR c.visit_id IS NULL OR EXISTS (
                       SELECT FROM visits_visit v
                       WHERE v.elder_id = c.elder_id AND {_day("v")} = c."on" AND {_seen("v")}))
                  AND NOT {_dead("c.elder_id", 'lower(x.valid) < c."on"')}
                ORDER BY c."on", c.id LIMIT 1) AS certification_id
            FROM subsidies_certificationdue d JOIN subsidies_certificationround r ON r.id = d.round_id
            WHERE {mine} AND (d.certification_id IS NULL OR r.due >= %(today)s::date - {SETTLED_DAYS})
        ) best
        WHERE best.id = target.id AND target.certification_id IS DISTINCT FROM best.certification_id""",
        parameters,
    )
    return int(cursor.rowcount)


def _take_visits(cursor: CursorWrapper, mine: str, parameters: dict[str, Any]) -> int:
    """Write the first visit that met the person since the round opened as a proof of the names still open."""
    cursor.execute(
        f"""
        INSERT INTO subsidies_certification (elder_id, "on", mode, alive, place, note, visit_id, actor_id, at)
        SELECT DISTINCT ON (v.elder_id, {_day("v")})
               v.elder_id, {_day("v")}, '{CertificationMode.VISIT}', true, '', '', v.id, NULL::bigint, now()
        FROM subsidies_certificationdue d
        JOIN subsidies_certificationround r ON r.id = d.round_id
        JOIN LATERAL (
            SELECT v.* FROM visits_visit v
            WHERE v.elder_id = d.elder_id AND v.at >= r.opens::timestamp AT TIME ZONE '{ZONE}' AND {_seen("v")}
              AND NOT {_dead("v.elder_id", f"lower(x.valid) < {_day('v')}")}
            ORDER BY v.at, v.id LIMIT 1
        ) v ON true
        WHERE {mine} AND d.certification_id IS NULL
        ORDER BY v.elder_id, {_day("v")}, v.at, v.id
        ON CONFLICT (elder_id, "on", mode) DO NOTHING""",
        parameters,
    )
    return int(cursor.rowcount)


def _resume(cursor: CursorWrapper, mine: str, parameters: dict[str, Any]) -> tuple[int, set[int]]:
    """Resume what a round suspended and nothing else, unless another round still waits for the same person."""
    cursor.execute(
        f"""
        CREATE TEMP TABLE certified ON COMMIT DROP AS
        SELECT d.id AS due_id, d.elder_id, d.round_id FROM subsidies_certificationdue d
        WHERE {mine} AND d.suspended AND d.certification_id IS NOT NULL""",
        parameters,
    )
    _hold_elders(cursor, "certified")
    cursor.execute(
        f"""
        CREATE TEMP TABLE resumed ON COMMIT DROP AS
        SELECT DISTINCT n.id, n.elder_id, coalesce(n.suspended_from, n.first_month) AS month
        FROM ({_reached("certified")}) c
        JOIN subsidies_enrolment n ON n.elder_id = c.enrolled_id AND n.item_id = c.item_id
        WHERE {_held_by_us("n")} AND NOT EXISTS (
            SELECT FROM subsidies_certificationdue o
            JOIN subsidies_certificationround r ON r.id = o.round_id
            JOIN subsidies_certificationround_items i ON i.certificationround_id = r.id
            WHERE o.elder_id = c.elder_id AND i.item_id = n.item_id AND o.certification_id IS NULL
              AND (o.suspended OR r.suspends_on <= %(today)s))""",
        parameters,
    )
    cursor.execute(f"""
        UPDATE subsidies_enrolment n SET state = '{EnrolmentState.RECEIVING}', suspended_from = NULL
        FROM resumed WHERE resumed.id = n.id""")
    _events(cursor, "resumed", EnrolmentAction.RESUME, ResumeReason.CERTIFIED)
    cursor.execute(
        "UPDATE subsidies_certificationdue d SET suspended = false FROM certified WHERE certified.due_id = d.id"
    )
    return _taken(cursor, "resumed", "certified")


def _suspend(cursor: CursorWrapper, mine: str, parameters: dict[str, Any]) -> tuple[int, set[int]]:
    """Suspend what the overdue draw, from the month of the round's suspension day on.

    An item 免申即享 without an enrolment gets a row to hold it back, if the newest month entitles the person.
    """
    cursor.execute(
        f"""
        CREATE TEMP TABLE overdue ON COMMIT DROP AS
        SELECT d.id AS due_id, d.elder_id, d.round_id, r.county_code,
               date_trunc('month', r.suspends_on)::date AS month
        FROM subsidies_certificationdue d JOIN subsidies_certificationround r ON r.id = d.round_id
        WHERE {mine} AND r.suspends_on <= %(today)s AND d.certification_id IS NULL AND NOT d.suspended
          AND NOT {_dead("d.elder_id", "x.valid @> %(today)s::date")}""",
        parameters,
    )
    _hold_elders(cursor, "overdue")
    cursor.execute(f"""
        CREATE TEMP TABLE held ON COMMIT DROP AS
        SELECT n.id, o.due_id, n.elder_id, greatest(o.month, n.first_month) AS month
        FROM ({_reached("overdue")}) o
        JOIN subsidies_enrolment n ON n.elder_id = o.enrolled_id AND n.item_id = o.item_id
        WHERE n.state = '{EnrolmentState.RECEIVING}' AND (n.last_month IS NULL OR n.last_month >= o.month)""")
    for county_code in _counties(cursor):
        _hold_automatic(cursor, county_code)
    cursor.execute("ANALYZE held")
    cursor.execute(f"""
        UPDATE subsidies_enrolment n SET state = '{EnrolmentState.SUSPENDED}', suspended_from = h.month
        FROM (SELECT id, min(month) AS month FROM held GROUP BY id) h WHERE h.id = n.id""")
    cursor.execute("""
        CREATE TEMP TABLE suspended ON COMMIT DROP AS
        SELECT id, min(elder_id) AS elder_id, min(month) AS month FROM held GROUP BY id""")
    _events(cursor, "suspended", EnrolmentAction.SUSPEND, StopReason.UNCERTIFIED)
    cursor.execute(f"""
        UPDATE subsidies_certificationdue d SET suspended = true
        FROM ({_reached("overdue")}) o
        JOIN subsidies_enrolment n ON n.elder_id = o.enrolled_id AND n.item_id = o.item_id
        WHERE o.due_id = d.id AND {_held_by_us("n")}""")
    cursor.execute(
        "UPDATE subsidies_certificationround SET suspended_at = now()"
        " WHERE suspended_at IS NULL AND id IN (SELECT round_id FROM overdue)"
    )
    return _taken(cursor, "suspended", "overdue", "held")


def _hold_automatic(cursor: CursorWrapper, county_code: str) -> None:
    """Make the rows for items 免申即享 that the overdue of a county draw without an enrolment."""
    cursor.execute(
        "SELECT month, revision FROM subsidies_month WHERE county_code = %s AND revision > 0"
        " ORDER BY month DESC LIMIT 1",
        [county_code],
    )
    newest = cursor.fetchone()
    if newest is None:
        return
    month, revision = newest
    outcomes = ", ".join(f"'{outcome}'" for outcome in ENTITLED)
    # one table after the other, each counted: the planner knows nothing of a WITH's rows and would pair all with all
    cursor.execute(
        f"""
        CREATE TEMP TABLE drawn ON COMMIT DROP AS
        SELECT o.due_id, o.elder_id, n.item_id, o.month
        FROM overdue o
        JOIN subsidies_certificationround_items i ON i.certificationround_id = o.round_id
        JOIN {partition_name("subsidies_entitlement", month)} n
          ON n.elder_id = o.elder_id AND n.item_id = i.item_id AND n.county_code = o.county_code
         AND n.rev_from <= %(revision)s AND (n.rev_to IS NULL OR n.rev_to > %(revision)s)
         AND n.outcome IN ({outcomes})
        JOIN catalog_itemversion v ON v.id = n.item_version_id AND v.application = '{Application.AUTOMATIC}'
        WHERE o.county_code = %(county)s AND NOT EXISTS (
            SELECT FROM subsidies_enrolment e WHERE e.elder_id = o.elder_id AND e.item_id = n.item_id)""",
        {"revision": revision, "county": county_code},
    )
    cursor.execute("ANALYZE drawn")
    cursor.execute(f"""
        INSERT INTO subsidies_enrolment (elder_id, item_id, first_month, state)
        SELECT elder_id, item_id, min(month), '{EnrolmentState.RECEIVING}' FROM drawn GROUP BY elder_id, item_id""")
    cursor.execute("""
        INSERT INTO held (id, due_id, elder_id, month)
        SELECT n.id, drawn.due_id, drawn.elder_id, drawn.month
        FROM drawn JOIN subsidies_enrolment n ON n.elder_id = drawn.elder_id AND n.item_id = drawn.item_id""")
    cursor.execute("DROP TABLE drawn")


def _reached(names: str) -> str:
    """SELECT (…, enrolled_id, item_id): whose enrolment counts for a name; of a household's item every member's."""
    return f"""
        SELECT names.*, i.item_id, mate.id AS enrolled_id
        FROM {names} names
        JOIN subsidies_certificationround_items i ON i.certificationround_id = names.round_id
        JOIN catalog_item item ON item.id = i.item_id
        JOIN eldercare_elder own ON own.id = names.elder_id
        JOIN eldercare_elder mate ON mate.household_key = own.household_key
         AND (mate.id = own.id OR item.subject = '{Subject.HOUSEHOLD}')"""


def _held_by_us(enrolment: str) -> str:
    """An enrolment that a round suspended and nobody has touched since."""
    return f"""({enrolment}.state = '{EnrolmentState.SUSPENDED}' AND EXISTS (
        SELECT FROM subsidies_enrolmentevent e
        WHERE e.id = (SELECT max(l.id) FROM subsidies_enrolmentevent l WHERE l.enrolment_id = {enrolment}.id)
          AND e.action = '{EnrolmentAction.SUSPEND}' AND e.reason = '{StopReason.UNCERTIFIED}'
          AND e.actor_id IS NULL))"""


def _hold_elders(cursor: CursorWrapper, names: str) -> None:
    """Lock the persons and those of their households in order, as every change of an enrolment does."""
    cursor.execute(f"ANALYZE {names}")
    cursor.execute(f"""
        SELECT count(*) FROM (
            SELECT e.id FROM eldercare_elder e
            WHERE e.household_key IN (
                SELECT own.household_key FROM eldercare_elder own JOIN {names} n ON n.elder_id = own.id)
            ORDER BY e.id FOR NO KEY UPDATE) locked""")


def _events(cursor: CursorWrapper, rows: str, action: str, reason: str) -> None:
    cursor.execute(
        f"""
        INSERT INTO subsidies_enrolmentevent (enrolment_id, action, reason, month, note, actor_id, at)
        SELECT id, %s, %s, month, '', NULL, now() FROM {rows} ORDER BY id""",
        [action, reason],
    )


def _counties(cursor: CursorWrapper) -> list[str]:
    cursor.execute("SELECT DISTINCT county_code FROM overdue ORDER BY 1")
    return [code for (code,) in cursor.fetchall()]


def _taken(cursor: CursorWrapper, rows: str, *spent: str) -> tuple[int, set[int]]:
    """How many enrolments changed and whose; the temporary tables go, so that a transaction may settle twice."""
    cursor.execute(f"SELECT elder_id FROM {rows}")
    elders = [elder for (elder,) in cursor.fetchall()]
    cursor.execute(f"DROP TABLE {', '.join([rows, *spent])}")
    return len(elders), set(elders)
