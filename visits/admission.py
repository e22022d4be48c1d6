"""Whether a readable record from a phone can be taken, and what it comes to as a stored one. Touches no database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from catalog.policy import PolicyFinding
from organization.areas import township_code
from visits.cells import ZONE
from visits.choices import Channel, Risk
from visits.months import township_of
from visits.phone_record import DAYS_BACK, PhoneRecord, RecordFault, digest_of, event_time
from visits.phone_ref import ElderRef

FOREIGN: Final = "老年人：不在发给您的名单里；请刷新名单，重新选择后再上传"
GONE: Final = "老年人：花名册里已没有此人；请刷新名单，重新选择后再上传"
NOT_YOURS: Final = "更正：原记录不是您登记的，也不在您的辖区；请由原登记人更正"
NO_SUCH_FINDING: Final = "探访发现：“{code}”不在当天的发现项里；请刷新名单，重新选择后再上传"
TOO_OLD: Final = (
    "探访时间：{day} 已超过 {days} 天；手机日期不对的请改正后再上传，确是那天的请交镇（街）经办人补录"
)
#: A time that came back from the portal has lost what is smaller than a second.
SAME_MOMENT: Final = timedelta(seconds=1)
ORDER: Final[list[str]] = [Risk.NONE, Risk.YELLOW, Risk.RED]


@dataclass(frozen=True, slots=True)
class Draft:
    """A readable record about somebody; at, offset: when by the server's clock, and by how much that was ahead."""

    record: PhoneRecord
    ref: ElderRef
    at: datetime
    offset: int
    digest: str

    @property
    def day(self) -> date:
        """The day in Shanghai."""
        return self.at.astimezone(ZONE).date()

    @property
    def month(self) -> date:
        """The first of that day's month."""
        return self.day.replace(day=1)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is there under a number. digest: '' unless this user's phone sent it; device_at, offset: a phone's."""

    digest: str
    at: datetime
    device_at: datetime | None
    offset: int | None
    is_own: bool
    residence: str


@dataclass(frozen=True, slots=True)
class Person:
    """An elder as of now; residence: where the elder lives, else is registered."""

    created_at: datetime
    residence: str


@dataclass(frozen=True, slots=True)
class Duty:
    """An obligation as far as it says whose the elder is."""

    area_code: str
    county_code: str
    assignee_id: int | None

    @property
    def township(self) -> str:
        """In whose month it is counted."""
        return township_of(self.area_code, self.county_code)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a post is judged by, all of it read before. prefixes: areas in which the user visits.

    duties: by elder and month; locked: townships' months; kinds: words of the county's list by day and code.
    """

    user_id: int
    visitor: str
    now: datetime
    prefixes: tuple[str, ...]
    stored: Mapping[UUID, Stored]
    people: Mapping[int, Person]
    duties: Mapping[tuple[int, date], Sequence[Duty]]
    locked: Collection[tuple[date, str]]
    kinds: Mapping[date, Mapping[str, PolicyFinding]]

    def covers(self, residence: str) -> bool:
        """Tell whether the user visits there."""
        return residence.startswith(self.prefixes)


def draft_of(record: PhoneRecord, ref: ElderRef | None, offset: timedelta, now: datetime) -> Draft:
    """Place a record in time. RecordFault for somebody whom the user was never given."""
    if ref is None:
        raise RecordFault(FOREIGN)
    at, seconds = event_time(record.device_at, offset, now)
    return Draft(record, ref, at, seconds, digest_of(record, ref.pk))


def at_the_time_corrected(draft: Draft, stored: Mapping[UUID, Stored]) -> Draft:
    """Give a correction that names the time of what it corrects exactly that time, whatever the clock is by now.

    The time is the phone's own of then, or the portal's, as the phone was given it. A correction with another time is
    a visit of that time.
    """
    corrected = stored.get(draft.record.corrects) if draft.record.corrects else None
    if corrected is None:
        return draft
    named = draft.record.device_at
    times = [at for at in (corrected.at, corrected.device_at) if at is not None]
    if all(abs(named - at) >= SAME_MOMENT for at in times):
        return draft
    return replace(
        draft, at=corrected.at, offset=draft.offset if corrected.offset is None else corrected.offset
    )


def row_of(draft: Draft, around: Surroundings) -> dict[str, Any]:
    """Return the record as it is to be stored: column → value, and its findings. RecordFault if it cannot be."""
    record, person = draft.record, around.people.get(draft.ref.pk)
    if person is None or not draft.ref.names(draft.ref.pk, person.created_at):
        raise RecordFault(GONE)
    _refuse_old_or_foreign(draft, around)
    findings = [_finding(found.code, found.note, around.kinds[draft.day]) for found in record.findings]
    duties = around.duties.get((draft.ref.pk, draft.month), ())
    return {
        "id": record.id,
        "elder_id": draft.ref.pk,
        "at": draft.at,
        "mode": record.mode,
        "result": record.result,
        "visitor": around.visitor,
        "note": record.note,
        "corrects_id": record.corrects,
        "recorded_at": around.now,
        "recorder_id": around.user_id,
        "channel": Channel.PHONE,
        "device_at": record.device_at,
        "clock_offset": draft.offset,
        "latitude": record.latitude,
        "longitude": record.longitude,
        "accuracy": record.accuracy,
        "risk": max([record.risk, *(row["risk"] for row in findings)], key=ORDER.index),
        # a phone ahead of the calendar: nobody dies after the visit that tells of it
        "event_day": record.event_day and min(record.event_day, draft.day),
        "handed_over": is_handed_over(person.residence, duties, around),
        "late": is_late(draft.month, person.residence, duties, around.locked),
        "digest": draft.digest,
        "findings": findings,
    }


def is_handed_over(residence: str, duties: Sequence[Duty], around: Surroundings) -> bool:
    """Tell whether the elder is no longer the user's: somebody else's by now, or moved out of the user's areas.

    Who was given by hand to a worker of another village is that worker's, wherever the elder lives.
    """
    workers = {duty.assignee_id for duty in duties}
    if around.user_id in workers:
        return residence not in {duty.area_code for duty in duties} and not around.covers(residence)
    return (bool(workers) and None not in workers) or not around.covers(residence)


def is_late(
    month: date, residence: str, duties: Sequence[Duty], locked: Collection[tuple[date, str]]
) -> bool:
    """Tell whether the elder's township had locked the month already."""
    townships = {duty.township for duty in duties} or {township_code(residence)}
    return any((month, township) in locked for township in townships)


def _refuse_old_or_foreign(draft: Draft, around: Surroundings) -> None:
    """A correction may be as old as what it corrects, if that is the user's own or in the user's areas."""
    corrected = around.stored.get(draft.record.corrects) if draft.record.corrects else None
    if corrected and not (corrected.is_own or around.covers(corrected.residence)):
        raise RecordFault(NOT_YOURS)
    since = min(around.now, corrected.at) if corrected else around.now
    if draft.at < since - DAYS_BACK:
        raise RecordFault(TOO_OLD.format(day=draft.day, days=DAYS_BACK.days))


def _finding(code: str, note: str, kinds: Mapping[str, PolicyFinding]) -> dict[str, str]:
    kind = kinds.get(code)
    if kind is None:
        raise RecordFault(NO_SUCH_FINDING.format(code=code))
    return {"code": code, "name": kind.name, "group": kind.group, "risk": kind.risk, "note": note}
