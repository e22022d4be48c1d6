"""What `verify` says of follow-ups: nothing in good order, and each fault by its name."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import Document
from eldercare.models import Elder
from organization.choices import Role
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import COUNTY, VILLAGE_A1, visit
from visits.choices import OPEN_FOLLOW_UP, FollowUpKind, FollowUpState
from visits.invariants import VISITS
from visits.models import FollowUp, Visit
from visits.services.follow_up import follow_ups_refresh
from visits.services.follow_up_step import follow_up_close

pytestmark = pytest.mark.django_db
CLOSED = "办结的跟进事项有办结的一步，状态与最后一步一致"
GROUNDED = "未办结的跟进事项都依据仍然有效的探访记录"
HEARD = "探访报告去世的都有人核实，或已登记死亡"
RED = "红色风险的办理时限不超过 24 小时"
#: All of them; each is broken once below.
FOLLOW_UPS = (CLOSED, GROUNDED, HEARD, RED)


@pytest.fixture
def elder(county: Document) -> Elder:
    """An elder of 甲一村, reported dead, with the follow-up of that."""
    elder = make_elder(date(1942, 5, 17), hukou=VILLAGE_A1)
    visit(elder, "2026-03-02", result="已故")
    follow_ups_refresh(elder_ids=[elder.pk], now=timezone.now())
    return elder


def broken() -> set[str]:
    """Names of what does not hold."""
    with connection.cursor() as cursor:
        found = set()
        for name in FOLLOW_UPS:
            cursor.execute(VISITS[name])
            (count,) = cursor.fetchone()
            found |= {name} if count else set()
    return found


def test_in_good_order_nothing_is_broken(elder: Elder) -> None:
    assert broken() == set()


def a_correction(elder: Elder) -> None:
    """The record is corrected, and nothing follows."""
    visit(elder, "2026-03-03", corrects=Visit.objects.get().pk)


def another_report(elder: Elder) -> None:
    """A second elder is reported dead, and nothing follows."""
    visit(make_elder(date(1942, 5, 17), hukou=VILLAGE_A1), "2026-03-03", result="已故")


def closed_in_silence(elder: Elder) -> None:
    """The follow-up is closed without a step."""
    FollowUp.objects.update(state=FollowUpState.DROPPED, closed_at=timezone.now())


def another_report_after_it_was_closed(elder: Elder) -> None:
    """The follow-up is closed; a report of an earlier hour comes in since, and nothing follows."""
    row = FollowUp.objects.get()
    row.steps.create(state=FollowUpState.DROPPED, note="本人健在")
    FollowUp.objects.update(state=FollowUpState.DROPPED, closed_at=timezone.now())
    visit(elder, "2026-03-01", result="已故")


def red_with_much_time(elder: Elder) -> None:
    """A red matter with a second too long."""
    event = Visit.objects.get()
    FollowUp.objects.create(
        kind=FollowUpKind.RED_RISK,
        elder=elder,
        visit=event,
        area_code=VILLAGE_A1,
        risk="红",
        title="红色风险",
        due_at=event.at + timedelta(hours=24, seconds=1),
    )


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (a_correction, GROUNDED),
        (another_report, HEARD),
        (another_report_after_it_was_closed, HEARD),
        (closed_in_silence, CLOSED),
        (red_with_much_time, RED),
    ],
)
def test_each_fault_is_named(elder: Elder, harm: Callable[[Elder], None], named: str) -> None:
    harm(elder)
    assert broken() == {named}


@pytest.mark.parametrize("day", ["2026-03-01", "2026-03-03"])
def test_a_report_that_came_in_after_the_closing_is_heard(elder: Elder, day: str) -> None:
    clerk = make_user("clerk", Role.BUREAU_CLERK, COUNTY)
    row = FollowUp.objects.get()
    follow_up_close(follow_up_id=row.pk, state=FollowUpState.DROPPED, note="本人健在", seen=0, actor=clerk)
    again = visit(elder, day, result="已故")
    assert broken() == {HEARD}
    follow_ups_refresh(elder_ids=[elder.pk], now=timezone.now())
    second = FollowUp.objects.exclude(pk=row.pk).get()
    assert (second.visit_id, second.state, broken()) == (again.pk, FollowUpState.WAITING, set())
    follow_up_close(
        follow_up_id=second.pk, state=FollowUpState.DROPPED, note="本人仍健在", seen=0, actor=clerk
    )
    follow_ups_refresh(elder_ids=[elder.pk], now=timezone.now())
    assert not FollowUp.objects.filter(state__in=OPEN_FOLLOW_UP).exists() and broken() == set()


def test_a_report_that_a_meeting_at_home_refutes_needs_nobody(elder: Elder) -> None:
    visit(elder, "2026-03-04")
    follow_ups_refresh(elder_ids=[elder.pk], now=timezone.now())
    visit(elder, "2026-03-03", result="已故")
    follow_ups_refresh(elder_ids=[elder.pk], now=timezone.now())
    assert not FollowUp.objects.filter(state__in=OPEN_FOLLOW_UP).exists() and broken() == set()
