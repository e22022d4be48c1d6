"""The edges of a month are those of Shanghai, whatever zone the server, its session or the process runs in."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from eldercare.models import Elder
from tests.registry import make_elder
from tests.visits.conftest import COUNTY, TierMaker, open_month
from visits.models import Obligation, Visit
from visits.rate import Division, rate_lines, rate_whole
from visits.services.arrival import visits_arrived

pytestmark = pytest.mark.django_db
ZONES = ("UTC", "Asia/Shanghai", "America/New_York")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(params=ZONES)
def _zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Process and database session in another zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL TIME ZONE '{request.param}'")
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def moment(text: str, zone: str) -> datetime:
    """A local time of Shanghai, carried as a moment of another zone."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(ZoneInfo(zone))


def arrives(elder: Elder, at: datetime) -> None:
    row = Visit.objects.create(
        id=uuid4(), elder=elder, at=at, mode="上门", result="见到本人", visitor="测试员"
    )
    visits_arrived(visit_ids=[row.pk], now=datetime.now(UTC))


EDGES = [
    # per, month, moment in Shanghai, counts
    ("月", date(2026, 3, 1), "2026-03-31T23:59:59.999000", 1),
    ("月", date(2026, 3, 1), "2026-04-01T00:00:00", 0),
    ("月", date(2026, 3, 1), "2026-03-01T00:00:00", 1),
    ("月", date(2026, 3, 1), "2026-02-28T23:59:59.999000", 0),
    ("月", date(2028, 2, 1), "2028-02-29T23:59:59.999000", 1),
    ("月", date(2028, 2, 1), "2028-02-29T00:00:00", 1),
    ("月", date(2028, 3, 1), "2028-02-29T23:59:59.999000", 0),
    ("月", date(2026, 12, 1), "2026-12-31T23:59:59.999000", 1),
    ("月", date(2026, 12, 1), "2027-01-01T00:00:00", 0),
    # the week of Monday 30 March 2026 runs to Sunday 5 April and is March's
    ("周", date(2026, 3, 1), "2026-04-05T23:59:59.999000", 1),
    ("周", date(2026, 3, 1), "2026-04-06T00:00:00", 0),
    ("周", date(2026, 4, 1), "2026-04-05T23:59:59.999000", 0),
    ("周", date(2026, 4, 1), "2026-04-06T00:00:00", 1),
    ("周", date(2026, 3, 1), "2026-03-01T23:59:59.999000", 0),
    ("季", date(2026, 3, 1), "2026-01-01T00:00:00", 1),
    ("季", date(2026, 3, 1), "2025-12-31T23:59:59.999000", 0),
    ("季", date(2026, 3, 1), "2026-03-31T23:59:59.999000", 1),
    ("季", date(2026, 3, 1), "2026-04-01T00:00:00", 0),
]


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize(("per", "month", "at", "counts"), EDGES)
def test_a_visit_counts_in_the_month_of_shanghai(
    tier: TierMaker, per: str, month: date, at: str, counts: int
) -> None:
    tier(per=per)
    elder = make_elder(date(1950, 5, 5))
    open_month(month)
    arrives(elder, moment(at, os.environ["TZ"]))
    assert Obligation.objects.get(month=month).done == counts
    lines = rate_lines(
        obligations=Obligation.objects.filter(county_code=COUNTY),
        month=month,
        by=Division.AREA,
        as_of=datetime.now(UTC),
    )
    assert rate_whole(lines).met == (counts if per != "周" else 0)
