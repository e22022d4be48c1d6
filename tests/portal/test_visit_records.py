"""The list of records of visits with its filters."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn
from tests.portal.visits import photo, visit
from tests.registry import make_elder
from visits.models import Signal, Visit, VisitReturn

LIST = "/visits/records/"
MARCH_DAYS = "day_from=2026-03-01&day_to=2026-03-31"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Settings) -> Path:
    """Keep photos of a test in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def lead(county: Area) -> User:
    """Lead of 甲镇, who may send records back."""
    return make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)


@pytest.fixture
def worker(county: Area) -> User:
    """Worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)


@pytest.fixture
def record(elder_a: Elder, worker: User) -> Visit:
    """A record about the elder of 甲镇."""
    return visit(elder_a, recorder=worker, note="老人精神很好")


def shown(client: Client, query: str) -> list[UUID]:
    """Keys of the records that the list shows for a query."""
    response = client.get(f"{LIST}?{MARCH_DAYS}&{query}")
    assert response.status_code == 200
    return [row.visit.pk for row in response.context["rows"]]


def test_the_list_shows_records_of_the_days_with_their_whole_count(
    sign_in: SignIn, lead: User, record: Visit
) -> None:
    visit(record.elder, "2026-03-31 23:59:59", result="未联系上", mode="电话")
    visit(record.elder, "2026-04-01 00:00")
    visit(record.elder, "2026-02-28 23:59:59")
    response = sign_in(lead).get(f"{LIST}?{MARCH_DAYS}")
    assert response.context["figures"] == {"n": 2, "effective": 1}
    assert "老人精神很好" in response.content.decode()


def test_without_days_the_list_is_of_this_month(sign_in: SignIn, lead: User, record: Visit) -> None:
    response = sign_in(lead).get(LIST)
    assert response.context["values"]["day_from"].endswith("-01")
    assert response.context["figures"]["n"] == 0


Given = dict[str, Any]


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("mode=电话", {"mode": "电话", "result": "联系到本人"}),
        ("result=拒绝", {"result": "拒绝"}),
        ("channel=补录", {"channel": "补录"}),
        ("mark=补录", {"late": True}),
        ("mark=已移交", {"handed_over": True}),
        ("mark=时钟偏差", {"clock_offset": 601}),
        ("mark=时钟偏差", {"clock_offset": -601}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_filter_keeps_the_records_that_it_names(
    sign_in: SignIn, lead: User, record: Visit, query: str, more: Given
) -> None:
    wanted = visit(make_elder(date(1940, 1, 1), hukou=VILLAGE_A), "2026-03-11 10:00", **more)
    assert shown(sign_in(lead), query) == [wanted.pk]


def _signal(record: Visit) -> None:
    Signal.objects.create(visit=record, kind="模拟定位", detail="定位精度为 0")


def _returned(record: Visit) -> None:
    VisitReturn.objects.create(visit=record, reason="不对", by=User.objects.all()[0])


def _corrected(record: Visit) -> None:
    visit(make_elder(date(1930, 1, 1), hukou=VILLAGE_B), "2026-03-12 10:00", corrects=record.pk)


def _photographed(record: Visit) -> None:
    photo(record)


@pytest.mark.parametrize(
    ("mark", "bear"),
    [("有信号", _signal), ("被退回", _returned), ("被更正", _corrected), ("有照片", _photographed)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mark_keeps_the_records_that_bear_it(
    sign_in: SignIn, lead: User, record: Visit, mark: str, bear: Callable[[Visit], None]
) -> None:
    visit(make_elder(date(1940, 1, 1), hukou=VILLAGE_A), "2026-03-11 10:00")
    bear(record)
    assert shown(sign_in(lead), f"mark={mark}") == [record.pk]


@pytest.mark.parametrize(("at", "twice"), [("2026-03-10 23:59", True), ("2026-03-11 00:00", False)])
def test_two_standing_records_of_a_day_are_marked_as_perhaps_the_same(
    sign_in: SignIn, lead: User, record: Visit, at: str, twice: bool
) -> None:
    other = visit(record.elder, at)
    assert set(shown(sign_in(lead), "mark=疑似重复")) == ({record.pk, other.pk} if twice else set())


def test_village_and_recorder_narrow_the_list(
    sign_in: SignIn, bureau_clerk: User, record: Visit, worker: User
) -> None:
    visit(make_elder(date(1940, 1, 1), hukou=VILLAGE_B), "2026-03-11 10:00")
    client = sign_in(bureau_clerk)
    assert len(shown(client, "")) == 2
    assert shown(client, f"area={TOWN_A}") == shown(client, f"area={VILLAGE_A}") == [record.pk]
    assert shown(client, f"worker={worker.pk}") == [record.pk]
    assert shown(client, f"area={TOWN_B}&worker={worker.pk}") == []


@pytest.mark.parametrize("text", ["赵春梅", "zcm", "周访"])
def test_a_search_leaves_the_url_without_the_text(
    sign_in: SignIn, lead: User, record: Visit, text: str
) -> None:
    Elder.objects.filter(pk=record.elder_id).update(pinyin=" zcm zhaochunmei")
    visit(make_elder(date(1940, 1, 1), hukou=VILLAGE_A), "2026-03-11 10:00", visitor="别人")
    client = sign_in(lead)
    response = client.post(f"{LIST}find/", {"q": text, "day_from": "2026-03-01", "day_to": "2026-03-31"})
    assert text not in response.headers["Location"]
    rows = client.get(response.headers["Location"]).context["rows"]
    assert [row.visit.pk for row in rows] == [record.pk]


@pytest.mark.parametrize(
    "query", ["day_from=gestern", "mode=飞鸽", "area=x", "worker=abc", "find=000000000000"]
)
def test_a_bad_filter_finds_nothing_and_says_so(
    sign_in: SignIn, lead: User, record: Visit, query: str
) -> None:
    response = sign_in(lead).get(f"{LIST}?{query}")
    assert (response.status_code, response.context["figures"]["n"]) == (200, 0)


def test_another_township_s_records_are_not_in_the_list(
    sign_in: SignIn, clerk_b: User, record: Visit
) -> None:
    assert shown(sign_in(clerk_b), "") == []


def test_the_list_keeps_to_its_queries(sign_in: SignIn, lead: User, elder_a: Elder, worker: User) -> None:
    client = sign_in(lead)
    visit(elder_a, recorder=worker)
    client.get(LIST)  # what a process keeps is read once
    with CaptureQueriesContext(connection) as one:
        client.get(f"{LIST}?{MARCH_DAYS}")
    for day in range(11, 31):
        elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
        _signal(visit(elder, f"2026-03-{day} 10:00", recorder=worker))
    with CaptureQueriesContext(connection) as many:
        client.get(f"{LIST}?{MARCH_DAYS}")
    assert len(many) == len(one) <= 20
