"""Two at once over the follow-ups of one elder: each race happens with the locks off, and not with them."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import Document
from eldercare.models import Elder
from operations.commands import Refused
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.registry import make_elder
from tests.visits.conftest import COUNTY, VILLAGE_A1, visit
from visits.choices import FollowUpKind, FollowUpState
from visits.models import FollowUp
from visits.querysets import FollowUpQuerySet
from visits.services import follow_up, follow_up_step
from visits.services.follow_up import follow_ups_refresh
from visits.services.follow_up_step import follow_up_close

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elder(county: Document) -> Elder:
    """An elder of 甲一村."""
    return make_elder(date(1942, 5, 17), hukou=VILLAGE_A1)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take the locks away."""

    def take_away() -> None:
        for module in (follow_up, follow_up_step):
            monkeypatch.setattr(module, "follow_ups_hold", lambda elder_ids: None)
        monkeypatch.setattr(FollowUpQuerySet, "select_for_update", lambda rows, **options: rows)

    return take_away


def two_phones(elder: Elder) -> None:
    """Two workers did not reach the elder; their records come in at the same moment."""

    def arrive(day: str) -> None:
        with transaction.atomic():
            visit(elder, day, mode="电话", result="未联系上")
            follow_ups_refresh(elder_ids=[elder.pk], now=timezone.now())

    assert raised(at_once(lambda: arrive("2026-03-02"), lambda: arrive("2026-03-03"))) == []


def test_without_the_lock_two_phones_at_once_leave_nobody_to_go_there(
    elder: Elder, unlocked: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked()
    monkeypatch.setattr(follow_up, "_events", met_after(follow_up._events, SURELY))
    two_phones(elder)
    assert not FollowUp.objects.exists()


def test_two_phones_at_once_raise_one_visit_at_home(elder: Elder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_up, "_events", met_after(follow_up._events, IN_VAIN))
    two_phones(elder)
    assert FollowUp.objects.get().kind == FollowUpKind.HOME_VISIT


def both_close(elder: Elder) -> list[Any]:
    """Two workers close one matter at the same moment."""
    row = FollowUp.objects.create(
        kind=FollowUpKind.HOME_VISIT,
        elder=elder,
        visit=visit(elder, "2026-03-02"),
        area_code=VILLAGE_A1,
        title="上门核实",
        due_at=timezone.now() + timedelta(days=1),
    )
    users = [make_user(f"worker{number}", Role.VILLAGE_WORKER, VILLAGE_A1) for number in range(2)]

    def close(user: User) -> object:
        return follow_up_close(
            follow_up_id=row.pk, state=FollowUpState.DONE, note="已上门，在家", seen=0, actor=user
        )

    return at_once(lambda: close(users[0]), lambda: close(users[1]))


def test_without_the_lock_both_close_it(
    elder: Elder, unlocked: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked()
    monkeypatch.setattr(follow_up_step, "_taken_already", met_after(follow_up_step._taken_already, SURELY))
    assert raised(both_close(elder)) == []
    assert FollowUp.objects.get().steps.count() == 2


def test_of_two_who_close_it_one_is_told_of_the_other(elder: Elder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_up_step, "_taken_already", met_after(follow_up_step._taken_already, IN_VAIN))
    (refusal,) = raised(both_close(elder))
    assert isinstance(refusal, Refused) and "已作“已办结”" in str(refusal)
    assert FollowUp.objects.get().steps.count() == 1


def test_a_record_that_comes_in_while_somebody_takes_the_matter_does_not_undo_that(
    elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(elder, "2026-03-02", mode="电话", result="未联系上")
    visit(elder, "2026-03-04", mode="电话", result="未联系上")
    follow_ups_refresh(elder_ids=[elder.pk], now=timezone.now())
    row = FollowUp.objects.get()
    worker = make_user("worker", Role.VILLAGE_WORKER, COUNTY)
    monkeypatch.setattr(follow_up, "_rows", met_after(follow_up._rows, IN_VAIN))

    def arrive() -> None:
        with transaction.atomic():
            visit(elder, "2026-03-03", mode="电话", result="未联系上")
            follow_ups_refresh(elder_ids=[elder.pk], now=timezone.now())

    def take() -> int:
        return follow_up_step.follow_ups_accept(follow_up_ids=[row.pk], actor=worker)

    assert raised(at_once(arrive, take)) == []
    row.refresh_from_db()
    assert (row.state, row.visit.at.day) == (FollowUpState.WORKING, 3)
