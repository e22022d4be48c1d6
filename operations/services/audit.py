"""Writing and checking the audit chain."""

from typing import Any

from django.db import connection
from django.utils import timezone

from operations.models import AuditEntry
from organization.models import User

SYSTEM = "系统"


def audit_record(
    *,
    action: str,
    subject: str,
    actor: User | None = None,
    data: dict[str, Any] | None = None,
    address: str = "",
) -> AuditEntry:
    """Append one act to the chain, in the caller's transaction."""
    return AuditEntry.objects.create(
        at=timezone.now(),
        actor=actor,
        actor_name=str(actor) if actor else SYSTEM,
        action=action,
        subject=subject,
        data=data or {},
        address=address,
    )


def audit_broken_links() -> list[int]:
    """Return ids of entries whose digest does not follow from their content and predecessor."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM (
                SELECT a.id, a.digest, a.previous,
                       lag(a.digest, 1, ''::bytea) OVER (ORDER BY a.id) AS expected_previous,
                       audit_entry_digest(a) AS expected
                FROM operations_auditentry a
            ) chain
            WHERE digest <> expected OR previous <> expected_previous
            ORDER BY id
            """
        )
        return [row[0] for row in cursor.fetchall()]
