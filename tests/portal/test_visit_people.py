"""The list of a month's people: scope, filters, search, counts, download, paper, calling, urging."""

import io
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from eldercare.models import Elder
from operations.crypto import encrypt
from operations.models import AuditEntry, Todo
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.pdf import text_of
from tests.portal.conftest import SignIn
from tests.portal.visits import MARCH, owe, visit
from tests.registry import make_elder
from visits.models import FollowUp, Obligation
from visits.services.phone_reveal import A_DAY, LONGEST_REASON

pytestmark = pytest.mark.django_db
LIST = "/visits/2026-03/people/"
BUDGET = 18


@pytest.fixture
def people(elder_a: Elder, elder_b: Elder) -> tuple[Elder, Elder]:
    """Both elders are to be seen in March."""
    owe(elder_a)
    owe(elder_b)
    return elder_a, elder_b


def names(client: Client, query: str = "") -> list[str]:
    return [row.name for row in client.get(f"{LIST}{query}").context["rows"]]


def this_month() -> date:
    return timezone.localdate().replace(day=1)


def test_a_township_sees_its_own_people(
    sign_in: SignIn, clerk_a: User, people: tuple[Elder, Elder], bureau_clerk: User
) -> None:
    assert names(sign_in(clerk_a)) == ["赵春梅"]
    assert names(sign_in(bureau_clerk)) == ["赵春梅", "钱乙福"]


def test_another_townships_area_finds_nobody(
    sign_in: SignIn, clerk_a: User, people: tuple[Elder, Elder]
) -> None:
    assert names(sign_in(clerk_a), f"?area={TOWN_B}") == []


def test_filters_narrow_the_list_and_the_head_says_n_of_n(
    sign_in: SignIn, bureau_clerk: User, people: tuple[Elder, Elder]
) -> None:
    Obligation.objects.filter(elder=people[0]).update(met=True, done=1)
    client = sign_in(bureau_clerk)
    assert names(client) == ["钱乙福"]
    assert names(client, "?state=met") == ["赵春梅"]
    assert names(client, f"?state=all&area={VILLAGE_A}") == ["赵春梅"]
    assert names(client, "?tier=month&state=all") == ["钱乙福", "赵春梅"]
    assert names(client, "?tier=week") == []
    assert names(client, "?worker=none") == ["钱乙福"]
    assert "<strong>1 / 2</strong> 人" in client.get(LIST).content.decode()


def test_the_areas_furthest_behind_are_named_with_n_of_n(
    sign_in: SignIn, bureau_clerk: User, clerk_a: User, people: tuple[Elder, Elder]
) -> None:
    Obligation.objects.filter(elder=people[0]).update(met=True, done=1)
    owe(make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name="李丁香"))

    def behind(user: User, query: str = "") -> list[tuple[str, int, int]]:
        found = sign_in(user).get(LIST + query).context["behind"]
        return [(name, row.met, row.obliged) for name, row in found]

    assert '乙镇 <span class="muted">0.0%（0/1）</span>' in sign_in(bureau_clerk).get(LIST).content.decode()
    assert behind(bureau_clerk) == [("乙镇", 0, 1), ("甲镇", 1, 2)]
    assert behind(clerk_a) == [("甲一村", 1, 2)]
    assert behind(clerk_a, f"?area={VILLAGE_A}") == []


def test_nonsense_in_the_filters_is_passed_over(
    sign_in: SignIn, bureau_clerk: User, people: tuple[Elder, Elder]
) -> None:
    query = "?state=x&worker=x&area=x&page=x&size=7&find=x"
    page = sign_in(bureau_clerk).get(LIST + query)
    assert (page.status_code, page.context["rows"]) == (
        200,
        [],
    )  # a search text that is forgotten finds nobody
    assert len(names(sign_in(bureau_clerk), query.replace("&find=x", "&page=99"))) == 2


def test_a_search_text_stays_out_of_the_address(
    sign_in: SignIn, bureau_clerk: User, people: tuple[Elder, Elder]
) -> None:
    client = sign_in(bureau_clerk)
    response = client.post(f"{LIST}find/", {"q": "钱乙福", "state": "open"})
    query = urlsplit(response.headers["Location"]).query
    assert "钱" not in query
    assert names(client, f"?{query}") == ["钱乙福"]


def test_the_list_costs_the_same_whatever_its_length(
    sign_in: SignIn, bureau_clerk: User, people: tuple[Elder, Elder]
) -> None:
    client = sign_in(bureau_clerk)
    client.get(LIST)
    for number in range(30):
        owe(make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name=f"第{number}"))
    with CaptureQueriesContext(connection) as queries:
        client.get(LIST)
    assert len(queries) <= BUDGET


def test_a_month_that_was_not_opened_says_so(sign_in: SignIn, clerk_a: User) -> None:
    assert "探访任务还没有下达" in sign_in(clerk_a).get("/visits/2031-01/people/").content.decode()


@pytest.mark.parametrize("role", [Role.FINANCE, Role.DEPARTMENT, Role.SYSTEM_ADMIN])
def test_who_does_not_see_visits_is_refused(sign_in: SignIn, county: Area, role: Role) -> None:
    client = sign_in(make_user("other", role, TOWN_A))
    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize("path", ["urge/", "assign/", "find/"])
def test_what_changes_something_is_not_got(sign_in: SignIn, clerk_a: User, path: str) -> None:
    assert sign_in(clerk_a).get(LIST + path).status_code == 405


# the download and the paper


def test_the_download_is_the_filter_masked_and_audited(
    sign_in: SignIn, clerk_a: User, people: tuple[Elder, Elder]
) -> None:
    Elder.objects.filter(pk=people[0].pk).update(phone_cipher=encrypt("13800005678"), phone_last4="5678")
    visit(people[0], result="未联系上", mode="电话")
    content = b"".join(sign_in(clerk_a).get(f"{LIST}export.xlsx?state=all"))
    sheet = load_workbook(io.BytesIO(content))["名单"]
    rows = list(sheet.iter_rows(values_only=True))
    assert [row[0] for row in rows] == ["姓名", "赵春梅"]
    assert rows[1][-1] == "138****5678"
    assert rows[1][8] == "03-10 电话 未联系上"
    entry = AuditEntry.objects.get(action="visit_people_export")
    assert (entry.actor, entry.data["rows"], entry.data["filter"]) == (clerk_a, 1, "state=all")


def test_a_reader_takes_no_list_away(sign_in: SignIn, reader_a: User, people: tuple[Elder, Elder]) -> None:
    client = sign_in(reader_a)
    assert names(client) == ["赵春梅"]
    assert client.get(f"{LIST}export.csv").status_code == 403
    assert client.get(f"{LIST}paper.pdf").status_code == 403


def test_the_paper_has_a_sheet_for_each_village(
    sign_in: SignIn, bureau_clerk: User, people: tuple[Elder, Elder]
) -> None:
    response = sign_in(bureau_clerk).get(f"{LIST}paper.pdf")
    text = text_of(response.content)
    assert text.count("2026年3月探访登记表") == 2
    assert all(word in text for word in ("赵春梅", "钱乙福", "甲镇 甲一村", "乙镇 乙一村", "□见到本人"))
    assert AuditEntry.objects.filter(action="visit_people_paper").count() == 1


def test_nobody_to_print_is_said(sign_in: SignIn, clerk_a: User, people: tuple[Elder, Elder]) -> None:
    response = sign_in(clerk_a).get(f"{LIST}paper.pdf?state=met", follow=True)
    assert "没有符合条件的人，无需打印" in response.content.decode()


# calling


def reveal(client: Client, elder: Elder, reason: str = "电话探访核实") -> str:
    url = reverse("portal:visit-phone", args=[elder.pk])
    return client.post(url, {"reason": reason}, headers={"HX-Request": "true"}).content.decode()


@pytest.fixture
def listed(people: tuple[Elder, Elder]) -> Elder:
    """Elder of 甲镇 with a registered number."""
    Elder.objects.filter(pk=people[0].pk).update(phone_cipher=encrypt("13800005678"), phone_last4="5678")
    return people[0]


def test_a_number_is_shown_after_a_reason_and_audited(sign_in: SignIn, clerk_a: User, listed: Elder) -> None:
    client = sign_in(clerk_a)
    page = client.get(LIST).content.decode()
    assert "138****5678" in page
    assert "13800005678" not in page
    assert "13800005678" in reveal(client, listed)
    assert AuditEntry.objects.get(action="查看完整电话").data["reason"] == "电话探访核实"


def test_without_a_reason_nothing_is_shown(sign_in: SignIn, clerk_a: User, listed: Elder) -> None:
    said = reveal(sign_in(clerk_a), listed, reason="")
    assert "13800005678" not in said
    assert "请写明查看完整电话的原因" in said


def test_too_long_a_reason_is_refused_and_stays(sign_in: SignIn, clerk_a: User, listed: Elder) -> None:
    said = reveal(sign_in(clerk_a), listed, reason="核" * (LONGEST_REASON + 1))
    assert "13800005678" not in said
    assert "请缩短到 100 个字以内" in said and "核" * (LONGEST_REASON + 1) in said


def test_the_days_numbers_are_limited(sign_in: SignIn, clerk_a: User, listed: Elder) -> None:
    client = sign_in(clerk_a)
    shown = ["13800005678" in reveal(client, listed) for _ in range(A_DAY + 1)]
    assert shown == [True] * A_DAY + [False]


def test_a_number_out_of_scope_is_not_found(
    sign_in: SignIn, clerk_b: User, reader_a: User, listed: Elder
) -> None:
    url = reverse("portal:visit-phone", args=[listed.pk])
    assert sign_in(clerk_b).post(url, {"reason": "电话探访核实"}).status_code == 404
    assert sign_in(reader_a).post(url, {"reason": "电话探访核实"}).status_code == 403
    assert sign_in(clerk_b).get(url).status_code == 405


# urging


@pytest.fixture
def running(elder_a: Elder, elder_b: Elder) -> list[Obligation]:
    """Both elders are to be seen this month."""
    return [owe(elder_a, this_month()), owe(elder_b, this_month())]


def urge(client: Client, **given: object) -> str:
    url = reverse("portal:visit-people-urge", args=[this_month()])
    return client.post(url, given, follow=True).content.decode()


def test_the_ticked_people_are_urged(sign_in: SignIn, clerk_a: User, running: list[Obligation]) -> None:
    worker = make_user("li", Role.VILLAGE_WORKER, VILLAGE_A)
    said = urge(sign_in(clerk_a), person=[running[0].pk])
    assert "已催办 1 人的探访，发给 甲一村协管员 1 人（未分配）。" in said
    todo = Todo.objects.get()
    assert (todo.role, todo.area_id) == (Role.VILLAGE_WORKER, VILLAGE_A)
    assert sign_in(worker).get(todo.link).context["counts"].open == 1


def test_everybody_whom_the_filter_finds_is_urged(
    sign_in: SignIn, bureau_clerk: User, running: list[Obligation]
) -> None:
    urge(sign_in(bureau_clerk), whole="1", filters=f"area={VILLAGE_B}")
    todo = Todo.objects.get()
    assert (todo.role, todo.area_id) == (Role.TOWNSHIP_LEAD, TOWN_B)


def test_another_townships_people_are_not_urged(
    sign_in: SignIn, clerk_b: User, running: list[Obligation]
) -> None:
    assert "不用催办" in urge(sign_in(clerk_b), person=[running[0].pk, "x"])
    assert not Todo.objects.exists()


def test_a_reader_urges_nobody(sign_in: SignIn, reader_a: User, running: list[Obligation]) -> None:
    url = reverse("portal:visit-people-urge", args=[MARCH])
    assert sign_in(reader_a).post(url).status_code == 403


def test_who_was_reported_dead_is_marked_and_not_urged_about(
    sign_in: SignIn, clerk_a: User, people: tuple[Elder, Elder]
) -> None:
    report = FollowUp.objects.create(
        kind="死亡核实",
        elder=people[0],
        visit=visit(people[0], result="已故"),
        area_code=VILLAGE_A,
        title="核实",
        due_at=timezone.now(),
    )
    page = sign_in(clerk_a).get(LIST)
    assert "已报去世，待核实" in page.content.decode()
    counts = page.context["counts"]
    assert (counts.open, counts.obliged, counts.to_urge) == (1, 1, 0)
    assert "催办未达标的" not in page.content.decode()
    FollowUp.objects.filter(pk=report.pk).update(state="不需办理", closed_at=timezone.now())
    text = sign_in(clerk_a).get(LIST).content.decode()
    assert "已报去世" not in text
    assert "催办未达标的 1 人" in text


def test_who_was_missed_last_month_is_overdue_for_that_and_the_day_stands_apart(
    sign_in: SignIn, clerk_a: User, elder_a: Elder
) -> None:
    month = this_month()
    owe(elder_a, (month - timedelta(days=1)).replace(day=1))
    owe(elder_a, month)
    page = sign_in(clerk_a).get(f"/visits/{month:%Y-%m}/people/").content.decode()
    assert "逾期 · 上月未访</span>" in page


def test_the_exempt_say_why_and_cannot_be_ticked(
    sign_in: SignIn, clerk_a: User, people: tuple[Elder, Elder]
) -> None:
    mine = Obligation.objects.filter(elder=people[0])
    box = f'name="person" value="{mine.get().pk}"'
    assert box in sign_in(clerk_a).get(LIST).content.decode()
    mine.update(exempt_from=date(2026, 3, 5), exempt_reason="住院")
    page = sign_in(clerk_a).get(f"{LIST}?state=exempt").content.decode()
    assert "03-05 住院" in page
    assert box not in page
