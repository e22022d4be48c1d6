"""Pages on which people are shared out: workers, a village, chosen people, an absent worker's."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import TOWN_A, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn
from tests.portal.visits import owe
from tests.registry import make_elder
from visits.models import Caseload, Obligation, PhoneState
from visits.services.caseload import obligations_assign

pytestmark = pytest.mark.django_db
WORKERS = "/visits/workers/"
VILLAGE = f"/visits/villages/{VILLAGE_A}/assign/"


def this_month() -> date:
    return timezone.localdate().replace(day=1)


@pytest.fixture
def li(elder_a: Elder, elder_b: Elder) -> User:
    """The only worker of 甲一村; both elders are to be seen this month."""
    found = make_user("li", Role.VILLAGE_WORKER, VILLAGE_A)
    owe(elder_a, this_month())
    owe(elder_b, this_month())
    obligations_assign(month=this_month())
    return found


@pytest.fixture
def wang(li: User) -> User:
    """Another worker of 甲镇."""
    found = make_user("wang", Role.TOWNSHIP_CLERK, TOWN_A)
    User.objects.filter(pk=found.pk).update(full_name="王接手")
    return found


def typed(worker: User | str, **more: object) -> dict[str, object]:
    """What the form sends."""
    key = worker if isinstance(worker, str) else str(worker.pk)
    return {
        "worker": key,
        "since": str(timezone.localdate()),
        "until": "",
        "reason": "请假",
        "seen": "",
    } | more


def assignee(elder: Elder) -> User | None:
    return Obligation.objects.get(elder=elder, month=this_month()).assignee


def assign_url() -> str:
    return reverse("portal:visit-assign", args=[this_month()])


def hand_over(client: Client, absent: User, **given: object) -> str:
    return client.post(f"{WORKERS}{absent.pk}/hand-over/", given, follow=True).content.decode()


def test_workers_are_listed_with_n_of_n_and_their_phones(
    sign_in: SignIn, clerk_a: User, li: User, elder_a: Elder
) -> None:
    PhoneState.objects.create(user=li, synced_at=timezone.now(), waiting=3)
    loads = sign_in(clerk_a).get(WORKERS).context["loads"]
    first = loads.workers[0]
    assert (first.user, first.load.met, first.load.obliged, first.waiting) == (li, 0, 1, 3)
    assert [(village.name, village.worker) for village in loads.villages] == [("甲一村", li)]


def test_a_worker_who_left_is_still_listed_with_the_people_left_behind(
    sign_in: SignIn, clerk_a: User, li: User
) -> None:
    User.objects.filter(pk=li.pk).update(is_active=False)
    assert "账号已停用" in sign_in(clerk_a).get(WORKERS).content.decode()


def test_the_page_of_workers_costs_the_same_whatever_their_number(
    sign_in: SignIn, clerk_a: User, li: User
) -> None:
    client = sign_in(clerk_a)
    client.get(WORKERS)
    for number in range(10):
        make_user(f"worker{number}", Role.VILLAGE_WORKER, VILLAGE_A)
    with CaptureQueriesContext(connection) as queries:
        client.get(WORKERS)
    assert len(queries) <= 18


@pytest.mark.parametrize("path", [WORKERS, VILLAGE])
def test_who_does_not_assign_is_refused(sign_in: SignIn, reader_a: User, li: User, path: str) -> None:
    assert sign_in(reader_a).get(path).status_code == 403
    assert sign_in(li).get(path).status_code == 403


def test_another_township_is_not_found(sign_in: SignIn, clerk_b: User, li: User) -> None:
    client = sign_in(clerk_b)
    assert client.get(VILLAGE).status_code == 404
    assert client.get("/visits/villages/x/assign/").status_code == 404
    assert client.get(f"{WORKERS}{li.pk}/hand-over/").status_code == 404
    assert client.get(f"{WORKERS}999999/hand-over/").status_code == 404


def test_a_village_is_given_to_a_worker(sign_in: SignIn, clerk_a: User, wang: User, elder_a: Elder) -> None:
    client = sign_in(clerk_a)
    assert "甲一村由谁探访" in client.get(VILLAGE).content.decode()
    said = client.post(VILLAGE, typed(wang), follow=True).content.decode()
    assert "本月移交 1 人" in said
    assert assignee(elder_a) == wang


def test_a_village_goes_back_to_its_only_worker(
    sign_in: SignIn, clerk_a: User, li: User, wang: User, elder_a: Elder
) -> None:
    client = sign_in(clerk_a)
    client.post(VILLAGE, typed(wang))
    client.post(VILLAGE, typed("none"))
    assert assignee(elder_a) == li


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"worker": ""}, "请选择由谁探访"),
        ({"worker": "999999"}, "请从名单里选择由谁探访"),
        ({"since": "明天"}, "开始日期应写成"),
        ({"since": "2020-01-01"}, "不能早于今天"),
        ({"until": "2020-01-01"}, "结束日期应晚于开始日期"),
        ({"reason": "长" * 101}, "原因太长"),
    ],
)
def test_a_fault_is_said_and_what_was_typed_stays(
    sign_in: SignIn, clerk_a: User, wang: User, more: dict[str, object], said: str
) -> None:
    given = typed(wang, reason="请长假") | more
    page = sign_in(clerk_a).post(VILLAGE, given).content.decode()
    assert said in page
    assert str(more.get("reason", "请长假")) in page
    assert not Caseload.objects.exists()


def test_chosen_people_are_asked_about_and_then_given_away(
    sign_in: SignIn, clerk_a: User, li: User, wang: User, elder_a: Elder
) -> None:
    client = sign_in(clerk_a)
    row = Obligation.objects.get(elder=elder_a)
    asked = client.post(assign_url(), {"person": [row.pk], "filters": "state=open"}).content.decode()
    assert "赵春梅" in asked
    assert "分配 1 人" in asked
    assert (f'value="{wang.pk}"' in asked, f'value="{li.pk}"' in asked) == (
        True,
        False,
    )  # li has them already
    assert assignee(elder_a) == li
    response = client.post(assign_url(), {"person": [row.pk], "filters": "state=open", **typed(wang)})
    assert response.headers["Location"].endswith("/people/?state=open")
    assert assignee(elder_a) == wang


def test_everybody_of_a_filter_is_given_away(
    sign_in: SignIn, clerk_a: User, li: User, wang: User, elder_a: Elder
) -> None:
    second = make_elder(date(1941, 1, 1), hukou=VILLAGE_A, name="李丁香")
    owe(second, this_month())
    sign_in(clerk_a).post(assign_url(), {"whole": "1", "filters": f"worker={li.pk}", **typed(wang)})
    assert [assignee(elder_a), assignee(second)] == [wang, None]  # the second was never li's


def test_people_of_another_township_are_not_given_away(
    sign_in: SignIn, clerk_a: User, wang: User, elder_b: Elder
) -> None:
    row = Obligation.objects.get(elder=elder_b)
    said = sign_in(clerk_a).post(assign_url(), {"person": [row.pk], **typed(wang)}, follow=True)
    assert "没有分配" in said.content.decode()
    assert assignee(elder_b) is None


def test_a_month_gone_by_is_not_shared_out(
    sign_in: SignIn, clerk_a: User, wang: User, elder_a: Elder
) -> None:
    row = owe(elder_a, date(2026, 3, 1))
    url = reverse("portal:visit-assign", args=["2026-03"])
    said = sign_in(clerk_a).post(url, {"person": [row.pk], **typed(wang)}, follow=True).content.decode()
    assert "只能分配本月的探访任务" in said


def test_an_absent_workers_people_are_handed_over(
    sign_in: SignIn, clerk_a: User, li: User, wang: User, elder_a: Elder
) -> None:
    client = sign_in(clerk_a)
    page = client.get(f"{WORKERS}{li.pk}/hand-over/")
    assert "移交 1 人" in page.content.decode()
    assert li not in [user for _, user, _ in page.context["candidates"]]
    assert "由王接手探访" in hand_over(client, li, **typed(wang))
    assert assignee(elder_a) == wang


def test_a_hand_over_until_a_day_says_so(sign_in: SignIn, clerk_a: User, li: User, wang: User) -> None:
    until = timezone.localdate() + timedelta(days=5)
    assert f"到 {until} 止" in hand_over(sign_in(clerk_a), li, **typed(wang, until=str(until)))


def test_what_a_colleague_changed_meanwhile_is_said(
    sign_in: SignIn, clerk_a: User, li: User, wang: User, elder_a: Elder
) -> None:
    shown = timezone.now().isoformat()
    colleague = make_user("colleague", Role.TOWNSHIP_LEAD, TOWN_A)
    sign_in(colleague).post(VILLAGE, typed(wang))
    said = sign_in(clerk_a).post(VILLAGE, typed(li, seen=shown), follow=True).content.decode()
    assert "刚刚分给了王接手，没有改动" in said
    assert assignee(elder_a) == wang


def test_a_worker_of_another_township_is_no_candidate(sign_in: SignIn, clerk_a: User, li: User) -> None:
    stranger = make_user("stranger", Role.VILLAGE_WORKER, VILLAGE_B)
    page = sign_in(clerk_a).get(VILLAGE)
    assert stranger not in [user for _, user, _ in page.context["candidates"]]
