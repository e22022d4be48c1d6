"""Taking in what a phone recorded: each record once, whatever is sent again, in parallel or in another order.

A post is a fixed number of statements, however many records it brings: what is there is read once, what can be taken
is judged in plain Python and inserted at once, and what rests on it is counted once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from catalog.selectors import finding_list
from eldercare.models import Elder
from operations.services.audit import audit_record
from organization.areas import CODE_LENGTH
from organization.choices import Permission
from organization.models import User
from visits.admission import (
    Draft,
    Person,
    Stored,
    Surroundings,
    at_the_time_corrected,
    draft_of,
    row_of,
)
from visits.cells import ZONE
from visits.choices import RecordMark
from visits.duties import duties_of
from visits.models import Finding, PhoneState, Visit
from visits.months import locked_townships, months_hold
from visits.phone_record import RecordFault, SyncRequest, clock_was_off, read_record
from visits.phone_ref import read_ref
from visits.receipt import Kept, records_kept
from visits.services.arrival import visits_arrived
from visits.standing import standing

UPLOADED: Final = "上传探访记录"
OTHER_CONTENT: Final = "这个编号已登记过别的内容，原记录没有改动；请换新编号再上传"

COLUMNS: Final = ", ".join([str(field.column) for field in Visit._meta.concrete_fields])


class State(StrEnum):
    """What became of a record."""

    STORED = "stored"
    KNOWN = "known"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class Verdict(NamedTuple):
    """What became of a record, and why it was not taken."""

    state: State
    reason: str = ""


class SyncResult(NamedTuple):
    """The answer to one record. id: as the phone wrote it; marks, receipt: of what is stored."""

    id: str
    state: str
    reason: str
    marks: list[str]
    receipt: str


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """The answers in the order of the records; replay: the phone shall give back its receipts."""

    replay: bool
    results: list[SyncResult]


def visits_sync(*, request: SyncRequest, user: User, now: datetime) -> SyncAnswer:
    """Store what a phone sends; say of each record whether it is stored, known, in conflict or rejected, and why.

    One transaction: when the answer is out, everything that is counted from the records has been counted.
    """
    sent = [_draft(item, request, user, now) for item in request.records]
    with transaction.atomic():
        months_hold()
        stored = _stored({request.last, *_numbers(sent)}, user)
        drafts = [at_the_time_corrected(it, stored) if isinstance(it, Draft) else it for it in sent]
        around = _surroundings([draft for draft in drafts if isinstance(draft, Draft)], stored, user, now)
        verdicts, rows = _judge(drafts, around)
        created = visits_store(list(rows.values()))
        _tell_overtaken(verdicts, drafts, rows.keys() - created, user)
        answer = SyncAnswer(
            replay=request.last is not None and request.last not in around.stored,
            results=_results(request.records, drafts, verdicts),
        )
        _phone_saw(
            request, user, now, settled=len({result.id for result in answer.results if result.receipt})
        )
        if created:
            visits_arrived(visit_ids=sorted(created), now=now)
            audit_record(
                action=UPLOADED,
                subject=f"user:{user.pk}",
                actor=user,
                data={"records": sorted(map(str, created))},
            )
    return answer


def visits_store(rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Insert the records whose numbers are new, with their findings; return those numbers.

    rows: column → value as JSON can write it, and `findings`. Whoever inserts the same at the same time is waited
    for; in the order of the key, so that two never wait for each other.
    """
    if not rows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO visits_visit ({COLUMNS})
            SELECT {COLUMNS} FROM jsonb_populate_recordset(NULL::visits_visit, %s::jsonb) ORDER BY id
            ON CONFLICT (id) DO NOTHING RETURNING id""",
            [json.dumps(rows, ensure_ascii=False, default=str)],
        )
        created = {row[0] for row in cursor.fetchall()}
    Finding.objects.bulk_create(
        [
            Finding(visit_id=row["id"], **finding)
            for row in rows
            if UUID(str(row["id"])) in created
            for finding in row["findings"]
        ]
    )
    return created


def _draft(item: object, request: SyncRequest, user: User, now: datetime) -> Draft | RecordFault:
    try:
        record = read_record(item)
        return draft_of(record, read_ref(record.ref, user), now - request.sent_at, now)
    except RecordFault as fault:
        return fault


def _numbers(drafts: Iterable[Draft | RecordFault]) -> Iterable[UUID | None]:
    """The records' own numbers and those that they correct."""
    for draft in drafts:
        if isinstance(draft, Draft):
            yield from (draft.record.id, draft.record.corrects)


def _surroundings(
    drafts: Sequence[Draft], stored: Mapping[UUID, Stored], user: User, now: datetime
) -> Surroundings:
    """Read what else the records are judged by, all at once."""
    elders, months = {draft.ref.pk for draft in drafts}, {draft.month for draft in drafts}
    prefixes = user.area_prefixes(Permission.VISIT_RECORD)
    days = {draft.day for draft in drafts if draft.record.findings}
    words = finding_list(prefixes[0].ljust(CODE_LENGTH, "0")) if days else None
    people = Elder.objects.filter(pk__in=elders)
    return Surroundings(
        user_id=user.pk,
        visitor=str(user)[:40],
        now=now,
        prefixes=tuple(prefixes),
        stored=stored,
        people={
            pk: Person(created_at, residence or hukou)
            for pk, created_at, residence, hukou in people.values_list(
                "pk", "created_at", "residence_code", "hukou_code"
            )
        },
        duties=duties_of(elders, months),
        locked=locked_townships(months),
        kinds={day: {kind.code: kind for kind in words.on(day)} for day in days} if words else {},
    )


def _stored(numbers: Iterable[UUID | None], user: User) -> dict[UUID, Stored]:
    fields = ("id", "recorder_id", "digest", "at", "device_at", "clock_offset")
    places = ("elder__residence_code", "elder__hukou_code")
    rows = Visit.objects.filter(id__in=[number for number in numbers if number]).order_by()
    return {
        number: Stored(
            digest=digest if recorder == user.pk else "",
            at=at,
            device_at=device_at,
            offset=offset,
            is_own=recorder == user.pk,
            residence=residence or hukou,
        )
        for number, recorder, digest, at, device_at, offset, residence, hukou in rows.values_list(
            *fields, *places
        )
    }


def _judge(
    drafts: Sequence[Draft | RecordFault], around: Surroundings
) -> tuple[list[Verdict], dict[UUID, dict[str, Any]]]:
    """Say of each record what becomes of it; with the rows to insert by number, the first of each."""
    verdicts: list[Verdict] = []
    rows: dict[UUID, dict[str, Any]] = {}
    for draft in drafts:
        if isinstance(draft, RecordFault):
            verdicts.append(Verdict(State.REJECTED, str(draft)))
        elif stored := around.stored.get(draft.record.id):
            verdicts.append(_compared(draft, stored.digest))
        elif earlier := rows.get(draft.record.id):
            verdicts.append(_compared(draft, earlier["digest"]))
        else:
            try:
                rows[draft.record.id] = row_of(draft, around)
                verdicts.append(Verdict(State.STORED))
            except RecordFault as fault:
                verdicts.append(Verdict(State.REJECTED, str(fault)))
    return verdicts, rows


def _compared(draft: Draft, digest: str) -> Verdict:
    """A number that is taken: by the same record, or by another one."""
    return Verdict(State.KNOWN) if digest == draft.digest else Verdict(State.CONFLICT, OTHER_CONTENT)


def _tell_overtaken(
    verdicts: list[Verdict], drafts: Sequence[Draft | RecordFault], numbers: set[UUID], user: User
) -> None:
    """Mend the verdicts on records that somebody else has inserted since they were judged."""
    if not numbers:
        return
    stored = _stored(numbers, user)
    for place, draft in enumerate(drafts):
        if isinstance(draft, Draft) and draft.record.id in numbers:
            verdicts[place] = _compared(draft, stored[draft.record.id].digest)


def _results(
    items: Sequence[Any], drafts: Sequence[Draft | RecordFault], verdicts: Sequence[Verdict]
) -> list[SyncResult]:
    """Answer every record: what is stored with marks and receipt, all by the same reading of what is there."""
    numbers = [
        draft.record.id if isinstance(draft, Draft) and not verdict.reason else None
        for draft, verdict in zip(drafts, verdicts, strict=True)
    ]
    taken = {number for number in numbers if number}
    kept, doubtful = records_kept(taken), _doubtful(taken)
    results = []
    for item, number, (state, reason) in zip(items, numbers, verdicts, strict=True):
        found = kept[number] if number else None
        marks = _marks(found, number in doubtful) if found else []
        results.append(SyncResult(_id_of(item), state, reason, marks, found.receipt if found else ""))
    return results


def _marks(kept: Kept, is_doubtful: bool) -> list[str]:
    held = {
        RecordMark.HANDED_OVER: kept.handed_over,
        RecordMark.LATE: kept.late,
        RecordMark.CLOCK_OFF: clock_was_off(kept.clock_offset),
        RecordMark.TWICE: is_doubtful,
    }
    return [str(mark) for mark, holds in held.items() if holds]


def _id_of(item: object) -> str:
    """The number as the phone wrote it, so that it finds its record again."""
    given = item.get("id") if isinstance(item, dict) else None
    return given if isinstance(given, str) and len(given) <= 36 and given.isascii() else ""


def _doubtful(numbers: set[UUID]) -> set[UUID]:
    """Which of these stand beside another record of the same elder and day."""
    day = f"date_trunc('day', one.at AT TIME ZONE '{ZONE.key}')"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT one.id FROM visits_visit one
            WHERE one.id = ANY (%s) AND {standing("one")} AND EXISTS (
                SELECT FROM visits_visit other
                WHERE other.elder_id = one.elder_id AND other.id <> one.id AND {standing("other")}
                  AND other.at >= {day} AT TIME ZONE '{ZONE.key}'
                  AND other.at < ({day} + interval '1 day') AT TIME ZONE '{ZONE.key}')""",
            [list(numbers)],
        )
        return {row[0] for row in cursor.fetchall()}


def _phone_saw(request: SyncRequest, user: User, now: datetime, settled: int) -> None:
    """Keep what the phone said last: it still holds what it held before, without what is settled now."""
    state = PhoneState(
        user=user,
        synced_at=now,
        waiting=max(request.waiting - settled, 0),
        clock_offset=round((now - request.sent_at).total_seconds()),
    )
    PhoneState.objects.bulk_create(
        [state],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["synced_at", "waiting", "clock_offset"],
    )
