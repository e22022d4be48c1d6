"""Opening a month's obligations and keeping them in step with visits and registry."""

from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from catalog.choices import Per
from catalog.policy import Policy, PolicyTier
from eldercare.models import MonthlyFacts
from eldercare.vocabulary import COLUMNS
from operations.commands import Refused
from rules import to_sql
from visits.caseloads import ASSIGNEE, assignee_joins, caseload_day
from visits.choices import INSTITUTIONS, LOCKED
from visits.counting import outcome_select
from visits.models import Obligation, RateSnapshot
from visits.months import locked_townships, months_hold, months_hold_alone, township_sql
from visits.slots import slot_count


def obligations_open(cursor: CursorWrapper, *, month: date, policy: Policy, facts: str) -> int:
    """Open the month's obligations for the elders of `facts`; return how many are new.

    facts: relation with the columns of MonthlyFacts without month and county. The first tier by order whose
    rule is true of the opening facts wins; who died or moved out on the 1st has none. Rows that exist stay as
    they are; a township that has submitted gets no new ones, and a county whose figure of the month is frozen gets
    none anywhere. Runs inside the caller's transaction; what was visited comes from `obligations_refresh`.
    """
    tiers = sorted(policy.tiers, key=lambda tier: (tier.order, tier.code, tier.tier_id))
    dues = [(place, tier.tier_id, _due(tier, month)) for place, tier in enumerate(tiers)]
    values = ", ".join(f"({place}, {tier_id}::bigint, {due})" for place, tier_id, due in dues if due)
    if not values:
        return 0
    columns = {name: f"f.{column}" for name, column in COLUMNS.items()}
    # A tier with nothing due this month still wins: its elders are not handed down to the next one.
    rules = [to_sql(tier.rule, columns).replace("%", "%%") for tier in tiers]
    winner = " ".join(f"WHEN {rule} THEN {place}" for place, rule in enumerate(rules))
    institutions = ", ".join(f"'{name}'" for name in INSTITUTIONS)
    locked = _locked_while_opening(cursor, month, policy.county_code)
    # Read after the lock: the figure is frozen in the step that accepts one of the townships just locked.
    if RateSnapshot.objects.filter(month=month, county_code=policy.county_code).exists():
        return 0
    # The planner cannot tell how many elders a rule finds, takes them for few and looks each one's visitor up.
    cursor.execute("SET LOCAL enable_nestloop = off")
    cursor.execute(
        f"""
        INSERT INTO visits_obligation (month, county_code, elder_id, tier_id, area_code, due, done, met,
                                       in_institution, exempt_reason, assignee_id)
        SELECT '{month}', '{policy.county_code}', obliged.elder_id, t.tier_id, obliged.residence_code,
               t.due, 0, false, obliged.institution IN ({institutions}), '',
               {ASSIGNEE}
        FROM (
            SELECT f.elder_id, coalesce(f.residence_code, f.area_code) AS residence_code, f.institution,
                   CASE {winner} END AS place
            FROM {facts} f
            WHERE f.opening AND f.death_date IS NULL AND f.moved_out_date IS NULL
        ) obliged
        JOIN (VALUES {values}) AS t (place, tier_id, due) ON t.place = obliged.place
        {assignee_joins("obliged.elder_id", "obliged.residence_code")}
        WHERE NOT ({township_sql("obliged.residence_code", f"'{policy.county_code}'")}) = ANY (%(locked)s)
        ON CONFLICT (elder_id, month, county_code) DO NOTHING""",
        {"locked": locked, "day": caseload_day(month)},
    )
    opened = int(cursor.rowcount)
    cursor.execute("SET LOCAL enable_nestloop = on")
    return opened


def _locked_while_opening(cursor: CursorWrapper, month: date, county_code: str) -> list[str]:
    """Townships that have submitted; none can submit before the transaction ends.

    The month's run reads an older snapshot: where a township has submitted since, the lock on its row fails, and with
    it the transaction, so that the run has to be repeated.
    """
    cursor.execute(
        "SELECT area_code, state FROM visits_visitmonth WHERE month = %s AND county_code = %s FOR SHARE",
        [month, county_code],
    )
    return [area_code for area_code, state in cursor.fetchall() if state in LOCKED]


def obligations_refresh(*, month: date, county_code: str, elder_ids: list[int] | None = None) -> int:
    """Bring done, met and exemption in line with visits and registry; return how many rows changed.

    elder_ids: only these elders; None: the county's whole month. Recomputed from nothing: a retracted death
    counts again. Where the township has submitted its month only late_done and late_met move. Needs READ COMMITTED:
    refreshes of some elders wait for one another row by row in the order of elders, one of a whole county waits for
    all; each counts in a statement of its own, so that it sees what was written by whoever it waited for.
    """
    given: dict[str, Any] = {"county": county_code, "elders": elder_ids}
    where = "o.county_code = %(county)s"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        if elder_ids is None:
            months_hold_alone()
            # A month opened a moment ago looks nearly empty to the planner; whole tables are never read row by row.
            cursor.execute("SET LOCAL enable_nestloop = off")
        else:
            where += " AND o.elder_id = ANY (%(elders)s)"
            months_hold()
            _rows_lock(cursor, month, where, given)
        changed = _recount(cursor, month, where, given)
        cursor.execute("SET LOCAL enable_nestloop = on")
        return changed


def _recount(cursor: CursorWrapper, month: date, where: str, given: dict[str, Any]) -> int:
    """Count where the month is open, and beside the figure where it is locked."""
    locked = sorted(township for _, township in locked_townships([month]))
    if not locked:
        return _count(cursor, month, where, given)
    inside = f"({township_sql('o.area_code', 'o.county_code')}) = ANY (%(locked)s)"
    given = given | {"locked": locked}
    return _count(cursor, month, f"{where} AND NOT {inside}", given) + _count_late(
        cursor, month, f"{where} AND {inside}", given
    )


def _rows_lock(cursor: CursorWrapper, month: date, where: str, given: dict[str, Any]) -> None:
    cursor.execute(
        f"SELECT FROM visits_obligation o WHERE o.month = '{month}' AND {where} ORDER BY o.elder_id FOR NO KEY UPDATE",
        given,
    )


def _count(cursor: CursorWrapper, month: date, where: str, given: dict[str, Any]) -> int:
    """Write what has become of the obligations; nothing of them is late."""
    cursor.execute(
        f"""UPDATE visits_obligation AS target
        SET done = fresh.done, met = fresh.met, late_done = 0, late_met = false,
            exempt_from = fresh.exempt_from, exempt_reason = fresh.exempt_reason
        FROM ({outcome_select(month, where)}) fresh
        WHERE target.id = fresh.id
          AND (target.done, target.met, target.late_done, target.late_met,
               target.exempt_from, target.exempt_reason)
              IS DISTINCT FROM
              (fresh.done, fresh.met, 0, false, fresh.exempt_from, fresh.exempt_reason)""",
        given,
    )
    return int(cursor.rowcount)


def _count_late(cursor: CursorWrapper, month: date, where: str, given: dict[str, Any]) -> int:
    """Write beside the locked figure what visits that came in later would have added to it."""
    cursor.execute(
        f"""UPDATE visits_obligation AS target
        SET late_done = late.done, late_met = late.met
        FROM (
            SELECT fresh.id, greatest(fresh.done - o.done, 0) AS done,
                   fresh.met AND NOT o.met AND o.exempt_from IS NULL AS met
            FROM ({outcome_select(month, where)}) fresh JOIN visits_obligation o ON o.id = fresh.id
        ) late
        WHERE target.id = late.id
          AND (target.late_done, target.late_met) IS DISTINCT FROM (late.done, late.met)""",
        given,
    )
    return int(cursor.rowcount)


def month_refresh(*, month: date) -> None:
    """Bring a month of every county in line, as reports want it. Refused if the month was never opened."""
    if not MonthlyFacts.objects.filter(month=month).exists():
        raise Refused(f"{month:%Y年%m月}还没有核定，没有探访任务；请先运行 run_month {month:%Y-%m}")
    rows = Obligation.objects.filter(month=month).order_by()
    for county_code in sorted(set(rows.values_list("county_code", flat=True).distinct())):
        obligations_refresh(month=month, county_code=county_code)


def _due(tier: PolicyTier, month: date) -> int:
    return tier.times * slot_count(month, Per(tier.per))
