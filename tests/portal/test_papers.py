"""Printed papers on the pages: who may take which, what long ones do, and that each download is written down."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from eldercare.models import Elder
from eldercare.services.monthly_facts import partition_ensure
from operations.models import AuditEntry, Job
from operations.services.job import job_run
from organization.choices import Role
from organization.models import Area, User
from portal.context import Shell
from portal.views import papers
from subsidies.choices import BatchState, StopReason
from subsidies.models import Application, Batch, Month, Recovery, RecoveryLine
from tests.conftest import COUNTY, TOWN_A, VILLAGE_A, make_user
from tests.pdf import text_of
from tests.portal.conftest import MARCH, SignIn, an_item, decide
from tests.subsidies.recoveries import a_batch, pay

APRIL = date(2026, 4, 1)


@pytest.fixture
def batch(month: Month, bureau_clerk: User, elder_a: Elder) -> Batch:
    """A batch of one line in 甲镇."""
    batch = a_batch(month, bureau_clerk, BatchState.FINANCE)
    pay(batch, elder_a, "A1")
    return batch


@pytest.fixture
def april(month: Month, elder_a: Elder, elder_b: Elder) -> Month:
    """April: elder_a draws A1 no longer, elder_b as before."""
    with connection.cursor() as cursor:
        for table in ("eldercare_monthlyfacts", "subsidies_entitlement"):
            partition_ensure(cursor, table, APRIL)
    row = Month.objects.create(
        county_code=COUNTY, month=APRIL, revision=1, persons=2, published_at=timezone.now()
    )
    decide(row, elder_b, "A1", "应发", "530322102201")
    return row


@pytest.fixture
def application(month: Month, elder_a: Elder, clerk_a: User) -> Application:
    """An application of elder_a, just handed in."""
    return Application.objects.create(
        elder=elder_a,
        item=an_item("A2"),
        channel="本人",
        area_code=VILLAGE_A,
        applied_on=MARCH,
        made_by=clerk_a,
    )


@pytest.fixture
def case(month: Month, elder_a: Elder) -> Recovery:
    """50 元 to be recovered from elder_a."""
    case = Recovery.objects.create(
        county_code=COUNTY,
        elder=elder_a,
        item=an_item("A1"),
        run=month,
        cause=StopReason.DEATH,
        area_code=VILLAGE_A,
        due_stop=MARCH,
        actual_stop=MARCH,
        amount=Decimal("50.00"),
    )
    RecoveryLine.objects.create(
        recovery=case, elder=elder_a, item=case.item, month=MARCH, sequence=1, amount=Decimal("50.00")
    )
    return case


def url(name: str, *args: object) -> str:
    return reverse(f"portal:{name}", args=args)


@pytest.fixture
def addresses(
    batch: Batch, april: Month, application: Application, case: Recovery, elder_a: Elder
) -> dict[str, str]:
    """Every paper by its name."""
    return {
        "register": url("paper-register", batch.pk, "pdf"),
        "approval": url("paper-approval", batch.pk, "pdf"),
        "changes": url("paper-changes", APRIL, "stopped", "pdf"),
        "notices": url("paper-notices", APRIL, "pdf"),
        "notice": url("paper-notice", elder_a.pk, APRIL),
        "application": url("paper-application", application.pk, "pdf"),
        "recovery": url("paper-recovery", case.pk, "pdf"),
    }


def test_the_bureau_clerk_takes_every_paper_and_each_is_written_down(
    sign_in: SignIn, bureau_clerk: User, addresses: dict[str, str]
) -> None:
    client = sign_in(bureau_clerk)
    for name, address in addresses.items():
        response = client.get(address, REMOTE_ADDR="10.1.2.3")
        assert (response.status_code, response["Content-Type"]) == (200, "application/pdf"), name
        assert "赵春梅" in text_of(response.content) or name == "approval", name
        assert response["Cache-Control"] == "no-store"
    entries = AuditEntry.objects.filter(actor=bureau_clerk, data__has_key="mark")
    assert (entries.count(), set(entries.values_list("address", flat=True))) == (7, {"10.1.2.3"})


@pytest.mark.parametrize("name", ["register", "approval", "changes", "notices", "application", "recovery"])
def test_the_same_comes_as_a_workbook(
    sign_in: SignIn, bureau_clerk: User, addresses: dict[str, str], name: str
) -> None:
    response = sign_in(bureau_clerk).get(addresses[name].replace(".pdf", ".xlsx"))
    assert (response.status_code, response.content[:2]) == (200, b"PK")


@pytest.mark.parametrize("name", ["approval", "notice", "application", "recovery"])
def test_another_townships_papers_do_not_exist(
    sign_in: SignIn, county: object, addresses: dict[str, str], name: str
) -> None:
    clerk = make_user("clerk_b_two", Role.TOWNSHIP_CLERK, "530322102000")
    expected = 403 if name == "recovery" else 404
    assert sign_in(clerk).get(addresses[name]).status_code == expected


def test_another_township_gets_the_register_and_the_changes_without_strangers(
    sign_in: SignIn, clerk_b: User, addresses: dict[str, str]
) -> None:
    for name in ("register", "changes"):
        response = sign_in(clerk_b).get(addresses[name])
        assert response.status_code == 200
        assert "赵春梅" not in text_of(response.content)
    assert sign_in(clerk_b).get(addresses["notices"]).status_code == 409


def test_another_countys_clerk_finds_nothing(sign_in: SignIn, addresses: dict[str, str]) -> None:
    Area.objects.create(code="530324000000", name="邻县")
    stranger = make_user("stranger", Role.BUREAU_CLERK, "530324000000")
    for name, address in addresses.items():
        assert sign_in(stranger).get(address).status_code == 404, name


@pytest.mark.parametrize("name", ["register", "approval", "changes", "notices", "notice", "recovery"])
def test_who_may_only_look_may_not_print(
    sign_in: SignIn, reader_a: User, addresses: dict[str, str], name: str
) -> None:
    assert sign_in(reader_a).get(addresses[name]).status_code == 403


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.VILLAGE_WORKER, 200),
        (Role.TOWNSHIP_LEAD, 200),
        (Role.BUREAU_CHIEF, 200),
        (Role.FINANCE, 403),
        (Role.SUPERVISOR, 403),
    ],
)
def test_the_application_form_is_for_those_who_take_part_in_deciding(
    sign_in: SignIn, addresses: dict[str, str], role: Role, status: int
) -> None:
    area = COUNTY if role in {Role.BUREAU_CHIEF, Role.FINANCE} else TOWN_A
    assert sign_in(make_user("someone", role, area)).get(addresses["application"]).status_code == status


def test_numbers_are_masked_on_every_paper(
    sign_in: SignIn, bureau_clerk: User, addresses: dict[str, str], elder_a: Elder
) -> None:
    for name, address in addresses.items():
        text = text_of(sign_in(bureau_clerk).get(address).content).replace("\n", "")
        assert elder_a.id_number not in text, name
        assert "6217000099001234567" not in text, name


@pytest.mark.parametrize("path", ["register.doc", "register.csv", "approval.exe"])
def test_an_unknown_form_does_not_exist(sign_in: SignIn, bureau_clerk: User, batch: Batch, path: str) -> None:
    assert sign_in(bureau_clerk).get(f"/papers/batches/{batch.pk}/{path}").status_code == 404


def test_a_bad_item_narrows_nothing(sign_in: SignIn, bureau_clerk: User, addresses: dict[str, str]) -> None:
    for item in ("x", "-1", "9" * 30, "²"):
        response = sign_in(bureau_clerk).get(addresses["register"], {"item": item})
        assert "合计 1 笔" in text_of(response.content), item


def test_other_methods_are_refused(sign_in: SignIn, bureau_clerk: User, addresses: dict[str, str]) -> None:
    for address in addresses.values():
        assert sign_in(bureau_clerk).delete(address).status_code == 405


def test_an_elder_for_whom_nothing_changes_needs_no_notice(
    sign_in: SignIn, bureau_clerk: User, april: Month, elder_b: Elder
) -> None:
    response = sign_in(bureau_clerk).get(url("paper-notice", elder_b.pk, APRIL))
    assert response.status_code == 409
    assert "不需要告知书" in response.content.decode()


@pytest.fixture
def _all_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(papers, "AT_ONCE", 0)


@pytest.fixture
def ordered(
    sign_in: SignIn,
    bureau_clerk: User,
    addresses: dict[str, str],
) -> Job:
    """The register ordered twice by two clicks."""
    for _ in range(2):
        sign_in(bureau_clerk).post(addresses["register"])
    return Job.objects.get(kind="paper")


@pytest.mark.usefixtures("_all_is_long")
def test_a_long_paper_is_asked_for_and_nothing_is_written_by_looking(
    sign_in: SignIn, bureau_clerk: User, addresses: dict[str, str]
) -> None:
    response = sign_in(bureau_clerk).get(addresses["register"])
    assert "需要在后台生成" in response.content.decode()
    assert not Job.objects.exists()
    assert not AuditEntry.objects.filter(data__has_key="mark").exists()


def test_a_long_paper_is_taken_away_by_who_ordered_it_and_nobody_else(
    sign_in: SignIn, bureau_clerk: User, ordered: Job
) -> None:
    client = sign_in(bureau_clerk)
    page, file = url("paper-job", ordered.pk), url("paper-file", ordered.pk)
    assert "排队中" in client.get(page).content.decode()
    assert client.get(file).status_code == 404
    assert job_run(job_id=str(ordered.pk))
    assert "已生成" in client.get(page).content.decode()
    response = client.get(file)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert "赵春梅" in text_of(response.content)
    assert AuditEntry.objects.filter(action="取走文书", actor=bureau_clerk).count() == 1
    other = sign_in(make_user("colleague", Role.BUREAU_CLERK, COUNTY))
    assert (other.get(page).status_code, other.get(file).status_code) == (404, 404)


def test_after_a_day_the_file_is_gone_and_the_page_says_so(
    sign_in: SignIn, bureau_clerk: User, ordered: Job
) -> None:
    job_run(job_id=str(ordered.pk))
    Job.objects.filter(pk=ordered.pk).update(finished_at=timezone.now() - timedelta(days=1, seconds=1))
    client = sign_in(bureau_clerk)
    assert "请重新生成" in client.get(url("paper-job", ordered.pk)).content.decode()
    assert client.get(url("paper-file", ordered.pk)).status_code == 404


def test_who_lost_the_right_cannot_take_the_file_any_more(
    sign_in: SignIn, bureau_clerk: User, ordered: Job
) -> None:
    job_run(job_id=str(ordered.pk))
    bureau_clerk.assignments.update(role=Role.DEPARTMENT)
    fresh = User.objects.get(pk=bureau_clerk.pk)
    assert sign_in(fresh).get(url("paper-file", ordered.pk)).status_code == 403


def test_another_kind_of_job_is_no_paper(sign_in: SignIn, bureau_clerk: User) -> None:
    job = Job.objects.create(kind="month_run", title="核定", created_by=bureau_clerk)
    assert sign_in(bureau_clerk).get(url("paper-job", job.pk)).status_code == 404


@pytest.mark.parametrize(("role", "shown"), [(Role.BUREAU_CLERK, True), (Role.SUPERVISOR, False)])
def test_links_are_offered_to_those_who_may_follow_them(
    addresses: dict[str, str], batch: Batch, april: Month, case: Recovery, role: Role, shown: bool
) -> None:
    shell = Shell(make_user("linked", role, COUNTY), "/")
    for given, name in (
        ({"batch": batch, "covers": True}, "approval"),
        ({"month": april}, "changes"),
        ({"recovery": case}, "recovery"),
        ({"elder": case.elder, "paper_month": april}, "notice"),
    ):
        html = render_to_string("portal/partials/papers.html", {"shell": shell, **given})
        assert (addresses[name] in html) == shown, name
