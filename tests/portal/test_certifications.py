"""Pages of 生存认证: rounds, names, proofs in a few clicks, scope, and forms that keep what was typed."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from eldercare.choices import Kind
from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area, User
from subsidies.models import Certification, CertificationDue, CertificationRound, Month
from subsidies.services.certification import certifications_refresh
from tests.conftest import COUNTY, TOWN_A, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn, an_item
from tests.registry import add, make_elder
from tests.subsidies.county import item, publish_list, run

DAY = timedelta(days=1)
TODAY = timezone.localdate()
LIST = "/certifications/"
NEW = "/certifications/new/"


@pytest.fixture
def round_row(month: Month, elder_a: Elder, elder_b: Elder, bureau_clerk: User) -> CertificationRound:
    """A round that began ten days ago and ends in ten, with an elder in each township."""
    row = CertificationRound.objects.create(
        county_code=COUNTY,
        name="测试轮次",
        opens=TODAY - 10 * DAY,
        due=TODAY + 10 * DAY,
        suspends_on=TODAY + 30 * DAY,
    )
    row.items.set([an_item("A1")])
    for elder in (elder_a, elder_b):
        CertificationDue.objects.create(round=row, elder=elder, area_code=elder.hukou_code)
    return row


@pytest.fixture
def worker(county: Area) -> User:
    """The village worker of 甲一村."""
    return make_user("worker_a", Role.VILLAGE_WORKER, VILLAGE_A)


def detail(row: CertificationRound) -> str:
    return reverse("portal:certification-detail", args=[row.pk])


def record(client: Client, row: CertificationRound, elder: Elder, query: str = "", **given: str) -> object:
    """Send the form of one elder as the page offers it."""
    values = {"elder": str(elder.pk), "mode": "上门", "alive": "1", "on": f"{TODAY}", "note": ""} | given
    return client.post(reverse("portal:certification-record", args=[row.pk]) + query, values, follow=True)


def names(client: Client, row: CertificationRound, query: str = "") -> list[tuple[str, str]]:
    """(name, state) on the page."""
    return [(found.name, found.standing) for found in client.get(detail(row) + query).context["rows"]]


def test_the_list_shows_each_round_with_the_users_own_figures(
    sign_in: SignIn, worker: User, bureau_clerk: User, round_row: CertificationRound
) -> None:
    for user, due in ((worker, 1), (bureau_clerk, 2)):
        ((shown, _),) = sign_in(user).get(LIST).context["rounds"]
        assert (shown.round, shown.progress.met, shown.progress.due) == (round_row, 0, due)


def test_reminders_name_the_overdue_and_the_due_soon_by_township(
    sign_in: SignIn, bureau_clerk: User, round_row: CertificationRound, elder_a: Elder
) -> None:
    client = sign_in(bureau_clerk)
    rows = [(name, row.overdue, row.soon) for name, row in client.get(LIST).context["reminders"]]
    assert rows == [("甲镇", 0, 1), ("乙镇", 0, 1)]
    CertificationRound.objects.filter(pk=round_row.pk).update(due=TODAY - DAY)
    add(elder_a, Kind.DEATH, "是", TODAY - 2 * DAY)
    rows = [(name, row.overdue, row.soon) for name, row in client.get(LIST).context["reminders"]]
    assert rows == [("乙镇", 1, 0)]


def test_the_village_worker_certifies_from_the_list_in_two_clicks_and_lands_where_he_was(
    sign_in: SignIn, worker: User, round_row: CertificationRound, elder_a: Elder
) -> None:
    client = sign_in(worker)
    page = client.get(detail(round_row) + "?size=20").content.decode()
    assert page.count('<summary class="btn btn-primary">认证</summary>') == 1
    response = record(client, round_row, elder_a, "?size=20")
    assert response.redirect_chain == [(f"{detail(round_row)}?size=20", 302)]  # type: ignore[attr-defined]
    assert "赵春梅 已认证" in response.content.decode()  # type: ignore[attr-defined]
    proof = Certification.objects.get()
    assert (proof.elder, proof.mode, proof.alive, proof.actor) == (elder_a, "上门", True, worker)
    assert names(client, round_row) == []
    assert names(client, round_row, "?state=已认证") == [("赵春梅", "已认证")]


def test_a_double_click_records_one_proof(
    sign_in: SignIn, worker: User, round_row: CertificationRound, elder_a: Elder
) -> None:
    client = sign_in(worker)
    for _ in range(2):
        record(client, round_row, elder_a)
    assert Certification.objects.count() == 1


def test_the_names_of_another_village_do_not_exist(
    sign_in: SignIn, worker: User, round_row: CertificationRound, elder_b: Elder
) -> None:
    client = sign_in(worker)
    assert names(client, round_row, f"?area={VILLAGE_B}") == []
    assert record(client, round_row, elder_b).status_code == 404  # type: ignore[attr-defined]
    assert not Certification.objects.exists()


def test_a_round_of_another_county_does_not_exist(
    sign_in: SignIn, worker: User, round_row: CertificationRound
) -> None:
    Area.objects.create(code="610304000000", name="邻县")
    stranger = make_user("stranger", Role.BUREAU_CLERK, "610304000000")
    assert sign_in(stranger).get(detail(round_row)).status_code == 404
    assert sign_in(stranger).get(LIST).context["rounds"] == []
    assert sign_in(worker).get("/certifications/99999/").status_code == 404


def test_roles_without_certification_get_403_and_only_the_county_opens_rounds(
    sign_in: SignIn, reader_a: User, worker: User, clerk_a: User, round_row: CertificationRound
) -> None:
    for path in (LIST, detail(round_row)):
        assert sign_in(reader_a).get(path).status_code == 403
    for user in (worker, clerk_a):
        assert sign_in(user).get(NEW).status_code == 403
        assert sign_in(user).post(NEW).status_code == 403


def test_wrong_methods_are_refused(sign_in: SignIn, worker: User, round_row: CertificationRound) -> None:
    client = sign_in(worker)
    assert client.post(LIST).status_code == 405
    assert client.post(detail(round_row)).status_code == 405
    assert client.get(reverse("portal:certification-record", args=[round_row.pk])).status_code == 405
    assert client.get(reverse("portal:certification-find", args=[round_row.pk])).status_code == 405


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"on": "昨天"}, "认证日期应写成 2026-11-01 的样子"),
        ({"on": f"{TODAY + DAY}"}, "晚于今天"),
        ({"mode": "探访"}, "请选择认证方式"),
        ({"alive": "0"}, "请在说明里写明情况"),
    ],
)
def test_a_refused_proof_keeps_what_was_typed_in_an_open_form(
    sign_in: SignIn,
    worker: User,
    round_row: CertificationRound,
    elder_a: Elder,
    given: dict[str, str],
    words: str,
) -> None:
    response = record(sign_in(worker), round_row, elder_a, **given)
    text = response.content.decode()  # type: ignore[attr-defined]
    assert words in text
    assert "没有登记，填写的内容保留在下面" in text
    assert 'class="row-act certify" open' in text
    assert f'value="{given.get("on", TODAY)}"' in text
    assert not Certification.objects.exists()


def test_an_elder_who_could_not_be_confirmed_is_listed_as_such(
    sign_in: SignIn, worker: User, round_row: CertificationRound, elder_a: Elder
) -> None:
    client = sign_in(worker)
    response = record(client, round_row, elder_a, alive="0", note="家中无人")
    assert "未能确认 赵春梅 在世" in response.content.decode()  # type: ignore[attr-defined]
    assert names(client, round_row) == names(client, round_row, "?state=未能确认") == [("赵春梅", "未能确认")]


def test_the_dead_leave_the_denominator(
    sign_in: SignIn, bureau_clerk: User, round_row: CertificationRound, elder_a: Elder
) -> None:
    add(elder_a, Kind.DEATH, "是", TODAY)
    client = sign_in(bureau_clerk)
    total = client.get(detail(round_row)).context["total"]
    assert (total.listed, total.due, total.open, total.exempt) == (2, 1, 1, 1)
    assert names(client, round_row, "?state=已故") == [("赵春梅", "已故")]
    assert len(names(client, round_row, "?state=全部")) == 2


def test_figures_by_township_and_village_sum_to_the_list(
    sign_in: SignIn, bureau_clerk: User, round_row: CertificationRound, elder_a: Elder
) -> None:
    client = sign_in(bureau_clerk)
    record(client, round_row, elder_a)
    context = client.get(detail(round_row)).context
    assert [(place.name, place.progress.met) for place in context["shown"]] == [("甲镇", 1), ("乙镇", 0)]
    assert (context["total"].met, context["total"].open) == (1, 1)
    inside = client.get(f"{detail(round_row)}?area={TOWN_A}").context
    assert [(place.name, place.progress.met) for place in inside["shown"]] == [("甲一村", 1)]
    assert (inside["total"].met, inside["total"].open, inside["count"]) == (1, 0, 0)


def test_a_person_is_found_by_name_without_the_name_in_the_address(
    sign_in: SignIn, bureau_clerk: User, round_row: CertificationRound
) -> None:
    client = sign_in(bureau_clerk)
    url = reverse("portal:certification-find", args=[round_row.pk])
    response = client.post(url, {"q": "钱乙福", "state": "全部"}, follow=True)
    assert [row.name for row in response.context["rows"]] == ["钱乙福"]
    assert "钱" not in response.redirect_chain[0][0]


def test_no_page_shows_a_whole_id_number(
    sign_in: SignIn, bureau_clerk: User, round_row: CertificationRound, elder_a: Elder
) -> None:
    text = sign_in(bureau_clerk).get(detail(round_row)).content.decode()
    assert elder_a.masked_id_number in text
    assert elder_a.id_number not in text


@pytest.mark.django_db(transaction=True)
def test_the_county_opens_a_round_by_hand_and_a_refusal_keeps_what_was_typed(
    sign_in: SignIn, bureau_clerk: User
) -> None:
    publish_list(item("A1", "年龄 >= 80"))
    make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
    client = sign_in(bureau_clerk)
    values = {
        "name": "冬季认证",
        "items": [an_item("A1").pk],
        "opens": f"{TODAY}",
        "due": f"{TODAY + DAY}",
        "suspends_on": f"{TODAY + DAY}",
    }
    assert client.get(NEW).status_code == 200
    text = client.post(NEW, values).content.decode()
    assert "逾期暂停日应在截止日期之后" in text
    assert 'value="冬季认证"' in text
    assert 'name="items"' in text
    assert " checked>" in text
    assert "请至少选择一个项目" in client.post(NEW, values | {"items": []}).content.decode()
    run(TODAY.replace(day=1))
    response = client.post(NEW, values | {"suspends_on": f"{TODAY + 2 * DAY}"}, follow=True)
    assert "“冬季认证”已开启，名单上有 1 人" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_certifying_who_was_suspended_says_so_on_the_list(
    sign_in: SignIn, worker: User, round_row: CertificationRound, elder_a: Elder
) -> None:
    CertificationRound.objects.filter(pk=round_row.pk).update(due=TODAY - DAY, suspends_on=TODAY)
    certifications_refresh(today=TODAY)
    client = sign_in(worker)
    assert names(client, round_row) == [("赵春梅", "已暂停")]
    record(client, round_row, elder_a)
    assert names(client, round_row, "?state=全部") == [("赵春梅", "已认证")]
    assert not CertificationDue.objects.filter(suspended=True, elder=elder_a).exists()


def test_the_pages_take_few_queries_however_many_names_there_are(
    sign_in: SignIn,
    bureau_clerk: User,
    round_row: CertificationRound,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(60):
        elder = make_elder(date(1940, 1, 1) + number * DAY, hukou=VILLAGE_A)
        CertificationDue.objects.create(round=round_row, elder=elder, area_code=VILLAGE_A)
    client = sign_in(bureau_clerk)
    for url in (LIST, detail(round_row), f"{detail(round_row)}?area={TOWN_A}&state=全部"):
        with django_assert_max_num_queries(15):
            assert client.get(url).status_code == 200
