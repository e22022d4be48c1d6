"""The month: figures that tie with their lists, scope, changes, run, downloads."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from eldercare.models import Elder
from eldercare.services.monthly_facts import partition_ensure
from operations.models import AuditEntry, Job
from organization.choices import Role
from organization.models import User
from subsidies.models import Adjustment, Month
from tests.conftest import TOWN_B, VILLAGE_A, make_user
from tests.portal.conftest import SignIn, an_item, decide

DETAIL = "/months/2026-03/"
LINES = "/months/2026-03/lines/"


def lines(client: Client, query: str = "") -> list[tuple[str, str]]:
    """(name, item) of the lines on the page."""
    rows = client.get(LINES + query).context["rows"]
    return [(row.name, row.item_code) for row in rows]


def test_the_tiles_show_the_users_own_area(sign_in: SignIn, clerk_a: User, month: Month) -> None:
    summary = sign_in(clerk_a).get(DETAIL).context["figures"].summary
    assert (summary.persons_paid, summary.amount) == (1, Decimal("50.00"))


def test_the_table_ties_with_the_tiles(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    context = sign_in(bureau_clerk).get(DETAIL).context
    table, figures = context["table"], context["figures"]
    assert table.lines == figures.due == sum(table.column_sums) == 2
    assert table.amount == figures.summary.amount == Decimal("100.00")
    assert [(row.row.item.code, row.row.persons) for row in table.counted] == [("A3", 2)]


@pytest.mark.parametrize(
    ("query", "tile"),
    [("?outcome=应发&paid=1", "due"), ("?outcome=未申请", "missed")],
)
def test_a_figure_opens_the_list_that_sums_to_it(
    sign_in: SignIn, bureau_clerk: User, month: Month, query: str, tile: str
) -> None:
    client = sign_in(bureau_clerk)
    figures = client.get(DETAIL).context["figures"]
    assert client.get(LINES + query).context["sums"].lines == getattr(figures, tile)


def test_the_lines_of_another_township_are_not_listed(sign_in: SignIn, clerk_b: User, month: Month) -> None:
    client = sign_in(clerk_b)
    assert lines(client) == [("钱乙福", "A1")]
    assert lines(client, f"?area={VILLAGE_A}") == []


def test_lines_are_filtered_by_item_and_township(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    client = sign_in(bureau_clerk)
    assert lines(client, f"?item={an_item('A1').pk}&area={TOWN_B}") == [("钱乙福", "A1")]


def test_a_line_is_found_by_the_elders_name(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    client = sign_in(bureau_clerk)
    response = client.post(f"{LINES}find/", {"q": "钱乙福", "outcome": "应发"}, follow=True)
    assert [row.name for row in response.context["rows"]] == ["钱乙福"]


def test_what_changed_since_the_month_before_is_listed_by_kind(
    sign_in: SignIn, bureau_clerk: User, month: Month, elder_a: Elder, elder_b: Elder
) -> None:
    april = _next_month(month)
    decide(april, elder_a, "A1", "应发", VILLAGE_A, "80.00")
    decide(april, elder_a, "A4", "应发", VILLAGE_A, "10.00")
    client = sign_in(bureau_clerk)
    changes = client.get("/months/2026-04/").context["changes"]
    assert (changes.new, changes.stopped, changes.changed) == (1, 1, 1)
    for change, expected in (
        ("new", [("赵春梅", "A4")]),
        ("stopped", [("钱乙福", "A1")]),
        ("changed", [("赵春梅", "A1")]),
    ):
        rows = client.get(f"/months/2026-04/lines/?change={change}").context["rows"]
        assert [(row.name, row.item_code) for row in rows] == expected


def test_an_undecided_month_does_not_exist(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    assert sign_in(bureau_clerk).get("/months/2026-09/").status_code == 404


@pytest.mark.parametrize("path", ["/months/2026-13/", "/months/2026-3/"])
def test_a_month_that_cannot_be_is_not_found(
    sign_in: SignIn, bureau_clerk: User, month: Month, path: str
) -> None:
    assert sign_in(bureau_clerk).get(path).status_code == 404


def test_a_role_without_months_gets_403(sign_in: SignIn, month: Month) -> None:
    worker = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)
    assert sign_in(worker).get(DETAIL).status_code == 403


def test_the_download_holds_the_same_lines_masked_and_is_audited(
    sign_in: SignIn, bureau_clerk: User, month: Month, elder_a: Elder
) -> None:
    response = sign_in(bureau_clerk).get(f"{LINES}export.csv?outcome=应发")
    text = response.getvalue().decode("utf-8").removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["金额（元）"] for row in rows] == ["50.00", "50.00"]
    assert rows[0]["证件号码"] == elder_a.masked_id_number
    assert AuditEntry.objects.get(action="month_export").data["total"] == "2 条，2 人，100.00 元"


def test_the_reader_may_look_but_not_download(sign_in: SignIn, reader_a: User, month: Month) -> None:
    client = sign_in(reader_a)
    assert client.get(LINES).status_code == 200
    assert client.get(f"{LINES}export.csv").status_code == 403


def test_due_lines_of_earlier_months_are_listed_by_kind(
    sign_in: SignIn, bureau_clerk: User, month: Month, elder_a: Elder
) -> None:
    Adjustment.objects.create(
        run=month,
        elder=elder_a,
        item=an_item("A1"),
        month=date(2026, 2, 1),
        kind="补发",
        amount="50",
        area_code=VILLAGE_A,
    )
    client = sign_in(bureau_clerk)
    for kind, expected in (("补发", ["赵春梅"]), ("追缴", [])):
        rows = client.get(f"/months/2026-03/adjustments/?kind={kind}").context["rows"]
        assert [row.name for row in rows] == expected


def test_counted_persons_are_shown_village_by_village(
    sign_in: SignIn, bureau_clerk: User, month: Month
) -> None:
    response = sign_in(bureau_clerk).get(f"/months/2026-03/counts/{an_item('A3').pk}/")
    rows = [(row.place, row.persons) for row in response.context["rows"]]
    assert rows == [("甲镇 甲一村", 1), ("乙镇 乙一村", 1)]
    assert response.context["total"] == 2


def test_a_run_is_asked_for_once_however_often_it_is_clicked(
    sign_in: SignIn, bureau_clerk: User, month: Month
) -> None:
    client = sign_in(bureau_clerk)
    now = f"{timezone.localdate():%Y-%m}"
    for _ in range(2):
        assert client.post(reverse("portal:month-start"), {"month": now}).status_code == 302
    assert Job.objects.filter(kind="month_run").count() == 1


def test_a_month_out_of_reach_is_not_run(sign_in: SignIn, bureau_clerk: User, month: Month) -> None:
    response = sign_in(bureau_clerk).post(reverse("portal:month-start"), {"month": "2001-01"}, follow=True)
    assert "请选择要核定的月份" in response.content.decode()
    assert not Job.objects.exists()


def test_the_township_clerk_may_not_run_a_month(sign_in: SignIn, clerk_a: User) -> None:
    assert sign_in(clerk_a).post(reverse("portal:month-start")).status_code == 403


def test_a_finished_job_makes_the_page_load_anew(sign_in: SignIn, bureau_clerk: User) -> None:
    job = Job.objects.create(kind="month_run", title="核定", created_by=bureau_clerk, state=Job.State.DONE)
    response = sign_in(bureau_clerk).get(reverse("portal:job-progress", args=[job.pk]))
    assert response.headers["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("formed", "sentence"),
    [
        (True, "2026年3月核定完成：5,020 人；形成第 2 版"),
        (False, "2026年3月核定完成：5,020 人；资料没有变化，沿用第 2 版"),
    ],
)
def test_a_finished_run_says_what_it_came_to(
    sign_in: SignIn, bureau_clerk: User, month: Month, formed: bool, sentence: str
) -> None:
    Job.objects.create(
        kind="month_run",
        title="核定",
        params={"county_code": month.county_code, "month": "2026-03-01"},
        created_by=bureau_clerk,
        state=Job.State.DONE,
        result={"month_id": month.pk, "revision": 2, "persons": 5020, "formed": formed},
    )
    client = sign_in(bureau_clerk)
    for page in ("portal:month-list", "portal:workbench"):
        assert sentence in client.get(reverse(page)).content.decode(), page


def test_somebody_elses_job_does_not_exist(sign_in: SignIn, clerk_a: User, bureau_clerk: User) -> None:
    job = Job.objects.create(kind="roster_check", title="核对", created_by=bureau_clerk)
    assert sign_in(clerk_a).get(reverse("portal:job-progress", args=[job.pk])).status_code == 404


def test_a_job_without_heartbeat_is_not_called_running(sign_in: SignIn, bureau_clerk: User) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    job = Job.objects.create(
        kind="month_run",
        title="核定",
        created_by=bureau_clerk,
        state=Job.State.RUNNING,
        heartbeat_at=long_ago,
    )
    text = sign_in(bureau_clerk).get(reverse("portal:job-progress", args=[job.pk])).content.decode()
    assert "已中断" in text
    assert "进行中" not in text


def _next_month(month: Month) -> Month:
    april = date(2026, 4, 1)
    with connection.cursor() as cursor:
        partition_ensure(cursor, "subsidies_entitlement", april)
    return Month.objects.create(
        county_code=month.county_code, month=april, revision=1, persons=2, published_at=timezone.now()
    )
