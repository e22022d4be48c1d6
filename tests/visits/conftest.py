"""What tests of visits share: a county with tiers, a month opened the way the month's run opens it."""

from collections.abc import Callable
from datetime import date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from catalog.models import Document, VisitTier
from catalog.selectors import policy_get
from eldercare.facts import FactsPolicy
from eldercare.models import Elder, MonthlyFacts
from eldercare.services.monthly_facts import FRESH, facts_freeze, facts_store, partition_ensure, persons_take
from organization.models import Area
from visits.models import Obligation, Visit
from visits.services.obligation import obligations_open, obligations_refresh
from visits.slots import next_month

COUNTY = "530322000000"
TOWN_A, TOWN_B = "530322101000", "530322102000"
VILLAGE_A1, VILLAGE_A2, VILLAGE_B1 = "530322101201", "530322101202", "530322102201"
MARCH = date(2026, 3, 1)  # Sunday; Mondays 2, 9, 16, 23, 30: five weeks, the last until 5 April
SHANGHAI = ZoneInfo("Asia/Shanghai")
ALWAYS = DateRange(date(2020, 1, 1), None)
ALL_MODES = ("上门", "电话", "视频", "智能设备")

TierMaker = Callable[..., VisitTier]


@pytest.fixture
def county(db: None) -> Document:
    """A county with two townships and three villages, and its list document without tiers."""
    for code, name, parent in (
        (COUNTY, "测试县", None),
        (TOWN_A, "甲镇", COUNTY),
        (TOWN_B, "乙镇", COUNTY),
        (VILLAGE_A1, "甲一村", TOWN_A),
        (VILLAGE_A2, "甲二村", TOWN_A),
        (VILLAGE_B1, "乙一村", TOWN_B),
    ):
        Area.objects.create(code=code, name=name, parent_id=parent)
    return Document.objects.create(code="test", title="测试清单", issued=date(2020, 1, 1), area_id=COUNTY)


@pytest.fixture
def tier(county: Document) -> TierMaker:
    """Make a visit tier; by default everyone's, once a month, any mode."""

    def make(
        code: str = "month", rule: str = "居住在本县", per: str = "月", times: int = 1, **more: object
    ) -> VisitTier:
        values: dict[str, object] = {
            "name": code,
            "modes": list(ALL_MODES),
            "order": 9,
            "valid": ALWAYS,
        } | more
        return VisitTier.objects.create(document=county, code=code, rule=rule, per=per, times=times, **values)

    return make


def open_month(month: date = MARCH) -> int:
    """Open the month's obligations of the county for everyone in the registry; return how many are new."""
    policy = policy_get(county_code=COUNTY, day=next_month(month))
    assert policy is not None
    facts = FactsPolicy(COUNTY, policy.valid_months, policy.age_from_next_day)
    opened = 0
    first = not MonthlyFacts.objects.filter(month=month).exists()
    with transaction.atomic(), connection.cursor() as cursor:
        partition_ensure(cursor, "eldercare_monthlyfacts", month)
        persons = persons_take(cursor, townships=None, county_prefix=COUNTY[:6], since=None)
        if persons is not None:
            facts_freeze(cursor, month=month, policy=facts, persons=persons)
            if first:
                facts_store(cursor, month=month, county_code=COUNTY, revision=1, first=True)
            opened = obligations_open(cursor, month=month, policy=policy, facts=FRESH)
    return opened


def refresh(month: date = MARCH, **more: list[int]) -> int:
    """Bring the month up to date; return how many rows changed."""
    return obligations_refresh(month=month, county_code=COUNTY, **more)


def visit(elder: Elder, at: str, mode: str = "上门", result: str = "见到本人", **more: object) -> Visit:
    """Record a visit at a local time «YYYY-MM-DD[ HH:MM[:SS]]»."""
    moment = datetime.fromisoformat(at if " " in at else f"{at} 10:00").replace(tzinfo=SHANGHAI)
    return Visit.objects.create(
        id=uuid4(), elder=elder, at=moment, mode=mode, result=result, visitor="测试员", **more
    )


def state(elder: Elder, month: date = MARCH) -> tuple[int, bool]:
    """(done, met) of the elder's obligation after a refresh."""
    refresh(month)
    row = Obligation.objects.get(elder=elder, month=month)
    return row.done, row.met


def exemption(elder: Elder, month: date = MARCH) -> tuple[date | None, str]:
    """(exempt_from, exempt_reason) of the elder's obligation after a refresh."""
    refresh(month)
    row = Obligation.objects.get(elder=elder, month=month)
    return row.exempt_from, row.exempt_reason
