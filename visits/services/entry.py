"""补录: typing in what was written on paper in a village, each row once however often it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.db import transaction

from eldercare.models import Elder
from operations.commands import Refused
from operations.services.audit import audit_record
from organization.choices import Permission
from organization.models import User
from visits.cells import ZONE
from visits.choices import Channel
from visits.duties import late_of
from visits.models import Visit
from visits.months import months_hold
from visits.paper_row import LONGEST_NAME, PaperRow
from visits.services.arrival import visits_arrived
from visits.services.sync import visits_store

NO_VISITOR = "请填写探访人：是谁上门或打电话的"
FOREIGN = "老年人：不在您的区划范围内；请刷新名单后重新填写"
RETURNED = "这条记录登记过，已被退回，不能原样再登；请核实后改正"
OTHER_NOTE = "已登记过，备注不同，没有改动原记录"


@dataclass(frozen=True)
class Entered:
    """What became of the rows, by elder: stored anew, known already, and sentences about known ones that differ."""

    stored: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    told: dict[int, str] = field(default_factory=dict)


def visits_enter(*, rows: Mapping[int, PaperRow], visitor: str, actor: User, now: datetime) -> Entered:
    """Store a paper's rows (elder id → row) in the name of who visited; the recorder is who types. Raises Refused.

    A paper tells only the day: the visit counts as made at noon, or now if today's noon is still to come.
    """
    visitor = " ".join(visitor.split())
    if not visitor or len(visitor) > LONGEST_NAME:
        raise Refused(NO_VISITOR if not visitor else f"探访人姓名超过 {LONGEST_NAME} 个字；请只写姓名")
    mine = Elder.objects.visible_to(actor, Permission.VISIT_IMPORT).filter(pk__in=rows)
    if set(mine.values_list("pk", flat=True)) != rows.keys():
        raise Refused(FOREIGN)
    numbers = {row.number(pk, visitor): pk for pk, row in rows.items()}
    with transaction.atomic():
        months_hold()
        late = late_of({(pk, row.day.replace(day=1)) for pk, row in rows.items()})
        visits = [
            Visit(
                id=number,
                elder_id=pk,
                at=_noon(rows[pk], now),
                mode=rows[pk].mode,
                result=rows[pk].result,
                visitor=visitor,
                note=rows[pk].note,
                recorded_at=now,
                recorder=actor,
                channel=Channel.DESK,
                late=(pk, rows[pk].day.replace(day=1)) in late,
            )
            for number, pk in numbers.items()
        ]
        created = visits_store([_columns(visit) for visit in visits])
        if created:
            visits_arrived(visit_ids=sorted(created), now=now)
            audit_record(
                action="补录探访记录",
                subject=f"{len(created)} 条",
                actor=actor,
                data={"ids": sorted(map(str, created)), "visitor": visitor},
            )
    stored = {numbers[number] for number in created}
    return Entered(stored, rows.keys() - stored, _told(numbers, created, rows))


def _noon(row: PaperRow, now: datetime) -> datetime:
    return min(datetime.combine(row.day, time(12), tzinfo=ZONE), now)


def _columns(visit: Visit) -> dict[str, Any]:
    columns = {str(each.column): getattr(visit, each.attname) for each in Visit._meta.concrete_fields}
    return columns | {"findings": []}


def _told(numbers: Mapping[UUID, int], created: set[UUID], rows: Mapping[int, PaperRow]) -> dict[int, str]:
    """Say of known records where they differ from what was typed, or no longer count."""
    known = Visit.objects.filter(pk__in=numbers.keys() - created)
    told = {}
    for number, note, returned in known.values_list("pk", "note", "returned"):
        pk = numbers[number]
        if returned is not None:
            told[pk] = RETURNED
        elif note != rows[pk].note:
            told[pk] = OTHER_NOTE
    return told
