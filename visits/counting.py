"""What has become of a month's obligations, as one SELECT over visits and registry (contract «Obligations»).

Days are days in Asia/Shanghai whatever the server's or the session's zone. Builders return SQL text; months
and kinds of circumstance stand in it as literals, the obligations to look at are a condition on `o`.
"""

from datetime import date, datetime, timedelta

from catalog.choices import Per, VisitMode
from eldercare.choices import Kind
from visits.choices import EFFECTIVE, INSTITUTIONS, ExemptReason
from visits.slots import counted_days, next_month, slot_count
from visits.standing import standing, stored_by

ZONE = "Asia/Shanghai"
DAY = timedelta(days=1)


def outcome_select(month: date, where: str, as_of: datetime | None = None) -> str:
    """SELECT (id, done, met, exempt_from, exempt_reason) of the month's obligations that satisfy `where`.

    as_of: by the visits, corrections and returns stored at that moment, and by the leavings of the imports taken in by
    then; of a leaving that no import brought the registry does not keep when it was told, so it always counts. done:
    distinct days with an effective visit, at most `times` per slot. Exempt: who left on a day on which
    the visits made so far did not yet suffice.
    """
    return f"""
        WITH mine AS MATERIALIZED ({_obligations(month, where)}
        ), gone AS MATERIALIZED ({_leaving(month, as_of)}
        ), visited AS ({_visited_days(month, as_of)}
        ), slots AS (
            SELECT v.id,
                   least(count(*), v.times) AS done,
                   least(count(*) FILTER (WHERE v.day <= gone.day), v.times) AS done_before,
                   count(*) FILTER (WHERE v.home) AS home,
                   count(*) FILTER (WHERE v.home AND v.day <= gone.day) AS home_before
            FROM visited v LEFT JOIN gone ON gone.id = v.id
            GROUP BY v.id, v.times, v.slot
        ), totals AS (
            SELECT id, sum(done) AS done, sum(done_before) AS done_before,
                   sum(home) AS home, sum(home_before) AS home_before
            FROM slots GROUP BY id
        ), judged AS (
            SELECT mine.id, coalesce(totals.done, 0)::smallint AS done,
                   {_enough("done", "home")} AS met, gone.day, gone.reason,
                   gone.day IS NOT NULL AND NOT {_enough("done_before", "home_before")} AS exempt
            FROM mine LEFT JOIN totals ON totals.id = mine.id LEFT JOIN gone ON gone.id = mine.id
        )
        SELECT id, done, met AND NOT exempt AS met,
               CASE WHEN exempt THEN day END AS exempt_from,
               CASE WHEN exempt THEN reason ELSE '' END AS exempt_reason
        FROM judged"""


def _obligations(month: date, where: str) -> str:
    """(id, elder_id, due, in_institution, times, per, modes, in_person, first_day, day_after).

    first_day, day_after: half-open range of the days that fill slots.
    """
    periods = {per: counted_days(month, per) for per in Per if slot_count(month, per)}
    first = " ".join(f"WHEN '{per}' THEN date '{days[0]}'" for per, days in periods.items())
    after = " ".join(f"WHEN '{per}' THEN date '{days[1]}'" for per, days in periods.items())
    return f"""
            SELECT o.id, o.elder_id, o.due, o.in_institution, t.times, t.per, t.modes, t.in_person,
                   CASE t.per {first} END AS first_day, CASE t.per {after} END AS day_after
            FROM visits_obligation o JOIN catalog_visittier t ON t.id = o.tier_id
            WHERE o.month = '{month}' AND {where}"""


def _enough(done: str, home: str) -> str:
    return f"(coalesce(totals.{done}, 0) = mine.due AND coalesce(totals.{home}, 0) >= mine.in_person)"


def _leaving(month: date, as_of: datetime | None) -> str:
    """(id, day, reason) of the first leaving inside the month, not before the 1st.

    Death and moving out count if they hold on any day of the month; an institution if it holds on a day after
    the 1st, since who lived in one on the 1st was there when the month was opened.
    """
    reasons = " ".join(f"WHEN '{kind}' THEN '{reason}'" for kind, reason in REASONS.items())
    places = ", ".join(f"'{kind}'" for kind in REASONS)
    institutions = ", ".join(f"'{name}'" for name in INSTITUTIONS)
    return f"""
            SELECT DISTINCT ON (mine.id) mine.id, greatest(lower(c.valid), date '{month}') AS day,
                   CASE c.kind {reasons} END AS reason
            FROM mine JOIN eldercare_circumstance c ON c.elder_id = mine.elder_id
            WHERE c.kind IN ({places}) AND c.valid && daterange('{month}', '{next_month(month)}')
              AND (c.kind <> '{Kind.INSTITUTION}'
                   OR c.value IN ({institutions}) AND NOT mine.in_institution
                      AND c.valid && daterange('{month + DAY}', '{next_month(month)}'))
              {_told_by(as_of)}
            ORDER BY mine.id, day, array_position(ARRAY[{places}]::text[], c.kind::text)"""


def _told_by(as_of: datetime | None) -> str:
    if as_of is None:
        return ""
    return (
        "AND NOT EXISTS (SELECT FROM eldercare_importbatch b WHERE b.id = c.batch_id"
        f" AND coalesce(b.committed_at > timestamptz '{as_of.isoformat()}', true))"
    )


def _visited_days(month: date, as_of: datetime | None) -> str:
    """(id, times, day, slot, home) of the days with an effective visit: fill a slot or count as in-person.

    A day outside the slots, such as one before the first Monday, has slot NULL and no room (times 0).
    """
    effective = ", ".join(f"'{result}'" for result in EFFECTIVE)
    after = next_month(month)
    inside = "v.day >= mine.first_day AND v.day < mine.day_after"
    return f"""
            SELECT mine.id, v.day, CASE WHEN {inside} THEN mine.times ELSE 0 END AS times,
                   CASE WHEN NOT ({inside}) THEN NULL
                        WHEN mine.per = '{Per.WEEK}' THEN (v.day - mine.first_day) / 7 ELSE 0 END AS slot,
                   bool_or(v.mode = '{VisitMode.HOME}' AND v.day >= '{month}' AND v.day < '{after}') AS home
            FROM mine JOIN (
                SELECT v.elder_id, v.mode, (v.at AT TIME ZONE '{ZONE}')::date AS day
                FROM visits_visit v
                WHERE v.at >= {_midnight(f"(SELECT least(min(first_day), '{month}') FROM mine)")}
                  AND v.at < {_midnight("(SELECT max(day_after) FROM mine)")}
                  AND v.result IN ({effective})
                  AND {standing("v", as_of)}{stored_by("v.recorded_at", as_of)}
            ) v ON v.elder_id = mine.elder_id AND v.mode = ANY (mine.modes)
            GROUP BY mine.id, mine.times, mine.per, mine.first_day, mine.day_after, v.day"""


def _midnight(day: str) -> str:
    """The moment at which a day (an expression) begins."""
    return f"{day}::timestamp AT TIME ZONE '{ZONE}'"


REASONS = {
    Kind.DEATH: ExemptReason.DEATH,
    Kind.MOVED_OUT: ExemptReason.MOVED_OUT,
    Kind.INSTITUTION: ExemptReason.INSTITUTION,
}
