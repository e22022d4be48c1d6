"""The admin site opens what a role keeps, and nothing else."""

import pytest

from organization.backends import ADMIN_MODELS
from organization.choices import Role
from organization.models import Area, Assignment, User

pytestmark = pytest.mark.django_db


def user_as(role: Role) -> User:
    area = Area.objects.create(code="990101000000", name="青禾县")
    user = User.objects.create_user("someone", password="Qinghe-2026-x")
    Assignment.objects.create(user=user, role=role, area=area)
    return user


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        (Role.SYSTEM_ADMIN, "organization.change_user", True),
        (Role.SYSTEM_ADMIN, "organization.change_assignment", False),
        (Role.SECURITY_ADMIN, "organization.add_assignment", True),
        (Role.SECURITY_ADMIN, "operations.view_auditentry", False),
        (Role.AUDIT_ADMIN, "operations.view_auditentry", True),
        (Role.DATA_ADMIN, "catalog.view_item", True),
        (Role.DATA_ADMIN, "organization.change_user", False),
        (Role.BUREAU_CLERK, "organization.view_area", False),
    ],
)
def test_a_role_opens_its_models(role: Role, permission: str, allowed: bool) -> None:
    assert user_as(role).has_perm(permission) is allowed


def test_an_app_is_shown_to_whom_it_holds_something() -> None:
    user = user_as(Role.AUDIT_ADMIN)
    assert (user.has_module_perms("operations"), user.has_module_perms("catalog")) == (True, False)


def test_a_disabled_user_may_nothing() -> None:
    user = user_as(Role.SYSTEM_ADMIN)
    user.is_active = False
    assert not user.has_perm("organization.change_user")


def test_no_model_is_kept_by_two_of_the_three_administrators() -> None:
    system, security, audit = (
        ADMIN_MODELS[r] for r in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)
    )
    assert not (system & security or system & audit or security & audit)
