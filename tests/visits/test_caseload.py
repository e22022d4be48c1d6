"""Who is to visit whom when a month is opened, and after a change inside the month."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from eldercare.choices import Kind
from eldercare.models import Elder
from operations.commands import Refused
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Assignment, User
from tests.conftest import make_user
from tests.registry import add, make_elder
from tests.visits.conftest import (
    TOWN_A,
    VILLAGE_A1,
    VILLAGE_A2,
    VILLAGE_B1,
    TierMaker,
    open_month,
    refresh,
    visit,
)
from visits.models import Caseload, Obligation, VisitMonth
from visits.services.caseload import (
    Change,
    elders_assign,
    obligations_assign,
    village_assign,
    worker_hand_over,
)
from visits.slots import next_month
from visits.tasks import obligations_assign_daily

pytestmark = pytest.mark.django_db
BIRTH = date(1940, 5, 5)
DAY = timedelta(days=1)


def today() -> date:
    return timezone.localdate()


def this_month() -> date:
    return today().replace(day=1)


def given(worker: User | None, by: User, since: date | None = None, **more: Any) -> Change:
    return Change(worker=worker, since=since or today(), actor=by, **more)


def assignee(elder: Elder, month: date | None = None) -> User | None:
    return Obligation.objects.get(elder=elder, month=month or this_month()).assignee


@pytest.fixture
def clerk(tier: TierMaker) -> User:
    """Clerk of 甲镇 in a county with one tier."""
    tier()
    return make_user("clerk", Role.TOWNSHIP_CLERK, TOWN_A)


@pytest.fixture
def li(clerk: User) -> User:
    """The only worker of 甲一村."""
    return make_user("li", Role.VILLAGE_WORKER, VILLAGE_A1)


@pytest.fixture
def wang(clerk: User) -> User:
    """The only worker of 甲二村."""
    return make_user("wang", Role.VILLAGE_WORKER, VILLAGE_A2)


@pytest.fixture
def elder(li: User) -> Elder:
    """An elder of 甲一村 whose month is open."""
    found = make_elder(BIRTH)
    open_month(this_month())
    return found


def test_a_month_opens_with_the_villages_only_worker(elder: Elder, li: User) -> None:
    assert assignee(elder) == li


def test_a_village_with_two_workers_is_everybodys(li: User) -> None:
    make_user("zhao", Role.VILLAGE_WORKER, VILLAGE_A1)
    elder = make_elder(BIRTH)
    open_month(this_month())
    assert assignee(elder) is None


def test_a_village_whose_worker_left_is_everybodys(li: User) -> None:
    User.objects.filter(pk=li.pk).update(is_active=False)
    elder = make_elder(BIRTH)
    open_month(this_month())
    assert assignee(elder) is None


def test_a_village_given_away_moves_at_once_and_in_the_months_to_come(
    elder: Elder, clerk: User, wang: User
) -> None:
    village_assign(area_code=VILLAGE_A1, change=given(wang, clerk))
    following = next_month(this_month())
    open_month(following)
    assert [assignee(elder), assignee(elder, following)] == [wang, wang]


def test_an_elders_own_worker_comes_before_the_villages(
    elder: Elder, clerk: User, li: User, wang: User
) -> None:
    neighbour = make_elder(BIRTH)
    open_month(this_month())
    elders_assign(elder_ids=[elder.pk], change=given(wang, clerk))
    village_assign(area_code=VILLAGE_A1, change=given(li, clerk))
    assert [assignee(elder), assignee(neighbour)] == [wang, li]


def test_who_becomes_due_inside_the_month_goes_to_whoever_has_the_village_by_then(
    elder: Elder, clerk: User, wang: User
) -> None:
    village_assign(area_code=VILLAGE_A1, change=given(wang, clerk))
    entrant = make_elder(BIRTH)
    open_month(this_month())
    assert assignee(entrant) == wang


def test_who_left_or_was_visited_stays_with_whom_it_was(clerk: User, li: User, wang: User) -> None:
    left, visited, waiting = (make_elder(BIRTH) for _ in range(3))
    open_month(this_month())
    add(left, Kind.DEATH, "是", today())
    visit(visited, f"{today()} 00:00")
    refresh(this_month())
    done = worker_hand_over(absent=li, change=given(wang, clerk))
    assert [assignee(each) for each in (left, visited, waiting)] == [li, li, wang]
    assert done.moved == 1


def test_who_moves_to_another_village_keeps_the_worker_this_month_and_has_the_new_villages_next_month(
    elder: Elder, clerk: User, li: User, wang: User
) -> None:
    elders_assign(elder_ids=[elder.pk], change=given(li, clerk))
    elder.circumstances.filter(kind=Kind.HUKOU).delete()
    add(elder, Kind.HUKOU, VILLAGE_A2, date(2020, 1, 1))
    obligations_assign(month=this_month())
    following = next_month(this_month())
    open_month(following)
    assert [assignee(elder), assignee(elder, following)] == [li, wang]


def test_all_of_a_worker_are_the_villages_and_the_elders_given_one_by_one(
    elder: Elder, clerk: User, li: User, wang: User
) -> None:
    other = make_elder(BIRTH, hukou=VILLAGE_A2)
    open_month(this_month())
    elders_assign(elder_ids=[other.pk], change=given(li, clerk))
    chen = make_user("chen", Role.VILLAGE_WORKER, VILLAGE_A2)
    done = worker_hand_over(absent=li, change=given(chen, clerk))
    entrant = make_elder(BIRTH)
    open_month(this_month())
    assert [assignee(each) for each in (elder, other, entrant)] == [chen, chen, chen]
    assert (done.people, done.moved) == (2, 2)


def test_a_worker_who_left_can_still_be_handed_over(elder: Elder, clerk: User, li: User, wang: User) -> None:
    User.objects.filter(pk=li.pk).update(is_active=False)
    worker_hand_over(absent=li, change=given(wang, clerk))
    assert assignee(elder) == wang


def test_a_change_for_some_days_gives_the_people_back(
    elder: Elder, clerk: User, li: User, wang: User
) -> None:
    village_assign(area_code=VILLAGE_A1, change=given(li, clerk))
    worker_hand_over(absent=li, change=given(wang, clerk, until=today() + 3 * DAY))
    rows = Caseload.objects.order_by("valid").values_list("worker", "valid")
    found = [(worker, valid.lower, valid.upper) for worker, valid in rows]
    assert found == [
        (wang.pk, today(), today() + 3 * DAY),
        (li.pk, today() + 3 * DAY, None),
    ]


def test_a_change_from_a_later_day_waits_for_it(elder: Elder, clerk: User, li: User, wang: User) -> None:
    done = village_assign(area_code=VILLAGE_A1, change=given(wang, clerk, since=today() + DAY))
    assert (assignee(elder), done.moved) == (li, 0)


def test_the_day_comes_with_the_nightly_upkeep(elder: Elder, clerk: User, wang: User) -> None:
    Caseload.objects.create(area_code=VILLAGE_A1, worker=wang, valid=(today(), None), made_by=clerk)
    assert (obligations_assign_daily(), assignee(elder)) == (1, wang)


def test_history_is_kept_by_days(elder: Elder, clerk: User, li: User, wang: User) -> None:
    before = today() - 10 * DAY
    Caseload.objects.create(area_code=VILLAGE_A1, worker=li, valid=(before, None), made_by=clerk)
    village_assign(area_code=VILLAGE_A1, change=given(wang, clerk))
    rows = Caseload.objects.order_by("valid").values_list("worker", "valid")
    assert [(worker, valid.lower, valid.upper) for worker, valid in rows] == [
        (li.pk, before, today()),
        (wang.pk, today(), None),
    ]


def test_giving_back_to_the_village_ends_the_elders_own_row(
    elder: Elder, clerk: User, li: User, wang: User
) -> None:
    elders_assign(elder_ids=[elder.pk], change=given(wang, clerk))
    elders_assign(elder_ids=[elder.pk], change=given(None, clerk))
    assert assignee(elder) == li


def test_what_a_colleague_gave_away_after_the_page_was_shown_is_left_and_named(
    elder: Elder, clerk: User, li: User, wang: User
) -> None:
    colleague = make_user("colleague", Role.TOWNSHIP_LEAD, TOWN_A)
    shown = timezone.now()
    elders_assign(elder_ids=[elder.pk], change=given(wang, colleague))
    done = elders_assign(elder_ids=[elder.pk], change=given(li, clerk, seen=shown))
    assert (assignee(elder), done.skipped) == (wang, (f"{colleague}刚刚分给了{wang}，没有改动",))


def test_a_submitted_townships_month_stays_as_it_is(elder: Elder, clerk: User, li: User, wang: User) -> None:
    VisitMonth.objects.create(
        month=this_month(), county_code=f"{TOWN_A[:6]}000000", area_code=TOWN_A, state="已提交"
    )
    village_assign(area_code=VILLAGE_A1, change=given(wang, clerk))
    assert assignee(elder) == li


def test_a_change_is_audited(elder: Elder, clerk: User, li: User, wang: User) -> None:
    worker_hand_over(absent=li, change=given(wang, clerk, reason="产假"))
    entry = AuditEntry.objects.get(action="移交探访")
    assert entry.actor == clerk
    assert (entry.data["absent"], entry.data["worker"], entry.data["moved"]) == ("li", "wang", 1)


def refusal(area: str, change: Change) -> str:
    with pytest.raises(Refused) as caught:
        village_assign(area_code=area, change=change)
    assert not Caseload.objects.exists()
    return str(caught.value)


def test_another_townships_village_is_refused(clerk: User, wang: User) -> None:
    assert "不在您的区划范围内" in refusal(VILLAGE_B1, given(wang, clerk))


def test_a_worker_of_another_township_is_refused(clerk: User) -> None:
    stranger = make_user("stranger", Role.VILLAGE_WORKER, VILLAGE_B1)
    assert "不是甲一村所在镇（街）的探访人员" in refusal(VILLAGE_A1, given(stranger, clerk))


def test_a_worker_who_left_is_refused(clerk: User, wang: User) -> None:
    wang.is_active = False
    assert "账号已停用" in refusal(VILLAGE_A1, given(wang, clerk))


def test_a_user_who_does_not_visit_is_refused(clerk: User) -> None:
    reader = make_user("reader", Role.SUPERVISOR, TOWN_A)
    assert "不是甲一村所在镇（街）的探访人员" in refusal(VILLAGE_A1, given(reader, clerk))


def test_a_day_gone_by_is_refused(clerk: User, wang: User) -> None:
    assert "不能早于今天" in refusal(VILLAGE_A1, given(wang, clerk, since=today() - DAY))


def test_an_end_before_the_start_is_refused(clerk: User, wang: User) -> None:
    assert "结束日期应晚于开始日期" in refusal(VILLAGE_A1, given(wang, clerk, until=today()))


def test_handing_over_to_oneself_is_refused(elder: Elder, clerk: User, li: User) -> None:
    with pytest.raises(Refused, match="不能是原来的探访人"):
        worker_hand_over(absent=li, change=given(li, clerk))


def test_handing_over_who_has_nobody_is_refused(clerk: User, wang: User) -> None:
    idle = make_user("idle", Role.TOWNSHIP_CLERK, TOWN_A)
    with pytest.raises(Refused, match="无需移交"):
        worker_hand_over(absent=idle, change=given(wang, clerk))


def test_a_worker_with_two_villages_hands_over_only_those_of_the_clerks_township(
    elder: Elder, clerk: User, li: User, wang: User
) -> None:
    Assignment.objects.create(user=li, role=Role.VILLAGE_WORKER, area_id=VILLAGE_B1)
    worker_hand_over(absent=li, change=given(wang, clerk))
    assert list(Caseload.objects.values_list("area_code", flat=True)) == [VILLAGE_A1]
