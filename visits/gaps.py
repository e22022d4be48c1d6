"""What still stands between a township and its month: who is unvisited, what phones hold back, what was returned."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q

from catalog.choices import Per
from organization.areas import TOWNSHIP_DIGITS
from organization.choices import Role
from organization.models import User
from visits.cells import ZONE
from visits.models import Obligation, PhoneState, Visit
from visits.querysets import OPEN, ObligationQuerySet
from visits.rate import Division, RateLine, rate_lines
from visits.slots import counted_days, next_month, slot_count

#: A phone that has not been heard of for so long may hold records of which nobody knows.
SILENT: Final = timedelta(hours=24)
NAMES_SHOWN: Final = 20


@dataclass(frozen=True)
class OpenReturn:
    """A record that was sent back and not corrected yet."""

    visit: Visit
    reason: str


@dataclass(frozen=True)
class MonthGaps:
    """A township's gaps. villages: those with somebody unmet, most first; until: last day that still counts.

    in_last_week: people not met whose last week, which began in the month, ends after it and is not over yet.
    """

    villages: list[RateLine]
    people: list[Obligation]
    unmet: int
    phones: list[PhoneState]
    never_synced: list[User]
    returns: list[OpenReturn]
    until: date
    in_last_week: int

    @property
    def by_village(self) -> list[tuple[str, list[Obligation]]]:
        """The people under the names of their villages, in order of code."""
        names = {line.code: line.name for line in self.villages}
        grouped = groupby(self.people, key=attrgetter("area_code"))
        return [(names.get(code, code), list(rows)) for code, rows in grouped]

    @property
    def several_tiers(self) -> bool:
        """The people are of more than one tier."""
        return len({row.tier_id for row in self.people}) > 1

    @property
    def any(self) -> bool:
        """Something is missing."""
        return bool(self.unmet or self.phones or self.never_synced or self.returns)


def month_gaps(*, obligations: ObligationQuerySet, month: date, area_code: str, now: datetime) -> MonthGaps:
    """Give the gaps of a township, or of the county's own row, of which these are the obligations of all months."""
    mine = obligations.filter(month=month)
    unmet = _unmet_by_per(mine, month)
    first, after = _counted(month, unmet)
    lines = rate_lines(obligations=mine, month=month, by=Division.AREA, villages=True)
    villages = sorted((line for line in lines if line.figure.unmet), key=lambda line: -line.figure.unmet)
    workers = User.objects.filter(is_active=True).filter(
        Exists(mine.filter(assignee=OuterRef("pk")).order_by())
        | Q(
            assignments__role=Role.VILLAGE_WORKER,
            assignments__area__code__startswith=area_code[:TOWNSHIP_DIGITS],
        )
    )
    ids = list(workers.order_by().values_list("pk", flat=True).distinct())
    phones = PhoneState.objects.filter(user__in=ids).filter(Q(waiting__gt=0) | Q(synced_at__lt=now - SILENT))
    return MonthGaps(
        villages=villages,
        people=list(
            mine.still_open().select_related("elder", "tier").order_by("area_code", "elder_id")[:NAMES_SHOWN]
        ),
        unmet=sum(line.figure.unmet for line in villages),
        phones=list(phones.select_related("user").order_by("-waiting", "synced_at")),
        never_synced=list(User.objects.filter(pk__in=ids, phone=None).order_by("full_name", "pk")),
        returns=_open_returns(mine, first, after),
        until=after - timedelta(days=1),
        in_last_week=sum(
            people
            for per, people in unmet.items()
            if counted_days(month, per)[1] > max(next_month(month), now.astimezone(ZONE).date())
        ),
    )


def _open_returns(mine: ObligationQuerySet, first: date, after: date) -> list[OpenReturn]:
    """Records of these people and of days in the half-open range that were sent back and that nothing has corrected."""
    rows = Visit.objects.to_mend().filter(
        elder__in=mine.order_by().values("elder_id"), at__gte=_midnight(first), at__lt=_midnight(after)
    )
    found = rows.select_related("elder", "returned").order_by("returned__at")
    return [OpenReturn(visit, visit.returned.reason) for visit in found]


def _counted(month: date, pers: Iterable[Per]) -> tuple[date, date]:
    """The half-open range of days whose visits fill a slot: with weekly tiers until some days after the month."""
    ranges = [counted_days(month, per) for per in pers]
    return min(first for first, _ in ranges), max(after for _, after in ranges)


def _unmet_by_per(mine: ObligationQuerySet, month: date) -> dict[Per, int]:
    """People who still ask for visits, by the period of their tier."""
    used = mine.order_by().values_list("tier__per").annotate(people=Count("pk", filter=OPEN))
    return {Per(per): people for per, people in used if slot_count(month, Per(per))} or {Per.MONTH: 0}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)
