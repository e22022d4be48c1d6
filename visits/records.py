"""Reads over records of visits: what marks them, and how they lie beside the others of the day."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate

from organization.models import User
from visits.cells import ZONE
from visits.choices import RecordMark
from visits.distance import metres
from visits.models import Signal, Visit, VisitPhoto, VisitReturn
from visits.phone_record import CLOCK_SECONDS, clock_was_off
from visits.querysets import VisitQuerySet

RETURNED, CORRECTED, SIGNALLED, PHOTOS = "被退回", "被更正", "有信号", "有照片"
#: What a list of records can be narrowed to.
MARKS: Final[tuple[str, ...]] = (
    *(SIGNALLED, RETURNED, CORRECTED, RecordMark.TWICE, RecordMark.LATE),
    *(RecordMark.HANDED_OVER, RecordMark.CLOCK_OFF, PHOTOS),
)
DAY: Final = timedelta(days=1)
NEIGHBOURS: Final = 100
_DAY: Final = TruncDate("at", tzinfo=ZONE)


@dataclass(frozen=True)
class Neighbour:
    """Another record of the same person's day. minutes: later than the one looked at; metres: None without places."""

    visit: Visit
    minutes: int
    metres: int | None


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Asia/Shanghai."""
    return datetime.combine(day, time.min, ZONE)


def of_days(records: VisitQuerySet, first: date, last: date) -> VisitQuerySet:
    """Records of these days in Asia/Shanghai, both included."""
    return records.filter(at__gte=midnight(first), at__lt=midnight(last + DAY))


def with_mark(records: VisitQuerySet, mark: str) -> VisitQuerySet:
    """Records that bear the mark."""
    return records.alias(day=_DAY).filter(_conditions()[mark])


def with_marks(records: VisitQuerySet) -> QuerySet[Visit]:
    """Records with what their marks rest on: `is_twice`, `is_corrected`, `photo_count`, their return and signals."""
    conditions = _conditions()
    return (
        records.alias(day=_DAY)
        .annotate(
            is_twice=conditions[RecordMark.TWICE],
            is_corrected=conditions[CORRECTED],
            photo_count=Count("photos", distinct=True),
            finding_count=Count("findings", distinct=True),
        )
        .select_related("elder", "returned__by", "recorder")
        .prefetch_related("signals")
    )


def marks_of(record: Visit) -> list[str]:
    """Marks of a record from `with_marks`, in the order of `MARKS` but for the photos, which are counted."""
    borne = {
        SIGNALLED: bool(record.signals.all()),
        RETURNED: hasattr(record, "returned"),
        CORRECTED: vars(record)["is_corrected"],
        RecordMark.TWICE: vars(record)["is_twice"],
        RecordMark.LATE: record.late,
        RecordMark.HANDED_OVER: record.handed_over,
        RecordMark.CLOCK_OFF: record.clock_offset is not None and clock_was_off(record.clock_offset),
    }
    return [str(mark) for mark, held in borne.items() if held]


def neighbours_of(record: Visit, user: User) -> list[Neighbour]:
    """The other records of the day by the same person that the user may see, in order of time."""
    day = record.at.astimezone(ZONE).date()
    if record.recorder_id is None:
        return []
    same = of_days(Visit.objects.visible_to(user), day, day).filter(
        recorder=record.recorder_id, visitor=record.visitor
    )
    rows = same.exclude(pk=record.pk).select_related("elder").order_by("at", "pk")[:NEIGHBOURS]
    return [
        Neighbour(row, round((row.at - record.at).total_seconds() / 60), _apart(record, row)) for row in rows
    ]


def _apart(one: Visit, other: Visit) -> int | None:
    places = (one.latitude, one.longitude, other.latitude, other.longitude)
    known = [float(value) for value in places if value is not None]
    return round(metres(*known)) if len(known) == len(places) else None


def _conditions() -> dict[str, Q | Exists]:
    """Mark → condition on a visit with `day`, its day in Asia/Shanghai."""
    others = Visit.objects.standing().filter(
        elder=OuterRef("elder"),
        at__gt=OuterRef("at") - DAY,
        at__lt=OuterRef("at") + DAY,
    )
    twice = others.alias(day=_DAY).filter(day=OuterRef("day")).exclude(pk=OuterRef("pk"))
    return {
        SIGNALLED: Exists(Signal.objects.filter(visit=OuterRef("pk"))),
        RETURNED: Exists(VisitReturn.objects.filter(visit=OuterRef("pk"))),
        CORRECTED: Exists(Visit.objects.corrected().filter(pk=OuterRef("pk"))),
        RecordMark.TWICE: Exists(twice),
        RecordMark.LATE: Q(late=True),
        RecordMark.HANDED_OVER: Q(handed_over=True),
        RecordMark.CLOCK_OFF: Q(clock_offset__gt=CLOCK_SECONDS) | Q(clock_offset__lt=-CLOCK_SECONDS),
        PHOTOS: Exists(VisitPhoto.objects.filter(visit=OuterRef("pk"))),
    }
