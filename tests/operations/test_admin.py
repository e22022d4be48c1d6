"""The audit chain is read in the admin by one officer; what another grants there is in it."""

import pytest
from django.test import Client

from operations.models import AuditEntry
from operations.services.audit import audit_record
from organization.choices import Role
from organization.models import Assignment, User
from tests.conftest import COUNTY, TOWN_A, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("county")]
AUDIT = "/admin/operations/auditentry/"
GRANTS = "/admin/organization/assignment/"


def signed_in(role: Role) -> Client:
    user = make_user(f"staff_{role}", role, COUNTY)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk), backend="django.contrib.auth.backends.ModelBackend")
    return client


def granted(role: Role = Role.TOWNSHIP_CLERK) -> Assignment:
    return make_user("clerk", role, TOWN_A).assignments.get()


def test_the_audit_administrator_reads_the_chain(clerk_a: User) -> None:
    entry = audit_record(action="elder_reveal", subject="elder:12", actor=clerk_a, data={"reason": "核对"})
    audit_record(action="elder_reveal", subject="elder:7", actor=clerk_a)
    client = signed_in(Role.AUDIT_ADMIN)
    assert "核对" in client.get(f"{AUDIT}{entry.pk}/change/").content.decode()
    page = client.get(AUDIT, {"q": "elder:12"}).content.decode()
    assert ("elder:12" in page, "elder:7" in page) == (True, False)
    assert "elder:7" in client.get(AUDIT, {"q": "clerk_a"}).content.decode()
    assert client.get(AUDIT, {"at__gte": "2000-01-01 00:00:00+08:00"}).status_code == 200


def test_nobody_adds_changes_or_deletes_an_entry() -> None:
    entry = audit_record(action="测试", subject="测试")
    client = signed_in(Role.AUDIT_ADMIN)
    assert client.get(f"{AUDIT}add/").status_code == 403
    assert client.post(f"{AUDIT}{entry.pk}/change/", {"subject": "别的"}).status_code == 403
    assert client.post(f"{AUDIT}{entry.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.BUREAU_CLERK])
def test_others_do_not_read_it(role: Role) -> None:
    assert signed_in(role).get(AUDIT).status_code == 403


def test_a_grant_is_in_the_chain() -> None:
    client = signed_in(Role.SECURITY_ADMIN)
    target = User.objects.create_user("new_clerk")
    client.post(
        f"{GRANTS}add/",
        {"user": target.pk, "role": Role.FINANCE, "area": COUNTY},
        REMOTE_ADDR="203.0.113.7",
    )
    entry = AuditEntry.objects.get(action="role_grant")
    assert (entry.subject, entry.actor_name) == (f"user:{target.pk}", "安全管理员一")
    assert entry.data == {"user": "new_clerk", "role": "finance", "area": COUNTY, "bureau": ""}
    assert entry.address == "203.0.113.7"


def test_a_changed_grant_keeps_what_it_was() -> None:
    client, assignment = signed_in(Role.SECURITY_ADMIN), granted()
    fields = {"user": assignment.user_id, "role": Role.TOWNSHIP_LEAD, "area": TOWN_A}
    client.post(f"{GRANTS}{assignment.pk}/change/", fields)
    data = AuditEntry.objects.get(action="role_change").data
    assert (data["before"]["role"], data["role"]) == ("township_clerk", "township_lead")


@pytest.mark.parametrize("by_list", [False, True])
def test_a_withdrawn_role_is_in_the_chain(by_list: bool) -> None:
    client, assignment = signed_in(Role.SECURITY_ADMIN), granted()
    if by_list:
        chosen = {"action": "delete_selected", "_selected_action": assignment.pk, "post": "yes"}
        client.post(GRANTS, chosen)
    else:
        client.post(f"{GRANTS}{assignment.pk}/delete/", {"post": "yes"})
    assert not Assignment.objects.filter(pk=assignment.pk).exists()
    assert AuditEntry.objects.get(action="role_withdraw").data["role"] == "township_clerk"


def test_two_offices_of_the_three_are_refused_with_a_sentence() -> None:
    client, assignment = signed_in(Role.SECURITY_ADMIN), granted(Role.SYSTEM_ADMIN)
    fields = {"user": assignment.user_id, "role": Role.AUDIT_ADMIN, "area": COUNTY}
    assert "三员分立" in client.post(f"{GRANTS}add/", fields).content.decode()
    assert Assignment.objects.filter(user=assignment.user_id).count() == 1
