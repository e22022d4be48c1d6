"""The audit chain can only grow, and a touched link shows."""

import pytest
from django.db import DatabaseError, connection, transaction

from operations.models import AuditEntry
from operations.services.audit import audit_broken_links, audit_record

pytestmark = pytest.mark.django_db


def test_every_entry_names_the_digest_of_the_one_before() -> None:
    first = audit_record(action="登录", subject="用户 1")
    second = audit_record(action="查看", subject="老年人 1")
    first.refresh_from_db()
    second.refresh_from_db()
    assert bytes(second.previous) == bytes(first.digest) != b""


def test_an_untouched_chain_is_whole() -> None:
    for number in range(5):
        audit_record(action="查看", subject=f"老年人 {number}", data={"字段": ["证件号"]})
    assert audit_broken_links() == []


@pytest.mark.parametrize(
    "statement", ["UPDATE operations_auditentry SET action = '无'", "DELETE FROM operations_auditentry"]
)
def test_entries_cannot_be_changed_or_deleted(statement: str) -> None:
    audit_record(action="登录", subject="用户 1")
    with pytest.raises(DatabaseError, match="只能追加"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    "column", ["action = '别的'", "subject = '别人'", "actor_name = '别人'", "data = '{\"a\": 1}'"]
)
def test_a_row_changed_behind_the_triggers_is_found(column: str) -> None:
    entries = [audit_record(action="登录", subject=f"用户 {number}") for number in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE operations_auditentry SET {column} WHERE id = %s", [entries[1].pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert audit_broken_links() == [entries[1].pk]


def test_a_row_removed_behind_the_triggers_is_found_at_the_next_one() -> None:
    entries = [audit_record(action="登录", subject=f"用户 {number}") for number in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM operations_auditentry WHERE id = %s", [entries[1].pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert audit_broken_links() == [entries[2].pk]
