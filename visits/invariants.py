"""What must always be true of visits; each is one SQL statement that counts the offending rows."""

from typing import Final

from catalog.choices import RED_HOURS, VisitMode
from eldercare.choices import Kind
from visits.choices import EFFECTIVE, LOCKED, OPEN_FOLLOW_UP, FollowUpKind, FollowUpState, Result, Risk
from visits.months import township_sql
from visits.standing import standing

_STATES: Final = ", ".join(f"'{state}'" for state in LOCKED)
_EFFECTIVE: Final = ", ".join(f"'{result}'" for result in EFFECTIVE)
_OPEN: Final = ", ".join(f"'{state}'" for state in OPEN_FOLLOW_UP)
_TOWNSHIP: Final = township_sql("o.area_code", "o.county_code")
#: (month, county, township, obliged, visited) as the obligations have it.
_SUMS: Final = f"""
    SELECT o.month, o.county_code, {_TOWNSHIP} AS area_code,
           count(*) FILTER (WHERE o.exempt_from IS NULL) AS obliged, count(*) FILTER (WHERE o.met) AS visited
    FROM visits_obligation o GROUP BY 1, 2, 3"""
_TOTAL: Final = "s.body::jsonb #>> '{{total,{0}}}'"

VISITS: Final = {
    "已达标的必已访满应访次数": """
        SELECT count(*) FROM visits_obligation WHERE met AND done <> due""",
    "已达标人数不超过应访人数": """
        SELECT count(*) FROM (
            SELECT FROM visits_obligation GROUP BY month, county_code
            HAVING count(*) FILTER (WHERE met) > count(*) FILTER (WHERE exempt_from IS NULL)) more""",
    "每个探访任务属于一个村和一个镇（街），各村之和等于全县": f"""
        SELECT count(*) FROM visits_obligation o
        WHERE o.area_code !~ '^[0-9]{{12}}$' OR o.county_code !~ '^[0-9]{{6}}000000$'
           OR ({_TOWNSHIP}) IS NULL OR length({_TOWNSHIP}) <> 12""",
    "已提交的镇（街）探访数等于其任务之和": f"""
        SELECT count(*) FROM visits_visitmonth m
        LEFT JOIN ({_SUMS}) s USING (month, county_code, area_code)
        WHERE m.state IN ({_STATES})
          AND (m.obliged, m.visited) IS DISTINCT FROM (coalesce(s.obliged, 0), coalesce(s.visited, 0))""",
    "补录只出现在已提交的镇（街）": f"""
        SELECT count(*) FROM visits_obligation o
        WHERE (o.late_done > 0 OR o.late_met) AND NOT EXISTS (
            SELECT FROM visits_visitmonth m WHERE m.month = o.month AND m.county_code = o.county_code
            AND m.area_code = {_TOWNSHIP} AND m.state IN ({_STATES}))""",
    "补录后达标的原来未达标也未免访": """
        SELECT count(*) FROM visits_obligation
        WHERE late_met AND (met OR exempt_from IS NOT NULL) OR done + late_done > due""",
    "探访月报的提交人不是接收人": """
        SELECT count(*) FROM visits_visitmonth
        WHERE submitted_by_id = accepted_by_id
           OR (state = '进行中') <> (submitted_at IS NULL) OR (state = '已接收') <> (accepted_at IS NOT NULL)""",
    "探访率快照的校验值与内容一致": """
        SELECT count(*) FROM visits_ratesnapshot
        WHERE sha256 <> encode(sha256(convert_to(body, 'UTF8')), 'hex')""",
    "探访率快照等于各村、各镇（街）之和与已锁定的任务": f"""
        SELECT count(*) FROM visits_ratesnapshot s
        CROSS JOIN LATERAL (
            SELECT ({_TOTAL.format("obliged")})::int AS obliged, ({_TOTAL.format("visited")})::int AS visited
        ) total
        CROSS JOIN LATERAL (
            SELECT coalesce(sum((r ->> 'obliged')::int), 0) AS obliged,
                   coalesce(sum((r ->> 'visited')::int), 0) AS visited
            FROM jsonb_array_elements(s.body::jsonb -> 'rows') r
        ) villages
        CROSS JOIN LATERAL (
            SELECT coalesce(sum((r ->> 'obliged')::int), 0) AS obliged,
                   coalesce(sum((r ->> 'visited')::int), 0) AS visited
            FROM jsonb_array_elements(s.body::jsonb -> 'townships') r
        ) townships
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE o.exempt_from IS NULL) AS obliged,
                   count(*) FILTER (WHERE o.met) AS visited
            FROM visits_obligation o WHERE o.month = s.month AND o.county_code = s.county_code
        ) now
        WHERE (total.obliged, total.visited) <> (villages.obliged, villages.visited)
           OR (total.obliged, total.visited) <> (townships.obliged, townships.visited)
           OR (total.obliged, total.visited) <> (now.obliged, now.visited)""",
    "办结的跟进事项有办结的一步，状态与最后一步一致": f"""
        SELECT count(*) FROM visits_followup f
        LEFT JOIN LATERAL (
            SELECT state FROM visits_followupstep WHERE follow_up_id = f.id ORDER BY at DESC, id DESC LIMIT 1
        ) last ON true
        WHERE f.state <> coalesce(last.state, '{FollowUpState.WAITING}')""",
    "未办结的跟进事项都依据仍然有效的探访记录": f"""
        SELECT count(*) FROM visits_followup f JOIN visits_visit v ON v.id = f.visit_id
        WHERE f.state IN ({_OPEN}) AND NOT ({standing("v")})""",
    "探访报告去世的都有人核实，或已登记死亡": f"""
        SELECT count(*) FROM visits_visit v
        WHERE v.result = '{Result.DECEASED}' AND {standing("v")}
          AND NOT EXISTS (
            SELECT FROM visits_followup f WHERE f.elder_id = v.elder_id AND f.kind = '{FollowUpKind.DEATH}'
            AND (f.closed_at IS NULL OR f.closed_at >= v.recorded_at))
          AND NOT EXISTS (
            SELECT FROM visits_visit met WHERE met.elder_id = v.elder_id AND met.at > v.at
            AND met.mode = '{VisitMode.HOME}' AND met.result IN ({_EFFECTIVE}) AND {standing("met")})
          AND NOT EXISTS (
            SELECT FROM eldercare_circumstance c WHERE c.elder_id = v.elder_id AND c.kind = '{Kind.DEATH}')""",
    f"红色风险的办理时限不超过 {RED_HOURS} 小时": f"""
        SELECT count(*) FROM visits_followup f JOIN visits_visit v ON v.id = f.visit_id
        WHERE f.risk = '{Risk.RED}' AND f.due_at > v.at + interval '{RED_HOURS} hours'""",
    "有快照的月份每个有任务的镇（街）都已接收": f"""
        SELECT count(*) FROM visits_ratesnapshot s JOIN ({_SUMS}) o USING (month, county_code)
        WHERE NOT EXISTS (
            SELECT FROM visits_visitmonth m WHERE m.month = o.month AND m.county_code = o.county_code
            AND m.area_code = o.area_code AND m.state = '已接收')""",
}
