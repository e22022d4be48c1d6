"""What a phone sends: the shape of a sync and of each record in it, their words and the phone's clock.

Touches no database. Whatever cannot be taken is a RecordFault: a sentence that names the field and the way out.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from catalog.choices import VisitMode
from eldercare.reading.text import clean_text
from visits.cells import ZONE
from visits.choices import DATED_DEPARTURES, Result, Risk

RECORDS: Final = 50
FINDINGS: Final = 20
NOTE: Final = 500
FINDING_NOTE: Final = 200
REF: Final = 200
#: How long after a visit its record is still taken from a phone.
DAYS_BACK: Final = timedelta(days=60)
#: By how much a phone's clock may be off before its times are moved.
CLOCK_SECONDS: Final = 600
CLOCK: Final = timedelta(seconds=CLOCK_SECONDS)
YEARS: Final = range(2000, 2081)  # so that every offset fits into its column, in seconds


class RecordFault(ValueError):
    """A record or a request that cannot be taken: why, and what to do."""


@dataclass(frozen=True, slots=True)
class PhoneFinding:
    """A word of the county's list, and what the visitor added."""

    code: str
    note: str


@dataclass(frozen=True, slots=True)
class PhoneRecord:
    """One readable record; device_at: by the phone's clock."""

    id: UUID
    ref: str
    device_at: datetime
    mode: str
    result: str
    note: str
    event_day: date | None
    risk: str
    findings: tuple[PhoneFinding, ...]
    latitude: Decimal | None
    longitude: Decimal | None
    accuracy: float | None
    corrects: UUID | None


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What a phone sends at once. last: its newest confirmed record; waiting: records it held, these among them."""

    sent_at: datetime
    last: UUID | None
    waiting: int
    records: list[Any]


def read_sync(body: object) -> SyncRequest:
    """Read a sync's envelope; its records are read one by one, so that one fault stops no other."""
    given = _mapping(body, "上传内容")
    records = given.get("records", [])
    if not isinstance(records, list):
        raise RecordFault("records：应为记录的列表；请更新手机程序")
    if len(records) > RECORDS:
        raise RecordFault(f"一次最多上传 {RECORDS} 条记录；请分几次上传")
    waiting = given.get("waiting", 0)
    if type(waiting) is not int or not 0 <= waiting < 1_000_000:
        raise RecordFault("waiting：应为待上传的条数；请更新手机程序")
    return SyncRequest(
        sent_at=_moment(given.get("sent_at"), "手机时间"),
        last=_optional_uuid(given.get("last"), "last"),
        waiting=waiting,
        records=records,
    )


def read_record(item: object) -> PhoneRecord:
    """Read one record; RecordFault says what is wrong with it."""
    given = _mapping(item, "记录")
    latitude, longitude, accuracy = _place(given)
    record = PhoneRecord(
        id=_uuid(given.get("id"), "记录编号"),
        ref=_text(given.get("elder"), "老年人", REF),
        device_at=_moment(given.get("at"), "探访时间"),
        mode=_one_of(given.get("mode"), "探访方式", VisitMode.values),
        result=_one_of(given.get("result"), "探访结果", Result.values),
        note=_text(given.get("note"), "备注", NOTE),
        event_day=_day(given.get("event_day")),
        risk=_one_of(given.get("risk") or "", "风险", Risk.values),
        findings=_findings(given.get("findings") or []),
        latitude=latitude,
        longitude=longitude,
        accuracy=accuracy,
        corrects=_optional_uuid(given.get("corrects"), "更正"),
    )
    _refuse_contradictions(record)
    return record


def digest_of(record: PhoneRecord, elder_id: int) -> str:
    """Return the sha256 of what the record says, whatever its reference looked like: the same says the same."""
    said = (
        *(record.id, elder_id, record.device_at.timestamp(), record.mode, record.result, record.note),
        *(record.event_day, record.risk, [(found.code, found.note) for found in record.findings]),
        *(record.latitude, record.longitude, record.accuracy, record.corrects),
    )
    return sha256(json.dumps(said, default=str).encode()).hexdigest()


def event_time(device_at: datetime, offset: timedelta, now: datetime) -> tuple[datetime, int]:
    """Return when it took place by the server's clock, and the seconds that the server was ahead of the phone's.

    A phone within CLOCK of the server is believed. Nothing takes place later than now: a time that still lies
    ahead by more than CLOCK was taken while the clock was off by at least that much.
    """
    at = device_at if abs(offset) <= CLOCK else device_at + offset
    if at > now + CLOCK:
        offset = now - device_at
    return min(at, now), round(offset.total_seconds())


def clock_was_off(offset: int) -> bool:
    """Tell whether the times of a phone with this offset (seconds) were moved."""
    return abs(offset) > CLOCK_SECONDS


def _refuse_contradictions(record: PhoneRecord) -> None:
    if record.result == Result.SEEN and record.mode not in (VisitMode.HOME, VisitMode.VIDEO):
        raise RecordFault(f"探访结果：{record.mode}不能“见到本人”；请改为“联系到本人”，或改探访方式")
    if record.result == Result.REACHED and record.mode == VisitMode.HOME:
        raise RecordFault("探访结果：上门当面见到的请选“见到本人”；是电话联系上的，请把方式改为“电话”")
    if record.event_day is not None:
        if record.result not in DATED_DEPARTURES:
            raise RecordFault("去世或迁出日期：只有结果为“已故”“已迁出”时填写；请清空日期或改结果")
        if record.event_day > record.device_at.astimezone(ZONE).date():
            raise RecordFault("去世或迁出日期：晚于探访当天；请核对日期")
    if record.corrects == record.id:
        raise RecordFault("更正：不能更正自身；请重新填写一条")


def _mapping(given: object, what: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise RecordFault(f"{what}：格式不对；请更新手机程序后再上传")
    return given


def _text(given: object, what: str, limit: int) -> str:
    """Texts of at most `limit` characters; what no encoding can hold is refused."""
    if not isinstance(given, str | None):
        raise RecordFault(f"{what}：应为文字；请重新填写")
    try:
        (given or "").encode()
    except UnicodeEncodeError:
        raise RecordFault(f"{what}：含有无法识别的字符；请重新填写") from None
    text = clean_text(given or "")
    if len(text) > limit:
        raise RecordFault(f"{what}：超过 {limit} 个字（现有 {len(text)} 个）；请缩短")
    return text


def _one_of(given: object, what: str, words: Sequence[str]) -> str:
    if not isinstance(given, str) or given not in words:
        raise RecordFault(f"{what}：请选择 {'、'.join(word for word in words if word)} 之一")
    return given


def _uuid(given: object, what: str) -> UUID:
    try:
        return UUID(given if isinstance(given, str) and len(given) == 36 else "")
    except ValueError:
        raise RecordFault(f"{what}：不是记录编号；请更新手机程序后再上传") from None


def _optional_uuid(given: object, what: str) -> UUID | None:
    return None if given is None else _uuid(given, what)


def _moment(given: object, what: str) -> datetime:
    """Read an ISO time with its offset, as UTC."""
    try:
        moment = datetime.fromisoformat(given if isinstance(given, str) else "")
    except ValueError:
        raise RecordFault(f"{what}：不是时间；请核对手机时间后重新填写") from None
    if moment.tzinfo is None:
        raise RecordFault(f"{what}：缺少时区；请更新手机程序后再上传")
    if moment.year not in YEARS:
        raise RecordFault(f"{what}：年份不对（{moment.year} 年）；请核对手机日期后重新填写")
    return moment.astimezone(UTC)


def _day(given: object) -> date | None:
    if given is None or given == "":
        return None
    try:
        day = date.fromisoformat(given if isinstance(given, str) else "")
    except ValueError:
        raise RecordFault("去世或迁出日期：不是日期；请写成 2026-03-05") from None
    if day.year < 2000:
        raise RecordFault("去世或迁出日期：早于 2000 年；请核对年份")
    return day


def _findings(given: object) -> tuple[PhoneFinding, ...]:
    if not isinstance(given, list) or len(given) > FINDINGS:
        raise RecordFault(f"探访发现：最多 {FINDINGS} 项；请合并后再上传")
    rows = [_mapping(row, "探访发现") for row in given]
    found = {
        code: PhoneFinding(code, _text(row.get("note"), "发现说明", FINDING_NOTE))
        for row in rows
        for code in [_text(row.get("code"), "探访发现", 40)]
    }
    if len(found) < len(rows):
        raise RecordFault("探访发现：同一项选了两次；请合并说明")
    return tuple([found[code] for code in sorted(found)])


def _place(given: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None, float | None]:
    """Read where the phone says it was: advice, never a gate. What is no place on earth is left out."""
    latitude, longitude = _number(given.get("latitude"), 90), _number(given.get("longitude"), 180)
    if latitude is None or longitude is None:
        return None, None, None
    accuracy = _number(given.get("accuracy"), 1_000_000)
    six = Decimal("0.000001")
    return (
        Decimal(str(latitude)).quantize(six),
        Decimal(str(longitude)).quantize(six),
        None if accuracy is None or accuracy < 0 else accuracy,
    )


def _number(given: object, limit: int) -> float | None:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    if isinstance(given, float) and not math.isfinite(given):
        return None
    return float(given) if abs(given) <= limit else None
