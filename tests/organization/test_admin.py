"""Areas, bureaus, accounts and roles in the admin: each kept by another officer."""

import pytest
from django.test import Client

from organization.choices import Role
from organization.models import Area, Assignment, User
from tests.conftest import COUNTY, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("county")]

PAGES = {
    "area": Role.DATA_ADMIN,
    "bureau": Role.DATA_ADMIN,
    "letterhead": Role.DATA_ADMIN,
    "user": Role.SYSTEM_ADMIN,
    "assignment": Role.SECURITY_ADMIN,
}


def signed_in(role: Role) -> Client:
    user = make_user(f"staff_{role}", role, COUNTY)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(("page", "role"), PAGES.items())
def test_the_officer_in_charge_sees_list_and_form(page: str, role: Role) -> None:
    client = signed_in(role)
    assert client.get(f"/admin/organization/{page}/").status_code == 200
    assert client.get(f"/admin/organization/{page}/add/").status_code == 200


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", [Role.BUREAU_CLERK, Role.AUDIT_ADMIN])
def test_others_do_not(page: str, role: Role) -> None:
    assert signed_in(role).get(f"/admin/organization/{page}/").status_code == 403


def test_who_keeps_accounts_cannot_make_a_superuser() -> None:
    client = signed_in(Role.SYSTEM_ADMIN)
    target = make_user("clerk", Role.TOWNSHIP_CLERK, COUNTY)
    fields = {"username": "clerk", "full_name": "改名", "is_active": "on", "is_superuser": "on"}
    client.post(f"/admin/organization/user/{target.pk}/change/", fields)
    target.refresh_from_db()
    assert (target.full_name, target.is_superuser) == ("改名", False)


def test_nobody_grants_a_role_to_oneself() -> None:
    client = signed_in(Role.SECURITY_ADMIN)
    own = User.objects.get(username="staff_security_admin")
    client.post(
        "/admin/organization/assignment/add/", {"user": own.pk, "role": Role.DATA_ADMIN, "area": COUNTY}
    )
    assert Assignment.objects.filter(user=own).count() == 1


def test_an_area_keeps_its_code_and_is_not_deleted() -> None:
    client = signed_in(Role.DATA_ADMIN)
    client.post(f"/admin/organization/area/{COUNTY}/change/", {"code": "530399000000", "name": "新县"})
    assert Area.objects.get(code=COUNTY).name == "新县"
    assert client.post(f"/admin/organization/area/{COUNTY}/delete/", {"post": "yes"}).status_code == 403
