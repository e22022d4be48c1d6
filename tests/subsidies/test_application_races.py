"""Two persons at one application, enrolment or certification at once; each race is first won with the lock off."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from catalog.models import Item
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Permission, Role
from organization.models import Area, User
from subsidies.models import Application, CertificationDue, CertificationRound, Enrolment
from subsidies.refusals import MoneyRefusedError
from subsidies.services import application as application_service
from subsidies.services import certification as certification_service
from subsidies.services import certification_settling as settling
from subsidies.services import enrolment_change
from subsidies.services.application import application_approve, application_check, application_make
from subsidies.services.certification import certification_record, certifications_refresh
from subsidies.services.enrolment_change import enrolment_stop, enrolment_suspend
from subsidies.services.enrolment_guard import refuse_enrolled
from tests.conftest import COUNTY, TOWN_A, VILLAGE_A, make_user
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.registry import make_elder
from tests.subsidies.applicants import Staff, apply, make_staff, terms
from tests.subsidies.county import enrol, item, publish_list

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = timezone.localdate()
DAY = timedelta(days=1)


@pytest.fixture
def staff(county: Area) -> Staff:
    """An item to apply for with a notice, one by itself, and three persons."""
    publish_list(item("ASK", "年龄 >= 80", application="申请"), item("AUTO", "年龄 >= 80", number=2))
    terms("ASK", notice_days=7)
    return make_staff()


@pytest.fixture
def elder(county: Area) -> Elder:
    return make_elder(date(1940, 1, 1), hukou=VILLAGE_A)


def one_refused(results: list[Any]) -> bool:
    """One step went through and the other was told so in a sentence."""
    return [type(error) for error in raised(results)] == [MoneyRefusedError]


def unlocked(application_id: int) -> Application:
    return Application.objects.select_related("elder", "item__document").get(pk=application_id)


def unlocked_elder(elder: Elder, actor: User, permission: Permission) -> Elder:
    return Elder.objects.get(pk=elder.pk)


def test_without_the_lock_two_approvers_both_approve(
    staff: Staff, elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert raised(_approve_with(monkeypatch, met_after(unlocked, SURELY), staff, elder)) == []
    assert AuditEntry.objects.filter(action="审批申请").count() == 2


def test_of_two_approvers_one_approves_and_the_other_is_told(
    staff: Staff, elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = met_after(application_service._held, IN_VAIN)
    assert one_refused(_approve_with(monkeypatch, held, staff, elder))
    assert AuditEntry.objects.filter(action="审批申请").count() == 1


def _approve_with(
    monkeypatch: pytest.MonkeyPatch, held: Callable[[int], Application], staff: Staff, elder: Elder
) -> list[Any]:
    """Two approvals that read the application so; the check before them reads as ever."""
    made = apply(elder, "ASK", staff)
    application_check(application_id=made.pk, actor=staff.lead)
    second = make_user("app_chief_two", Role.BUREAU_CHIEF, COUNTY)
    monkeypatch.setattr(application_service, "_held", held)
    return at_once(
        lambda: application_approve(application_id=made.pk, actor=staff.chief),
        lambda: application_approve(application_id=made.pk, actor=second),
    )


def _apply_twice(monkeypatch: pytest.MonkeyPatch, wait: float, staff: Staff, elder: Elder) -> list[Any]:
    """Two hand-ins that meet once each has found neither an application nor an enrolment."""
    second = make_user("app_clerk_two", Role.TOWNSHIP_CLERK, TOWN_A)
    ask = Item.objects.get(code="ASK")
    monkeypatch.setattr(application_service, "refuse_enrolled", met_after(refuse_enrolled, wait))
    return at_once(
        lambda: application_make(elder=elder, item=ask, channel="本人", actor=staff.clerk),
        lambda: application_make(elder=elder, item=ask, channel="本人", actor=second),
    )


def test_without_the_lock_two_clerks_hand_in_the_same_and_the_database_stops_one(
    staff: Staff, elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application_service, "elder_held", unlocked_elder)
    results = _apply_twice(monkeypatch, SURELY, staff, elder)
    assert [type(error) for error in raised(results)] == [IntegrityError]


def test_of_two_clerks_one_hands_in_and_the_other_is_told(
    staff: Staff, elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert one_refused(_apply_twice(monkeypatch, IN_VAIN, staff, elder))
    assert Application.objects.count() == 1


def _change_twice(monkeypatch: pytest.MonkeyPatch, wait: float, elder: Elder) -> list[Any]:
    """A suspension and a stop that meet once each has found no row and is about to make one."""
    one, two = (make_user(name, Role.TOWNSHIP_CLERK, TOWN_A) for name in ("change_one", "change_two"))
    auto = Item.objects.get(code="AUTO")
    monkeypatch.setattr(enrolment_change, "_opened", met_after(enrolment_change._opened, wait))
    return at_once(
        lambda: enrolment_suspend(elder=elder, item=auto, actor=one, reason="其他"),
        lambda: enrolment_stop(elder=elder, item=auto, actor=two, reason="自愿放弃"),
    )


def test_without_the_lock_two_clerks_both_make_the_row_of_one_item(
    staff: Staff, elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment_change, "elder_held", unlocked_elder)
    results = _change_twice(monkeypatch, SURELY, elder)
    assert [type(error) for error in raised(results)] == [IntegrityError]


def test_two_clerks_change_one_item_one_after_the_other(
    staff: Staff, elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = _change_twice(monkeypatch, IN_VAIN, elder)
    assert all(isinstance(error, MoneyRefusedError) for error in raised(results))
    assert Enrolment.objects.count() == 1


@pytest.fixture
def overdue(staff: Staff, elder: Elder) -> CertificationRound:
    """A round whose suspension day is today, with the elder not certified."""
    row = CertificationRound.objects.create(
        county_code=COUNTY, name="测试", opens=TODAY - 9 * DAY, due=TODAY - 5 * DAY, suspends_on=TODAY
    )
    row.items.set(Item.objects.filter(code="ASK"))
    CertificationDue.objects.create(round=row, elder=elder, area_code=VILLAGE_A)
    enrol(elder, "ASK", TODAY.replace(day=1))
    return row


def _certify_while_suspending(
    monkeypatch: pytest.MonkeyPatch, wait: float, staff: Staff, elder: Elder
) -> list[Any]:
    """A certification that begins once the pass has read who is overdue, and ends before the pass goes on if it can."""
    read, done = threading.Event(), threading.Event()
    hold = settling._hold_elders

    def wait_here(cursor: CursorWrapper, names: str) -> None:
        if names == "overdue" and threading.current_thread().name == "pass":
            read.set()
            done.wait(wait)
        hold(cursor, names)

    monkeypatch.setattr(settling, "_hold_elders", wait_here)

    def refresh() -> None:
        threading.current_thread().name = "pass"
        certifications_refresh(today=TODAY)

    def certify() -> None:
        read.wait(SURELY)
        certification_record(elder=elder, on=TODAY, mode="上门", actor=staff.clerk)
        done.set()

    return at_once(refresh, certify)


def test_without_the_lock_who_is_certified_during_the_pass_stays_suspended(
    staff: Staff, elder: Elder, overdue: CertificationRound, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lock_alone", "lock_shared"):
        monkeypatch.setattr(certification_service, name, lambda: None)
    assert raised(_certify_while_suspending(monkeypatch, SURELY, staff, elder)) == []
    assert Enrolment.objects.get().state == "暂停"


def test_who_is_certified_during_the_pass_goes_on_drawing(
    staff: Staff, elder: Elder, overdue: CertificationRound, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert raised(_certify_while_suspending(monkeypatch, IN_VAIN, staff, elder)) == []
    assert Enrolment.objects.get().state == "享受中"
    assert not CertificationDue.objects.get().suspended


def test_two_passes_at_once_suspend_once(staff: Staff, elder: Elder, overdue: CertificationRound) -> None:
    refresh = partial(certifications_refresh, today=TODAY)
    assert raised(at_once(refresh, refresh)) == []
    assert Enrolment.objects.get().events.count() == 1
