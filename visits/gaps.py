"""What still stands between a township and its month: who is unvisited, what phones hold back, what was returned."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q

from catalog.choices import Per
from organization.areas import area_prefix
from organization.choices import Role
from organization.models import User
from visits.cells import ZONE
from visits.models import Obligation, PhoneState, Visit, VisitReturn
from visits.querysets import ObligationQuerySet
from visits.rate import Division, RateLine, rate_lines
from visits.slots import counted_days, slot_count

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
    """A township's gaps. villages: those with somebody unmet, most first; until: last day that still counts."""

    villages: list[RateLine]
    people: list[Obligation]
    unmet: int
    phones: list[PhoneState]
    never_synced: list[User]
    returns: list[OpenReturn]
    until: date

    @property
    def any(self) -> bool:
        """Something is missing."""
        return bool(self.unmet or self.phones or self.never_synced or self.returns)


def month_gaps(*, obligations: ObligationQuerySet, month: date, area_code: str, now: datetime) -> MonthGaps:
    """Give the gaps of an area of which these are the obligations of all months."""
    mine = obligations.filter(month=month)
    lines = rate_lines(obligations=mine, month=month, by=Division.AREA, villages=True)
    villages = sorted((line for line in lines if line.figure.unmet), key=lambda line: -line.figure.unmet)
    unmet = mine.filter(met=False, exempt_from=None)
    workers = User.objects.filter(is_active=True).filter(
        Exists(mine.filter(assignee=OuterRef("pk")).order_by())
        | Q(assignments__role=Role.VILLAGE_WORKER, assignments__area__code__startswith=area_prefix(area_code))
    )
    ids = list(workers.order_by().values_list("pk", flat=True).distinct())
    phones = PhoneState.objects.filter(user__in=ids).filter(Q(waiting__gt=0) | Q(synced_at__lt=now - SILENT))
    return MonthGaps(
        villages=villages,
        people=list(unmet.select_related("elder", "tier").order_by("area_code", "elder_id")[:NAMES_SHOWN]),
        unmet=sum(line.figure.unmet for line in villages),
        phones=list(phones.select_related("user").order_by("-waiting", "synced_at")),
        never_synced=list(User.objects.filter(pk__in=ids, phone=None).order_by("full_name", "pk")),
        returns=_open_returns(mine, month),
        until=_until(mine, month),
    )


def _open_returns(mine: ObligationQuerySet, month: date) -> list[OpenReturn]:
    """Records of the month's people and days that were sent back and that nothing has corrected."""
    pers = _pers(mine, month)
    first = min(counted_days(month, per)[0] for per in pers)
    after = max(counted_days(month, per)[1] for per in pers)
    later = Visit.objects.filter(corrects=OuterRef("visit_id"))
    rows = VisitReturn.objects.filter(
        ~Exists(later),
        visit__elder__in=mine.order_by().values("elder_id"),
        visit__at__gte=_midnight(first),
        visit__at__lt=_midnight(after),
    )
    return [OpenReturn(row.visit, row.reason) for row in rows.select_related("visit__elder").order_by("at")]


def _until(mine: ObligationQuerySet, month: date) -> date:
    """The last day whose visits fill a slot of the month: with weekly tiers some days after its end."""
    return max(counted_days(month, per)[1] for per in _pers(mine, month)) - timedelta(days=1)


def _pers(mine: ObligationQuerySet, month: date) -> list[Per]:
    used = mine.order_by().values_list("tier__per").annotate(Count("pk"))
    return [Per(per) for per, _ in used if slot_count(month, Per(per))] or [Per.MONTH]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)
