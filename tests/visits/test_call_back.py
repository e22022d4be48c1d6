"""Drawing a township's records to be called back, verifying the draw, and noting what was said."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from eldercare.models import Elder
from operations.commands import Refused
from operations.models import AuditEntry
from organization.choices import Role
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
    visit,
)
from visits.call_backs import DRAWN, draw_again, records_to_draw, shares_by_worker
from visits.choices import CallBackResult, MonthState, SignalKind
from visits.models import CallBack, CallBackDraw, Signal, VisitMonth, VisitReturn
from visits.services import call_back
from visits.services.call_back import call_back_record, call_backs_draw

pytestmark = pytest.mark.django_db
APRIL = date(2026, 4, 1)
SEED = "aa55"


@pytest.fixture
def elders(tier: TierMaker) -> list[Elder]:
    """Thirty elders of 甲镇 and one of 乙镇, to be seen at home or called once in March."""
    tier(modes=["上门", "电话"])
    found = [make_elder(date(1950, 1, 1), hukou=VILLAGE_A1) for _ in range(30)]
    found.append(make_elder(date(1950, 1, 1), hukou=VILLAGE_B1))
    open_month()
    return found


@pytest.fixture
def lead(elders: list[Elder]) -> User:
    """Lead of 甲镇."""
    return make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)


def draw(lead: User, seed: str = SEED, area_code: str = TOWN_A, today: date = APRIL) -> CallBackDraw:
    """Draw 甲镇's March on 1 April."""
    return call_backs_draw(month=MARCH, area_code=area_code, actor=lead, seed=seed, today=today)


def test_every_effective_standing_record_of_the_township_s_month_can_be_drawn(
    elders: list[Elder], lead: User
) -> None:
    first = visit(elders[0], "2026-03-01 00:00")
    last = visit(elders[1], "2026-03-31 23:59:59", mode="电话", result="联系到本人")
    twice = visit(elders[0], "2026-03-20")
    assert records_to_draw(MARCH, TOWN_A) == dict.fromkeys([first.pk, last.pk, twice.pk], False)


@pytest.mark.parametrize(
    ("elder", "at", "mode", "result"),
    [
        (0, "2026-02-28 23:59:59", "上门", "见到本人"),
        (0, "2026-04-01 00:00", "上门", "见到本人"),
        (0, "2026-03-10", "视频", "见到本人"),
        (0, "2026-03-10", "上门", "未联系上"),
        (0, "2026-03-10", "上门", "见到家属/邻居"),
        (30, "2026-03-10", "上门", "见到本人"),
    ],
    ids=[
        "the day before",
        "the day after",
        "mode not allowed",
        "not reached",
        "only neighbours",
        "another township",
    ],
)
def test_no_other_record_is_drawn(
    elders: list[Elder], lead: User, elder: int, at: str, mode: str, result: str
) -> None:
    visit(elders[elder], at, mode, result)
    assert records_to_draw(MARCH, TOWN_A) == {}


def test_a_corrected_or_returned_record_is_not_drawn(elders: list[Elder], lead: User) -> None:
    corrected, sent = visit(elders[0], "2026-03-10"), visit(elders[1], "2026-03-10")
    correction = visit(elders[0], "2026-03-10", corrects=corrected.pk)
    VisitReturn.objects.create(visit=sent, reason="不对", by=lead)
    assert records_to_draw(MARCH, TOWN_A) == {correction.pk: False}


def test_the_same_seed_and_records_draw_the_same_sample(elders: list[Elder], lead: User) -> None:
    for elder in elders[:30]:
        visit(elder, "2026-03-10")
    first = draw(lead)
    sample = _sample(first)
    assert (first.population, first.drawn, first.seed, first.drawn_by) == (30, 2, SEED, lead)
    CallBack.objects.all().delete()
    CallBackDraw.objects.all().delete()
    assert _sample(draw(lead)) == sample


def test_a_seed_is_made_where_none_is_given(elders: list[Elder], lead: User) -> None:
    visit(elders[0], "2026-03-10")
    assert len(draw(lead, seed="").seed) == 32


def test_records_with_signals_come_first(elders: list[Elder], lead: User) -> None:
    records = [visit(elder, "2026-03-10") for elder in elders[:30]]
    Signal.objects.create(visit=records[7], kind=SignalKind.MOCK_PLACE, detail="定位精度为 0 米")
    assert records[7].pk in _sample(draw(lead))


def test_the_draw_is_verified_from_the_kept_records_whatever_came_later(
    elders: list[Elder], lead: User
) -> None:
    for elder in elders[:29]:
        visit(elder, "2026-03-10")
    drawn = draw(lead)
    late = visit(elders[29], "2026-03-30")
    Signal.objects.create(visit=late, kind=SignalKind.MOCK_PLACE, detail="定位精度为 0 米")
    assert draw_again(drawn)


def test_a_sample_that_was_changed_is_seen(elders: list[Elder], lead: User) -> None:
    records = [visit(elder, "2026-03-10") for elder in elders[:30]]
    drawn = draw(lead)
    other = next(record for record in records if record.pk not in _sample(drawn))
    call = drawn.calls.all()[0]
    call.visit = other
    call.save()
    assert not draw_again(drawn)


def test_the_audit_keeps_what_was_drawn_from(elders: list[Elder], lead: User) -> None:
    records = [visit(elder, "2026-03-10") for elder in elders[:3]]
    drawn = draw(lead)
    entry = AuditEntry.objects.get(action=DRAWN)
    assert (entry.actor, entry.data["seed"], entry.data["month"]) == (lead, SEED, "2026-03")
    assert entry.data["records"] == sorted(str(record.pk) for record in records)
    assert entry.data["drawn"] == sorted(str(pk) for pk in _sample(drawn))


def test_a_month_is_drawn_once(elders: list[Elder], lead: User) -> None:
    visit(elders[0], "2026-03-10")
    draw(lead)
    with pytest.raises(Refused, match=r"这个月已由 镇（街）负责人一 于 .* 抽取，一个月只抽一次"):
        draw(lead, seed="another")


@pytest.mark.parametrize(
    ("today", "submitted", "drawn"),
    [
        (date(2026, 3, 31), False, False),
        (date(2026, 3, 31), True, True),
        (date(2026, 4, 1), False, True),
    ],
    ids=["running", "submitted early", "over"],
)
def test_a_month_is_drawn_when_it_is_over_or_submitted(
    elders: list[Elder], lead: User, today: date, submitted: bool, drawn: bool
) -> None:
    visit(elders[0], "2026-03-10")
    if submitted:
        VisitMonth.objects.create(
            month=MARCH, county_code=COUNTY, area_code=TOWN_A, state=MonthState.SUBMITTED
        )
    try:
        draw(lead, today=today)
    except Refused as error:
        assert "还没有结束" in str(error)
    assert CallBackDraw.objects.exists() == drawn


def test_a_month_without_effective_visits_is_not_drawn(elders: list[Elder], lead: User) -> None:
    visit(elders[0], "2026-03-10", result="未联系上")
    with pytest.raises(Refused, match="没有有效探访"):
        draw(lead)


@pytest.mark.parametrize("area", [TOWN_B, COUNTY, VILLAGE_A1, "", "x"])
def test_only_a_township_of_one_s_own_is_drawn(elders: list[Elder], lead: User, area: str) -> None:
    with pytest.raises(Refused, match="区划范围内的一个镇"):
        draw(lead, area_code=area)


@pytest.fixture
def call(elders: list[Elder], lead: User) -> CallBack:
    """A record of 甲镇 drawn to be called back."""
    visit(elders[0], "2026-03-10", recorder=lead)
    return draw(lead).calls.get()


@pytest.fixture
def clerk(call: CallBack) -> User:
    """The bureau's clerk, who recorded nothing."""
    return make_user("clerk", Role.BUREAU_CLERK, COUNTY)


def note(call: CallBack, actor: User, result: str = "属实", text: str = "") -> CallBack:
    return call_back_record(call_back_id=call.pk, result=result, note=text, actor=actor)


def test_a_result_is_kept_with_who_called_and_audited(call: CallBack, clerk: User) -> None:
    note(call, clerk, "不属实", "老人说那天没有人来")
    call.refresh_from_db()
    assert (call.result, call.note, call.called_by) == ("不属实", "老人说那天没有人来", clerk)
    entry = AuditEntry.objects.get(action="登记回访结果")
    assert (entry.actor, entry.data["result"]) == (clerk, "不属实")


@pytest.mark.parametrize(
    ("result", "text", "sentence"),
    [
        ("不属实", "没有来", "写清老人怎么说"),
        ("不属实", "", "写清老人怎么说"),
        ("大概属实", "", "请选择回访结果"),
        ("", "", "请选择回访结果"),
        ("属实", "长" * 201, "最多 200 个字"),
    ],
)
def test_a_result_that_cannot_be_taken_is_refused_in_words(
    call: CallBack, clerk: User, result: str, text: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        note(call, clerk, result, text)
    call.refresh_from_db()
    assert call.result == ""


def test_nobody_calls_back_about_a_record_of_their_own(call: CallBack, lead: User) -> None:
    with pytest.raises(Refused, match="您自己登记的"):
        note(call, lead)


def test_who_was_not_reached_is_called_again(call: CallBack, clerk: User) -> None:
    note(call, clerk, "未接通")
    assert note(call, clerk, "属实").result == CallBackResult.CONFIRMED


@pytest.mark.parametrize("first", ["属实", "不属实"])
def test_an_answer_stays(call: CallBack, clerk: User, first: str) -> None:
    note(call, clerk, first, "老人清楚地说")
    with pytest.raises(Refused, match=f"登记为{first}，没有改动"):
        note(call, clerk, "属实")


def test_another_township_s_call_is_out_of_reach(call: CallBack) -> None:
    with pytest.raises(CallBack.DoesNotExist):
        note(call, make_user("other", Role.TOWNSHIP_LEAD, TOWN_B))


def test_shares_say_how_many_were_reached_and_refuted(elders: list[Elder], lead: User, clerk: User) -> None:
    drawn = CallBackDraw.objects.get()
    results = ("属实", "不属实", "未接通", "")
    for number, result in enumerate(results, 1):
        CallBack.objects.create(draw=drawn, visit=visit(elders[number], "2026-03-11"), result=result)
    (share,) = shares_by_worker([drawn])
    assert (share.name, share.calls, share.called, share.reached, share.refuted) == ("测试员", 5, 3, 2, 1)
    assert share.waiting == 3


def _sample(drawn: CallBackDraw) -> set[UUID]:
    return set(drawn.calls.values_list("visit_id", flat=True))


def _note_twice(
    monkeypatch: pytest.MonkeyPatch, held: Callable[..., CallBack], call: CallBack, clerk: User
) -> list[Any]:
    monkeypatch.setattr(call_back, "_locked_call", held)
    return at_once(partial(note, call, clerk, "属实"), partial(note, call, clerk, "不属实", "老人说没来过"))


def _unlocked(call_back_id: int, actor: User) -> CallBack:
    return CallBack.objects.select_related("visit", "called_by").get(pk=call_back_id)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_two_results_are_both_taken(
    call: CallBack, clerk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert raised(_note_twice(monkeypatch, met_after(_unlocked, SURELY), call, clerk)) == []
    assert AuditEntry.objects.filter(action="登记回访结果").count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_results_at_once_one_is_taken_and_the_other_is_told(
    call: CallBack, clerk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = _note_twice(monkeypatch, met_after(call_back._locked_call, IN_VAIN), call, clerk)
    assert [type(error) for error in raised(results)] == [Refused]
    assert AuditEntry.objects.filter(action="登记回访结果").count() == 1


def _draw_twice(monkeypatch: pytest.MonkeyPatch, wait: float, elders: list[Elder], lead: User) -> list[Any]:
    visit(elders[0], "2026-03-10")
    monkeypatch.setattr(call_back, "records_to_draw", met_after(records_to_draw, wait))
    return at_once(partial(draw, lead), partial(draw, lead, seed="other"))


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_second_draw_runs_into_the_table_s_own_guard(
    elders: list[Elder], lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_back, "months_hold_alone", lambda: None)
    (error,) = raised(_draw_twice(monkeypatch, SURELY, elders, lead))
    assert not isinstance(error, Refused)


@pytest.mark.django_db(transaction=True)
def test_of_two_draws_at_once_one_is_made_and_the_other_is_told(
    elders: list[Elder], lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (error,) = raised(_draw_twice(monkeypatch, IN_VAIN, elders, lead))
    assert isinstance(error, Refused)
    assert CallBackDraw.objects.count() == 1
