"""Sending records back: what counts after it, what cannot be returned, and two at once."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from eldercare.models import Elder
from operations.commands import Refused
from operations.models import AuditEntry
from organization.choices import Permission, Role
from organization.models import User
from tests.conftest import make_user
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.registry import make_elder
from tests.visits.conftest import (
    COUNTY,
    MARCH,
    TOWN_A,
    TOWN_B,
    VILLAGE_A1,
    VILLAGE_B1,
    TierMaker,
    open_month,
    refresh,
    visit,
)
from visits.choices import MonthState
from visits.models import Obligation, Visit, VisitMonth, VisitReturn
from visits.services import visit_return
from visits.services.arrival import visits_arrived
from visits.services.visit_return import PHRASES, Returned, visits_return

pytestmark = pytest.mark.django_db
REASON = PHRASES[0]


@pytest.fixture
def elder(tier: TierMaker) -> Elder:
    """An elder of 甲镇 who must be seen once in March."""
    tier()
    found = make_elder(date(1950, 5, 5), hukou=VILLAGE_A1)
    open_month()
    return found


@pytest.fixture
def lead(elder: Elder) -> User:
    """Lead of 甲镇."""
    return make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)


def send_back(lead: User, *visits: Visit, reason: str = REASON) -> Returned:
    """Return the visits."""
    return visits_return(visit_ids=[each.pk for each in visits], reason=reason, actor=lead)


def lock(month: date = MARCH, township: str = TOWN_A, state: str = MonthState.SUBMITTED) -> None:
    """Let the township have submitted its month."""
    VisitMonth.objects.create(month=month, county_code=COUNTY, area_code=township, state=state)


def met() -> bool:
    return Obligation.objects.get().met


def test_a_returned_record_counts_no_longer(elder: Elder, lead: User) -> None:
    record = visit(elder, "2026-03-10")
    refresh()
    assert met()
    assert send_back(lead, record) == Returned([record.pk], [])
    assert not met()


def test_a_correction_of_a_returned_record_counts_again(elder: Elder, lead: User) -> None:
    record = visit(elder, "2026-03-10")
    send_back(lead, record)
    correction = visit(elder, "2026-03-10", corrects=record.pk)
    visits_arrived(visit_ids=[correction.pk], now=correction.at)
    assert met()


def test_a_returned_correction_does_not_bring_the_first_record_back(elder: Elder, lead: User) -> None:
    record = visit(elder, "2026-03-10")
    correction = visit(elder, "2026-03-11", corrects=record.pk)
    send_back(lead, correction)
    assert not met()


def test_who_returned_what_and_why_is_kept_and_audited(elder: Elder, lead: User) -> None:
    record = visit(elder, "2026-03-10")
    send_back(lead, record, reason="  时间写错了  ")
    kept = VisitReturn.objects.get()
    assert (kept.visit_id, kept.by, kept.reason) == (record.pk, lead, "时间写错了")
    entry = AuditEntry.objects.get(action="退回探访记录")
    assert (entry.subject, entry.actor, entry.data["reason"]) == (f"visit:{record.pk}", lead, "时间写错了")


@pytest.mark.parametrize("reason", ["", "  ", "不对啊", "长" * 201])
def test_a_reason_too_short_or_too_long_is_refused(elder: Elder, lead: User, reason: str) -> None:
    record = visit(elder, "2026-03-10")
    with pytest.raises(Refused, match="4 到 200 个字"):
        send_back(lead, record, reason=reason)
    assert not VisitReturn.objects.exists()


@pytest.mark.parametrize("phrase", [*PHRASES, "写错时间", "长" * 200])
def test_stock_phrases_and_own_words_are_taken(elder: Elder, lead: User, phrase: str) -> None:
    assert send_back(lead, visit(elder, "2026-03-10"), reason=phrase).done


def test_a_second_return_is_told_who_was_first(elder: Elder, lead: User) -> None:
    record = visit(elder, "2026-03-10")
    send_back(lead, record)
    ((_, why),) = send_back(lead, record).refused
    assert why.startswith("已由 镇（街）负责人一 于 ") and why.endswith(" 退回")
    assert VisitReturn.objects.count() == 1


def test_nobody_returns_a_record_of_their_own(elder: Elder, lead: User) -> None:
    ((_, why),) = send_back(lead, visit(elder, "2026-03-10", recorder=lead)).refused
    assert why == "是您自己登记的，要由别人退回"


def test_a_corrected_record_is_returned_by_its_correction(elder: Elder, lead: User) -> None:
    record = visit(elder, "2026-03-10")
    visit(elder, "2026-03-11", corrects=record.pk)
    ((_, why),) = send_back(lead, record).refused
    assert why == "已有更正记录，请退回更正后的那一条"


def test_each_of_a_batch_is_taken_or_refused_by_itself(elder: Elder, lead: User) -> None:
    good, own = visit(elder, "2026-03-10"), visit(elder, "2026-03-11", recorder=lead)
    result = send_back(lead, good, own)
    assert (result.done, [record.pk for record, _ in result.refused]) == ([good.pk], [own.pk])


def test_another_township_s_records_are_out_of_reach(elder: Elder, lead: User) -> None:
    far = visit(make_elder(date(1950, 5, 5), hukou=VILLAGE_B1), "2026-03-10")
    assert send_back(lead, far) == Returned([], [])


@pytest.mark.parametrize("state", [MonthState.SUBMITTED, MonthState.ACCEPTED])
def test_a_record_of_a_locked_month_stays_until_the_month_is_sent_back(
    elder: Elder, lead: User, state: str
) -> None:
    record = visit(elder, "2026-03-31 23:59")
    lock(state=state)
    ((_, why),) = send_back(lead, record).refused
    assert why.startswith("甲镇2026年3月的探访月报已经提交") and "再退回" in why
    VisitMonth.objects.update(state=MonthState.OPEN)
    assert send_back(lead, record).done


@pytest.mark.parametrize(
    ("at", "month", "township"),
    [
        ("2026-04-01 00:00", MARCH, TOWN_A),
        ("2026-03-10", date(2026, 4, 1), TOWN_A),
        ("2026-03-10", MARCH, TOWN_B),
    ],
    ids=["the month before", "the month after", "another township's"],
)
def test_another_lock_does_not_keep_a_record(
    elder: Elder, lead: User, at: str, month: date, township: str
) -> None:
    lock(month, township)
    assert send_back(lead, visit(elder, at)).done


def test_a_visit_of_a_week_that_began_in_a_locked_month_stays(tier: TierMaker) -> None:
    tier("week", rule="独居", per="周", order=1)
    tier("month")
    alone, other = make_elder(date(1950, 5, 5), lives_alone=True), make_elder(date(1950, 5, 6))
    lead = make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)
    open_month()
    lock()
    weekly, monthly = visit(alone, "2026-04-05 23:59"), visit(other, "2026-04-05 23:59")
    result = send_back(lead, weekly, monthly)
    assert (result.done, [record.pk for record, _ in result.refused]) == ([monthly.pk], [weekly.pk])


def test_the_township_of_a_month_is_that_of_its_obligation(elder: Elder, lead: User) -> None:
    record = visit(elder, "2026-03-10")
    Elder.objects.filter(pk=elder.pk).update(residence_code=VILLAGE_B1)
    lock()
    assert send_back(lead, record).refused


def _unlocked(visit_ids: Sequence[UUID], actor: User) -> list[Visit]:
    seen = Visit.objects.visible_to(actor, Permission.VISIT_RETURN).filter(pk__in=visit_ids)
    return list(seen.select_related("elder"))


def _twice(monkeypatch: pytest.MonkeyPatch, wait: float, lead: User, record: Visit) -> list[Any]:
    monkeypatch.setattr(visit_return, "_why_not", met_after(visit_return._why_not, wait))
    step = partial(send_back, lead, record)
    return at_once(step, step)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_double_click_runs_into_the_table_s_own_guard(
    elder: Elder, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit_return, "_locked_rows", _unlocked)
    assert len(raised(_twice(monkeypatch, SURELY, lead, visit(elder, "2026-03-10")))) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_returns_at_once_one_is_taken_and_the_other_is_told(
    elder: Elder, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = _twice(monkeypatch, IN_VAIN, lead, visit(elder, "2026-03-10"))
    assert raised(results) == []
    assert sorted((len(each.done), len(each.refused)) for each in results) == [(0, 1), (1, 0)]
