"""Roles grant permissions, areas give scope; the three administrators see no elder."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from organization.choices import Permission, Role
from organization.grants import GRANTS
from organization.models import Area, Assignment, User
from organization.permissions import user_may

pytestmark = pytest.mark.django_db
COUNTY, TOWN_A, TOWN_B = "990101000000", "990101101000", "990101102000"


@pytest.fixture(autouse=True)
def areas() -> None:
    for code in (COUNTY, TOWN_A, TOWN_B):
        Area.objects.create(code=code, name=code)


def user_with(*roles: tuple[Role, str]) -> User:
    user = User.objects.create_user("someone", password="Qinghe-2026-x")
    for role, area in roles:
        Assignment.objects.create(user=user, role=role, area_id=area)
    return user


def test_every_role_has_its_grants() -> None:
    assert set(GRANTS) == set(Role)


def test_a_user_without_a_role_may_nothing() -> None:
    user = user_with()
    assert not any(user_may(user, permission) for permission in Permission)


@pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN])
def test_the_three_administrators_see_no_elder(role: Role) -> None:
    assert Permission.ELDER_VIEW not in GRANTS[role]


def test_a_supervisor_reads_and_changes_nothing() -> None:
    writing = {Permission.ROSTER_IMPORT, Permission.MONTH_RUN}
    assert not writing & GRANTS[Role.SUPERVISOR]


def test_scope_is_the_area_of_each_assignment() -> None:
    user = user_with((Role.TOWNSHIP_CLERK, TOWN_A), (Role.TOWNSHIP_LEAD, TOWN_B))
    assert user.area_prefixes() == ["990101101", "990101102"]


def test_a_wider_area_swallows_a_narrower_one() -> None:
    user = user_with((Role.BUREAU_CLERK, COUNTY), (Role.TOWNSHIP_CLERK, TOWN_A))
    assert user.area_prefixes() == ["990101"]


@pytest.mark.parametrize(
    ("permission", "prefixes"),
    [
        (Permission.ELDER_VIEW, ["990101"]),
        (Permission.MONTH_VIEW, ["990101101"]),
        (Permission.ROSTER_IMPORT, ["990101101"]),
        (Permission.MONTH_RUN, []),
    ],
)
def test_a_permission_holds_where_a_role_grants_it(permission: Permission, prefixes: list[str]) -> None:
    user = user_with((Role.DEPARTMENT, COUNTY), (Role.TOWNSHIP_CLERK, TOWN_A))
    assert user.area_prefixes(permission) == prefixes


def test_the_area_of_an_administrator_opens_no_elder() -> None:
    user = user_with((Role.SYSTEM_ADMIN, COUNTY), (Role.VILLAGE_WORKER, TOWN_A))
    assert user.area_prefixes() == ["990101101"]


def test_the_same_role_cannot_be_given_twice() -> None:
    with pytest.raises(IntegrityError):
        user_with((Role.TOWNSHIP_CLERK, TOWN_A), (Role.TOWNSHIP_CLERK, TOWN_A))


@pytest.mark.parametrize(
    ("held", "given", "allowed"),
    [
        (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, False),
        (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, False),
        (Role.AUDIT_ADMIN, Role.SYSTEM_ADMIN, False),
        (Role.SYSTEM_ADMIN, Role.VILLAGE_WORKER, False),
        (Role.SUPERVISOR, Role.AUDIT_ADMIN, False),
        (Role.DATA_ADMIN, Role.SECURITY_ADMIN, False),
        (Role.SYSTEM_ADMIN, Role.SYSTEM_ADMIN, True),
        (Role.BUREAU_CLERK, Role.FINANCE, True),
    ],
)
def test_an_administrator_of_the_three_holds_no_other_role(held: Role, given: Role, allowed: bool) -> None:
    assignment = Assignment(user=user_with((held, TOWN_A)), role=given, area_id=TOWN_B)
    if allowed:
        assignment.full_clean()
        return
    with pytest.raises(ValidationError, match=f"三员分立.*{held.label}"):
        assignment.full_clean()


def test_a_role_can_be_changed_into_another() -> None:
    assignment = user_with((Role.SYSTEM_ADMIN, TOWN_A)).assignments.get()
    assignment.role = Role.SECURITY_ADMIN
    assignment.full_clean()


@pytest.mark.parametrize(
    "password", ["Short-1", "alllowercase1", "ALLUPPER2026", "1234567890", "password123"]
)
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize("password", ["Qinghe2026x", "qinghe-2026", "QINGHE-2026"])
def test_three_classes_and_ten_characters_are_enough(password: str) -> None:
    validate_password(password)
