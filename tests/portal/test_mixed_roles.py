"""Two roles in two areas: each opens its own area, neither lends its rights to the other."""

import pytest
from django.test import Client
from django.urls import reverse

from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area, Assignment, User
from subsidies.models import Month
from tests.conftest import COUNTY, TOWN_A, VILLAGE_A, make_user
from tests.portal.conftest import SignIn

MONTH = "/months/2026-03/"


def user_with(first: tuple[Role, str], second: tuple[Role, str]) -> User:
    """A user with two roles, each in its area."""
    user = make_user("mixed", *first)
    Assignment.objects.create(user=user, role=second[0], area_id=second[1])
    return user


@pytest.fixture
def mixed(county: Area) -> User:
    """Looks up elders in the whole county, does casework in 甲镇."""
    return user_with((Role.DEPARTMENT, COUNTY), (Role.TOWNSHIP_CLERK, TOWN_A))


def downloaded(client: Client, url: str) -> str:
    """Text of a CSV download."""
    response = client.get(url)
    assert "attachment" in response.headers["Content-Disposition"]
    return response.getvalue().decode("utf-8-sig")


def test_an_administrators_area_lends_nothing_to_a_village_worker(
    sign_in: SignIn, elder_a: Elder, elder_b: Elder
) -> None:
    client = sign_in(user_with((Role.SYSTEM_ADMIN, COUNTY), (Role.VILLAGE_WORKER, VILLAGE_A)))
    text = client.get(reverse("portal:elder-list")).content.decode()
    assert (elder_a.name in text, elder_b.name in text) == (True, False)


def test_the_list_shows_more_than_the_export_may_hold(
    sign_in: SignIn, mixed: User, elder_a: Elder, elder_b: Elder
) -> None:
    client = sign_in(mixed)
    assert elder_b.name in client.get(reverse("portal:elder-list")).content.decode()
    text = downloaded(client, reverse("portal:elder-export", args=["csv"]))
    assert (elder_a.name in text, elder_b.name in text) == (True, False)


def test_a_full_number_is_revealed_only_where_the_role_allows_it(
    sign_in: SignIn, mixed: User, elder_a: Elder, elder_b: Elder
) -> None:
    client, given = sign_in(mixed), {"reason": "核对低保证件"}
    assert client.get(reverse("portal:elder-detail", args=[elder_b.pk])).status_code == 200
    assert client.post(reverse("portal:elder-reveal", args=[elder_b.pk]), given).status_code == 404
    assert client.post(reverse("portal:elder-reveal", args=[elder_a.pk]), given).status_code == 200


def test_lines_of_a_month_are_those_of_the_area_of_the_months_role(
    sign_in: SignIn, mixed: User, month: Month, elder_a: Elder
) -> None:
    client = sign_in(mixed)
    rows = client.get(f"{MONTH}lines/").context["rows"]
    assert {row.name for row in rows} == {elder_a.name}


def test_the_export_of_lines_needs_more_than_the_right_to_look(
    sign_in: SignIn, month: Month, elder_a: Elder, elder_b: Elder
) -> None:
    client = sign_in(user_with((Role.SUPERVISOR, COUNTY), (Role.TOWNSHIP_CLERK, TOWN_A)))
    assert {row.name for row in client.get(f"{MONTH}lines/").context["rows"]} == {elder_a.name, elder_b.name}
    text = downloaded(client, reverse("portal:lines-export", args=[month.month, "csv"]))
    assert (elder_a.name in text, elder_b.name in text) == (True, False)


def test_a_month_is_not_run_by_a_right_from_another_area(sign_in: SignIn, county: Area, month: Month) -> None:
    user = user_with((Role.SUPERVISOR, COUNTY), (Role.BUREAU_CLERK, TOWN_A))
    response = sign_in(user).post(reverse("portal:month-start"), {"month": "2026-03"}, follow=True)
    assert "只能核定您负责的县" in response.content.decode()
