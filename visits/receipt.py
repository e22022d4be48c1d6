"""Receipts: a stored record, whole and encrypted, that its phone gives back to a server restored from a backup.

Keys of the database mean nothing after a restore, so a receipt names the elder by the blind index of the ID number
and the recorder by the account's name.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection

from operations.crypto import DecryptionError, decrypt, encrypt
from visits.models import Visit

#: The first thing in a receipt: no other encrypted text of the portal passes for one.
KIND: Final = "visit-receipt-1"
#: Columns whose values stand in the record by other names.
NAMED: Final = ("elder_id", "recorder_id")


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored record as its phone is told of it."""

    handed_over: bool
    late: bool
    clock_offset: int
    receipt: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says. row: column → value as JSON writes it, without NAMED; elder: index in hex."""

    id: UUID
    elder: str
    recorder: str
    row: dict[str, Any]
    findings: list[dict[str, str]]


def records_kept(ids: Iterable[UUID]) -> dict[UUID, Kept]:
    """Read stored records with their receipts. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT v.id, v.handed_over, v.late, coalesce(v.clock_offset, 0),
                   (to_jsonb(v) - %(named)s::text[])::text, encode(e.id_number_index, 'hex'), u.username,
                   coalesce((SELECT jsonb_agg(to_jsonb(f) - ARRAY['id', 'visit_id'] ORDER BY f.code)
                             FROM visits_finding f WHERE f.visit_id = v.id), '[]')::text
            FROM visits_visit v
            JOIN eldercare_elder e ON e.id = v.elder_id
            JOIN organization_user u ON u.id = v.recorder_id
            WHERE v.id = ANY (%(ids)s)""",
            {"ids": list(ids), "named": list(NAMED)},
        )
        return {row[0]: Kept(row[1], row[2], row[3], _sealed(*row[4:])) for row in cursor.fetchall()}


def receipt_read(text: object) -> Receipt | None:
    """Open a receipt; None if it was not made here or was touched."""
    try:
        said = json.loads(decrypt(base64.b64decode(text if isinstance(text, str) else "", validate=True)))
    except (binascii.Error, DecryptionError, ValueError):
        return None
    if not isinstance(said, dict) or said.get("kind") != KIND:
        return None
    # a receipt may be older than a column, or name one that is gone
    row = {str(field.column): field.get_default() for field in Visit._meta.concrete_fields}
    row |= {column: value for column, value in said["row"].items() if column in row}
    return Receipt(UUID(row["id"]), said["elder"], said["recorder"], row, said["findings"])


def _sealed(row: str, elder: str, recorder: str, findings: str) -> str:
    who = json.dumps({"kind": KIND, "elder": elder, "recorder": recorder}, ensure_ascii=False)
    return base64.b64encode(encrypt(f'{who[:-1]}, "row": {row}, "findings": {findings}}}')).decode()
