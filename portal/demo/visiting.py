"""Visits of a month as village workers would record them: most elders seen, some missed, some only tried."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from io import StringIO
from random import Random
from typing import Final
from uuid import UUID, uuid5

from catalog.choices import VisitMode
from eldercare.choices import Sex
from eldercare.facts import month_last_day
from operations.spreadsheets import csv_write
from organization.models import Area
from portal.demo.chance import Weighted, chance
from portal.demo.names import person_name
from visits.choices import Result
from visits.models import Obligation
from visits.services.visit import visits_import

NAMESPACE: Final = UUID("6f1c5b0e-2f7d-4a53-9d0c-99010100d340")
HEADER: Final = ("记录编号", "身份证号码", "探访时间", "方式", "结果", "探访人", "备注")
MODES: Final = Weighted({VisitMode.HOME: 60.0, VisitMode.PHONE: 36.0, VisitMode.VIDEO: 4.0})
TRIED: Final = Weighted({Result.NO_CONTACT: 5.0, Result.AWAY: 4.0, Result.OTHERS: 3.0, Result.REFUSED: 1.0})
NOTES: Final = Weighted(
    {"": 80.0, "身体尚好": 8.0, "提醒注意用火用电": 5.0, "反映家中漏雨，已转村委会": 2.0, "想了解助餐": 5.0}
)
SHARE_REACHED: Final = 0.93
SHARE_TRIED: Final = 0.03


def visits_make(
    *, month: date, seed: int, now: datetime, gone: Mapping[str, date], without: Area | None = None
) -> int:
    """Record the visits of an opened month up to now from a file; return how many are new.

    gone: ID number → day of death or moving out; nobody is visited from that day on. without: a township whose
    workers have phones. The same month again adds none.
    """
    obliged = Obligation.objects.filter(month=month)
    if without is not None:
        obliged = obliged.exclude(area_code__startswith=without.code[:9])
    due = [
        (obligation.elder.id_number, obligation.area_code, obligation.due)
        for obligation in obliged.select_related("elder").order_by("elder_id")
    ]
    rows = list(visit_rows(due, month=month, seed=seed, now=now, gone=gone))
    if not rows:
        return 0
    stream = StringIO()
    csv_write(stream, HEADER, rows)
    name = f"探访记录_{month:%Y-%m}.csv"
    return visits_import(content=stream.getvalue().encode("utf-8-sig"), name=name).created


def visit_rows(
    due: Iterable[tuple[str, str, int]], *, month: date, seed: int, now: datetime, gone: Mapping[str, date]
) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a visit file. due: ID number, area code and number of visits owed."""
    random = chance(seed, f"visits {month}")
    for number, area, times in due:
        for turn in range(times):
            at, mode, luck = moment(random, month), MODES.draw(random), random.random()
            note, tried = NOTES.draw(random), TRIED.draw(random)
            is_reached = luck < SHARE_REACHED
            if not is_reached and luck >= SHARE_REACHED + SHARE_TRIED:
                continue
            if at.replace(tzinfo=now.tzinfo) >= now or at.date() >= gone.get(number, date.max):
                continue
            found = Result.REACHED if mode is VisitMode.PHONE else Result.SEEN
            key = uuid5(NAMESPACE, f"{seed} {month} {number} {turn}")
            result = found if is_reached else tried
            yield (
                str(key),
                number,
                f"{at:%Y-%m-%d %H:%M}",
                mode,
                result,
                _visitor(seed, area),
                note if is_reached else "",
            )


def moment(random: Random, month: date) -> datetime:
    """A working hour of some day of the month."""
    day = month + timedelta(days=random.randrange(month_last_day(month).day))
    return datetime.combine(day, time(random.randint(8, 17), random.randint(0, 59)))


def _visitor(seed: int, area: str) -> str:
    """The worker who visits in this village."""
    return person_name(chance(seed, f"visitor {area}"), Sex.FEMALE)
