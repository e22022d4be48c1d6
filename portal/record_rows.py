"""Records of visits as lists and files show them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from organization.areas import township_code
from organization.models import Area, User
from portal.places import place_names
from portal.scope import Place
from visits.choices import EFFECTIVE, Risk
from visits.models import Visit
from visits.querysets import VisitQuerySet
from visits.records import RETURNED, SIGNALLED, marks_of, with_marks

TONES: Final = {SIGNALLED: "attention", RETURNED: "danger"}
RISK_TONES: Final = {Risk.YELLOW: "attention", Risk.RED: "danger"}
HEADINGS: Final = (
    "探访时间",
    "姓名",
    "证件号码",
    "居住地",
    "方式",
    "结果",
    "探访人",
    "来源",
    "风险",
    "发现",
    "照片",
    "标记",
    "备注",
    "记录编号",
)
WIDTHS: Final = (18, 12, 22, 26, 8, 14, 12, 10, 6, 6, 6, 24, 40, 38)
CHUNK: Final = 1_000


@dataclass(frozen=True)
class RecordRow:
    """One record of a list. marks: (word, tone); photos, findings: how many."""

    visit: Visit
    place: str
    tone: str
    risk_tone: str
    marks: list[tuple[str, str]]
    photos: int
    findings: int

    def cells(self) -> tuple[str | int, ...]:
        """The row of a file, the ID number masked."""
        visit = self.visit
        return (
            f"{timezone.localtime(visit.at):%Y-%m-%d %H:%M}",
            visit.elder.name,
            visit.elder.masked_id_number,
            self.place,
            visit.mode,
            visit.result,
            visit.visitor,
            visit.get_channel_display(),
            visit.risk,
            self.findings,
            self.photos,
            "、".join(word for word, _ in self.marks),
            visit.note,
            str(visit.pk),
        )


def record_rows(records: Iterable[Visit]) -> list[RecordRow]:
    """Rows of records that come from `with_marks`; one query for the names of places."""
    records = list(records)
    places = place_names(visit.elder.residence_code for visit in records)
    return [
        RecordRow(
            visit,
            places.get(visit.elder.residence_code, ""),
            "good" if visit.result in EFFECTIVE else "attention",
            RISK_TONES.get(Risk(visit.risk), ""),
            [(mark, TONES.get(mark, "")) for mark in marks_of(visit)],
            vars(visit)["photo_count"],
            vars(visit)["finding_count"],
        )
        for visit in records
    ]


def all_rows(records: VisitQuerySet) -> Iterator[RecordRow]:
    """Rows of every record, newest first, some at a time."""
    ids = list(records.order_by("-at", "pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        some = Visit.objects.filter(pk__in=ids[start : start + CHUNK])
        yield from record_rows(with_marks(some).order_by("-at", "pk"))


def area_choices(place: Place, chosen: str) -> list[tuple[str, str]]:
    """Areas below the user's own, and below the chosen township, as (code, name); villages are set in."""
    below = Area.objects.current().filter(parent_id__in={place.area_code, township_code(chosen)})
    rows = sorted(below, key=lambda area: area.code)
    return [
        (area.code, area.name if area.parent_id == place.area_code else f"　{area.name}") for area in rows
    ]


def recorders_of(records: VisitQuerySet) -> list[User]:
    """Who recorded some of these."""
    ids = records.order_by().values("recorder_id").distinct()
    return list(User.objects.filter(pk__in=ids).order_by("full_name", "pk"))


def minutes_words(minutes: int) -> str:
    """How long, from minutes, whichever way.

    >>> minutes_words(0), minutes_words(-3), minutes_words(80), minutes_words(120)
    ('不到 1 分钟', '3 分钟', '1 小时 20 分钟', '2 小时')
    """
    if not minutes:
        return "不到 1 分钟"
    hours, rest = divmod(abs(minutes), 60)
    return " ".join([f"{hours} 小时"] * bool(hours) + [f"{rest} 分钟"] * bool(rest))


def metres_words(metres: int | None) -> str:
    """How far; '—' where a place is not known.

    >>> metres_words(950), metres_words(1849), metres_words(None)
    ('950 米', '1.8 公里', '—')
    """
    if metres is None:
        return "—"
    return f"{metres} 米" if metres < 1_000 else f"{metres // 100 / 10:.1f} 公里"
