"""Suspending, resuming and stopping: what the next run pays, takes back or holds, and what is refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Item
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from subsidies.first_month import month_of, months_later
from subsidies.models import Enrolment, EnrolmentEvent
from subsidies.refusals import MoneyRefusedError
from subsidies.services.enrolment_change import enrolment_resume, enrolment_stop, enrolment_suspend
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, make_user
from tests.registry import make_elder
from tests.subsidies.county import (
    CHENCANG,
    CHENCANG_VILLAGE,
    due_lines,
    enrol,
    item,
    outcomes,
    publish_list,
    run,
)

AGED = "年龄 >= 80"
NOW = month_of(timezone.localdate())
BEFORE, TWO_BEFORE, THREE_BEFORE = (months_later(NOW, -count) for count in (1, 2, 3))
PAY_50, TAKE_50 = ("补发", Decimal(50)), ("追缴", Decimal(-50))
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clerk(county: Area) -> User:
    """A township clerk; items to apply for, by themselves, of households, counted, and one that has ended."""
    publish_list(
        item("ASK", AGED, application="申请", number=1),
        item("AUTO", AGED, number=2),
        item("HOME", AGED, subject="家庭", number=3),
        item("COUNT", AGED, track="计数", number=4),
    )
    return make_user("change_clerk", Role.TOWNSHIP_CLERK, TOWN_A)


@pytest.fixture
def elder(county: Area) -> Elder:
    return make_elder(date(1940, 1, 1), hukou=VILLAGE_A)


def the(code: str) -> Item:
    return Item.objects.get(code=code)


def suspend(elder: Elder, code: str, actor: User, reason: str = "查找不到本人", **given: Any) -> Enrolment:
    return enrolment_suspend(elder=elder, item=the(code), actor=actor, reason=reason, **given)


def resume(elder: Elder, code: str, actor: User, reason: str = "短暂失联", **given: Any) -> Enrolment:
    return enrolment_resume(elder=elder, item=the(code), actor=actor, reason=reason, **given)


def stop(elder: Elder, code: str, actor: User, reason: str = "自愿放弃", **given: Any) -> Enrolment:
    return enrolment_stop(elder=elder, item=the(code), actor=actor, reason=reason, **given)


def refused(words: str) -> "pytest.RaisesExc[MoneyRefusedError]":
    return pytest.raises(MoneyRefusedError, match=words)


@pytest.mark.parametrize("code", ["ASK", "AUTO", "HOME"])
def test_a_suspension_holds_back_from_its_month_on_and_is_paid_when_lifted(
    clerk: User, elder: Elder, code: str
) -> None:
    if code == "ASK":
        enrol(elder, code, THREE_BEFORE)
    run(THREE_BEFORE)
    suspend(elder, code, clerk, month=TWO_BEFORE)
    run(TWO_BEFORE)
    run(BEFORE)
    assert [outcomes(elder, month)[code] for month in (THREE_BEFORE, TWO_BEFORE, BEFORE)] == [
        "应发",
        "暂停",
        "暂停",
    ]
    assert due_lines(elder, BEFORE) == {}
    resume(elder, code, clerk)
    run(NOW)
    assert due_lines(elder, NOW) == {(code, TWO_BEFORE): PAY_50, (code, BEFORE): PAY_50}
    assert outcomes(elder, NOW)[code] == "应发"


@pytest.mark.parametrize("code", ["ASK", "AUTO", "HOME"])
def test_a_stop_pays_its_last_month_and_takes_back_what_was_paid_after_it(
    clerk: User, elder: Elder, code: str
) -> None:
    if code == "ASK":
        enrol(elder, code, THREE_BEFORE)
    run(THREE_BEFORE)
    run(TWO_BEFORE)
    run(BEFORE)
    stop(elder, code, clerk, last_month=TWO_BEFORE)
    run(NOW)
    assert [outcomes(elder, month)[code] for month in (TWO_BEFORE, BEFORE, NOW)] == [
        "应发",
        "未申请",
        "未申请",
    ]
    assert due_lines(elder, NOW) == {(code, BEFORE): TAKE_50}


@pytest.mark.parametrize("code", ["ASK", "AUTO"])
def test_what_was_stopped_is_started_anew_by_a_row_of_its_own(clerk: User, elder: Elder, code: str) -> None:
    if code == "ASK":
        enrol(elder, code, THREE_BEFORE)
    stopped = stop(elder, code, clerk, last_month=THREE_BEFORE)
    anew = resume(elder, code, clerk, month=BEFORE)
    assert (anew.first_month, anew.state) == (BEFORE, "享受中")
    assert anew != stopped
    for month in (THREE_BEFORE, TWO_BEFORE, BEFORE, NOW):
        run(month)
    assert [outcomes(elder, month)[code] for month in (THREE_BEFORE, TWO_BEFORE, BEFORE, NOW)] == [
        "应发",
        "未申请",
        "应发",
        "应发",
    ]


def test_a_new_start_neither_covers_months_that_were_paid_nor_goes_behind_the_look_back(
    clerk: User, elder: Elder
) -> None:
    enrol(elder, "ASK", THREE_BEFORE)
    stop(elder, "ASK", clerk, last_month=BEFORE)
    with refused(f"最早为 {NOW:%Y-%m}"):
        resume(elder, "ASK", clerk, month=BEFORE)
    assert resume(elder, "ASK", clerk).first_month == NOW
    other = make_elder(date(1941, 1, 1), hukou=VILLAGE_A)
    enrol(other, "ASK", date(2020, 1, 1))
    stop(other, "ASK", clerk, last_month=date(2020, 2, 1))
    with refused(f"最早为 {months_later(NOW, -24):%Y-%m}"):
        resume(other, "ASK", clerk, month=months_later(NOW, -25))
    assert resume(other, "ASK", clerk, month=months_later(NOW, -24)).state == "享受中"


@pytest.mark.parametrize("month", [None, NOW, BEFORE])
def test_what_ended_before_the_month_before_is_asked_for_anew(
    clerk: User, elder: Elder, monkeypatch: pytest.MonkeyPatch, month: date | None
) -> None:
    enrol(elder, "ASK", THREE_BEFORE)
    stopped_at(BEFORE - timedelta(days=1), elder, "ASK", clerk, monkeypatch)
    with refused("请办理申请"):
        resume(elder, "ASK", clerk, month=month)
    assert Enrolment.objects.count() == 1


def test_a_stop_of_the_month_before_is_still_taken_back(
    clerk: User, elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(elder, "ASK", THREE_BEFORE)
    stopped_at(BEFORE, elder, "ASK", clerk, monkeypatch)
    assert resume(elder, "ASK", clerk, month=BEFORE).first_month == BEFORE


def test_what_nobody_stopped_here_is_asked_for_anew_and_what_comes_by_itself_is_not(
    clerk: User, elder: Elder
) -> None:
    for code in ("ASK", "AUTO"):
        enrol(elder, code, date(2020, 1, 1), date(2020, 2, 1), "终止")
    with refused("请办理申请"):
        resume(elder, "ASK", clerk)
    assert resume(elder, "AUTO", clerk).first_month == NOW


def stopped_at(day: date, elder: Elder, code: str, actor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop with the month three months back, the click being on an earlier day."""
    with monkeypatch.context() as clock:
        clock.setattr(timezone, "now", lambda: datetime.combine(day, time(12), tzinfo=UTC))
        stop(elder, code, actor, last_month=THREE_BEFORE)


def test_a_stop_this_month_is_followed_at_the_earliest_by_the_next(clerk: User, elder: Elder) -> None:
    stop(elder, "AUTO", clerk)
    assert resume(elder, "AUTO", clerk).first_month == months_later(NOW, 1)


def test_stopping_what_is_suspended_does_not_pay_what_was_held(clerk: User, elder: Elder) -> None:
    enrol(elder, "ASK", THREE_BEFORE)
    run(THREE_BEFORE)
    suspend(elder, "ASK", clerk, month=TWO_BEFORE)
    run(TWO_BEFORE)
    with refused("请先恢复，再办理停发"):
        stop(elder, "ASK", clerk, last_month=TWO_BEFORE)
    assert stop(elder, "ASK", clerk).last_month == THREE_BEFORE
    run(BEFORE)
    assert due_lines(elder, BEFORE) == {}


@pytest.mark.parametrize("held", [True, False])
def test_an_enrolment_stopped_before_its_first_month_pays_nothing(
    clerk: User, elder: Elder, held: bool
) -> None:
    enrol(elder, "ASK", BEFORE)
    if held:
        suspend(elder, "ASK", clerk, month=TWO_BEFORE)
    row = stop(elder, "ASK", clerk, last_month=TWO_BEFORE)
    assert (row.state, row.last_month) == ("终止", BEFORE)
    run(BEFORE)
    assert outcomes(elder, BEFORE)["ASK"] == "未申请"


def test_who_renounced_keeps_nothing_and_the_rest_of_the_household_keeps_its_own(
    clerk: User, elder: Elder
) -> None:
    spouse = make_elder(date(1941, 1, 1), hukou=VILLAGE_A, head=elder.id_number)
    stop(elder, "AUTO", clerk, last_month=BEFORE)
    run(NOW)
    assert outcomes(elder, NOW)["AUTO"] == "未申请"
    assert outcomes(spouse, NOW)["AUTO"] == "应发"


def test_a_members_death_is_no_reason_to_stop_what_the_household_draws_by_itself(
    clerk: User, elder: Elder
) -> None:
    with refused("请登记死亡或迁出日期"):
        stop(elder, "HOME", clerk, "去世")
    assert stop(elder, "HOME", clerk, "自愿放弃").state == "终止"


def test_a_second_reason_to_suspend_is_added_to_the_first(clerk: User, elder: Elder) -> None:
    row = suspend(elder, "AUTO", clerk, month=BEFORE)
    suspend(elder, "AUTO", clerk, "重复享受", month=TWO_BEFORE)
    row.refresh_from_db()
    assert row.suspended_from == TWO_BEFORE or row.suspended_from == row.first_month
    assert list(row.events.values_list("reason", flat=True)) == ["查找不到本人", "重复享受"]


def test_a_resumption_pays_everything_held_or_is_refused(clerk: User, elder: Elder) -> None:
    suspend(elder, "AUTO", clerk, month=NOW)
    with refused("全部月份"):
        resume(elder, "AUTO", clerk, month=months_later(NOW, 1))
    assert resume(elder, "AUTO", clerk, month=NOW).suspended_from is None


def test_a_change_clicked_twice_happens_once_and_another_clerk_is_told_who_was_first(
    clerk: User, elder: Elder
) -> None:
    other = make_user("clerk_two", Role.TOWNSHIP_CLERK, TOWN_A)
    enrol(elder, "ASK", THREE_BEFORE)
    for act in (suspend, resume, stop):
        assert act(elder, "ASK", clerk).pk == act(elder, "ASK", clerk).pk
        with refused(r"已由 镇（街）经办人一 于 \d\d-\d\d \d\d:\d\d"):
            act(elder, "ASK", other)
    events = EnrolmentEvent.objects.values_list("action", "reason", "actor")
    assert [event[:2] for event in events] == [
        ("暂停", "查找不到本人"),
        ("恢复", "短暂失联"),
        ("停发", "自愿放弃"),
    ]
    assert AuditEntry.objects.filter(subject=f"elder:{elder.pk}").count() == 3


@pytest.mark.parametrize(
    ("act", "code", "words"),
    [
        (suspend, "ASK", "没有享受登记，不用暂停"),
        (stop, "ASK", "没有享受登记，不用停发"),
        (resume, "ASK", "没有享受登记"),
        (resume, "AUTO", "没有暂停或停发"),
        (suspend, "COUNT", "不逐人登记"),
    ],
)
def test_where_there_is_nothing_to_change_it_is_said(
    clerk: User, elder: Elder, act: Callable[[Elder, str, User], object], code: str, words: str
) -> None:
    with refused(words):
        act(elder, code, clerk)
    assert not Enrolment.objects.exists()


def test_a_stopped_item_cannot_be_suspended_and_a_running_one_not_resumed(clerk: User, elder: Elder) -> None:
    enrol(elder, "ASK", THREE_BEFORE)
    with refused("没有暂停或停发"):
        resume(elder, "ASK", clerk)
    stop(elder, "ASK", clerk, last_month=BEFORE)
    with refused(f"已发到 {BEFORE:%Y-%m} 为止，不能暂停；如应继续享受，请办理恢复"):
        suspend(elder, "ASK", clerk)


def test_an_enrolment_from_a_file_that_has_ended_is_not_stopped_again(clerk: User, elder: Elder) -> None:
    enrol(elder, "ASK", THREE_BEFORE, BEFORE, "终止")
    with refused(f"已发到 {BEFORE:%Y-%m} 为止，不能停发"):
        stop(elder, "ASK", clerk)


def test_reasons_and_months_are_checked(clerk: User, elder: Elder) -> None:
    with refused("请选择停发的原因"):
        stop(elder, "AUTO", clerk, "不知道")
    with refused("1 日"):
        suspend(elder, "AUTO", clerk, month=NOW.replace(day=2))


def test_only_who_may_change_enrolments_there_may_change_them(clerk: User, elder: Elder) -> None:
    for actor in (
        make_user("clerk_b3", Role.TOWNSHIP_CLERK, TOWN_B),
        make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A),
        make_user("chief3", Role.BUREAU_CHIEF, COUNTY),
    ):
        with refused("不在您可办理的区划内"):
            stop(elder, "AUTO", actor)


@pytest.mark.parametrize("act", [stop, suspend, resume])
def test_another_county_changes_nothing_that_this_countys_list_pays(
    clerk: User, act: Callable[..., Enrolment]
) -> None:
    Area.objects.create(code=CHENCANG, name="陈仓区")
    lives_there = make_elder(date(1940, 1, 1), hukou=VILLAGE_A, residence=CHENCANG_VILLAGE)
    for code in ("ASK", "HOME"):
        enrol(lives_there, code, THREE_BEFORE, state="暂停" if act is resume else "享受中")
    for code in ("ASK", "HOME", "AUTO"):
        with refused("不在您可办理的区划内"):
            act(lives_there, code, make_user(f"there_{code}", Role.BUREAU_CLERK, CHENCANG))
    assert not EnrolmentEvent.objects.exists()
    assert act(lives_there, "ASK", clerk).events.count() == 1
