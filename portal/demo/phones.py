"""Visits of the last two months as one township's workers send them from their phones, with everything that happens."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from io import BytesIO
from random import Random
from typing import Any, Final
from uuid import UUID, uuid5

from PIL import Image, ImageDraw

from catalog.choices import VisitMode
from eldercare.facts import month_last_day
from eldercare.models import Elder
from organization.models import Area, User
from portal.demo.chance import chance
from portal.demo.visiting import MODES, NAMESPACE, NOTES, SHARE_REACHED, SHARE_TRIED, TRIED, moment
from portal.demo.visitors import DILIGENT, HASTY, visitors
from visits.cells import ZONE
from visits.choices import Result
from visits.models import Obligation, Visit, VisitPhoto
from visits.phone_record import SyncRequest
from visits.phone_ref import ref_of
from visits.services.photo import photo_store
from visits.services.sync import visits_sync

SYNC_EVERY: Final = 6
BATCH: Final = 50
#: Latitude and longitude of the county's middle, and how far a village lies from it at most, in degrees.
MIDDLE: Final = (26.0, 104.0)
COUNTY: Final = 0.2
VILLAGE: Final = 0.002
SAME_WORDS: Final = "老人身体精神都好，家中一切正常"
SLOW_CLOCK: Final = timedelta(minutes=25)
#: What is found on some visits: code of the county's list, and what the worker adds.
FOUND: Final = (
    ("power", "电线老化，插座发黑"),
    ("meals", ""),
    ("aids", "想要一副助行器"),
    ("house", "厨房屋顶漏雨"),
    ("fall", "昨晚在院里摔倒，膝盖肿"),
    ("hardship", "低保金没有到账"),
    ("company", ""),
)
EVERY_FIND: Final = 6
EVERY_PHOTO: Final = 8


@dataclass(frozen=True)
class Said:
    """One record before it is sent; photos: seeds of pictures."""

    id: UUID
    elder: Elder
    at: datetime
    mode: str
    result: str
    note: str = ""
    findings: tuple[tuple[str, str], ...] = ()
    place: tuple[float, float] | None = None
    accuracy: float | None = None
    event_day: date | None = None
    corrects: UUID | None = None
    photos: tuple[int, ...] = field(default=())


def phone_visits_make(
    *, month: date, seed: int, now: datetime, gone: Mapping[str, date], township: Area
) -> int:
    """Send the month's visits of the township's workers up to now; return how many records there are.

    gone: ID number → day of death or moving out. The same again adds none.
    """
    runs = month == now.date().replace(day=1)
    for worker in visitors(runs):
        mine = Obligation.objects.filter(
            month=month, assignee=worker, area_code__startswith=township.code[:9]
        ).select_related("elder")
        due = [(row.elder, row.area_code, row.due) for row in mine.order_by("elder_id")]
        said = [
            record
            for record in _month_of(due, month, seed)
            if record.at < now and record.at.date() < gone.get(record.elder.id_number, date.max)
        ]
        send(worker, _told(said, worker, month, runs), now)
    first, after = month, (month + timedelta(days=31)).replace(day=1)
    return Visit.objects.filter(
        channel="手机", at__date__gte=first, at__date__lt=after, recorder__in=visitors(month_runs=False)
    ).count()


def send(worker: User, said: Iterable[Said], now: datetime, *, at_once: bool = False) -> None:
    """Send records as the phone would: some days together in the evening, and their photos after them.

    at_once: everything only now.
    """
    batches: dict[date, list[Said]] = {}
    for record in sorted(said, key=lambda each: (each.at, each.id)):
        batches.setdefault(record.at.date() - timedelta(days=(record.at.day - 1) % SYNC_EVERY), []).append(
            record
        )
    for number, records in enumerate(batches.values()):
        # one phone's clock is slow for a few days
        slow = SLOW_CLOCK if worker.username == DILIGENT[0] and number == 2 else timedelta()
        sent = now if at_once else min(now, records[-1].at + timedelta(minutes=30))
        for start in range(0, len(records), BATCH):
            some = records[start : start + BATCH]
            request = SyncRequest(sent - slow, None, 0, [_json(each, worker, slow) for each in some])
            visits_sync(request=request, user=worker, now=sent)
    known = set(VisitPhoto.objects.filter(visit__recorder=worker).values_list("pk", flat=True))
    for record in (each for records in batches.values() for each in records):
        for number, picture in enumerate(record.photos):
            pk = uuid5(record.id, f"photo {number}")
            if pk not in known:
                photo_store(photo_id=pk, visit_id=record.id, content=picture_of(picture), user=worker)


def picture_of(seed: int) -> bytes:
    """A drawn picture, nobody's: a house under a sky, other for every seed."""
    random = chance(seed, "picture")
    image = Image.new("RGB", (640, 480), (random.randrange(150, 210), 210, 235))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, random.randrange(300, 360), 640, 480), fill=(120, random.randrange(140, 190), 90))
    left, wide, high = random.randrange(60, 260), random.randrange(180, 300), random.randrange(110, 170)
    wall = tuple(random.randrange(150, 235) for _ in range(3))
    draw.rectangle((left, 340 - high, left + wide, 340), fill=wall)
    draw.polygon(
        ((left - 20, 340 - high), (left + wide // 2, 280 - high), (left + wide + 20, 340 - high)),
        fill=(150, 70, 50),
    )
    door = left + random.randrange(20, wide - 60)
    draw.rectangle((door, 270, door + 45, 340), fill=(90, 60, 40))
    sun = random.randrange(420, 600)
    draw.ellipse((sun, 30, sun + 60, 90), fill=(250, 220, 110))
    stream = BytesIO()
    image.save(stream, "JPEG", quality=80)
    return stream.getvalue()


def _json(said: Said, worker: User, slow: timedelta) -> dict[str, Any]:
    latitude, longitude = said.place or (None, None)
    return {
        "id": str(said.id),
        "elder": ref_of(said.elder, worker),
        "at": (said.at - slow).isoformat(),
        "mode": said.mode,
        "result": said.result,
        "note": said.note,
        "event_day": str(said.event_day) if said.event_day else None,
        "risk": "",
        "findings": [{"code": code, "note": note} for code, note in said.findings],
        "latitude": latitude,
        "longitude": longitude,
        "accuracy": said.accuracy,
        "corrects": str(said.corrects) if said.corrects else None,
    }


def _month_of(due: Iterable[tuple[Elder, str, int]], month: date, seed: int) -> Iterator[Said]:
    """The records that a worker makes without anything special."""
    random = chance(seed, f"phone {month}")
    for elder, area, times in due:
        home = _home(seed, area, elder)
        for turn in range(times):
            at, mode, luck = moment(random, month).replace(tzinfo=ZONE), MODES.draw(random), random.random()
            note, tried, accuracy = NOTES.draw(random), TRIED.draw(random), random.randrange(5, 60)
            if luck >= SHARE_REACHED + SHARE_TRIED:
                continue
            reached = Result.REACHED if mode is VisitMode.PHONE else Result.SEEN
            is_reached = luck < SHARE_REACHED
            at_home = mode is VisitMode.HOME
            yield Said(
                uuid5(NAMESPACE, f"phone {seed} {month} {elder.id_number} {turn}"),
                elder,
                at,
                mode,
                reached if is_reached else tried,
                note if is_reached else "",
                place=home if at_home else None,
                accuracy=float(accuracy) if at_home else None,
            )


def _home(seed: int, area: str, elder: Elder) -> tuple[float, float]:
    """Where somebody lives: near the middle of the village."""
    middle = _near(chance(seed, f"place {area}"), MIDDLE, COUNTY)
    return _near(chance(seed, f"home {elder.id_number}"), middle, VILLAGE)


def _near(random: Random, place: tuple[float, float], far: float) -> tuple[float, float]:
    return tuple(round(each + random.uniform(-far, far), 6) for each in place)  # type: ignore[return-value]  # two


def _told(said: Sequence[Said], worker: User, month: date, runs: bool) -> list[Said]:
    """The records with what makes the month worth looking at."""
    found = [
        replace(each, findings=(FOUND[place // EVERY_FIND % len(FOUND)],))
        if place % EVERY_FIND == 3 and each.result in (Result.SEEN, Result.REACHED)
        else each
        for place, each in enumerate(said)
    ]
    found = [
        replace(each, photos=(each.id.int % 10**9,))
        if each.mode == VisitMode.HOME and (each.findings or place % EVERY_PHOTO == 1)
        else each
        for place, each in enumerate(found)
    ]
    if worker.username == HASTY[0] and not runs:
        return _all_on_the_last_day(found, month)
    if worker.username == DILIGENT[0]:
        return _odd(found, month, runs)
    return found


def _all_on_the_last_day(said: Sequence[Said], month: date) -> list[Said]:
    """Everything recorded on the month's last day, with the same words, five minutes apart."""
    begin = said[0].at.replace(day=month_last_day(month).day, hour=8, minute=0) if said else None
    return [
        replace(
            each,
            at=begin + timedelta(minutes=4 * place),
            mode=VisitMode.HOME,
            result=Result.SEEN,
            note=SAME_WORDS,
            place=_near(chance(place, "hasty"), MIDDLE, COUNTY),
            accuracy=12.0,
        )
        for place, each in enumerate(said)
        if begin is not None
    ]


def _odd(said: list[Said], month: date, runs: bool) -> list[Said]:
    """A place that is made up, a photo used twice; in the running month who was not found twice, and who died."""
    homes = [place for place, each in enumerate(said) if each.mode == VisitMode.HOME and each.place]
    for place in homes[:1]:
        said[place] = replace(said[place], accuracy=0.0)
    for place in homes[1:3]:
        said[place] = replace(said[place], photos=(1,))
    if not runs or len(homes) < 6:
        return said
    missed, dead, wrong = (said[place] for place in homes[3:6])
    tried = replace(
        missed,
        mode=VisitMode.PHONE,
        result=Result.NO_CONTACT,
        note="",
        findings=(),
        place=None,
        accuracy=None,
        photos=(),
    )
    again = replace(tried, id=uuid5(missed.id, "again"), at=missed.at + timedelta(hours=2))
    death = replace(
        dead,
        result=Result.DECEASED,
        note="邻居说老人前天夜里去世，家属在办丧事",
        event_day=max(dead.at.date() - timedelta(days=2), month),
        findings=(),
        photos=(),
    )
    right = replace(
        wrong, id=uuid5(wrong.id, "correction"), note="更正：备注写错了人", corrects=wrong.id, photos=()
    )
    changed = {missed.id: tried, dead.id: death}
    return [changed.get(each.id, each) for each in said] + [again, right]
