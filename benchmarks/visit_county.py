"""A county in which everybody is to be visited: what the benchmarks of opening a month and of its rate run on."""

from typing import Any, Final

from django.db import connection, transaction

from benchmarks.county import AS_OF, MONTH, SEED
from catalog.pack import read_pack
from catalog.selectors import policy_get
from catalog.services.pack import pack_load
from eldercare.facts import FactsPolicy, month_last_day
from eldercare.services.monthly_facts import FRESH, facts_freeze, facts_store, partition_ensure, persons_take
from organization.choices import Role
from organization.models import Area, Assignment, User
from portal.demo.areas import COUNTY
from portal.demo.registry import registry_load_fast
from visits.models import Obligation
from visits.services.month import visit_months_open
from visits.services.obligation import obligations_open, obligations_refresh

LIST: Final = f"""
document: {{code: bench-visits, title: 性能对照清单, issued: 2023-01-01, area: "{COUNTY}"}}
visit_tiers:
- {{code: week, name: 每周探访, rule: "(独居 或 空巢) 且 年龄 >= 80", times: 1, per: 周, modes: [上门, 电话, 视频],
   in_person: 1, order: 1, clause: 第1项, from: 2023-01-01}}
- {{code: risk, name: 重点探访, rule: "独居 或 空巢 或 留守 或 残疾等级 <= 2", times: 2, per: 月,
   modes: [上门, 电话, 视频], order: 2, clause: 第1项, from: 2023-01-01}}
- {{code: month, name: 每月探访, rule: "年龄 >= 1", times: 1, per: 月, modes: [上门, 电话, 视频], order: 3,
   clause: 第1项, from: 2023-01-01}}
"""
#: Months of history beside the one that is looked at.
HISTORY: Final = 11
SCANNED: Final = "eldercare_elder, eldercare_circumstance, visits_obligation, visits_visit, visits_caseload"


def prepare(elders: int) -> dict[str, int]:
    """Registry, list, a worker in every village, a caseload in every second one and for one elder in fifty."""
    counts = registry_load_fast(elders, SEED, as_of=AS_OF)
    pack_load(pack=read_pack(LIST))
    Assignment.objects.create(user=User.objects.create_user("chief"), role=Role.BUREAU_CHIEF, area_id=COUNTY)
    villages = Area.objects.below(COUNTY).exclude(code__endswith="000").order_by("code")
    users = User.objects.bulk_create(
        [User(username=f"worker{n}", full_name=f"员{n}") for n in range(len(villages))]
    )
    Assignment.objects.bulk_create(
        [
            Assignment(user=user, role=Role.VILLAGE_WORKER, area=village)
            for user, village in zip(users, villages, strict=True)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute(f"""
            INSERT INTO visits_caseload (elder_id, area_code, worker_id, valid, reason, made_at)
            SELECT NULL, a.area_id, min(a.user_id), daterange('{AS_OF}', NULL), '', now()
            FROM organization_assignment a WHERE a.role = '{Role.VILLAGE_WORKER}'
            GROUP BY a.area_id HAVING min(a.user_id) % 2 = 0
            UNION ALL
            SELECT e.id, e.residence_code, (SELECT min(user_id) FROM organization_assignment),
                   daterange('{AS_OF}', NULL), '', now()
            FROM eldercare_elder e WHERE e.id % 50 = 0""")
        cursor.execute(f"VACUUM ANALYZE {SCANNED}")
    return counts | {"villages": len(users)}


def freeze() -> int:
    """Freeze the month's facts, as the month's run does before it opens the obligations."""
    policy = policy_get(county_code=COUNTY, day=month_last_day(MONTH))
    if policy is None:
        raise RuntimeError("no list is in force")
    with transaction.atomic(), connection.cursor() as cursor:
        partition_ensure(cursor, "eldercare_monthlyfacts", MONTH)
        persons = persons_take(cursor, townships=None, county_prefix=COUNTY[:6], since=None)
        if persons is None:
            raise RuntimeError("nobody lives in the county")
        reading = FactsPolicy(COUNTY, policy.valid_months, policy.age_from_next_day)
        facts_freeze(cursor, month=MONTH, policy=reading, persons=persons)
        facts_store(cursor, month=MONTH, county_code=COUNTY, revision=1, first=True)
        cursor.execute(f"SELECT count(*) FROM {FRESH} WHERE opening")
        return int(cursor.fetchone()[0])


def clear() -> None:
    """Forget the obligations."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE visits_obligation")


def open_month() -> dict[str, int]:
    """Open the month for everybody, who visits whom included, in one transaction."""
    policy = policy_get(county_code=COUNTY, day=month_last_day(MONTH))
    if policy is None:
        raise RuntimeError("no list is in force")
    visit_months_open(month=MONTH, county_code=COUNTY)
    with transaction.atomic(), connection.cursor() as cursor:
        facts = f"(SELECT * FROM eldercare_monthlyfacts WHERE month = '{MONTH}' AND rev_to IS NULL)"
        opened = obligations_open(cursor, month=MONTH, policy=policy, facts=facts)
    return {"opened": opened}


def refresh() -> int:
    """Count the whole month from nothing."""
    return obligations_refresh(month=MONTH, county_code=COUNTY)


def opened() -> list[list[Any]]:
    """Who is obliged in which tier and by whom visited, to be compared."""
    rows = Obligation.objects.filter(month=MONTH).order_by("elder_id")
    return [list(row) for row in rows.values_list("elder_id", "tier__code", "due", "assignee_id")]


def visit_people() -> dict[str, int]:
    """Visit most people this month, some never, some dead; give the months before as they would stand."""
    with connection.cursor() as cursor:
        cursor.execute(f"""
            INSERT INTO visits_visit (id, elder_id, at, mode, result, visitor, note, recorded_at)
            SELECT gen_random_uuid(), o.elder_id,
                   timestamptz '{MONTH} 09:00+08' + make_interval(days => ((o.elder_id * 7 + n * 7) % 28)::int),
                   CASE o.elder_id % 3 WHEN 0 THEN '电话' ELSE '上门' END, '见到本人', '员', '',
                   timestamptz '{MONTH} 18:00+08' + make_interval(days => ((o.elder_id * 7 + n * 7) % 28)::int)
            FROM visits_obligation o, generate_series(0, 4) n
            WHERE o.elder_id % 17 <> 0 AND n < o.due""")
        visits = cursor.rowcount
        cursor.execute(f"""
            INSERT INTO eldercare_circumstance (elder_id, kind, value, valid, source, document, version)
            SELECT o.elder_id, 'death', '是', daterange('{MONTH}'::date + 12, NULL), '', '', 0
            FROM visits_obligation o WHERE o.elder_id % 101 = 0 ON CONFLICT DO NOTHING""")
    refresh()
    with connection.cursor() as cursor:
        cursor.execute(f"""
            INSERT INTO visits_obligation (month, county_code, elder_id, tier_id, area_code, due, done, met,
                                           in_institution, exempt_from, exempt_reason, assignee_id)
            SELECT (o.month - make_interval(months => n))::date, o.county_code, o.elder_id, o.tier_id, o.area_code,
                   o.due, o.done, o.met, o.in_institution, NULL, '', o.assignee_id
            FROM visits_obligation o, generate_series(1, {HISTORY}) n WHERE o.month = '{MONTH}'""")
        cursor.execute(f"VACUUM ANALYZE {SCANNED}")
    return {"visits": int(visits), "obligations": Obligation.objects.filter(month=MONTH).count()}
