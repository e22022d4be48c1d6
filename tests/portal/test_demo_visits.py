"""Visits of the demonstration: from phones, with everything that can happen to them, and the same when done again."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import F, Model
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from organization.areas import township_code
from organization.choices import Role
from organization.models import Area
from portal.demo import visit_story
from portal.demo.accounts import person
from portal.demo.phones import picture_of
from portal.demo.visitors import ABSENT, caseloads_make, visitor
from tests.portal.demo import demo_county, demo_months
from visits.call_backs import draw_again
from visits.choices import CallBackResult, FollowUpKind, FollowUpState, MonthState, SignalKind
from visits.models import (
    CallBack,
    CallBackDraw,
    Caseload,
    Finding,
    FollowUp,
    FollowUpStep,
    Obligation,
    RateSnapshot,
    Signal,
    Visit,
    VisitMonth,
    VisitPhoto,
    VisitReturn,
)
from visits.photo_image import photo_read

SEED = 1
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _county(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """One county for the module, large enough that a township has something of everything."""
    with demo_county(django_db_blocker, tmp_path_factory.mktemp("demo"), elders=2_000, seed=SEED):
        yield


def _township() -> Area:
    return person(Role.TOWNSHIP_LEAD).assignments.get().area


def test_a_township_s_workers_send_from_their_phones() -> None:
    recorders = Visit.objects.filter(channel="手机").values_list("recorder__full_name", flat=True)
    assert len(set(recorders)) == 4
    places = Visit.objects.filter(channel="手机", mode="上门", result="见到本人", late=False)
    assert not places.filter(latitude=None).exists()


def test_every_signal_is_there() -> None:
    assert set(Signal.objects.values_list("kind", flat=True)) == set(SignalKind.values)


def test_drawn_pictures_are_stored_and_none_but_the_one_used_twice_is_shared() -> None:
    assert VisitPhoto.objects.count() > 5
    shared = Counter(VisitPhoto.objects.values_list("fingerprint", flat=True))
    assert sum(count > 1 for count in shared.values()) == 1


def test_a_picture_is_the_same_for_the_same_seed_alone() -> None:
    assert picture_of(5) == picture_of(5)
    assert len({photo_read(picture_of(seed))[1] for seed in range(20)}) == 20


def test_marks_of_every_kind_are_borne() -> None:
    phones = Visit.objects.filter(channel="手机")
    assert phones.filter(late=True).exists()
    assert phones.filter(handed_over=True).exists()
    assert phones.filter(clock_offset__gt=600).exists()
    assert phones.filter(corrects__isnull=False).exists()
    assert Finding.objects.values("code").distinct().count() >= 5


def test_records_are_returned_and_called_back_with_each_result() -> None:
    assert VisitReturn.objects.count() >= 2
    draw = CallBackDraw.objects.get()
    assert (draw.month, draw.area_code) == (demo_months()[-2], _township().code)
    assert set(draw.calls.values_list("result", flat=True)) >= {
        CallBackResult.REFUTED,
        CallBackResult.CONFIRMED,
        CallBackResult.UNREACHED,
    }
    assert draw_again(draw)


def test_nobody_returned_or_called_back_about_a_record_of_their_own() -> None:
    assert not VisitReturn.objects.filter(by=F("visit__recorder")).exists()
    assert not CallBack.objects.filter(called_by=F("visit__recorder")).exists()


def test_follow_ups_stand_in_every_state_and_a_death_waits() -> None:
    assert set(FollowUp.objects.values_list("state", flat=True)) >= {
        FollowUpState.WAITING,
        FollowUpState.WORKING,
        FollowUpState.DONE,
    }
    waiting = set(FollowUp.objects.filter(state=FollowUpState.WAITING).values_list("kind", flat=True))
    assert waiting >= {FollowUpKind.DEATH, FollowUpKind.HOME_VISIT}
    assert FollowUpStep.objects.filter(actor=person(Role.DEPARTMENT)).exists()


def test_past_months_are_frozen_and_one_township_waits_for_the_county() -> None:
    months = demo_months()
    assert set(RateSnapshot.objects.values_list("month", flat=True)) == set(months[:-2])
    waiting = VisitMonth.objects.get(state=MonthState.SUBMITTED)
    assert (waiting.month, waiting.area_code) == (months[-2], _township().code)


def test_an_absent_worker_s_people_are_nobody_s_and_another_has_several_villages() -> None:
    now = Obligation.objects.filter(month=demo_months()[-1], area_code__startswith=_township().code[:9])
    left = set(visitor(ABSENT).assignments.values_list("area_id", flat=True))
    unassigned = set(now.filter(assignee=None).values_list("area_code", flat=True))
    assert unassigned and unassigned <= left
    own = now.filter(assignee=person(Role.VILLAGE_WORKER))
    assert own.values("area_code").distinct().count() > 1
    assert Caseload.objects.filter(elder__isnull=False).exists()


def test_nobody_is_seen_in_the_future_or_in_a_township_not_his_own() -> None:
    assert not Visit.objects.filter(at__gt=timezone.now()).exists()
    codes = Visit.objects.filter(channel="手机").values_list("elder__residence_code", flat=True)
    assert {township_code(code) for code in codes} == {_township().code}


def test_a_step_done_again_changes_nothing() -> None:
    months, township = demo_months(), _township()
    before, now = _rows(), timezone.localtime()
    caseloads_make(township)
    visit_story.handed_over_make(months[-1], now, SEED)
    visit_story.returns_make(months[-1])
    visit_story.call_backs_make(township, months[-2], SEED)
    visit_story.follow_ups_make()
    visit_story.months_submit(months[:-1], township)
    visit_story.late_make(months[-2], now, SEED)
    assert _rows() == before


def _rows() -> list[list[dict[str, Any]]]:
    """Every row that a step of the visits writes, but for what a phone said last."""
    kept: tuple[type[Model], ...] = (
        Visit,
        VisitReturn,
        VisitMonth,
        Obligation,
        Signal,
        FollowUp,
        FollowUpStep,
        CallBack,
        CallBackDraw,
        Caseload,
    )
    return [list(model._default_manager.order_by("pk").values()) for model in kept]
