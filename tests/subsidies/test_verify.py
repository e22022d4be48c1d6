"""verify: every invariant broken on purpose once, found by its name; the command ends with exit code 1."""

import json
from datetime import date

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from eldercare.choices import Kind
from operations.models import Job
from operations.services.audit import audit_record
from subsidies.invariants import invariants_check
from subsidies.money_invariants import MONEY
from tests.registry import add, make_elder
from tests.subsidies.county import item, publish_list, run
from visits.invariants import VISITS

pytestmark = pytest.mark.django_db(transaction=True)
MAY, JUNE = date(2024, 5, 1), date(2024, 6, 1)
FACTS, DUE = "eldercare_monthlyfacts", "subsidies_entitlement"
WINNER = f"SELECT winner_id FROM {DUE} WHERE winner_id IS NOT NULL LIMIT 1"
#: invariant → what breaks it
BREAKS = {
    "每位老年人的当前户籍与居住区划等于今天有效的情形": "UPDATE eldercare_elder SET hukou_code = '530322102201'",
    "每人每月每种口径至多一行有效事实": f"INSERT INTO {FACTS} SELECT * FROM {FACTS} LIMIT 1",
    "每人每月每项至多一条有效应享": f"INSERT INTO {DUE} SELECT * FROM {DUE} LIMIT 1",
    "应享的人都在当月核定人员之中": f"DELETE FROM {FACTS}",
    "核定人数等于事实中的人数": "UPDATE subsidies_month SET persons = persons + 1",
    "未发的必有同月应发的去向": f"UPDATE {DUE} SET outcome = '暂停' WHERE item_id = ({WINNER}) AND winner_id IS NULL",
    "应发金额不为负且至多两位小数": f"UPDATE {DUE} SET amount = -1",
    "补发追缴与符号一致": "UPDATE subsidies_adjustment SET amount = -amount",
    "计数项目人数不为负": "UPDATE subsidies_itemcount SET persons = -1",
    "每人每月至多一个探访任务且已访不超过应访": "UPDATE visits_obligation SET done = due + 1",
    "没有超过两分钟无心跳的进行中任务": "UPDATE operations_job SET heartbeat_at = now() - interval '121 seconds'",
}
#: invariants that the database itself refuses to break
HELD = {
    "同一时期同类情形不重叠": "UPDATE eldercare_circumstance SET kind = 'low_income_allowance'",
    "免访必有原因与日期": "UPDATE visits_obligation SET exempt_reason = '住院'",
}
CHAIN = "审计链完整"


@pytest.fixture
def county(db: None) -> None:
    """Two decided months with an exclusion, a due line, a counted item, an obligation and a running job."""
    tier = {
        "code": "month",
        "name": "每月探访",
        "rule": "独居",
        "times": 1,
        "per": "月",
        "modes": ["上门"],
        "order": 1,
    }
    publish_list(
        item("AGE", "年龄 >= 80"),
        item("CARE", "残疾等级 = 1", amount=30),
        item("BUS", "年龄 >= 60", track="计数", form="服务", amount=None),
        exclusions=[{"code": "one", "strategy": "择高", "items": ["AGE", "CARE"], "from": date(2023, 1, 1)}],
        visit_tiers=[tier | {"from": date(2023, 1, 1)}],
    )
    make_elder(date(1940, 1, 1), disability_level=1, lives_alone=True)
    late = make_elder(date(1950, 1, 1), low_income_allowance=True)
    run(MAY)
    add(late, Kind.DISABILITY_LEVEL, "1", date(2024, 1, 1))
    run(JUNE)
    Job.objects.create(kind="test", title="测试", state=Job.State.RUNNING, heartbeat_at=timezone.now())
    audit_record(action="测试", subject="测试")


def broken() -> set[str]:
    return {finding.name for finding in invariants_check() if finding.broken}


def broken_by(statement: str) -> set[str]:
    """Invariants that a statement breaks, which is then taken back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        found = broken()
        transaction.set_rollback(True)
    return found


def test_a_decided_county_breaks_none_and_each_broken_one_is_found(county: None) -> None:
    assert broken() == set()
    missed = [name for name, statement in BREAKS.items() if name not in broken_by(statement)]
    assert missed == []
    assert broken() == set()


@pytest.mark.parametrize("name", HELD)
def test_what_the_database_holds_itself_cannot_be_broken(county: None, name: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(HELD[name])


def test_every_invariant_is_covered_here(county: None) -> None:
    # money: test_money_invariants; visits: tests/visits
    covered = BREAKS.keys() | HELD.keys() | {CHAIN} | MONEY.keys() | VISITS.keys()
    assert {finding.name for finding in invariants_check()} == covered


def test_the_command_prints_a_line_for_each_and_ends_with_exit_code_1_if_one_is_broken(
    county: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify")
    whole = capsys.readouterr()
    assert json.loads(whole.out.splitlines()[-1]) == {"invariants": len(invariants_check()), "broken": {}}
    assert len(whole.err.splitlines()) == len(invariants_check())
    name = "核定人数等于事实中的人数"
    with connection.cursor() as cursor:
        cursor.execute(BREAKS[name])
    with pytest.raises(SystemExit) as ended:
        call_command("verify")
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert json.loads(said.out.splitlines()[-1])["broken"] == {name: 2}
    assert f"✗ {name}：2 处不符" in said.err
