"""The list of elders: scope, search, filters, pages, query budget, download."""

import csv
import io
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from eldercare.models import Elder
from operations.models import AuditEntry
from organization.models import User
from portal import exports
from tests.conftest import TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B
from tests.portal.conftest import SignIn
from tests.registry import make_elder

LIST = "/elders/"
BUDGET = 12


def names(client: Client, query: str = "") -> list[str]:
    """Names on the list's page."""
    return [row.name for row in client.get(f"{LIST}{query}").context["rows"]]


def found(client: Client, **given: str) -> list[str]:
    """Names that a search finds, by way of its form."""
    response = client.post(reverse("portal:elder-find"), given)
    return names(client, f"?{urlsplit(response.headers['Location']).query}")


@pytest.fixture
def many(elder_a: Elder) -> list[Elder]:
    """Sixty elders of 甲镇 beside elder_a."""
    return [make_elder(date(1950, 1, 1), hukou=VILLAGE_A, name=f"孙{n:03d}") for n in range(60)]


def test_the_clerk_sees_the_elders_of_the_own_township_alone(
    sign_in: SignIn, clerk_a: User, elder_a: Elder, elder_b: Elder
) -> None:
    assert names(sign_in(clerk_a)) == [elder_a.name]


def test_the_bureau_sees_both_townships(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder, elder_b: Elder
) -> None:
    assert names(sign_in(bureau_clerk)) == [elder_a.name, elder_b.name]


def test_who_lives_in_the_township_is_seen_there_too(sign_in: SignIn, clerk_b: User, elder_a: Elder) -> None:
    guest = make_elder(date(1950, 1, 1), hukou=VILLAGE_A, name="居乙镇", residence=VILLAGE_B)
    assert names(sign_in(clerk_b)) == [guest.name]


def test_an_area_out_of_scope_finds_nobody(sign_in: SignIn, clerk_a: User, elder_b: Elder) -> None:
    assert names(sign_in(clerk_a), f"?area={TOWN_B}") == []


@pytest.mark.parametrize("text", ["赵", "赵春梅", "zc"])
def test_a_search_finds_by_name_and_initials(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder, text: str
) -> None:
    assert elder_a.name in found(sign_in(bureau_clerk), q=text)


def test_a_search_finds_by_the_last_four_and_by_the_whole_id_number(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder, elder_b: Elder
) -> None:
    client = sign_in(bureau_clerk)
    assert found(client, q=elder_a.id_number) == [elder_a.name]
    assert elder_a.name in found(client, q=elder_a.id_number[-4:])


def test_what_was_searched_for_never_stands_in_the_address(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder
) -> None:
    response = sign_in(bureau_clerk).post(
        reverse("portal:elder-find"), {"q": elder_a.id_number, "age_from": "80"}
    )
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    assert query.keys() == {"find", "age_from"}
    assert elder_a.id_number[-4:] not in query["find"][0]


def test_a_link_with_somebody_elses_search_finds_nobody_and_says_why(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder
) -> None:
    response = sign_in(bureau_clerk).get(f"{LIST}?find=0123456789ab")
    assert response.context["rows"] == []
    assert "检索文字已失效" in response.content.decode()


def test_several_circumstances_must_all_hold(sign_in: SignIn, bureau_clerk: User, elder_a: Elder) -> None:
    make_elder(date(1950, 1, 1), hukou=VILLAGE_A, name="只低保", low_income_allowance=True)
    both = "?has=low_income_allowance:是&has=lives_alone:是"
    assert names(sign_in(bureau_clerk), both) == [elder_a.name]


def test_a_circumstance_that_has_ended_does_not_hold(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder
) -> None:
    ended = (True, date(2020, 1, 1), date(2021, 1, 1))
    make_elder(date(1950, 1, 1), hukou=VILLAGE_A, name="曾低保", low_income_allowance=ended)
    assert names(sign_in(bureau_clerk), "?has=low_income_allowance:是") == [elder_a.name]


def test_the_dead_and_the_moved_are_listed_only_when_asked_for(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder
) -> None:
    make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name="已故者", death=(True, date(2026, 1, 5)))
    make_elder(date(1940, 1, 1), hukou=VILLAGE_A, name="迁出者", moved_out=(True, date(2026, 1, 5)))
    client = sign_in(bureau_clerk)
    assert names(client) == [elder_a.name]
    assert names(client, "?state=dead") == ["已故者"]
    assert names(client, "?state=moved") == ["迁出者"]
    assert len(names(client, "?state=all")) == 3


@pytest.mark.parametrize("query", ["?age_from=abc", "?has=nothing", "?state=odd"])
def test_a_bad_filter_is_said_and_finds_nobody(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder, query: str
) -> None:
    response = sign_in(bureau_clerk).get(LIST + query)
    assert response.status_code == 200
    assert response.context["rows"] == []
    assert "筛选条件有误" in response.content.decode()


def test_pages_follow_each_other_without_gap_or_repeat(
    sign_in: SignIn, bureau_clerk: User, many: list[Elder]
) -> None:
    client = sign_in(bureau_clerk)
    seen, query = [], "?size=20"
    for _ in range(4):
        page = client.get(LIST + query).context["page"]
        seen += [row.pk for row in page.rows]
        query = f"?size=20&after={page.rows[-1].pk}&from={page.final + 1}"
    assert seen == sorted(Elder.objects.values_list("pk", flat=True))
    assert (page.first, page.final, page.total, page.has_next) == (61, 61, 61, False)


def test_the_last_page_and_the_one_before_it(sign_in: SignIn, bureau_clerk: User, many: list[Elder]) -> None:
    client = sign_in(bureau_clerk)
    last = client.get(f"{LIST}?size=20&page=last").context["page"]
    before = client.get(f"{LIST}?size=20&before={last.rows[0].pk}&from=41").context["page"]
    assert (last.first, last.final) == (61, 61)
    assert (before.first, before.final) == (41, 60)


@pytest.mark.parametrize("query", ["", "?size=100&has=low_income_allowance:是&age_from=60"])
def test_the_list_keeps_its_query_budget_whatever_its_size(
    sign_in: SignIn,
    clerk_a: User,
    many: list[Elder],
    query: str,
    django_assert_max_num_queries: object,
) -> None:
    client = sign_in(clerk_a)
    client.get(LIST)
    with django_assert_max_num_queries(BUDGET):  # type: ignore[operator]  # pytest-django's callable
        client.get(LIST + query)


def test_the_tree_opens_one_more_level_within_the_scope(
    sign_in: SignIn, clerk_a: User, elder_a: Elder
) -> None:
    client = sign_in(clerk_a)
    assert "甲一村" in client.get(reverse("portal:area-children", args=[TOWN_A])).content.decode()
    assert client.get(reverse("portal:area-children", args=[TOWN_B])).status_code == 404


def test_a_tree_node_keeps_the_other_filters(sign_in: SignIn, clerk_a: User, elder_a: Elder) -> None:
    content = sign_in(clerk_a).get(f"{LIST}?age_from=80").content.decode()
    assert f'href="?age_from=80&amp;area={VILLAGE_A}"' in content


def test_the_csv_holds_exactly_the_filter_masked_and_is_audited(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder, elder_b: Elder
) -> None:
    response = sign_in(bureau_clerk).get(f"/elders/export.csv?area={TOWN_A}")
    text = response.getvalue().decode("utf-8")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert text.startswith("\ufeff")
    assert [row[0] for row in rows] == ["姓名", elder_a.name]
    assert rows[1][1] == elder_a.masked_id_number
    entry = AuditEntry.objects.get(action="elder_export")
    assert (entry.actor, entry.data["rows"]) == (bureau_clerk, 1)


def test_a_name_that_looks_like_a_formula_stays_text_in_both_files(
    sign_in: SignIn, bureau_clerk: User, elder_a: Elder
) -> None:
    make_elder(date(1950, 1, 1), hukou=VILLAGE_A, name="=1+1")
    client = sign_in(bureau_clerk)
    text = client.get("/elders/export.csv").getvalue().decode()
    assert "\r\n'=1+1," in text
    book = load_workbook(io.BytesIO(client.get("/elders/export.xlsx").getvalue()))
    cell = book["名单"]["A3"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_the_workbook_says_what_it_is(sign_in: SignIn, bureau_clerk: User, elder_a: Elder) -> None:
    response = sign_in(bureau_clerk).get(f"/elders/export.xlsx?area={TOWN_A}&age_from=80")
    book = load_workbook(io.BytesIO(response.getvalue()))
    about = {row[0]: row[1] for row in book["说明"].values}
    assert about["条件"] == "区划：甲镇；年龄 ≥ 80；状态：在册"
    assert about["条数"] == "1"
    assert about["导出人"] == str(bureau_clerk)


def test_a_list_over_the_limit_is_refused_whole_with_the_count(
    sign_in: SignIn, bureau_clerk: User, many: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(exports.LIMITS, "xlsx", 60)
    response = sign_in(bureau_clerk).get("/elders/export.xlsx", follow=True)
    assert "共有 61 条" in response.content.decode()
    assert not AuditEntry.objects.filter(action="elder_export").exists()


def test_who_may_not_export_gets_403(sign_in: SignIn, reader_a: User, elder_a: Elder) -> None:
    assert sign_in(reader_a).get("/elders/export.csv").status_code == 403
