"""What the month decides, as SQL over frozen facts (design §2 steps 2–5).

Every builder takes plain values and returns text. `facts` names a relation with the columns of MonthlyFacts;
decisions are rows (elder_id, item_id, item_version_id, area_code, amount, outcome, winner_id).
"""

from collections.abc import Iterable
from datetime import date

from catalog.choices import Application, Start, Strategy, Subject, Track
from catalog.policy import Policy, PolicyExclusion, PolicyItem
from eldercare.vocabulary import COLUMNS
from rules import Node, to_sql
from subsidies.choices import EnrolmentState, Outcome

DECISION_COLUMNS = "elder_id, item_id, item_version_id, area_code, amount, outcome, winner_id"
DROPPED = {Strategy.HIGHEST: Outcome.NOT_HIGHEST, Strategy.FIRST: Outcome.NOT_FIRST}


def decided_items(policy: Policy) -> list[PolicyItem]:
    """Items with a row per elder."""
    return [i for i in policy.items if i.subject == Subject.PERSON and i.track == Track.PERSON]


def household_items(policy: Policy) -> list[PolicyItem]:
    """Items with a line per household."""
    return [i for i in policy.items if i.subject == Subject.HOUSEHOLD and i.track == Track.PERSON]


def counted_items(policy: Policy) -> list[PolicyItem]:
    """Items of which only the number of persons per village is kept."""
    return [
        i for i in policy.items if i.subject in {Subject.PERSON, Subject.HOUSEHOLD} and i.track == Track.COUNT
    ]


def condition_sql(node: Node, facts: str) -> str:
    """A rule or amount over the columns of the relation `facts`."""
    return to_sql(node, {name: f"{facts}.{column}" for name, column in COLUMNS.items()})


def amount_sql(item: PolicyItem, facts: str) -> str:
    """元 per month of the first matching tier, rounded once, half up, to 分; NULL if pending or not money."""
    if item.pending or not item.amounts:
        return "NULL::numeric"
    branches = [
        f"WHEN {condition_sql(condition, facts) if condition else 'true'} THEN {condition_sql(pay, facts)}"
        for condition, pay in item.amounts
    ]
    return f"round((CASE {' '.join(branches)} END)::numeric, 2)"


def eligible_select(item: PolicyItem, facts: str, columns: str, where: str = "true") -> str:
    """SELECT of one row per elder to whom the item's rule applies in the reading that its start asks for.

    次月: opening facts. 当月: closing facts if true there, else opening ones: a loss inside the month still pays.
    """
    rule = item_rule(item, facts)
    if item.start == Start.NEXT_MONTH:
        return f"SELECT {columns} FROM {facts} WHERE {facts}.opening AND ({rule}) AND {where}"
    return (
        f"SELECT DISTINCT ON ({facts}.elder_id) {columns} FROM {facts} WHERE ({rule}) AND {where}"
        f" ORDER BY {facts}.elder_id, {facts}.closing DESC"
    )


def item_rule(item: PolicyItem, facts: str) -> str:
    """The item's condition; an item without one applies to nobody."""
    return condition_sql(item.rule, facts) if item.rule is not None else "false"


def decisions_select(items: Iterable[PolicyItem], facts: str, enrolled: str) -> str:
    """SELECT of the decisions on personal items, gate included, exclusions not yet.

    enrolled: relation of `enrolled_select`.
    """
    parts = [
        eligible_select(
            item,
            facts,
            f"{facts}.elder_id, {item.item_id}::bigint AS item_id, {item.version_id}::bigint AS item_version_id,"
            f" {facts}.area_code, {amount_sql(item, facts)} AS amount, {_applied_for(item)} AS applied_for",
        )
        for item in items
    ]
    return f"""
        SELECT entitled.elder_id, entitled.item_id, entitled.item_version_id, entitled.area_code, entitled.amount,
               {gate_sql("entitled.applied_for")} AS outcome, NULL::bigint AS winner_id
        FROM ({_union(parts)}) entitled
        LEFT JOIN {enrolled} enrolled
               ON enrolled.elder_id = entitled.elder_id AND enrolled.item_id = entitled.item_id"""


def gate_sql(applied_for: str) -> str:
    """Outcome before exclusions (design §2 step 4): `gate.gate` in SQL.

    A suspended enrolment holds back; enrolments of which none pays the month exclude it; without any, 申请 is missing.
    """
    return (
        f"CASE WHEN enrolled.suspended THEN '{Outcome.SUSPENDED}'"
        f" WHEN coalesce(enrolled.receiving, NOT {applied_for}) THEN '{Outcome.DUE}'"
        f" ELSE '{Outcome.NOT_APPLIED}' END"
    )


def _applied_for(item: PolicyItem) -> str:
    return "false" if item.application == Application.AUTOMATIC else "true"


def enrolled_select(month: date) -> str:
    """SELECT (elder_id, item_id, receiving, suspended) of the enrolments that have begun by the month.

    The last month of an ended one is still paid, unless it was held back until the end; receiving is false where every
    one of them is over or held, so that who renounced an item 免申即享 does not draw it again by itself.
    """
    covers = (
        f"(last_month IS NULL OR last_month >= '{month}')"
        f" AND (state <> '{EnrolmentState.ENDED}' OR suspended_from IS NULL OR suspended_from > '{month}')"
    )
    held = f"state = '{EnrolmentState.SUSPENDED}' AND (suspended_from IS NULL OR suspended_from <= '{month}')"
    return f"""
        SELECT elder_id, item_id,
               bool_or({covers} AND NOT ({held})) AS receiving,
               bool_or({covers} AND {held}) AS suspended
        FROM subsidies_enrolment
        WHERE first_month <= '{month}'
        GROUP BY elder_id, item_id"""


def exclusion_update(group: PolicyExclusion, item_ids: dict[str, int], decisions: str) -> str:
    """UPDATE of a decisions table: of one elder's 应发 in the group one stays, the others name it (design §2 step 5).

    择高 keeps the largest amount, ties and unknown amounts by the group's order; 互斥 keeps the first in order.
    """
    places = ", ".join(
        f"({item_ids[code]}::bigint, {place})"
        for place, code in enumerate(group.item_codes)
        if code in item_ids
    )
    if not places:
        return ""
    order = "g.place" if group.strategy == Strategy.FIRST else "coalesce(d.amount, 0) DESC, g.place"
    return f"""
        UPDATE {decisions} AS target SET outcome = '{DROPPED[Strategy(group.strategy)]}', winner_id = ranked.winner_id
        FROM (
            SELECT d.elder_id, d.item_id, row_number() OVER w AS rank, first_value(d.item_id) OVER w AS winner_id
            FROM {decisions} d JOIN (VALUES {places}) AS g (item_id, place) ON g.item_id = d.item_id
            WHERE d.outcome = '{Outcome.DUE}'
            WINDOW w AS (PARTITION BY d.elder_id ORDER BY {order})
        ) ranked
        WHERE ranked.rank > 1 AND target.elder_id = ranked.elder_id AND target.item_id = ranked.item_id"""


def winners_update(decisions: str) -> str:
    """UPDATE that lets a dropped line name what is drawn in the end, where its winner was dropped by a later group."""
    return f"""
        UPDATE {decisions} AS target SET winner_id = beaten.winner_id
        FROM {decisions} beaten
        WHERE beaten.elder_id = target.elder_id AND beaten.item_id = target.winner_id
          AND beaten.winner_id IS NOT NULL"""


def household_select(item: PolicyItem, facts: str, where: str, enrolled: str) -> str:
    """SELECT of the decisions on a household item: one line per household, for its eldest eligible member.

    An enrolment of any member counts for the household.
    """
    rows = eligible_select(
        item,
        facts,
        f"{facts}.elder_id, {facts}.area_code, {facts}.birth_date, {amount_sql(item, facts)} AS amount",
        where,
    )
    return f"""
        SELECT entitled.elder_id, {item.item_id}::bigint AS item_id, {item.version_id}::bigint AS item_version_id,
               entitled.area_code, entitled.amount, {gate_sql(_applied_for(item))} AS outcome, NULL::bigint AS winner_id
        FROM (
            SELECT DISTINCT ON (e.household_key) rows.*, e.household_key
            FROM ({rows}) rows JOIN eldercare_elder e ON e.id = rows.elder_id
            ORDER BY e.household_key, rows.birth_date, rows.elder_id
        ) entitled
        LEFT JOIN (
            SELECT e.household_key, bool_or(n.receiving) AS receiving, bool_or(n.suspended) AS suspended
            FROM ({enrolled}) n JOIN eldercare_elder e ON e.id = n.elder_id
            WHERE n.item_id = {item.item_id} GROUP BY e.household_key
        ) enrolled ON enrolled.household_key = entitled.household_key"""


def counts_select(items: list[PolicyItem], rows: str) -> str:
    """SELECT (item_id, area_code, persons) of the counted items over facts rows (a SELECT); every elder counts once.

    Where an elder has two rows, a 当月 item takes the closing one, and the opening one if the closing does not count.
    """
    if not items:
        return "SELECT NULL::bigint AS item_id, NULL::varchar AS area_code, 0 AS persons WHERE false"
    closing_or_both = ", ".join(f"count(*) FILTER (WHERE {_counted(i, 'f')}) AS c{i.item_id}" for i in items)
    opening_left = ", ".join(f"count(*) FILTER (WHERE {_counted_before(i)}) AS c{i.item_id}" for i in items)
    values = ", ".join(f"({i.item_id}::bigint, totals.c{i.item_id})" for i in items)
    return f"""
        WITH f AS NOT MATERIALIZED ({rows})
        SELECT v.item_id, totals.area_code, sum(v.persons)::int AS persons
        FROM (
            SELECT f.area_code, {closing_or_both} FROM f GROUP BY f.area_code
            UNION ALL
            SELECT o.area_code, {opening_left}
            FROM f AS o LEFT JOIN f AS c ON c.elder_id = o.elder_id AND NOT c.opening
            WHERE NOT o.closing GROUP BY o.area_code
        ) totals
        CROSS JOIN LATERAL (VALUES {values}) AS v (item_id, persons)
        WHERE v.persons <> 0
        GROUP BY v.item_id, totals.area_code"""


def _counted(item: PolicyItem, facts: str) -> str:
    reading = "opening" if item.start == Start.NEXT_MONTH else "closing"
    return f"{facts}.{reading} AND ({item_rule(item, facts)})"


def _counted_before(item: PolicyItem) -> str:
    if item.start == Start.NEXT_MONTH:
        return "false"
    return f"({item_rule(item, 'o')}) AND (c.elder_id IS NOT NULL AND ({item_rule(item, 'c')})) IS NOT TRUE"


def _union(parts: list[str]) -> str:
    return " UNION ALL ".join(f"({part})" for part in parts)
