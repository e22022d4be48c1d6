"""The page of the visit rate: figures that add up and open their people, for whom, and as files."""

from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from catalog.models import Document, VisitTier
from eldercare.models import Elder
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import COUNTY, TOWN_A, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn
from tests.registry import make_elder
from visits.models import Obligation

MARCH = date(2026, 3, 1)
PAGE = "/visits/2026-03/rates/"
ELSEWHERE = "530302001001"
Oblige = Callable[..., Obligation]


@pytest.fixture
def oblige(county: Area) -> Oblige:
    """Make an obligation of a new elder somewhere."""
    document = Document.objects.create(code="visits", title="清单", issued=date(2020, 1, 1), area=county)
    tiers = {
        code: VisitTier.objects.create(
            document=document,
            code=code,
            name=name,
            rule="独居",
            times=1,
            per="月",
            modes=["上门"],
            order=order,
            valid=DateRange(date(2020, 1, 1), None),
        )
        for order, (code, name) in enumerate((("week", "每周探访"), ("month", "每月探访")))
    }

    def make(area: str = VILLAGE_A, *, tier: str = "month", month: date = MARCH, **more: Any) -> Obligation:
        elder: Elder = make_elder(date(1940, 5, 5), hukou=VILLAGE_A, residence=area)
        return Obligation.objects.create(
            month=month, county_code=COUNTY, elder=elder, tier=tiers[tier], area_code=area, due=1, **more
        )

    return make


@pytest.fixture
def march(oblige: Oblige, clerk_a: User) -> None:
    """甲镇 1/2 with one dead, 乙镇 1/1, one outside the county 0/1, one without a village 0/1."""
    oblige(VILLAGE_A, met=True, done=1, assignee=clerk_a)
    oblige(VILLAGE_A, late_met=True, late_done=1)
    oblige(VILLAGE_A, exempt_from=date(2026, 3, 9), exempt_reason="死亡")
    oblige(VILLAGE_B, met=True, done=1, tier="week")
    oblige(ELSEWHERE)
    oblige(TOWN_A)


def table(client: Client, query: str = "") -> dict[str, tuple[int, int, int, int]]:
    """name → (obliged, met, exempt, late) of the rows of the page."""
    rows = client.get(f"{PAGE}{query}").context["page"].rows
    return {
        row.name: (row.figure.obliged, row.figure.met, row.figure.exempted, row.figure.late) for row in rows
    }


def test_the_county_is_divided_by_township_with_those_who_live_elsewhere(
    sign_in: SignIn, bureau_clerk: User, march: None
) -> None:
    client = sign_in(bureau_clerk)
    assert table(client) == {
        "甲镇": (3, 1, 1, 1),
        "乙镇": (1, 1, 0, 0),
        "县外 未登记的区划 530302001000": (1, 0, 0, 0),
    }
    text = client.get(PAGE).content.decode()
    assert "40.0%" in text
    assert "2/5" in text
    assert "死亡 1" in text


def test_a_township_is_divided_by_village_and_those_without_one(
    sign_in: SignIn, bureau_clerk: User, march: None
) -> None:
    found = table(sign_in(bureau_clerk), f"?area={TOWN_A}")
    assert found == {"甲一村": (2, 1, 1, 1), "未填到村的": (1, 0, 0, 0)}


def test_by_tier_and_by_worker_with_those_of_nobody(
    sign_in: SignIn, bureau_clerk: User, clerk_a: User, march: None
) -> None:
    client = sign_in(bureau_clerk)
    assert table(client, "?by=tier") == {"每周探访": (1, 1, 0, 0), "每月探访": (4, 1, 1, 1)}
    assert table(client, "?by=worker") == {str(clerk_a): (1, 1, 0, 0), "责任人未分配": (4, 1, 1, 1)}
    assert table(client, "?tier=week") == {"乙镇": (1, 1, 0, 0)}
    assert table(client, f"?worker={clerk_a.pk}") == {"甲镇": (1, 1, 0, 0)}
    assert table(client, "?worker=none&area=" + TOWN_A) == {
        "甲一村": (1, 0, 1, 1),
        "未填到村的": (1, 0, 0, 0),
    }


def content(client: Client, path: str) -> bytes:
    """A downloaded file."""
    response: Any = client.get(f"{PAGE}{path}")
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("query", ["", f"?area={TOWN_A}", "?by=tier", "?by=worker"])
def test_every_figure_opens_the_people_that_sum_to_it(
    sign_in: SignIn, bureau_clerk: User, march: None, query: str
) -> None:
    client = sign_in(bureau_clerk)
    page = client.get(f"{PAGE}{query}").context["page"]
    for row in [*page.rows, page.whole]:
        figure = row.figure
        for state, persons in (
            ("obliged", figure.obliged),
            ("met", figure.met),
            ("open", figure.unmet),
            ("exempt", figure.exempted),
            ("late", figure.late),
        ):
            found = client.get(f"/visits/2026-03/people/?{row.people}&state={state}")
            assert found.context["page"].paginator.count == persons, (row.name, state)


def test_three_clicks_lead_from_the_county_to_a_person(
    sign_in: SignIn, bureau_clerk: User, march: None
) -> None:
    client = sign_in(bureau_clerk)
    township = next(r for r in client.get(PAGE).context["page"].rows if r.name == "甲镇")
    village = next(r for r in client.get(township.deeper).context["page"].rows if r.name == "甲一村")
    people = client.get(village.deeper)
    assert urlsplit(village.deeper).path == "/visits/2026-03/people/"
    assert parse_qs(urlsplit(village.deeper).query) == {"area": [VILLAGE_A], "state": ["all"]}
    assert [row.name for row in people.context["rows"]] == ["张测"] * 3


def test_a_township_sees_its_own(sign_in: SignIn, clerk_a: User, march: None) -> None:
    client = sign_in(clerk_a)
    assert table(client) == {"甲一村": (2, 1, 1, 1), "未填到村的": (1, 0, 0, 0)}
    assert table(client, f"?area={COUNTY}") == {"甲镇": (3, 1, 1, 1)}


@pytest.mark.parametrize("area", [VILLAGE_B, "530322102000", "530301000000", ELSEWHERE])
def test_another_area_is_not_found(sign_in: SignIn, clerk_a: User, march: None, area: str) -> None:
    client = sign_in(clerk_a)
    assert client.get(f"{PAGE}?area={area}").status_code == 404
    assert client.get(f"{PAGE}export.csv?area={area}").status_code == 404
    assert client.get(f"/visits/2026-03/trend/?area={area}").status_code == 404


def test_who_may_not_see_visits_is_refused(sign_in: SignIn, county: Area) -> None:
    client = sign_in(make_user("finance", Role.FINANCE, COUNTY))
    for path in (
        PAGE,
        f"{PAGE}export.csv",
        "/visits/2026-03/trend/",
        "/visits/rates/",
        "/months/2026-03/visits/",
    ):
        assert client.get(path).status_code == 403, path


def test_the_pages_are_only_read(sign_in: SignIn, clerk_a: User) -> None:
    for path in (PAGE, f"{PAGE}export.csv", "/visits/2026-03/trend/", "/visits/rates/"):
        assert sign_in(clerk_a).post(path).status_code == 405, path


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?as_of=gestern", "统计时点没有读懂"),
        ("?as_of=2026-13-99T10:00", "统计时点没有读懂"),
        ("?as_of=2099-01-01T10:00", "统计时点晚于现在"),
    ],
)
def test_a_moment_that_is_none_is_told_and_now_is_shown(
    sign_in: SignIn, bureau_clerk: User, march: None, query: str, told: str
) -> None:
    response = sign_in(bureau_clerk).get(f"{PAGE}{query}")
    assert told in response.content.decode()
    assert response.context["page"].whole.figure.obliged == 5


@pytest.mark.parametrize("query", ["?area=x&by=y&worker=z&tier=%00", "?worker=99999999999999999999", "?by="])
def test_nonsense_is_taken_as_nothing(sign_in: SignIn, bureau_clerk: User, march: None, query: str) -> None:
    assert sign_in(bureau_clerk).get(f"{PAGE}{query}").status_code == 200


def test_a_past_moment_is_counted_from_what_was_stored_and_opens_no_list(
    sign_in: SignIn, bureau_clerk: User, march: None
) -> None:
    response = sign_in(bureau_clerk).get(f"{PAGE}?as_of=2026-04-01T09:30:05")
    figure = response.context["page"].whole.figure
    assert (figure.obliged, figure.met) == (
        6,
        0,
    )  # the rows stand without visits, and without a death on record
    text = response.content.decode()
    assert "2026-04-01 09:30:05" in text
    assert "state=open" not in text


def test_definition_and_moment_stand_on_the_page(sign_in: SignIn, bureau_clerk: User, march: None) -> None:
    text = sign_in(bureau_clerk).get(PAGE).content.decode()
    assert "统计时点" in text
    assert "没有全部达标就不显示 100%" in text
    assert "版本 2026-11" in text


def test_months_without_obligations_say_what_to_do(sign_in: SignIn, bureau_clerk: User, march: None) -> None:
    client = sign_in(bureau_clerk)
    assert "没有应访对象" in client.get("/visits/2025-01/rates/").content.decode()
    assert "还没有开始" in client.get("/visits/2099-01/rates/").content.decode()


def test_the_files_have_the_rows_of_the_page_and_what_they_mean(
    sign_in: SignIn, bureau_clerk: User, march: None
) -> None:
    client = sign_in(bureau_clerk)
    csv = content(client, "export.csv").decode("utf-8-sig").splitlines()
    assert csv[0] == "名称,应访人数,已达标,未达标,探访率,免访,死亡,迁出,入住机构,补录"
    assert csv[1] == "甲镇,3,1,2,33.3%,1,1,0,0,1"
    assert csv[-1] == "合计,5,2,3,40.0%,1,1,0,0,1"
    book = load_workbook(BytesIO(content(client, "export.xlsx?by=tier")))
    assert [cell.value for cell in book.worksheets[0][2]][:2] == ["每周探访", 1]
    about = {row[0].value: row[1].value for row in book.worksheets[1].iter_rows()}
    assert "统计时点" in about
    assert about["口径版本"] == "2026-11"
    assert AuditEntry.objects.filter(action="visit_rates_export").count() == 2


def test_twelve_months_stand_side_by_side(
    sign_in: SignIn, bureau_clerk: User, oblige: Oblige, march: None
) -> None:
    oblige(VILLAGE_A, month=date(2026, 2, 1), met=True, done=1)
    context = sign_in(bureau_clerk).get("/visits/2026-03/trend/").context
    assert [f"{m:%Y-%m}" for m in context["months"]][0::11] == ["2025-04", "2026-03"]
    row = next(row for row in context["rows"] if row.name == "甲镇")
    assert [(f.met, f.obliged) for f in row.figures[-2:]] == [(1, 1), (1, 3)]
    assert [(f.met, f.obliged) for f in context["whole"].figures[-3:]] == [(0, 0), (1, 1), (2, 5)]
    assert len(context["chart"].bars) == 2


def test_the_former_address_leads_to_the_page(sign_in: SignIn, bureau_clerk: User, march: None) -> None:
    response = sign_in(bureau_clerk).get(f"/months/2026-03/visits/?area={TOWN_A}")
    assert (response.status_code, response["Location"]) == (302, f"{PAGE}?area={TOWN_A}")


def test_the_menu_leads_to_the_newest_month(sign_in: SignIn, bureau_clerk: User, march: None) -> None:
    assert sign_in(bureau_clerk).get("/visits/rates/")["Location"] == PAGE


def test_the_page_asks_the_database_little(
    sign_in: SignIn, bureau_clerk: User, oblige: Oblige, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        oblige(f"5303221012{number:02d}")
    client = sign_in(bureau_clerk)
    client.get(PAGE)
    with django_assert_max_num_queries(16):
        client.get(f"{PAGE}?area={TOWN_A}")


def test_now_is_the_moment_of_the_page(sign_in: SignIn, bureau_clerk: User, march: None) -> None:
    shown: datetime = sign_in(bureau_clerk).get(PAGE).context["now"]
    assert abs((timezone.now() - shown).total_seconds()) < 60
