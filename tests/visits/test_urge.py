"""Urging: whose to-do it becomes, once a day, and what the phone is told."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from operations.commands import Refused
from operations.models import AuditEntry, Todo
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import (
    COUNTY,
    TOWN_A,
    TOWN_B,
    VILLAGE_A1,
    VILLAGE_A2,
    VILLAGE_B1,
    TierMaker,
    open_month,
    refresh,
    visit,
)
from visits.choices import FollowUpKind, FollowUpState
from visits.models import Caseload, FollowUp, Obligation
from visits.people import notices_of
from visits.services.caseload import obligations_assign
from visits.services.urge import Urged, urges_end, visits_urge
from visits.slots import next_month

pytestmark = pytest.mark.django_db
BIRTH = date(1940, 5, 5)


def this_month() -> date:
    return timezone.localdate().replace(day=1)


@pytest.fixture
def clerk(tier: TierMaker) -> User:
    """Clerk of 甲镇; two people in 甲一村, one in 甲二村, one in 乙一村."""
    tier()
    for village in (VILLAGE_A1, VILLAGE_A1, VILLAGE_A2, VILLAGE_B1):
        make_elder(BIRTH, hukou=village)
    open_month(this_month())
    return make_user("clerk", Role.TOWNSHIP_CLERK, TOWN_A)


@pytest.fixture
def li(clerk: User) -> User:
    """The only worker of 甲一村."""
    found = make_user("li", Role.VILLAGE_WORKER, VILLAGE_A1)
    obligations_assign(month=this_month())
    return found


def urge(actor: User, area: str = TOWN_A, day: date | None = None) -> Urged:
    rows = Obligation.objects.in_area(area).values_list("pk", flat=True)
    return visits_urge(
        month=this_month(), due=[(pk, day) for pk in rows], actor=actor, link=lambda to: f"/people/{to[1]}"
    )


def raised() -> set[tuple[str, str, str]]:
    """(role, area, first word of the title) of the open to-dos."""
    rows = Todo.objects.filter(done_at=None)
    return {(todo.role, todo.area_id, todo.title.split("月")[0]) for todo in rows}


def test_the_township_urges_the_villages_worker_and_itself_where_there_is_none(li: User, clerk: User) -> None:
    done = urge(clerk)
    assert done == Urged(3, (f"{li} 2 人", "甲镇经办人 1 人（未分配）"))
    assert raised() == {
        (Role.VILLAGE_WORKER, VILLAGE_A1, f"催办：{this_month().month}"),
        (Role.TOWNSHIP_CLERK, TOWN_A, f"催办：{this_month().month}"),
    }


def test_the_county_urges_the_townships_leads(li: User, clerk: User) -> None:
    done = urge(make_user("bureau", Role.BUREAU_CHIEF, COUNTY), area=COUNTY)
    assert done.recipients == ("甲镇负责人 3 人", "乙镇负责人 1 人")
    assert raised() == {
        (Role.TOWNSHIP_LEAD, TOWN_A, f"催办：{this_month().month}"),
        (Role.TOWNSHIP_LEAD, TOWN_B, f"催办：{this_month().month}"),
    }


def test_people_of_another_village_go_to_their_workers_own_village(li: User, clerk: User) -> None:
    Caseload.objects.create(area_code=VILLAGE_A2, worker=li, valid=(this_month(), None))
    obligations_assign(month=this_month())
    urge(clerk, area=VILLAGE_A2)
    assert raised() == {(Role.VILLAGE_WORKER, VILLAGE_A1, f"催办：{this_month().month}")}


def test_urging_again_raises_no_second_todo(li: User, clerk: User) -> None:
    urge(clerk)
    urge(clerk)
    assert Todo.objects.count() == 2


def test_the_day_is_the_earliest_due_but_never_gone(li: User, clerk: User) -> None:
    today = timezone.localdate()
    urge(clerk, area=VILLAGE_A1, day=today - timedelta(days=3))
    todo = Todo.objects.get()
    assert (todo.due, todo.link) == (today, f"/people/{VILLAGE_A1}")
    assert todo.title == f"催办：{today.month}月探访还有人未达标，请在{today.month}月{today.day}日前完成"


def test_who_was_visited_meanwhile_is_not_counted(li: User, clerk: User) -> None:
    first = Obligation.objects.filter(area_code=VILLAGE_A1).earliest("pk")
    visit(first.elder, f"{timezone.localdate()} 00:00")
    refresh(this_month())
    assert urge(clerk, area=VILLAGE_A1).people == 1


def test_nobody_left_to_urge_about_is_refused(clerk: User) -> None:
    Obligation.objects.update(met=True)
    with pytest.raises(Refused, match="不用催办"):
        urge(clerk)


def test_a_month_gone_by_is_refused(clerk: User) -> None:
    past = (this_month() - timedelta(days=1)).replace(day=1)
    with pytest.raises(Refused, match="已经结束"):
        visits_urge(month=past, due=[], actor=clerk, link=lambda to: to[1])


def test_urging_is_audited(li: User, clerk: User) -> None:
    urge(clerk)
    entry = AuditEntry.objects.get(action="催办探访")
    assert (entry.actor, entry.data["people"], len(entry.data["to"])) == (clerk, 3, 2)


def test_the_phone_is_told_until_nobody_is_left(li: User, clerk: User) -> None:
    urge(clerk)
    today = timezone.localdate()
    told = f"催办：{today.month}月探访 {{}} 人未达标，请在{today.month}月{today.day}日前完成"
    assert notices_of(User.objects.get(pk=li.pk)) == [told.format(2)]
    first = Obligation.objects.filter(assignee=li).earliest("pk")
    Obligation.objects.filter(pk=first.pk).update(met=True)
    assert notices_of(User.objects.get(pk=li.pk)) == [told.format(1)]
    Obligation.objects.filter(assignee=li).update(met=True)
    assert notices_of(User.objects.get(pk=li.pk)) == []


def test_another_villages_phone_is_not_told(li: User, clerk: User) -> None:
    urge(clerk)
    assert notices_of(make_user("other", Role.VILLAGE_WORKER, VILLAGE_B1)) == []


def test_todos_end_with_the_month_and_with_the_last_visit(li: User, clerk: User) -> None:
    urge(clerk)
    assert urges_end(today=timezone.localdate()) == 0
    Obligation.objects.filter(area_code=VILLAGE_A1).update(met=True)
    assert urges_end(today=timezone.localdate()) == 1
    assert urges_end(today=next_month(this_month())) == 1
    assert not Todo.objects.filter(done_at=None).exists()


def test_who_was_reported_dead_is_not_urged_about_until_it_is_checked(li: User, clerk: User) -> None:
    first, second = Obligation.objects.filter(area_code=VILLAGE_A1).order_by("pk")
    told = visit(first.elder, f"{timezone.localdate()} 00:00", result="已故")
    report = FollowUp.objects.create(
        kind=FollowUpKind.DEATH,
        elder=first.elder,
        visit=told,
        area_code=VILLAGE_A1,
        title="核实",
        due_at=timezone.now(),
    )
    assert urge(clerk, area=VILLAGE_A1).recipients == (f"{li} 1 人",)
    Obligation.objects.filter(pk=second.pk).update(met=True)
    with pytest.raises(Refused, match="等待核实"):
        urge(clerk, area=VILLAGE_A1)
    assert notices_of(User.objects.get(pk=li.pk)) == []
    FollowUp.objects.filter(pk=report.pk).update(state=FollowUpState.DROPPED, closed_at=timezone.now())
    assert urge(clerk, area=VILLAGE_A1).people == 1
