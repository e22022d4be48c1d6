"""What must always be true; each is one SQL statement that returns the offending rows (users.md §D2)."""

from dataclasses import dataclass

from django.db import connection

from operations.services.audit import audit_broken_links
from subsidies.money_invariants import MONEY
from visits.invariants import VISITS


@dataclass(frozen=True)
class Finding:
    """Result of one invariant: its sentence and how many rows break it."""

    name: str
    broken: int


# the server's session runs in UTC, where it is still yesterday until eight in the morning
TODAY = "(now() AT TIME ZONE 'Asia/Shanghai')::date"
COUNTS = {
    "每位老年人的当前户籍与居住区划等于今天有效的情形": f"""
        SELECT count(*) FROM eldercare_elder e
        LEFT JOIN eldercare_circumstance h ON h.elder_id = e.id AND h.kind = 'hukou' AND h.valid @> {TODAY}
        LEFT JOIN eldercare_circumstance r ON r.elder_id = e.id AND r.kind = 'residence' AND r.valid @> {TODAY}
        WHERE h.value IS NOT NULL
          AND (e.hukou_code <> h.value OR e.residence_code <> coalesce(r.value, h.value))""",
    "同一时期同类情形不重叠": """
        SELECT count(*) FROM eldercare_circumstance a JOIN eldercare_circumstance b
        ON a.elder_id = b.elder_id AND a.kind = b.kind AND a.id < b.id AND a.valid && b.valid""",
    "每人每月每种口径至多一行有效事实": """
        SELECT count(*) FROM (
            SELECT FROM eldercare_monthlyfacts WHERE rev_to IS NULL
            GROUP BY month, county_code, elder_id
            HAVING count(*) FILTER (WHERE opening) > 1 OR count(*) FILTER (WHERE closing) > 1) doubled""",
    "每人每月每项至多一条有效应享": """
        SELECT count(*) FROM (
            SELECT FROM subsidies_entitlement WHERE rev_to IS NULL
            GROUP BY month, county_code, elder_id, item_id HAVING count(*) > 1) doubled""",
    "应享的人都在当月核定人员之中": """
        SELECT count(*) FROM subsidies_entitlement n WHERE rev_to IS NULL AND NOT EXISTS (
            SELECT FROM eldercare_monthlyfacts f WHERE f.month = n.month AND f.county_code = n.county_code
            AND f.elder_id = n.elder_id AND f.rev_to IS NULL)""",
    "核定人数等于事实中的人数": """
        SELECT count(*) FROM subsidies_month m WHERE revision > 0 AND persons <> (
            SELECT count(DISTINCT elder_id) FROM eldercare_monthlyfacts f
            WHERE f.month = m.month AND f.county_code = m.county_code AND f.rev_from <= m.revision
            AND (f.rev_to IS NULL OR f.rev_to > m.revision))""",
    "未发的必有同月应发的去向": """
        SELECT count(*) FROM subsidies_entitlement n
        WHERE rev_to IS NULL AND outcome IN ('择高未发', '互斥未发') AND NOT EXISTS (
            SELECT FROM subsidies_entitlement w WHERE w.month = n.month AND w.county_code = n.county_code
            AND w.elder_id = n.elder_id AND w.item_id = n.winner_id AND w.rev_to IS NULL AND w.outcome = '应发')""",
    "应发金额不为负且至多两位小数": """
        SELECT count(*) FROM subsidies_entitlement WHERE amount < 0 OR amount <> round(amount, 2)""",
    "补发追缴与符号一致": """
        SELECT count(*) FROM subsidies_adjustment
        WHERE kind = '补发' AND amount <= 0 OR kind = '追缴' AND amount >= 0 OR kind NOT IN ('补发', '追缴')""",
    "计数项目人数不为负": """
        SELECT count(*) FROM (
            SELECT FROM subsidies_itemcount c JOIN subsidies_month m ON m.id = c.month_id
            WHERE c.revision <= m.revision GROUP BY c.month_id, c.item_id, c.area_code
            HAVING sum(c.persons) < 0) negative""",
    "每人每月至多一个探访任务且已访不超过应访": """
        SELECT count(*) FROM visits_obligation WHERE done > due""",
    "免访必有原因与日期": """
        SELECT count(*) FROM visits_obligation WHERE (exempt_from IS NULL) <> (exempt_reason = '')""",
    "没有超过两分钟无心跳的进行中任务": """
        SELECT count(*) FROM operations_job
        WHERE state = 'running' AND heartbeat_at < now() - interval '2 minutes'""",
}


def invariants_check() -> list[Finding]:
    """Check every invariant; a broken one counts its rows."""
    findings = []
    with connection.cursor() as cursor:
        for name, sql in (COUNTS | MONEY | VISITS).items():
            cursor.execute(sql)
            findings.append(Finding(name, int(cursor.fetchone()[0])))
    findings.append(Finding("审计链完整", len(audit_broken_links())))
    return findings
