"""Months begin and end in Asia/Shanghai, whatever the zone of the server, its process and the phone's clock."""

import os
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone as django_timezone
from pytest_django.fixtures import Settings

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import VILLAGE_A1, TierMaker, open_month
from tests.visits.phones import record, send, shanghai
from visits.models import Obligation, Visit

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
ZONES = ("UTC", "America/New_York", "Pacific/Kiritimati", "Asia/Shanghai")


@pytest.fixture(params=ZONES)
def zone(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ZoneInfo]:
    """The zone of the process (TZ) and of the settings."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    settings.TIME_ZONE = request.param
    with django_timezone.override(request.param):
        yield ZoneInfo(request.param)
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def elder(tier: TierMaker) -> Elder:
    """An elder obliged in March and April."""
    tier()
    found = make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)
    open_month(MARCH)
    open_month(APRIL)
    return found


@pytest.fixture
def worker(elder: Elder) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


def met(elder: Elder) -> list[date]:
    """Months in which the elder was visited."""
    return list(
        Obligation.objects.filter(elder=elder, met=True).order_by("month").values_list("month", flat=True)
    )


@pytest.mark.parametrize(
    ("at", "month"),
    [
        ("2026-02-28 23:59:59", None),
        ("2026-03-01 00:00:00", MARCH),
        ("2026-03-31 23:59:59", MARCH),
        ("2026-04-01 00:00:00", APRIL),
        ("2026-04-30 23:59:59", APRIL),
    ],
)
def test_a_visit_belongs_to_the_month_in_shanghai(
    zone: ZoneInfo, worker: User, elder: Elder, at: str, month: date | None
) -> None:
    assert os.environ["TZ"] == zone.key
    send(worker, record(elder, worker, at), now=shanghai(at) + timedelta(days=1))
    assert met(elder) == ([month] if month else [])


@pytest.mark.parametrize("zone", ["UTC"], indirect=True)
@pytest.mark.parametrize("hours", [-11, 0, 14])
def test_the_zone_in_which_the_phone_writes_its_time_changes_nothing(
    zone: ZoneInfo, worker: User, elder: Elder, hours: int
) -> None:
    at = shanghai("2026-03-31 23:59:59").astimezone(timezone(timedelta(hours=hours)))
    send(worker, record(elder, worker, at), now=shanghai("2026-04-02 12:00:00"))
    assert met(elder) == [MARCH]


@pytest.mark.parametrize("zone", ["UTC"], indirect=True)
@pytest.mark.parametrize("ahead", [timedelta(days=days) for days in (-3, -2, -1, 1, 2, 3)])
def test_a_phone_days_off_credits_the_right_month_and_says_so(
    zone: ZoneInfo, worker: User, elder: Elder, ahead: timedelta
) -> None:
    true, now = shanghai("2026-03-31 23:30:00"), shanghai("2026-04-01 08:00:00")
    [answer] = send(worker, record(elder, worker, true + ahead), now=now, ahead=ahead)
    assert (answer.state, answer.marks) == ("stored", ["时钟偏差"])
    kept = Visit.objects.get()
    assert (kept.at, kept.device_at, kept.clock_offset) == (true, true + ahead, -ahead.total_seconds())
    assert met(elder) == [MARCH]


@pytest.mark.parametrize(
    ("ahead", "marks", "month"),
    [
        (timedelta(minutes=10), [], APRIL),
        (timedelta(minutes=10, seconds=1), ["时钟偏差"], MARCH),
        (timedelta(minutes=-10), [], MARCH),
    ],
)
def test_up_to_ten_minutes_the_phone_is_believed(
    worker: User, elder: Elder, ahead: timedelta, marks: list[str], month: date
) -> None:
    true = shanghai("2026-03-31 23:55:00")
    [answer] = send(
        worker, record(elder, worker, true + ahead), now=shanghai("2026-04-01 08:00:00"), ahead=ahead
    )
    assert answer.marks == marks
    assert met(elder) == [month]


def test_a_fast_phone_within_its_minutes_never_reaches_into_the_next_month(
    worker: User, elder: Elder
) -> None:
    now, ahead = shanghai("2026-03-31 23:58:00"), timedelta(minutes=5)
    send(worker, record(elder, worker, now + ahead), now=now, ahead=ahead)
    assert Visit.objects.get().at == now
    assert met(elder) == [MARCH]


def test_a_clock_put_right_between_visit_and_sync_leaves_no_visit_in_the_future(
    worker: User, elder: Elder
) -> None:
    now: datetime = shanghai("2026-03-31 12:00:00")
    [answer] = send(worker, record(elder, worker, now + timedelta(days=3)), now=now)
    assert (Visit.objects.get().at, answer.marks) == (now, ["时钟偏差"])
    assert met(elder) == [MARCH]
