"""What people do about a follow-up: who may, in which state, and two at once."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Document
from eldercare.models import Elder
from operations.commands import Refused
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Assignment, Bureau, User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import COUNTY, TOWN_A, VILLAGE_A1, visit
from visits.choices import FollowUpKind, FollowUpState
from visits.follow_ups import may_handle
from visits.models import FollowUp
from visits.services.follow_up_step import (
    follow_up_close,
    follow_up_hand_on,
    follow_up_report,
    follow_ups_accept,
)

pytestmark = pytest.mark.django_db
WAITING, WORKING, DONE, DROPPED = FollowUpState


@pytest.fixture
def elder(county: Document) -> Elder:
    """An elder of 甲一村."""
    return make_elder(date(1942, 5, 17), hukou=VILLAGE_A1, name="赵春梅")


@pytest.fixture
def bureaus(county: Document) -> dict[str, Bureau]:
    """县残联 and 县民政局."""
    return {
        code: Bureau.objects.create(area_id=COUNTY, code=code, name=name)
        for code, name in (("cl", "县残联"), ("mzj", "县民政局"))
    }


def staff(name: str, bureau: Bureau) -> User:
    """Somebody of a bureau."""
    user = User.objects.create_user(name, password="Sunny-Hills-2026", full_name=name)
    Assignment.objects.create(user=user, role=Role.DEPARTMENT, area_id=COUNTY, bureau=bureau)
    return user


def matter(
    elder: Elder, kind: str = FollowUpKind.REFERRAL, bureau: Bureau | None = None, **more: Any
) -> FollowUp:
    """A follow-up of this kind."""
    event = visit(elder, "2026-03-02")
    return FollowUp.objects.create(
        kind=kind,
        elder=elder,
        visit=event,
        area_code=elder.residence_code,
        bureau=bureau,
        title="需要康复辅具",
        due_at=timezone.now() + timedelta(days=1),
        **more,
    )


def last(row: FollowUp) -> int:
    """The last step as a page would have shown it."""
    step = row.steps.last()
    return step.pk if step else 0


@pytest.mark.parametrize(
    ("role", "area", "kind", "whose", "may"),
    [
        (Role.DEPARTMENT, COUNTY, "转介", "cl", True),
        (Role.DEPARTMENT, COUNTY, "转介", "mzj", False),
        (Role.DEPARTMENT, COUNTY, "转介", None, False),
        (Role.BUREAU_CLERK, COUNTY, "转介", "cl", True),
        (Role.BUREAU_CLERK, COUNTY, "死亡核实", None, True),
        (Role.TOWNSHIP_CLERK, TOWN_A, "死亡核实", None, True),
        (Role.TOWNSHIP_CLERK, TOWN_A, "转介", "cl", False),
        (Role.TOWNSHIP_CLERK, TOWN_A, "转介", None, True),
        (Role.TOWNSHIP_LEAD, TOWN_A, "死亡核实", None, False),
        (Role.VILLAGE_WORKER, VILLAGE_A1, "上门核实", None, True),
        (Role.VILLAGE_WORKER, VILLAGE_A1, "风险复访", None, True),
        (Role.VILLAGE_WORKER, VILLAGE_A1, "死亡核实", None, False),
        (Role.VILLAGE_WORKER, VILLAGE_A1, "迁出核实", None, False),
        (Role.VILLAGE_WORKER, "530322101202", "上门核实", None, False),
        (Role.SUPERVISOR, COUNTY, "转介", None, False),
    ],
)
def test_who_may_handle_what(
    elder: Elder,
    bureaus: dict[str, Bureau],
    role: Role,
    area: str,
    kind: str,
    whose: str | None,
    may: bool,
) -> None:
    user = User.objects.create_user("u", password="Sunny-Hills-2026")
    bureau = bureaus["cl"] if role == Role.DEPARTMENT else None
    Assignment.objects.create(user=user, role=role, area_id=area, bureau=bureau)
    assert may_handle(user, matter(elder, kind, bureaus[whose] if whose else None)) is may


def test_a_bureau_takes_a_referral_says_how_it_goes_and_closes_it(
    elder: Elder, bureaus: dict[str, Bureau]
) -> None:
    row, user = matter(elder, bureau=bureaus["cl"]), staff("残联一", bureaus["cl"])
    assert follow_ups_accept(follow_up_ids=[row.pk], actor=user) == 1
    follow_up_report(follow_up_id=row.pk, note="已约上门评估", seen=last(row), actor=user)
    follow_up_close(follow_up_id=row.pk, state=DONE, note="已配发轮椅一辆", seen=last(row), actor=user)
    row.refresh_from_db()
    assert (row.state, row.closed_at is not None) == (DONE, True)
    assert [(step.state, step.note, step.actor) for step in row.steps.all()] == [
        (WORKING, "", user),
        (WORKING, "已约上门评估", user),
        (DONE, "已配发轮椅一辆", user),
    ]
    assert AuditEntry.objects.filter(subject=f"elder:{elder.pk}", actor=user).count() == 3


def test_accepting_takes_what_waits_and_leaves_the_rest(elder: Elder, bureaus: dict[str, Bureau]) -> None:
    user = staff("残联一", bureaus["cl"])
    mine, working = matter(elder, bureau=bureaus["cl"]), matter(elder, bureau=bureaus["cl"], state=WORKING)
    foreign = matter(elder, bureau=bureaus["mzj"])
    assert follow_ups_accept(follow_up_ids=[mine.pk, working.pk, foreign.pk], actor=user) == 1
    assert [row.steps.count() for row in (mine, working, foreign)] == [1, 0, 0]


def test_a_matter_of_another_bureau_is_not_there(elder: Elder, bureaus: dict[str, Bureau]) -> None:
    row = matter(elder, bureau=bureaus["mzj"])
    with pytest.raises(FollowUp.DoesNotExist):
        follow_up_close(
            follow_up_id=row.pk, state=DONE, note="已经办好", seen=0, actor=staff("残", bureaus["cl"])
        )


def test_who_does_not_handle_it_may_add_a_word_and_no_more(elder: Elder, bureaus: dict[str, Bureau]) -> None:
    row = matter(elder, bureau=bureaus["cl"])
    worker = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)
    follow_up_report(follow_up_id=row.pk, note="老人换了电话", seen=0, actor=worker)
    row.refresh_from_db()
    assert (row.state, row.steps.get().state) == (WAITING, WAITING)
    with pytest.raises(Refused, match="由县残联办理"):
        follow_up_close(follow_up_id=row.pk, state=DONE, note="已经办好", seen=last(row), actor=worker)


@pytest.mark.parametrize(
    ("note", "right"), [("三个字", False), ("四个字了", True), ("长" * 200, True), ("长" * 201, False)]
)
def test_a_result_has_four_to_two_hundred_characters(
    elder: Elder, bureaus: dict[str, Bureau], note: str, right: bool
) -> None:
    row, user = matter(elder, bureau=bureaus["cl"]), staff("残联一", bureaus["cl"])
    try:
        follow_up_close(follow_up_id=row.pk, state=DONE, note=note, seen=0, actor=user)
    except Refused as refusal:
        assert not right and "要写 4 到 200 个字" in str(refusal)
    row.refresh_from_db()
    assert (row.state == DONE) is right


def test_the_second_of_two_is_told_what_the_first_did(elder: Elder, bureaus: dict[str, Bureau]) -> None:
    row = matter(elder, bureau=bureaus["cl"])
    one, two = staff("王一", bureaus["cl"]), staff("李二", bureaus["cl"])
    follow_up_close(follow_up_id=row.pk, state=DONE, note="已配发轮椅", seen=0, actor=one)
    with pytest.raises(Refused, match=r"王一 于 .* 已作“已办结”：已配发轮椅"):
        follow_up_close(follow_up_id=row.pk, state=DROPPED, note="本人不需要", seen=0, actor=two)
    assert row.steps.count() == 1


def test_a_double_click_closes_once(elder: Elder, bureaus: dict[str, Bureau]) -> None:
    row, user = matter(elder, bureau=bureaus["cl"]), staff("残联一", bureaus["cl"])
    for _ in range(2):
        follow_up_close(follow_up_id=row.pk, state=DONE, note="已配发轮椅", seen=0, actor=user)
    assert row.steps.count() == 1


def test_handing_on_changes_the_bureau_and_waits_again(elder: Elder, bureaus: dict[str, Bureau]) -> None:
    row, user = matter(elder, bureau=bureaus["cl"], state=WORKING), staff("残联一", bureaus["cl"])
    follow_up_hand_on(
        follow_up_id=row.pk, bureau_id=bureaus["mzj"].pk, reason="属于适老化改造", seen=0, actor=user
    )
    row.refresh_from_db()
    assert (row.bureau, row.state, row.steps.get().note) == (
        bureaus["mzj"],
        WAITING,
        "转县民政局：属于适老化改造",
    )
    assert not FollowUp.objects.visible_to(user).exists()


@pytest.mark.parametrize(
    ("to", "said"), [("cl", "已在县残联办理"), ("elsewhere", "请选择本县的一个责任单位")]
)
def test_handing_on_goes_to_another_bureau_of_the_county(
    elder: Elder, bureaus: dict[str, Bureau], to: str, said: str
) -> None:
    elsewhere = Bureau.objects.create(area_id=TOWN_A, code="x", name="镇办")
    row, user = matter(elder, bureau=bureaus["cl"]), staff("残联一", bureaus["cl"])
    target = bureaus.get(to, elsewhere)
    with pytest.raises(Refused, match=said):
        follow_up_hand_on(follow_up_id=row.pk, bureau_id=target.pk, reason="不归我们管", seen=0, actor=user)


def test_only_referrals_are_handed_on(elder: Elder, bureaus: dict[str, Bureau]) -> None:
    row = matter(elder, FollowUpKind.HOME_VISIT)
    worker = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)
    with pytest.raises(Refused, match="只有转介事项"):
        follow_up_hand_on(
            follow_up_id=row.pk, bureau_id=bureaus["cl"].pk, reason="不归我们管", seen=0, actor=worker
        )


@pytest.mark.parametrize("kind", [FollowUpKind.DEATH, FollowUpKind.MOVED_OUT])
def test_a_reported_death_is_not_closed_as_done_without_its_day(elder: Elder, kind: str) -> None:
    row, clerk = matter(elder, kind), make_user("clerk", Role.TOWNSHIP_CLERK, TOWN_A)
    with pytest.raises(Refused, match="请填写日期"):
        follow_up_close(follow_up_id=row.pk, state=DONE, note="已经办好", seen=0, actor=clerk)
    follow_up_close(follow_up_id=row.pk, state=DROPPED, note="误报，本人健在", seen=0, actor=clerk)
    row.refresh_from_db()
    assert row.state == DROPPED
