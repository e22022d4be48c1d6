"""`verify` finds what must never be true of visits: each invariant has a row that breaks it, and only it."""

from datetime import date, datetime

import pytest
from django.db import connection
from django.utils import timezone

from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area
from subsidies.invariants import invariants_check
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import (
    COUNTY,
    MARCH,
    SHANGHAI,
    TOWN_A,
    TOWN_B,
    VILLAGE_A1,
    VILLAGE_B1,
    TierMaker,
    open_month,
    refresh,
    visit,
)
from tests.visits.test_follow_up_invariants import FOLLOW_UPS
from visits.invariants import VISITS
from visits.models import RateSnapshot
from visits.services.month import visit_month_accept, visit_month_submit

pytestmark = pytest.mark.django_db

#: What breaks each invariant; «{seen}» and «{missed}» are obligations of 甲镇.
BREAKS = {
    "已达标的必已访满应访次数": "UPDATE visits_obligation SET done = 0 WHERE met",
    "每个探访任务属于一个村和一个镇（街），各村之和等于全县": (
        "UPDATE visits_obligation SET area_code = '530322101' WHERE met"
    ),
    "已提交的镇（街）探访数等于其任务之和": "UPDATE visits_visitmonth SET visited = visited + 1",
    "补录只出现在已提交的镇（街）": (
        "UPDATE visits_visitmonth SET state = '进行中', submitted_at = NULL, accepted_at = NULL;"
        "UPDATE visits_obligation SET late_done = 1 WHERE NOT met"
    ),
    "补录后达标的原来未达标也未免访": "UPDATE visits_obligation SET late_met = true WHERE met",
    "探访月报的提交人不是接收人": "UPDATE visits_visitmonth SET accepted_by_id = submitted_by_id",
    "探访率快照的校验值与内容一致": "UPDATE visits_ratesnapshot SET sha256 = repeat('0', 64)",
    "探访率快照等于各村、各镇（街）之和与已锁定的任务": (
        "UPDATE visits_obligation SET met = true, done = due WHERE NOT met"
    ),
    "有快照的月份每个有任务的镇（街）都已接收": (
        f"UPDATE visits_visitmonth SET state = '已提交', accepted_at = NULL WHERE area_code = '{TOWN_A}'"
    ),
}
#: The database itself refuses an exempt obligation that is met, so that no row can break it.
UNBREAKABLE = {"已达标人数不超过应访人数"}


@pytest.fixture
def frozen(tier: TierMaker, county: Area, monkeypatch: pytest.MonkeyPatch) -> list[Elder]:
    """A frozen March: 甲镇 1/2, 乙镇 1/1."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 4, 2, 9, tzinfo=SHANGHAI))
    tier()
    found = [make_elder(date(1950, 5, 5), hukou=v) for v in (VILLAGE_A1, VILLAGE_A1, VILLAGE_B1)]
    open_month()
    for elder in (found[0], found[2]):
        visit(elder, "2026-03-10")
    refresh()
    clerk = make_user("county_clerk", Role.BUREAU_CLERK, COUNTY)
    for code in (TOWN_A, TOWN_B):
        lead = make_user(f"lead{code}", Role.TOWNSHIP_LEAD, code)
        visit_month_submit(month=MARCH, area_code=code, actor=lead, note="外出")
        visit_month_accept(month=MARCH, area_code=code, actor=clerk)
    return found


def broken() -> set[str]:
    return {finding.name for finding in invariants_check() if finding.broken}


def test_a_frozen_month_keeps_every_invariant(frozen: list[Elder]) -> None:
    assert RateSnapshot.objects.count() == 1
    assert broken() & set(VISITS) == set()


def test_late_visits_keep_every_invariant(frozen: list[Elder]) -> None:
    visit(frozen[1], "2026-03-20")
    refresh()
    assert broken() & set(VISITS) == set()


def test_every_invariant_has_a_row_that_breaks_it() -> None:
    assert set(BREAKS) | UNBREAKABLE | set(FOLLOW_UPS) == set(VISITS)


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_one_is_found(frozen: list[Elder], name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")  # past the triggers
        cursor.execute(BREAKS[name])
    assert name in broken()
