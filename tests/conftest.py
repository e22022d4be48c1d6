"""The fixed cast: a county with two townships, clerks and a reader of them, and an elder in the first."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.db import connection

from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area, Assignment, User
from tests.registry import make_elder

COUNTY = "530322000000"
TOWN_A, TOWN_B = "530322101000", "530322102000"
VILLAGE_A, VILLAGE_B = "530322101201", "530322102201"
PASSWORD = "Sunny-Hills-2026"


@pytest.fixture(autouse=True)
def _empty_partitions(request: pytest.FixtureRequest) -> Iterator[None]:
    """Partitioned tables are not known to Django's flush: empty them after tests that commit."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if marker is not None and marker.kwargs.get("transaction"):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement")


@pytest.fixture
def county(db: None) -> Area:
    """A county with townships 甲镇 and 乙镇 and one village in each."""
    area = Area.objects.create(code=COUNTY, name="测试县")
    for code, name, parent in (
        (TOWN_A, "甲镇", COUNTY),
        (TOWN_B, "乙镇", COUNTY),
        (VILLAGE_A, "甲一村", TOWN_A),
        (VILLAGE_B, "乙一村", TOWN_B),
    ):
        Area.objects.create(code=code, name=name, parent_id=parent)
    return area


def make_user(username: str, role: Role, area_code: str) -> User:
    """A user with one role in one area; the password is PASSWORD."""
    user = User.objects.create_user(username, password=PASSWORD, full_name=f"{role.label}一")
    Assignment.objects.create(user=user, role=role, area_id=area_code)
    return user


@pytest.fixture
def clerk_a(county: Area) -> User:
    """Clerk of 甲镇."""
    return make_user("clerk_a", Role.TOWNSHIP_CLERK, TOWN_A)


@pytest.fixture
def clerk_b(county: Area) -> User:
    """Clerk of 乙镇."""
    return make_user("clerk_b", Role.TOWNSHIP_CLERK, TOWN_B)


@pytest.fixture
def reader_a(county: Area) -> User:
    """Supervisor of 甲镇: reads, changes nothing."""
    return make_user("reader_a", Role.SUPERVISOR, TOWN_A)


@pytest.fixture
def bureau_clerk(county: Area) -> User:
    """Clerk of the county's bureau."""
    return make_user("bureau_clerk", Role.BUREAU_CLERK, COUNTY)


@pytest.fixture
def system_admin(county: Area) -> User:
    """System administrator: sees no elder."""
    return make_user("system_admin", Role.SYSTEM_ADMIN, COUNTY)


@pytest.fixture
def elder_a(county: Area) -> Elder:
    """An elder of 甲镇: 84, 低保, living alone."""
    return make_elder(
        date(1942, 5, 17), hukou=VILLAGE_A, name="赵春梅", low_income_allowance=True, lives_alone=True
    )
