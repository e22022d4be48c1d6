"""生存认证: rounds, proofs, suspension of the overdue, and back pay of what was held, on both sides of each day."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from subsidies.first_month import month_of, months_later
from subsidies.models import Certification, CertificationDue, CertificationRound, Enrolment, EnrolmentEvent
from subsidies.refusals import MoneyRefusedError
from subsidies.services.certification import (
    certification_record,
    certification_round_open,
    certification_rounds_ensure,
    certifications_refresh,
)
from subsidies.services.enrolment_change import enrolment_resume, enrolment_stop, enrolment_suspend
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.registry import add, make_elder
from tests.subsidies.applicants import terms
from tests.subsidies.county import drawn, due_lines, enrol, item, outcomes, publish_list, run
from visits.models import Visit, VisitReturn

AGED = "年龄 >= 80"
BACK_PAY_50 = ("补发", Decimal(50))
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
# the round of the tests: the quarter before this month, so that months can be run and proofs lie in the past
THIS_MONTH = month_of(timezone.localdate())
OPENS = months_later(THIS_MONTH, -3)
DUE = months_later(OPENS, 1) - DAY
SUSPENDS = months_later(OPENS, 1) + 9 * DAY
SUSPENDED_MONTH, NEXT_MONTH = months_later(OPENS, 1), months_later(OPENS, 2)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clerk(county: Area) -> User:
    """The county's clerk; the list has an item by itself, one to apply for, one of households and one uncertified."""
    publish_list(
        item("AUTO", AGED, number=1),
        item("ASK", AGED, application="申请", number=2),
        item("HOME", "年龄 >= 90", subject="家庭", number=3, application="申请"),
        item("FREE", AGED, number=4),
    )
    return make_user("cert_clerk", Role.BUREAU_CLERK, COUNTY)


@pytest.fixture
def elder(county: Area) -> Elder:
    return make_elder(date(1940, 1, 1), hukou=VILLAGE_A)


def open_round(clerk: User | None, *codes: str, name: str = "测试轮次", **days: date) -> CertificationRound:
    """Open the tests' round on its first day."""
    given = {"opens": OPENS, "due": DUE, "suspends_on": SUSPENDS, "today": OPENS} | days
    ids = list(Item.objects.filter(code__in=codes or ("AUTO", "ASK", "HOME")).values_list("id", flat=True))
    return certification_round_open(county_code=COUNTY, item_ids=ids, name=name, actor=clerk, **given)


def visit(elder: Elder, at: str, mode: str = "上门", result: str = "见到本人", **more: object) -> Visit:
    """Record a visit at a local time."""
    moment = datetime.fromisoformat(at if " " in at else f"{at} 10:00").replace(tzinfo=SHANGHAI)
    return Visit.objects.create(
        id=uuid4(), elder=elder, at=moment, mode=mode, result=result, visitor="测试员", **more
    )


def certify(elder: Elder, clerk: User, on: date = OPENS, mode: str = "上门") -> Certification:
    return certification_record(elder=elder, on=on, mode=mode, actor=clerk)


def met(elder: Elder) -> bool:
    """Whether the elder's name on the only round is met."""
    return CertificationDue.objects.get(elder=elder).certification_id is not None


def standing(elder: Elder) -> dict[str, str]:
    """Item → state of the elder's enrolments."""
    return dict(Enrolment.objects.filter(elder=elder).values_list("item__code", "state"))


def everything() -> tuple[object, ...]:
    """All that a pass may change."""
    return (
        sorted(CertificationDue.objects.values_list("round_id", "elder_id", "certification_id", "suspended")),
        sorted(Enrolment.objects.values_list("elder_id", "item_id", "first_month", "state", "last_month")),
        EnrolmentEvent.objects.count(),
        Certification.objects.count(),
    )


def test_a_round_lists_who_draws_its_items_by_the_newest_month_and_is_alive(clerk: User) -> None:
    draws, enrolled, dead, young = (make_elder(date(1940 + n, 1, 1), hukou=VILLAGE_A) for n in (0, 1, 2, 30))
    enrol(enrolled, "ASK", OPENS)
    run(OPENS)
    add(dead, Kind.DEATH, "是", OPENS + DAY)
    row = open_round(clerk, "AUTO", "ASK", today=OPENS + 2 * DAY)
    assert set(row.dues.values_list("elder", flat=True)) == {draws.pk, enrolled.pk}
    assert open_round(clerk, "ASK", name="只有申请的").dues.count() == 1
    assert young.certification_dues.count() == 0


def test_the_same_round_again_is_returned_and_its_name_is_not_taken_twice(clerk: User, elder: Elder) -> None:
    run(OPENS)
    row = open_round(clerk)
    assert open_round(clerk) == row
    with pytest.raises(MoneyRefusedError, match="已由 县民政局经办人一"):
        open_round(clerk, due=DUE - DAY)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"due": OPENS - DAY}, "截止日期不能早于开始日期"),
        ({"suspends_on": DUE}, "应在截止日期之后"),
        ({"today": SUSPENDS}, "应晚于今天"),
    ],
)
def test_days_that_cannot_be_are_refused(clerk: User, elder: Elder, days: dict[str, Any], words: str) -> None:
    run(OPENS)
    with pytest.raises(MoneyRefusedError, match=words):
        open_round(clerk, **days)


def test_a_round_without_items_a_decided_month_or_names_is_refused(clerk: User, elder: Elder) -> None:
    with pytest.raises(MoneyRefusedError, match="至少选择一个"):
        open_round(clerk, "NONE")
    with pytest.raises(MoneyRefusedError, match="还没有核定过月份"):
        open_round(clerk)
    run(OPENS)
    with pytest.raises(MoneyRefusedError, match="不需要认证"):
        open_round(clerk, "ASK")
    assert not CertificationRound.objects.exists()
    with pytest.raises(MoneyRefusedError, match="不能管理这个县"):
        open_round(make_user("town", Role.TOWNSHIP_CLERK, TOWN_A))


def test_rounds_open_by_the_calendar_as_the_terms_ask(clerk: User, elder: Elder) -> None:
    enrol(elder, "ASK", date(2024, 1, 1))
    run(date(2024, 11, 1))
    terms("AUTO", certify_months=3, certify_grace_days=10)
    terms("ASK", certify_months=12)
    terms("FREE", certify_months=0)
    opened = certification_rounds_ensure(today=date(2024, 11, 20))
    assert {
        (row.name, row.due, row.suspends_on, tuple(row.items.values_list("code", flat=True)))
        for row in opened
    } == {
        ("2024年第4季度生存认证", date(2024, 12, 31), date(2025, 1, 11), ("AUTO",)),
        ("2024年度生存认证", date(2024, 12, 31), date(2025, 1, 31), ("ASK",)),
    }
    assert certification_rounds_ensure(today=date(2024, 12, 31)) == []
    assert [row.name for row in certification_rounds_ensure(today=date(2025, 1, 1))] == [
        "2025年第1季度生存认证",
        "2025年度生存认证",
    ]


def test_no_round_is_opened_while_nobody_draws_its_items(clerk: User) -> None:
    terms("AUTO", certify_months=1)
    assert certification_rounds_ensure(today=THIS_MONTH) == []


@pytest.mark.parametrize(("on", "counts"), [(OPENS - DAY, False), (OPENS, True), (DUE + DAY, True)])
def test_a_proof_counts_from_the_first_day_of_the_round_on(
    clerk: User, elder: Elder, on: date, counts: bool
) -> None:
    run(OPENS)
    certify(elder, clerk, OPENS - DAY if on < OPENS else on)
    open_round(clerk)
    assert met(elder) is counts


def test_the_overdue_are_suspended_on_the_day_and_not_before(clerk: User, elder: Elder) -> None:
    enrol(elder, "ASK", OPENS)
    run(OPENS)
    row = open_round(clerk)
    certifications_refresh(today=SUSPENDS - DAY)
    assert standing(elder) == {"ASK": "享受中"}
    certifications_refresh(today=SUSPENDS)
    assert standing(elder) == {"ASK": "暂停", "AUTO": "暂停"}
    row.refresh_from_db()
    assert row.suspended_at is not None
    assert CertificationDue.objects.get().suspended
    events = EnrolmentEvent.objects.filter(actor=None).values_list("action", "reason", "month")
    assert list(events) == [("暂停", "未认证", SUSPENDED_MONTH)] * 2


def test_what_was_suspended_is_paid_after_the_certification(clerk: User, elder: Elder) -> None:
    run(OPENS)
    open_round(clerk)
    certifications_refresh(today=SUSPENDS)
    run(SUSPENDED_MONTH)
    run(NEXT_MONTH)
    assert outcomes(elder, OPENS)["AUTO"] == "应发", "the month before stays as it was"
    assert outcomes(elder, SUSPENDED_MONTH) == {"AUTO": "暂停", "ASK": "未申请", "FREE": "应发"}
    assert due_lines(elder, NEXT_MONTH) == {}
    certify(elder, clerk, SUSPENDS + 3 * DAY)
    assert standing(elder) == {"AUTO": "享受中"}
    run(THIS_MONTH)
    assert due_lines(elder, THIS_MONTH) == {
        ("AUTO", SUSPENDED_MONTH): BACK_PAY_50,
        ("AUTO", NEXT_MONTH): BACK_PAY_50,
    }
    assert drawn(elder, THIS_MONTH)["AUTO"] == Decimal(50)


def test_a_month_paid_before_the_suspension_is_not_taken_back(clerk: User, elder: Elder) -> None:
    run(OPENS)
    open_round(clerk)
    run(SUSPENDED_MONTH)
    run(NEXT_MONTH)
    certifications_refresh(today=SUSPENDS)
    run(NEXT_MONTH)
    assert outcomes(elder, SUSPENDED_MONTH)["AUTO"] == "暂停"
    assert due_lines(elder, NEXT_MONTH) == {}


def test_a_pass_twice_or_late_or_early_changes_nothing_more(clerk: User, elder: Elder) -> None:
    other = make_elder(date(1941, 1, 1), hukou=VILLAGE_A)
    enrol(elder, "ASK", OPENS)
    run(OPENS)
    open_round(clerk)
    visit(other, f"{DUE}")
    certifications_refresh(today=SUSPENDS)
    once = everything()
    for day in (SUSPENDS, THIS_MONTH, SUSPENDS - DAY, OPENS, SUSPENDS):
        certifications_refresh(today=day)
    assert everything() == once
    assert AuditEntry.objects.filter(action="更新生存认证").count() == 1


@pytest.mark.parametrize("late", [False, True])
def test_a_visit_certifies_whether_it_arrives_before_or_after_the_suspension(
    clerk: User, elder: Elder, late: bool
) -> None:
    run(OPENS)
    open_round(clerk)
    if late:
        certifications_refresh(today=SUSPENDS)
    seen = visit(elder, f"{DUE}")
    certifications_refresh(today=SUSPENDS)
    proof = Certification.objects.get()
    assert (proof.mode, proof.on, proof.visit, proof.actor) == ("探访", DUE, seen, None)
    assert met(elder)
    assert standing(elder) == ({"AUTO": "享受中"} if late else {})


@pytest.mark.parametrize(
    ("mode", "result", "counts"),
    [
        ("上门", "见到本人", True),
        ("视频", "见到本人", True),
        ("电话", "见到本人", False),
        ("智能设备", "见到本人", False),
        ("上门", "联系到本人", False),
        ("上门", "见到家属/邻居", False),
        ("上门", "已故", False),
    ],
)
def test_only_a_visit_that_met_the_person_certifies(
    clerk: User, elder: Elder, mode: str, result: str, counts: bool
) -> None:
    run(OPENS)
    open_round(clerk)
    visit(elder, f"{OPENS}", mode, result)
    certifications_refresh(today=DUE)
    assert met(elder) is counts


@pytest.mark.parametrize(("at", "counts"), [(f"{OPENS - DAY} 23:59:59", False), (f"{OPENS} 00:00:00", True)])
def test_a_visit_counts_by_its_day_in_shanghai(clerk: User, elder: Elder, at: str, counts: bool) -> None:
    run(OPENS)
    open_round(clerk)
    visit(elder, at)
    certifications_refresh(today=DUE)
    assert met(elder) is counts


@pytest.mark.parametrize("between", [False, True])
def test_a_visit_that_is_corrected_certifies_no_longer_in_whatever_order_the_news_come(
    clerk: User, elder: Elder, between: bool
) -> None:
    run(OPENS)
    open_round(clerk)
    wrong = visit(elder, f"{OPENS}")
    if between:
        certifications_refresh(today=DUE)
        assert met(elder)
    visit(elder, f"{OPENS}", result="外出", corrects=wrong.pk)
    certifications_refresh(today=SUSPENDS)
    assert not met(elder)
    assert standing(elder) == {"AUTO": "暂停"}
    visit(elder, f"{SUSPENDS}")
    certifications_refresh(today=SUSPENDS)
    assert standing(elder) == {"AUTO": "享受中"}


def test_a_visit_that_is_sent_back_certifies_no_longer(clerk: User, elder: Elder) -> None:
    run(OPENS)
    open_round(clerk)
    made_up = visit(elder, f"{OPENS}")
    certifications_refresh(today=DUE)
    assert met(elder)
    VisitReturn.objects.create(visit=made_up, reason="回访不属实", by=clerk)
    certifications_refresh(today=SUSPENDS)
    assert not met(elder)
    assert standing(elder) == {"AUTO": "暂停"}


def test_a_recorded_death_is_no_certification_and_the_dead_are_not_suspended(
    clerk: User, elder: Elder
) -> None:
    run(OPENS)
    open_round(clerk)
    add(elder, Kind.DEATH, "是", OPENS + 5 * DAY)
    visit(elder, f"{OPENS + 6 * DAY}")
    certifications_refresh(today=SUSPENDS)
    assert not met(elder)
    assert standing(elder) == {}
    with pytest.raises(MoneyRefusedError, match="登记的死亡日期"):
        certify(elder, clerk, OPENS + 6 * DAY)
    certify(elder, clerk, OPENS + 5 * DAY)
    assert met(elder)


def test_a_death_taken_back_leaves_an_overdue_elder_to_be_suspended(clerk: User, elder: Elder) -> None:
    run(OPENS)
    open_round(clerk)
    death = add(elder, Kind.DEATH, "是", OPENS + 5 * DAY)
    certifications_refresh(today=SUSPENDS)
    death.delete()
    certifications_refresh(today=SUSPENDS)
    assert standing(elder) == {"AUTO": "暂停"}


def test_certification_resumes_only_what_it_suspended(clerk: User, elder: Elder) -> None:
    auto, free = Item.objects.get(code="AUTO"), Item.objects.get(code="FREE")
    run(OPENS)
    open_round(clerk)
    enrolment_suspend(elder=elder, item=free, actor=clerk, reason="查找不到本人")
    certifications_refresh(today=SUSPENDS)
    enrolment_suspend(elder=elder, item=auto, actor=clerk, reason="查找不到本人")
    certify(elder, clerk)
    assert standing(elder) == {"AUTO": "暂停", "FREE": "暂停"}
    enrolment_resume(elder=elder, item=auto, actor=clerk, reason="查找不到本人")
    assert standing(elder) == {"AUTO": "享受中", "FREE": "暂停"}


def test_what_a_clerk_suspended_for_want_of_certification_a_clerk_resumes(clerk: User, elder: Elder) -> None:
    auto = Item.objects.get(code="AUTO")
    run(OPENS)
    open_round(clerk)
    enrolment_suspend(elder=elder, item=auto, actor=clerk, reason="未认证")
    certify(elder, clerk)
    certifications_refresh(today=SUSPENDS)
    assert standing(elder) == {"AUTO": "暂停"}


def test_a_clerks_suspension_lifted_while_the_certification_is_overdue_is_followed_by_its_own(
    clerk: User, elder: Elder
) -> None:
    auto = Item.objects.get(code="AUTO")
    run(OPENS)
    open_round(clerk)
    enrolment_suspend(elder=elder, item=auto, actor=clerk, reason="其他")
    certifications_refresh(today=SUSPENDS)
    assert not CertificationDue.objects.get().suspended
    enrolment_resume(elder=elder, item=auto, actor=clerk, reason="其他")
    certifications_refresh(today=SUSPENDS + DAY)
    assert standing(elder) == {"AUTO": "暂停"}


def test_a_clerks_exception_is_not_undone_by_the_next_pass(clerk: User, elder: Elder) -> None:
    run(OPENS)
    open_round(clerk)
    certifications_refresh(today=SUSPENDS)
    enrolment_resume(elder=elder, item=Item.objects.get(code="AUTO"), actor=clerk, reason="其他")
    certifications_refresh(today=SUSPENDS + DAY)
    assert standing(elder) == {"AUTO": "享受中"}


def test_a_stopped_enrolment_stays_stopped_after_a_late_certification(clerk: User, elder: Elder) -> None:
    enrol(elder, "ASK", OPENS)
    ask = Item.objects.get(code="ASK")
    run(OPENS)
    open_round(clerk)
    certifications_refresh(today=SUSPENDS)
    enrolment_stop(elder=elder, item=ask, actor=clerk, reason="自愿放弃")
    certify(elder, clerk)
    assert standing(elder) == {"AUTO": "享受中", "ASK": "终止"}


def test_two_rounds_that_are_overdue_are_both_waited_for(clerk: User, elder: Elder) -> None:
    run(OPENS)
    open_round(clerk, "AUTO")
    later: dict[str, Any] = {
        "opens": DUE + DAY,
        "due": DUE + 5 * DAY,
        "suspends_on": SUSPENDS,
        "today": DUE + DAY,
    }
    open_round(clerk, "AUTO", name="下一轮", **later)
    certifications_refresh(today=SUSPENDS)
    certify(elder, clerk, DUE)
    assert standing(elder) == {"AUTO": "暂停"}, "the proof is older than the second round"
    certify(elder, clerk, DUE + DAY)
    assert standing(elder) == {"AUTO": "享受中"}
    assert not CertificationDue.objects.filter(suspended=True).exists()


def test_a_round_that_comes_overdue_while_another_holds_back_waits_for_its_own_proof(
    clerk: User, elder: Elder
) -> None:
    run(OPENS)
    open_round(clerk, "AUTO")
    later: dict[str, Any] = {
        "opens": DUE + DAY,
        "due": DUE + 5 * DAY,
        "suspends_on": SUSPENDS + DAY,
        "today": DUE + DAY,
    }
    open_round(clerk, "AUTO", name="下一轮", **later)
    certifications_refresh(today=SUSPENDS)
    certifications_refresh(today=SUSPENDS + DAY)
    assert CertificationDue.objects.filter(suspended=True).count() == 2
    before = EnrolmentEvent.objects.count()
    certify(elder, clerk, DUE)
    assert (standing(elder), EnrolmentEvent.objects.count()) == ({"AUTO": "暂停"}, before)
    certify(elder, clerk, DUE + DAY)
    assert standing(elder) == {"AUTO": "享受中"}


def test_only_the_rounds_items_are_suspended(clerk: User, elder: Elder) -> None:
    run(OPENS)
    open_round(clerk, "AUTO")
    certifications_refresh(today=SUSPENDS)
    run(SUSPENDED_MONTH)
    assert outcomes(elder, SUSPENDED_MONTH)["FREE"] == "应发"


def test_the_item_that_would_take_the_place_of_a_suspended_one_is_suspended_too(county: Area) -> None:
    groups = [{"code": "g", "strategy": "择高", "items": ["BIG", "SMALL"], "from": date(2023, 1, 1)}]
    publish_list(item("BIG", AGED, amount=100), item("SMALL", AGED), exclusions=groups)
    clerk = make_user("cert_clerk", Role.BUREAU_CLERK, COUNTY)
    elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
    run(OPENS)
    open_round(clerk, "BIG", "SMALL")
    certifications_refresh(today=SUSPENDS)
    run(SUSPENDED_MONTH)
    assert outcomes(elder, SUSPENDED_MONTH) == {"BIG": "暂停", "SMALL": "暂停"}


def test_the_enrolment_of_another_member_is_held_for_a_households_item(clerk: User) -> None:
    eldest = make_elder(date(1930, 1, 1), hukou=VILLAGE_A)
    spouse = make_elder(date(1932, 1, 1), hukou=VILLAGE_A, head=eldest.id_number)
    enrol(spouse, "HOME", OPENS)
    run(OPENS)
    open_round(clerk, "HOME")
    certifications_refresh(today=SUSPENDS)
    assert standing(spouse) == {"HOME": "暂停"}
    run(SUSPENDED_MONTH)
    assert outcomes(eldest, SUSPENDED_MONTH)["HOME"] == "暂停"
    certify(eldest, clerk)
    assert standing(spouse) == {"HOME": "享受中"}


def test_an_elder_who_could_not_be_confirmed_is_not_dead_and_not_certified(clerk: User, elder: Elder) -> None:
    run(OPENS)
    open_round(clerk)
    certification_record(elder=elder, on=OPENS, mode="上门", actor=clerk, alive=False, note="邻居称已去世")
    assert not met(elder)
    assert not elder.circumstances.filter(kind=Kind.DEATH).exists()
    assert AuditEntry.objects.filter(action="未能确认在世", subject=f"elder:{elder.pk}").count() == 1
    with pytest.raises(MoneyRefusedError, match="结论不能再改"):
        certify(elder, clerk)
    certify(elder, clerk, mode="视频")
    assert met(elder)


def test_a_certification_clicked_twice_is_one_and_another_person_is_told_who_was_first(
    clerk: User, elder: Elder
) -> None:
    run(OPENS)
    open_round(clerk)
    assert certify(elder, clerk) == certify(elder, clerk)
    worker = make_user("cert_worker", Role.VILLAGE_WORKER, VILLAGE_A)
    with pytest.raises(MoneyRefusedError, match=r"已由 县民政局经办人一 于 \d\d-\d\d \d\d:\d\d 登记"):
        certify(elder, worker)
    assert certify(elder, worker, OPENS + DAY).actor == worker


def test_a_village_worker_certifies_his_own_village_alone(clerk: User, elder: Elder) -> None:
    there = make_elder(date(1940, 1, 1), hukou=VILLAGE_B)
    worker = make_user("cert_worker", Role.VILLAGE_WORKER, VILLAGE_A)
    assert certify(elder, worker).actor == worker
    for actor in (worker, make_user("chief", Role.BUREAU_CHIEF, COUNTY)):
        with pytest.raises(MoneyRefusedError, match="不在您可办理的区划内"):
            certify(there, actor)
    assert certify(there, make_user("clerk_b2", Role.TOWNSHIP_CLERK, TOWN_B)).elder == there


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"on": timezone.localdate() + DAY}, "晚于今天"),
        ({"mode": "猜测"}, "请选择认证方式"),
        ({"mode": "探访"}, "由探访记录自动形成"),
    ],
)
def test_a_proof_that_cannot_be_is_refused(
    clerk: User, elder: Elder, given: dict[str, Any], words: str
) -> None:
    values: dict[str, Any] = {"on": OPENS, "mode": "上门"} | given
    with pytest.raises(MoneyRefusedError, match=words):
        certification_record(elder=elder, actor=clerk, **values)
