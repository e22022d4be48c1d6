"""What tests of pages share: signed-in clients and a decided month."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.staticfiles import handlers
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from catalog.models import Item
from eldercare.choices import YES
from eldercare.facts import completed_years
from eldercare.models import Elder, MonthlyFacts
from eldercare.services.monthly_facts import partition_ensure
from eldercare.vocabulary import FROM_CIRCUMSTANCE
from organization.choices import Role
from organization.models import Area, User
from subsidies.models import Batch, Entitlement, ItemCount, Month
from subsidies.services.batch_step import batch_approve, batch_submit, township_check
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.registry import make_elder
from tests.subsidies.county import item, publish_list
from tests.subsidies.money import account, built, terms

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

    from tests.portal.phone import Phone

MARCH = date(2026, 3, 1)
BACKEND = "django.contrib.auth.backends.ModelBackend"
SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Figures kept for a revision must not outlive the test's rows."""
    yield
    cache.clear()


@pytest.fixture(scope="session")
def live_server() -> Iterator[LiveServer]:
    """The portal on a port of its own; static files come from WhiteNoise, hashed names or not, as in production.

    The server that pytest-django starts would answer for /static/ from the source folders, where no hashed name is.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handlers, "StaticFilesHandler", lambda application: application)
        server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """One Chromium for the module."""
    from tests.portal.browser import chromium  # only browser tests load the driver

    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def playwright() -> Iterator["Playwright"]:
    """One Playwright for the module, to open and kill phones with."""
    from tests.portal.phone import player  # only browser tests load the driver

    with player() as opened:
        yield opened


@pytest.fixture
def visitor(county: Area) -> User:
    """The worker of 甲一村, with eight elders in two villages to visit this month."""
    from tests.portal.phone import make_village

    return make_village(county)


@pytest.fixture
def phone(
    playwright: "Playwright", live_server: LiveServer, visitor: User, tmp_path: Path
) -> Iterator["Phone"]:
    """The visitor's phone, signed in; the test fails on anything that a page must not do."""
    from tests.portal.phone import Phone

    made = Phone(playwright, live_server.url, tmp_path / "phone")
    made.start()
    made.sign_in(visitor)
    yield made
    made.kill()
    assert made.faults == []


@pytest.fixture
def sign_in() -> SignIn:
    """Give a client signed in as the user."""

    def as_user(user: User) -> Client:
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return as_user


@pytest.fixture
def elder_b(county: Area) -> Elder:
    """An elder of 乙镇: 86, no circumstances."""
    return make_elder(date(1940, 2, 3), hukou=VILLAGE_B, name="钱乙福")


@pytest.fixture
def month(elder_a: Elder, elder_b: Elder) -> Month:
    """March 2026 decided: both elders draw A1 (50 元), elder_a misses A2, both are counted in A3; A4 is unknown."""
    publish_list(
        item("A1", "年龄 >= 80"),
        item("A2", "低保", application="申请", amount=100, number=2),
        item("A3", "年龄 >= 60", track="计数", amount=None, form="服务", number=3),
        item("A4", "能力等级 >= 2", number=4),
    )
    row = Month.objects.create(
        county_code=COUNTY, month=MARCH, revision=1, persons=2, published_at=timezone.now()
    )
    freeze(MARCH, elder_a, elder_b)
    decide(row, elder_a, "A1", "应发", VILLAGE_A)
    decide(row, elder_a, "A2", "未申请", VILLAGE_A, "100.00")
    decide(row, elder_b, "A1", "应发", VILLAGE_B)
    for village in (VILLAGE_A, VILLAGE_B):
        ItemCount.objects.create(month=row, item=an_item("A3"), area_code=village, revision=1, persons=1)
    return row


def an_item(code: str) -> Item:
    """An item of the test list."""
    return Item.objects.get(code=code)


def decide(
    month: Month, elder: Elder, code: str, outcome: str, area_code: str, amount: str = "50.00"
) -> Entitlement:
    """Store one line of a month."""
    return Entitlement.objects.create(
        month=month.month,
        county_code=month.county_code,
        elder=elder,
        item=an_item(code),
        item_version=an_item(code).versions.get(),
        area_code=area_code,
        amount=Decimal(amount),
        outcome=outcome,
        rev_from=1,
    )


def freeze(month: date, *elders: Elder) -> None:
    """Freeze the facts of these elders as revision 1; one row holds for both readings."""
    with connection.cursor() as cursor:
        for table in ("eldercare_monthlyfacts", "subsidies_entitlement"):
            partition_ensure(cursor, table, month)
    for elder in elders:
        held = {
            kind: True if value == YES else value
            for kind, value in elder.circumstances.values_list("kind", "value")
        }
        facts = {column.column: held.get(column.column, column.absent) for column in FROM_CIRCUMSTANCE}
        MonthlyFacts.objects.create(
            month=month,
            county_code=COUNTY,
            elder=elder,
            rev_from=1,
            opening=True,
            closing=True,
            area_code=elder.hukou_code,
            age=completed_years(elder.birth_date, month),
            birth_date=elder.birth_date,
            sex=elder.sex,
            hukou_here=True,
            resident_here=True,
            **facts,
        )


@pytest.fixture
def draft(month: Month, elder_a: Elder, elder_b: Elder, bureau_clerk: User) -> Batch:
    """A draft of March by the bureau's clerk: one line of 50 元 in each township."""
    terms("A1", MARCH)
    account(elder_a)
    account(elder_b)
    return built(month, bureau_clerk)


@pytest.fixture
def chief(draft: Batch) -> User:
    """The bureau's chief."""
    return make_user("chief", Role.BUREAU_CHIEF, COUNTY)


@pytest.fixture
def finance(draft: Batch) -> User:
    """The county's finance."""
    return make_user("finance", Role.FINANCE, COUNTY)


@pytest.fixture
def lead_a(draft: Batch) -> User:
    """Lead of 甲镇."""
    return make_user("lead_a", Role.TOWNSHIP_LEAD, TOWN_A)


@pytest.fixture
def lead_b(draft: Batch) -> User:
    """Lead of 乙镇."""
    return make_user("lead_b", Role.TOWNSHIP_LEAD, TOWN_B)


@pytest.fixture
def submitted(draft: Batch, bureau_clerk: User) -> Batch:
    """The draft with the townships."""
    return batch_submit(batch_id=draft.pk, actor=bureau_clerk)


@pytest.fixture
def checked(submitted: Batch, lead_a: User, lead_b: User) -> Batch:
    """Found right by both townships."""
    township_check(batch_id=submitted.pk, township=TOWN_A[:9], actor=lead_a)
    return township_check(batch_id=submitted.pk, township=TOWN_B[:9], actor=lead_b)


@pytest.fixture
def approved(checked: Batch, chief: User) -> Batch:
    """Approved without public notice: with finance."""
    return batch_approve(batch_id=checked.pk, actor=chief)
