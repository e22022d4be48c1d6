"""Applications: three persons, states, areas, double clicks, the public notice, and what an approval is worth."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from subsidies.applications import items_to_apply_for
from subsidies.models import Application, Enrolment, EnrolmentEvent
from subsidies.refusals import MoneyRefusedError
from subsidies.services.application import (
    application_approve,
    application_check,
    application_make,
    application_notices_end,
    application_refuse,
    application_withdraw,
)
from subsidies.services.enrolment_change import enrolment_stop
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_B, make_user
from tests.registry import add, make_elder
from tests.subsidies.applicants import Staff, apply, approved, make_staff, terms
from tests.subsidies.county import (
    CHENCANG,
    CHENCANG_VILLAGE,
    drawn,
    due_lines,
    enrol,
    item,
    months,
    outcomes,
    publish_list,
    run,
    run_through,
)

AGED_80 = "户籍在本县 且 年龄 >= 80 且 年龄 <= 99"
NOVEMBER, DECEMBER = date(2024, 11, 1), date(2024, 12, 1)
APPLIED = date(2024, 11, 20)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(county: Area) -> Staff:
    """A list with one item to apply for, one without, one of households and one of institutions; three persons."""
    publish_list(
        item("ASK", AGED_80, application="申请", number=1),
        item("AUTO", AGED_80, number=2),
        item("HOME", AGED_80, application="申请", subject="家庭", number=3),
        item("BEDS", AGED_80, application="申请", subject="机构", track="计数", number=4),
        item("COUNT", AGED_80, application="申请", track="计数", number=5),
    )
    return make_staff()


@pytest.fixture
def elder(county: Area) -> Elder:
    """Born 15 June 1943: 80 from 15 June 2023."""
    return make_elder(date(1943, 6, 15))


def refused(words: str) -> "pytest.RaisesExc[MoneyRefusedError]":
    return pytest.raises(MoneyRefusedError, match=words)


@pytest.mark.parametrize(
    ("start", "first", "back_pay"),
    [
        ("符合条件起", date(2023, 7, 1), Decimal(850)),
        ("本年符合起", date(2024, 1, 1), Decimal(550)),
        ("申请当月", date(2024, 11, 1), Decimal(50)),
        ("审批次月", date(2024, 12, 1), Decimal(0)),
    ],
)
def test_a_late_application_is_paid_back_as_the_terms_say_and_regularly_from_the_next_month(
    staff: Staff, elder: Elder, start: str, first: date, back_pay: Decimal
) -> None:
    terms("ASK", start=start)
    run_through(date(2023, 6, 1), NOVEMBER)
    assert outcomes(elder, NOVEMBER)["ASK"] == "未申请"
    enrolment = approved(elder, "ASK", staff, APPLIED).enrolment
    assert enrolment is not None
    assert enrolment.first_month == first
    run(DECEMBER)
    lines = {month: line for (code, month), line in due_lines(elder, DECEMBER).items() if code == "ASK"}
    span = months(first, NOVEMBER) if first < DECEMBER else []
    assert lines == {month: ("补发", Decimal(50)) for month in span}
    assert sum(amount for _, amount in lines.values()) == back_pay
    assert drawn(elder, DECEMBER)["ASK"] == Decimal(50)


def test_an_approval_after_the_month_was_run_is_paid_by_running_it_again(staff: Staff, elder: Elder) -> None:
    terms("ASK", start="申请当月")
    run(NOVEMBER)
    approved(elder, "ASK", staff, APPLIED)
    run(NOVEMBER)
    assert drawn(elder, NOVEMBER)["ASK"] == Decimal(50)


def test_only_the_unbroken_row_of_missed_months_is_paid_back(staff: Staff, county: Area) -> None:
    publish_list(item("POOR", "低保", application="申请", number=9), code="poor-list")
    elder = make_elder(date(1940, 1, 1), low_income_allowance=("是", date(2024, 1, 1), date(2024, 4, 1)))
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2024, 8, 1))
    terms("POOR", start="符合条件起")
    run_through(date(2024, 1, 1), NOVEMBER)
    assert approved(elder, "POOR", staff, APPLIED).first_month == date(2024, 8, 1)


def test_who_is_not_entitled_may_apply_with_a_warning_and_is_paid_nothing_back(staff: Staff) -> None:
    terms("ASK", start="符合条件起")
    young = make_elder(date(1944, 12, 15))
    run(NOVEMBER)
    made = application_make(
        elder=young, item=Item.objects.get(code="ASK"), channel="本人", actor=staff.clerk, applied_on=APPLIED
    )
    assert made.eligible is False
    application_check(application_id=made.application.pk, actor=staff.lead)
    approved_one = application_approve(application_id=made.application.pk, actor=staff.chief, today=APPLIED)
    assert approved_one.first_month == NOVEMBER


def test_before_any_month_is_decided_nothing_is_said_about_entitlement(staff: Staff, elder: Elder) -> None:
    ask = Item.objects.get(code="ASK")
    made = application_make(elder=elder, item=ask, channel="本人", actor=staff.clerk)
    assert made.eligible is None


def test_what_was_renounced_is_not_paid_back_by_asking_again(staff: Staff, elder: Elder) -> None:
    terms("ASK", start="符合条件起")
    chief_clerk = make_user("stopper", Role.BUREAU_CLERK, COUNTY)
    enrol(elder, "ASK", date(2024, 1, 1))
    ask = Item.objects.get(code="ASK")
    enrolment_stop(elder=elder, item=ask, actor=chief_clerk, reason="自愿放弃", last_month=date(2024, 5, 1))
    run_through(date(2024, 4, 1), NOVEMBER)
    assert outcomes(elder, NOVEMBER)["ASK"] == "未申请"
    assert approved(elder, "ASK", staff, APPLIED).first_month == NOVEMBER


def test_without_terms_an_approval_pays_from_the_next_month(staff: Staff, elder: Elder) -> None:
    assert approved(elder, "ASK", staff, APPLIED).first_month == DECEMBER


def test_the_approver_may_choose_another_month_as_far_as_the_look_back_reaches(
    staff: Staff, elder: Elder
) -> None:
    made = apply(elder, "ASK", staff, APPLIED)
    application_check(application_id=made.pk, actor=staff.lead)
    approve = partial(application_approve, application_id=made.pk, actor=staff.chief)
    with refused("最早从 2022-11 起"):
        approve(first_month=date(2022, 10, 1))
    with refused("1 日"):
        approve(first_month=date(2022, 11, 2))
    assert approve(first_month=date(2022, 11, 1)).first_month == date(2022, 11, 1)


def test_an_enrolment_that_ended_is_not_paid_twice_by_a_new_application(staff: Staff, elder: Elder) -> None:
    terms("ASK", start="申请当月")
    enrol(elder, "ASK", date(2024, 1, 1), NOVEMBER, "终止")
    assert approved(elder, "ASK", staff, APPLIED).first_month == DECEMBER


def test_the_enrolment_says_how_it_came_about(staff: Staff, elder: Elder) -> None:
    application = approved(elder, "ASK", staff, APPLIED)
    event = EnrolmentEvent.objects.get(enrolment=application.enrolment)
    assert (event.action, event.month, event.actor) == ("登记", DECEMBER, staff.chief)
    acts = AuditEntry.objects.filter(subject=f"application:{application.pk}").order_by("id")
    assert list(acts.values_list("action", flat=True)) == ["登记申请", "审核申请", "审批申请", "登记享受"]


def test_three_persons_take_the_three_steps(staff: Staff, elder: Elder) -> None:
    made = apply(elder, "ASK", staff)
    for role in (Role.TOWNSHIP_LEAD, Role.BUREAU_CHIEF):
        staff.clerk.assignments.create(role=role, area_id=COUNTY)
    staff.lead.assignments.create(role=Role.BUREAU_CHIEF, area_id=COUNTY)
    maker, lead = User.objects.get(pk=staff.clerk.pk), User.objects.get(pk=staff.lead.pk)
    with refused("经办人和审核人不能是同一人"):
        application_check(application_id=made.pk, actor=maker)
    application_check(application_id=made.pk, actor=lead)
    with refused("经办人和审批人不能是同一人"):
        application_approve(application_id=made.pk, actor=maker)
    with refused("审核人和审批人不能是同一人"):
        application_approve(application_id=made.pk, actor=lead)
    assert application_approve(application_id=made.pk, actor=staff.chief).state == "已批准"


def test_a_step_is_refused_outside_the_actors_area_and_without_the_permission(
    staff: Staff, elder: Elder
) -> None:
    elsewhere = make_user("lead_b", Role.TOWNSHIP_LEAD, TOWN_B)
    made = apply(elder, "ASK", staff)
    for actor in (elsewhere, staff.chief):
        with refused("区划"):
            application_check(application_id=made.pk, actor=actor)
    application_check(application_id=made.pk, actor=staff.lead)
    with refused("区划"):
        application_approve(application_id=made.pk, actor=elsewhere)


def test_an_elder_of_another_township_cannot_be_applied_for(staff: Staff) -> None:
    there = make_elder(date(1940, 1, 1), hukou=VILLAGE_B)
    with refused("不在您可办理的区划内"):
        apply(there, "ASK", staff)


def test_a_step_cannot_be_skipped_or_taken_after_the_end(staff: Staff, elder: Elder) -> None:
    made = apply(elder, "ASK", staff)
    with refused("待镇街审核"):
        application_approve(application_id=made.pk, actor=staff.chief)
    application_withdraw(application_id=made.pk, actor=staff.clerk, reason="填错项目")
    with refused("已撤回"):
        application_check(application_id=made.pk, actor=staff.lead)


@pytest.mark.parametrize(
    ("code", "words"),
    [("AUTO", "免申即享"), ("BEDS", "不属于"), ("COUNT", "不逐人登记"), ("ELSE", "不属于")],
)
def test_only_items_to_apply_for_of_the_elders_county_are_taken(
    staff: Staff, elder: Elder, code: str, words: str
) -> None:
    Area.objects.create(code=CHENCANG, name="邻县")
    publish_list(item("ELSE", "年龄 >= 80", application="申请"), area=CHENCANG, code="other")
    with refused(words):
        apply(elder, code, staff)
    offered = items_to_apply_for(elder, staff.clerk, timezone.localdate())
    assert [offer.code for offer in offered] == ["ASK", "HOME"]


def test_who_lives_here_and_is_registered_elsewhere_is_counted_where_he_lives(staff: Staff) -> None:
    elder = make_elder(date(1940, 1, 1), hukou=CHENCANG_VILLAGE, residence="530322101201")
    assert apply(elder, "ASK", staff).area_code == "530322101201"


def test_another_county_hands_nothing_in_for_this_countys_list(staff: Staff) -> None:
    Area.objects.create(code=CHENCANG, name="邻县")
    elder = make_elder(date(1940, 1, 1), residence=CHENCANG_VILLAGE)
    there = make_user("there", Role.BUREAU_CLERK, CHENCANG)
    with refused("不在您可办理的区划内"):
        application_make(elder=elder, item=Item.objects.get(code="ASK"), channel="本人", actor=there)
    assert apply(elder, "ASK", staff).made_by == staff.clerk


def test_an_application_in_hand_is_refused_to_others_and_returned_to_who_made_it(
    staff: Staff, elder: Elder
) -> None:
    made = apply(elder, "ASK", staff)
    assert apply(elder, "ASK", staff) == made
    other = make_user("clerk_two", Role.TOWNSHIP_CLERK, TOWN_A)
    with refused(r"已由 镇（街）经办人一 于 \d\d-\d\d \d\d:\d\d 登记申请"):
        application_make(elder=elder, item=made.item, channel="本人", actor=other)
    assert Application.objects.count() == 1


def test_who_is_enrolled_need_not_apply(staff: Staff, elder: Elder) -> None:
    enrol(elder, "ASK", date(2024, 1, 1))
    with refused("已登记享受"):
        apply(elder, "ASK", staff)


def test_a_member_of_an_enrolled_household_need_not_apply(staff: Staff, elder: Elder) -> None:
    spouse = make_elder(date(1940, 1, 1), head=elder.id_number)
    enrol(elder, "HOME", date(2024, 1, 1))
    enrol(elder, "ASK", date(2024, 1, 1))
    with refused("同户的张测已登记享受"):
        apply(spouse, "HOME", staff)
    assert apply(spouse, "ASK", staff).state == "待审核"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"channel": "代办"}, "代办人姓名"),
        ({"channel": "代办", "agent_name": "李四"}, "关系"),
        ({"applied_on": timezone.localdate() + timedelta(days=1)}, "晚于今天"),
    ],
)
def test_what_is_incomplete_or_impossible_is_refused(
    staff: Staff, elder: Elder, given: dict[str, Any], words: str
) -> None:
    values: dict[str, Any] = {"channel": "本人"} | given
    with refused(words):
        application_make(elder=elder, item=Item.objects.get(code="ASK"), actor=staff.clerk, **values)


def test_a_step_taken_twice_by_one_person_changes_nothing_and_by_another_says_who_and_when(
    staff: Staff, elder: Elder
) -> None:
    other = make_user("chief_two", Role.BUREAU_CHIEF, COUNTY)
    application = approved(elder, "ASK", staff, APPLIED)
    application_check(application_id=application.pk, actor=staff.lead)
    application_approve(application_id=application.pk, actor=staff.chief, first_month=date(2024, 1, 1))
    application.refresh_from_db()
    assert application.first_month == DECEMBER
    with refused(r"已由 县民政局分管领导一 于 \d\d-\d\d \d\d:\d\d 审批"):
        application_approve(application_id=application.pk, actor=other)
    assert Enrolment.objects.count() == 1


def test_a_refusal_gives_its_reason_and_frees_the_way_for_a_new_application(
    staff: Staff, elder: Elder
) -> None:
    made = apply(elder, "ASK", staff)
    with refused("理由"):
        application_refuse(application_id=made.pk, actor=staff.lead, reason=" ")
    for _ in range(2):
        application = application_refuse(application_id=made.pk, actor=staff.lead, reason="材料不全")
    assert (application.state, application.refusal) == ("不予批准", "材料不全")
    with refused("已由 镇（街）负责人一"):
        application_refuse(
            application_id=made.pk, actor=make_user("l2", Role.TOWNSHIP_LEAD, TOWN_A), reason="材料不全"
        )
    assert apply(elder, "ASK", staff) != made


def test_the_maker_cannot_refuse_and_the_checker_cannot_refuse_for_the_county(
    staff: Staff, elder: Elder
) -> None:
    made = apply(elder, "ASK", staff)
    with refused("区划"):
        application_refuse(application_id=made.pk, actor=staff.clerk, reason="材料不全")
    application_check(application_id=made.pk, actor=staff.lead)
    with refused("区划"):
        application_refuse(application_id=made.pk, actor=staff.lead, reason="材料不全")
    assert (
        application_refuse(application_id=made.pk, actor=staff.chief, reason="材料不全").state == "不予批准"
    )


def test_the_notice_lasts_through_its_last_day(staff: Staff, elder: Elder) -> None:
    terms("ASK", notice_days=7, start="申请当月")
    today = timezone.localdate()
    application = approved(elder, "ASK", staff)
    last_day = today + timedelta(days=7)
    assert (application.state, application.notice_until) == ("公示中", last_day)
    assert application_notices_end(today=last_day) == 0
    assert not Enrolment.objects.exists()
    assert application_notices_end(today=last_day + timedelta(days=1)) == 1
    assert application_notices_end(today=last_day + timedelta(days=1)) == 0
    application.refresh_from_db()
    assert application.state == "已批准"
    assert Enrolment.objects.get() == application.enrolment


def test_an_objection_during_the_notice_ends_in_a_refusal(staff: Staff, elder: Elder) -> None:
    terms("ASK", notice_days=7)
    application = approved(elder, "ASK", staff)
    application_refuse(application_id=application.pk, actor=staff.chief, reason="群众反映不符合条件，查实")
    assert application_notices_end(today=timezone.localdate() + timedelta(days=30)) == 0
    assert not Enrolment.objects.exists()


def test_a_notice_that_is_over_ends_at_the_first_touch(staff: Staff, elder: Elder) -> None:
    terms("ASK", notice_days=7)
    made = apply(elder, "ASK", staff, APPLIED)
    application_check(application_id=made.pk, actor=staff.lead)
    application_approve(application_id=made.pk, actor=staff.chief, today=APPLIED)
    touched = application_approve(application_id=made.pk, actor=staff.chief)
    assert touched.state == "已批准"
    assert Enrolment.objects.get().first_month == DECEMBER


def test_an_enrolment_taken_from_a_file_during_the_notice_is_not_doubled(staff: Staff, elder: Elder) -> None:
    terms("ASK", notice_days=7, start="申请当月")
    application = approved(elder, "ASK", staff)
    imported = enrol(elder, "ASK", date(2024, 1, 1))
    application_notices_end(today=timezone.localdate() + timedelta(days=8))
    application.refresh_from_db()
    assert application.enrolment == imported
