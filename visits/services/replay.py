"""Taking records back from their receipts, after the server was restored from a backup made before them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction

from eldercare.models import Elder
from operations.services.audit import audit_record
from organization.models import User
from visits.models import Visit
from visits.months import months_hold
from visits.phone_record import RecordFault
from visits.receipt import Receipt, receipt_read
from visits.services.arrival import visits_arrived
from visits.services.sync import visits_store

RECEIPTS: Final = 50
REPLAYED: Final = "补回探访记录"


class State(StrEnum):
    """What became of a receipt. LATER: its elder or recorder is not registered again yet; REJECTED: none of ours."""

    STORED = "stored"
    KNOWN = "known"
    LATER = "later"
    REJECTED = "rejected"


class ReplayResult(NamedTuple):
    """The answer to one receipt; id: '' if it could not be read."""

    id: str
    state: State


def visits_replay(*, receipts: object, actor: User, now: datetime) -> list[ReplayResult]:
    """Store what is missing exactly as it was, and count it; the answers come in the order of the receipts.

    A receipt proves itself, so that whoever holds the phone may bring it: recorder and times are those of the record.
    """
    if not isinstance(receipts, list) or len(receipts) > RECEIPTS:
        raise RecordFault(f"receipts：应为不超过 {RECEIPTS} 条的列表；请分几次上传")
    read = [receipt_read(text) for text in receipts]
    with transaction.atomic():
        months_hold()
        genuine = {receipt.id: receipt for receipt in read if receipt}
        rows = _rows(list(genuine.values()))
        created = visits_store(rows)
        if created:
            visits_arrived(visit_ids=sorted(created), now=now)
            audit_record(
                action=REPLAYED,
                subject=f"user:{actor.pk}",
                actor=actor,
                data={"records": sorted(map(str, created))},
            )
        there = set(Visit.objects.filter(id__in=genuine).values_list("id", flat=True))
    return [_result(receipt, created, there) for receipt in read]


def _rows(receipts: Sequence[Receipt]) -> list[dict[str, object]]:
    """The records as rows, with today's keys; without those whose elder or recorder is not there."""
    indexes = [bytes.fromhex(receipt.elder) for receipt in receipts]
    elders = {
        bytes(index).hex(): pk
        for index, pk in Elder.objects.filter(id_number_index__in=indexes).values_list(
            "id_number_index", "pk"
        )
    }
    names = {receipt.recorder for receipt in receipts}
    users = dict(User.objects.filter(username__in=names).values_list("username", "pk"))
    return [
        receipt.row
        | {
            "elder_id": elders[receipt.elder],
            "recorder_id": users[receipt.recorder],
            "findings": receipt.findings,
        }
        for receipt in receipts
        if receipt.elder in elders and receipt.recorder in users
    ]


def _result(receipt: Receipt | None, created: set[UUID], there: set[UUID]) -> ReplayResult:
    if receipt is None:
        return ReplayResult("", State.REJECTED)
    if receipt.id in created:
        return ReplayResult(str(receipt.id), State.STORED)
    return ReplayResult(str(receipt.id), State.KNOWN if receipt.id in there else State.LATER)
