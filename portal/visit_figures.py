"""The visit rate as pages and files show it: rows whose figures open the people that sum to them."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.db.models import Q
from django.http import Http404, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog.models import VisitTier
from organization.areas import CODE_LENGTH, area_prefix, is_county, township_code
from organization.choices import Permission
from organization.models import Area, User
from portal.filtersets import AREA
from portal.scope import place_of
from visits.choices import ExemptReason
from visits.models import Obligation
from visits.people import NOBODY, PeopleState
from visits.querysets import ObligationQuerySet
from visits.rate import UNASSIGNED, Division, Figure, RateLine, rate_lines, rate_whole

#: Width of the bar that stands for 100%, in pixels.
BAR: Final = 120


@dataclass(frozen=True)
class RateAsked:
    """What the page is asked for. worker: a user's id or NOBODY; as_of None: now; error: what could not be read."""

    month: date
    county: str
    area: str
    by: Division
    tier: str = ""
    worker: str = ""
    as_of: datetime | None = None
    error: str = ""

    @property
    def villages(self) -> bool:
        """Rows are places of residence: the chosen area is smaller than a county."""
        return not is_county(self.area)

    @property
    def is_village(self) -> bool:
        """The chosen area has nothing below it."""
        return len(area_prefix(self.area)) == CODE_LENGTH

    def query(self, **changes: str) -> str:
        """The page's address part for this question with some changes; what is empty is left out."""
        given = {
            "area": self.area,
            "by": self.by.value,
            "tier": self.tier,
            "worker": self.worker,
            "as_of": timezone.localtime(self.as_of).strftime("%Y-%m-%dT%H:%M:%S") if self.as_of else "",
        } | changes
        return urlencode({key: value for key, value in given.items() if value})


@dataclass(frozen=True)
class RateRow:
    """One row with its links. deeper: where its name leads; people: the query of its people but for the state."""

    name: str
    figure: Figure
    people: str
    deeper: str = ""

    @property
    def bar(self) -> int:
        """Width of its bar: only who is wholly visited has a full one."""
        return self.figure.met * BAR // self.figure.obliged if self.figure.obliged else 0

    @property
    def reasons(self) -> str:
        """死亡 3、迁出 1."""
        return exempt_words(self.figure)


@dataclass(frozen=True)
class RatePage:
    """The rows of a division and their sum."""

    rows: list[RateRow]
    whole: RateRow


def visit_figures(month: date, user: User) -> Figure:
    """The whole of the month's rate page as the user first sees it."""
    rows = Obligation.objects.counted_for(user).in_area(_area_first(user))
    return rate_whole(rate_lines(obligations=rows, month=month, by=Division.TIER))


def rate_asked(user: User, month: date, params: QueryDict) -> RateAsked:
    """Read the question of the page. Raises Http404 for an area in which the user may see nobody."""
    place = place_of(user)
    area = params.get("area", "")
    area = area if AREA.match(area) else _area_first(user)
    if not _in_scope(user, area, month):
        raise Http404
    as_of, error = _moment(params.get("as_of", ""))
    worker = params.get("worker", "")
    known = worker == NOBODY or (worker.isascii() and worker.isdigit() and len(worker) < 12)
    asked = RateAsked(
        month=month,
        county=place.county_code,
        area=area,
        by=Division.AREA,
        tier=params.get("tier", "").replace("\0", "")[:40],
        worker=worker if known else "",
        as_of=as_of,
        error=error,
    )
    by = params.get("by", "")
    usual = Division.WORKER if asked.is_village else Division.AREA
    return replace(asked, by=Division(by) if by in Division.values else usual)


def rate_page(asked: RateAsked, obligations: ObligationQuerySet) -> RatePage:
    """Count and name the rows."""
    rows = obligations.in_area(asked.area)
    if asked.tier:
        rows = rows.filter(tier__code=asked.tier)
    if asked.worker:
        rows = rows.filter(assignee=None if asked.worker == NOBODY else int(asked.worker))
    lines = rate_lines(
        obligations=rows, month=asked.month, by=asked.by, as_of=asked.as_of, villages=asked.villages
    )
    if asked.by == Division.AREA:  # who lives outside the county comes last
        lines.sort(key=lambda line: not line.code.startswith(area_prefix(asked.county)))
    whole = RateRow("合计", rate_whole(lines), _people(asked))
    return RatePage([_row(asked, line) for line in lines], whole)


def path_of(asked: RateAsked) -> list[tuple[str, str]]:
    """(code, name) of the areas from the county down to the chosen one."""
    codes = [asked.county]
    if not is_county(asked.area) and asked.area.startswith(area_prefix(asked.county)):
        codes.append(township_code(asked.area))
    codes = list(dict.fromkeys([*codes, asked.area]))
    names = dict(Area.objects.filter(code__in=codes).values_list("code", "name"))
    return [(code, names.get(code, code)) for code in codes]


def tiers_of(obligations: ObligationQuerySet, month: date) -> list[tuple[str, str]]:
    """(code, name) of the tiers in use, in their order."""
    used = obligations.filter(month=month).order_by().values("tier_id")
    tiers = VisitTier.objects.filter(pk__in=used).order_by("order", "code")
    return list(dict.fromkeys(tiers.values_list("code", "name")))


def workers_of(obligations: ObligationQuerySet, month: date) -> list[tuple[str, str]]:
    """(key, name) of the workers to whom somebody is assigned, and of nobody."""
    used = obligations.filter(month=month, assignee__isnull=False).order_by().values("assignee_id")
    workers = User.objects.filter(pk__in=used).order_by("full_name", "pk")
    return [*((str(worker.pk), str(worker)) for worker in workers), (NOBODY, UNASSIGNED)]


def exempt_words(figure: Figure) -> str:
    """Reasons with numbers, in their order: 死亡 3、迁出 1."""
    found = [(reason, figure.exempt.get(reason, 0)) for reason in ExemptReason.values]
    return "、".join(f"{reason} {persons:,}" for reason, persons in found if persons)


def months_shown(month: date, count: int) -> list[date]:
    """The month and those before it, oldest first."""
    months = [month]
    while len(months) < count:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]


def area_words(code: str, name: str, county: str) -> str:
    """What a row of an area is called; one that is not on the list of areas by its code."""
    outside = "" if code.startswith(area_prefix(county)) else "县外 "
    return f"{outside}{name or f'未登记的区划 {code}'}"


def _row(asked: RateAsked, line: RateLine) -> RateRow:
    match asked.by:
        case Division.TIER:
            return RateRow(
                line.name, line.figure, _people(asked, tier=line.code), _here(asked, tier=line.code)
            )
        case Division.WORKER:
            worker = line.code or NOBODY
            return RateRow(line.name, line.figure, _people(asked, worker=worker), _here(asked, worker=worker))
        case Division.AREA:
            return _area_row(asked, line)


def _area_row(asked: RateAsked, line: RateLine) -> RateRow:
    """An area below the chosen one leads further down; a village leads to its people."""
    if line.code == asked.area and not asked.is_village:
        name = "未填乡镇的" if is_county(asked.area) else "未填到村的"
        return RateRow(name, line.figure, _people(asked, only="1"))
    people = _people(asked, area=line.code)
    name = area_words(line.code, line.name, asked.county)
    if asked.villages:
        list_url = reverse("portal:visit-people", args=[asked.month])
        return RateRow(name, line.figure, people, f"{list_url}?{people}&state={PeopleState.ALL.value}")
    return RateRow(name, line.figure, people, _page_url(asked, area=line.code))


def _here(asked: RateAsked, **narrower: str) -> str:
    """The same page for one tier or worker alone, by area again."""
    return _page_url(asked, by=Division.AREA.value, **narrower)


def _page_url(asked: RateAsked, **changes: str) -> str:
    return f"{reverse('portal:visit-rates', args=[asked.month])}?{asked.query(**changes)}"


def _people(asked: RateAsked, **changes: str) -> str:
    """The query of the people of a row; only present people can be listed, so a past moment is left out."""
    given = {"area": asked.area, "tier": asked.tier, "worker": asked.worker} | changes
    return urlencode({key: value for key, value in given.items() if value})


def _area_first(user: User) -> str:
    """The area that the page shows when none is asked for: the user's own, of several the county."""
    prefixes = user.area_prefixes(Permission.VISIT_VIEW)
    return prefixes[0].ljust(CODE_LENGTH, "0") if len(prefixes) == 1 else place_of(user).county_code


def _in_scope(user: User, area: str, month: date) -> bool:
    """The area holds one of the user's, lies in one, or is where somebody of the user's county lives."""
    prefix = area_prefix(area) if area else ""
    if any(
        area.startswith(p) or (prefix and p.startswith(prefix))
        for p in user.area_prefixes(Permission.VISIT_VIEW)
    ):
        return True
    rows = Obligation.objects.counted_for(user).filter(month=month)
    return bool(prefix) and rows.filter(Q(area_code__startswith=prefix)).exists()


def _moment(text: str) -> tuple[datetime | None, str]:
    """Read a moment in Shanghai; none for now or later, with what was wrong."""
    if not text:
        return None, ""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        return None, "统计时点没有读懂，请写成 2026-03-31 18:00；下面是此刻的数"
    at = found if found.tzinfo else timezone.make_aware(found)
    if at > timezone.now():
        return None, "统计时点晚于现在；下面是此刻的数"
    return at, ""
