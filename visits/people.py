"""The people of a month as staff work through them: who is still to be visited, by when, and by whom."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Min, Q, QuerySet, TextChoices
from django.db.models.functions import Left
from django.utils import timezone

from catalog.choices import Per, VisitMode
from eldercare.models import Elder
from operations.models import Todo
from organization.areas import CODE_LENGTH, area_prefix
from organization.choices import Permission
from organization.models import User
from visits.choices import DEPARTURE_KINDS, EFFECTIVE, OPEN_FOLLOW_UP, FollowUpKind
from visits.counting import ZONE
from visits.due import DueState, due_state
from visits.models import Obligation, Visit
from visits.querysets import MET, OBLIGED, ObligationQuerySet
from visits.selectors import rate_of
from visits.slots import WEEK, first_monday, next_month, slot_count
from visits.standing import standing

NOBODY: Final = "none"
MINE: Final = "mine"
DAY: Final = timedelta(days=1)


class PeopleState(TextChoices):
    """What a list of people may be narrowed to."""

    OPEN = "open", "未达标"
    OVERDUE = "overdue", "逾期"
    UNASSIGNED = "unassigned", "未分配"
    MET = "met", "已达标"
    EXEMPT = "exempt", "免访"
    LATE = "late", "补录"
    OBLIGED = "obliged", "应访"
    ALL = "all", "全部"


@dataclass(frozen=True)
class Asked:
    """What a list is asked for. area: 12 digits; tier: its code; worker: a user's id, NOBODY or MINE;
    elders: a search.

    exact: of the area only who stands under its own code, where nobody noted the village or township.
    """

    month: date
    state: PeopleState = PeopleState.OPEN
    area: str = ""
    tier: str = ""
    worker: str = ""
    elders: QuerySet[Elder] | None = None
    exact: bool = False


@dataclass(frozen=True)
class Counts:
    """People of the month under the filters, whatever their state. obliged: met and open, without the exempt.

    to_urge: those of the list's own state who are open, without who was reported dead or moved.
    """

    obliged: int = 0
    met: int = 0
    open: int = 0
    overdue: int = 0
    unassigned: int = 0
    exempt: int = 0
    late: int = 0
    to_urge: int = 0

    def of(self, state: PeopleState) -> int:
        """How many are in the state."""
        return self.obliged + self.exempt if state == PeopleState.ALL else int(getattr(self, state.value))


@dataclass(frozen=True)
class PersonDue:
    """One obligation with the day on which it is due (None: met or exempt) and the last record of the elder.

    missed: obliged last month and not visited. reported: the kind of the open follow-up about a death or move.
    """

    obligation: Obligation
    due: date | None
    state: str
    last: Visit | None = None
    missed: bool = False
    reported: str = ""


@dataclass(frozen=True)
class People:
    """A page of the list and the counts of the whole."""

    rows: list[PersonDue] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)


def obligations_asked(
    asked: Asked, user: User, permission: Permission = Permission.VISIT_VIEW
) -> ObligationQuerySet:
    """Obligations that the list is about, in areas in which the user has the permission; states are not looked at.

    MINE: what the user is to visit, the same as on the phone; to look at, also outside these areas.
    """
    rows = Obligation.objects.filter(month=asked.month)
    if asked.worker == MINE:
        rows = rows.of_worker(user)
    if asked.worker != MINE or permission != Permission.VISIT_VIEW:
        rows = rows.counted_for(user, permission)
    if asked.area:
        rows = rows.filter(area_code=asked.area) if asked.exact else rows.in_area(asked.area)
    if asked.tier:
        rows = rows.filter(tier__code=asked.tier)
    if asked.worker not in ("", MINE):
        rows = rows.filter(assignee=None if asked.worker == NOBODY else int(asked.worker))
    return rows if asked.elders is None else rows.filter(elder__in=asked.elders)


def people_page(
    obligations: ObligationQuerySet, asked: Asked, today: date, *, size: int | None = None, skip: int = 0
) -> People:
    """Give a page in order of urgency: overdue first, then by day, area and elder. size None: everybody.

    Three queries, whatever the size.
    """
    found = _found(obligations, asked, today, size, skip)
    if not found:
        return People()
    counts = Counts(*found[0][:8])
    order = [row[8:] for row in found if row[8] is not None]
    full = Obligation.objects.select_related("elder__contact", "tier", "assignee").in_bulk(
        [pk for pk, *_ in order]
    )
    last = last_records([obligation.elder_id for obligation in full.values()])
    rows = [
        PersonDue(
            full[pk],
            due,
            _state_of(full[pk], due, today, missed),
            last.get(full[pk].elder_id),
            missed,
            reported or "",
        )
        for pk, due, missed, reported in order
    ]
    return People(rows, counts)


def people_ids(obligations: ObligationQuerySet, asked: Asked, today: date) -> list[tuple[int, date | None]]:
    """Give (obligation id, day due) of everybody on the list, in its order. One query."""
    found = _found(obligations, asked, today, None, 0)
    return [(row[8], row[9]) for row in found if row[8] is not None]


@dataclass(frozen=True)
class Behind:
    """An area in which somebody is still to be visited. code: 12 digits."""

    code: str
    met: int
    obliged: int

    @property
    def rate(self) -> Decimal | None:
        """The share met in percent, rounded down."""
        return rate_of(self.met, self.obliged)


def areas_behind(obligations: ObligationQuerySet, digits: int, most: int) -> list[Behind]:
    """Give the areas of so many significant digits with the lowest share of people met; one query."""
    found = (
        obligations.order_by()
        .annotate(part=Left("area_code", digits))
        .values_list("part")
        .annotate(obliged=OBLIGED, seen=MET)
    )
    rows = [Behind(part.ljust(CODE_LENGTH, "0"), seen, n) for part, n, seen in found if seen < n]
    return sorted(rows, key=lambda row: (row.met / row.obliged, -row.obliged, row.code))[:most]


def notices_of(user: User) -> list[str]:
    """Give what the user was urged to do this month: how many are still to be visited now, and until when."""
    month = timezone.localdate().replace(day=1)
    addressed = Q(pk__in=[])
    for assignment in user.active_assignments:
        inside = Q(area__code__startswith=area_prefix(assignment.area_id))
        addressed |= Q(role=assignment.role) & inside
    urged = Todo.objects.filter(addressed, key__startswith=urge_key(month), done_at=None)
    day = urged.aggregate(day=Min("due"))["day"]
    if day is None:
        return []
    waiting = Obligation.objects.filter(month=month).of_worker(user).to_urge().count()
    return (
        [f"催办：{month.month}月探访 {waiting} 人未达标，请在{day.month}月{day.day}日前完成"]
        if waiting
        else []
    )


def urge_key(month: date) -> str:
    """How the keys of to-dos that urge visits of a month begin."""
    return f"visit_urge:{month:%Y-%m}:"


def last_records(elder_ids: Iterable[int]) -> dict[int, Visit]:
    """Give each elder's last record that stands, effective or not. One query."""
    rows = Visit.objects.standing().filter(elder_id__in=list(elder_ids))
    return {visit.elder_id: visit for visit in rows.order_by("elder_id", "-at").distinct("elder_id")}


def _found(
    obligations: ObligationQuerySet, asked: Asked, today: date, size: int | None, skip: int
) -> list[tuple[Any, ...]]:
    try:
        sql, given = _page_sql(obligations, asked, today)
    except EmptyResultSet:  # no area in which the user has the permission
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, [*given, size, skip])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _state_of(obligation: Obligation, due: date | None, today: date, missed: bool) -> str:
    if obligation.exempt_from is not None:
        return PeopleState.EXEMPT.label
    return DueState.MET.value if obligation.met else due_state(due, today, missed).value


#: States in which everybody is still to be visited.
OPEN_STATES: Final = (PeopleState.OPEN, PeopleState.OVERDUE, PeopleState.UNASSIGNED)

#: Conditions on `judged` that make up the states.
_CONDITIONS: Final = {
    PeopleState.OPEN: "open",
    PeopleState.OVERDUE: "open AND overdue",
    PeopleState.UNASSIGNED: "open AND assignee_id IS NULL",
    PeopleState.MET: "met",
    PeopleState.EXEMPT: "exempt_from IS NOT NULL",
    PeopleState.LATE: "late_met",
    PeopleState.OBLIGED: "exempt_from IS NULL",
    PeopleState.ALL: "true",
}


def _page_sql(obligations: ObligationQuerySet, asked: Asked, today: date) -> tuple[str, list[Any]]:
    """SQL and parameters (then: size, rows to skip) of rows (eight counts, id, due, missed, reported).

    id NULL if none is found. reported: the kind of the open follow-up about a death or a move, or NULL.

    The day due is `visits.due.next_due`, written for many at once: only weekly tiers need their visits for it.
    """
    month, last_month = asked.month, (asked.month - DAY).replace(day=1)
    month_end = next_month(month) - DAY
    columns = ("id", "elder_id", "area_code", "assignee_id", "met", "exempt_from", "late_met")
    tier = ("tier__times", "tier__per", "tier__modes", "tier__in_person")
    mine, given = obligations.order_by().values_list(*columns, *tier).query.sql_with_params()
    urged = asked.state if asked.state in OPEN_STATES else PeopleState.OPEN
    departures = ", ".join(f"'{kind}'" for kind in DEPARTURE_KINDS)
    still_open = ", ".join(f"'{state}'" for state in OPEN_FOLLOW_UP)
    counted = ", ".join(
        f"count(*) FILTER (WHERE {condition})"
        for condition in (
            _CONDITIONS[PeopleState.OBLIGED],
            *(_CONDITIONS[state] for state in (PeopleState.MET, PeopleState.OPEN, PeopleState.OVERDUE)),
            *(_CONDITIONS[state] for state in (PeopleState.UNASSIGNED, PeopleState.EXEMPT, PeopleState.LATE)),
            f"open AND reported IS NULL AND ({_CONDITIONS[urged]})",
        )
    )
    return (
        f"""
        WITH mine (id, elder_id, area_code, assignee_id, met, exempt_from, late_met, times, per, modes, in_person)
             AS MATERIALIZED ({mine}),
        {_weeks_sql(month, today)},
        judged AS MATERIALIZED (
            SELECT mine.id, mine.elder_id, mine.area_code, mine.assignee_id, mine.met, mine.exempt_from,
                   mine.late_met, o.open, o.due, reported.kind AS reported, missed.elder_id IS NOT NULL AS missed,
                   o.due < '{today}' OR missed.elder_id IS NOT NULL AS overdue
            FROM mine LEFT JOIN weeks ON weeks.id = mine.id
            LEFT JOIN (
                SELECT DISTINCT p.elder_id FROM visits_obligation p
                WHERE p.month = '{last_month}' AND NOT p.met AND NOT p.late_met AND p.exempt_from IS NULL
            ) missed ON missed.elder_id = mine.elder_id
            LEFT JOIN (
                SELECT f.elder_id, CASE WHEN bool_or(f.kind = '{FollowUpKind.DEATH}') THEN '{FollowUpKind.DEATH}'
                                        ELSE '{FollowUpKind.MOVED_OUT}' END AS kind
                FROM visits_followup f
                WHERE f.kind IN ({departures}) AND f.state IN ({still_open}) GROUP BY f.elder_id
            ) reported ON reported.elder_id = mine.elder_id
            CROSS JOIN LATERAL (
                SELECT NOT mine.met AND mine.exempt_from IS NULL AS open,
                       CASE WHEN mine.met OR mine.exempt_from IS NOT NULL THEN NULL
                            WHEN mine.per = '{Per.WEEK}' THEN weeks.due ELSE date '{month_end}' END AS due
            ) o
        )
        SELECT counts.*, page.id, page.due, page.missed, page.reported
        FROM (SELECT {counted} FROM judged) counts
        LEFT JOIN LATERAL (
            SELECT id, due, missed, reported FROM judged WHERE {_CONDITIONS[asked.state]}
            ORDER BY open DESC, (open AND overdue) DESC, due, area_code, elder_id
            LIMIT %s OFFSET %s
        ) page ON true""",
        list(given),
    )


def _weeks_sql(month: date, today: date) -> str:
    """CTEs up to `weeks` (id, due) of the open obligations of weekly tiers."""
    first, count = first_monday(month), slot_count(month, Per.WEEK)
    after = first + count * WEEK
    effective = ", ".join(f"'{result}'" for result in EFFECTIVE)
    running = (today - first).days // 7 if first <= today < after else -1
    month_end = next_month(month) - DAY
    lowest = min(first, month)
    return f"""
        weekly AS MATERIALIZED (
            SELECT id, elder_id, times, modes, in_person FROM mine
            WHERE per = '{Per.WEEK}' AND NOT met AND exempt_from IS NULL
        ),
        days AS (
            SELECT weekly.id, weekly.times, v.day,
                   bool_or(v.mode = '{VisitMode.HOME}' AND v.day BETWEEN '{month}' AND '{month_end}') AS home
            FROM weekly JOIN (
                SELECT v.elder_id, v.mode, (v.at AT TIME ZONE '{ZONE}')::date AS day FROM visits_visit v
                WHERE v.at >= timestamp '{lowest}' AT TIME ZONE '{ZONE}'
                  AND v.at < timestamp '{max(after, next_month(month))}' AT TIME ZONE '{ZONE}'
                  AND v.result IN ({effective}) AND {standing("v")}
            ) v ON v.elder_id = weekly.elder_id AND v.mode = ANY (weekly.modes)
            GROUP BY weekly.id, weekly.times, v.day
        ),
        filled AS (
            SELECT id, array_agg(slot) FILTER (WHERE count >= times AND slot BETWEEN 0 AND {count - 1}) AS slots,
                   sum(home) AS home
            FROM (
                SELECT id, times, floor((day - date '{first}') / 7.0)::int AS slot,
                       count(*) AS count, count(*) FILTER (WHERE home) AS home
                FROM days GROUP BY id, times, slot
            ) s GROUP BY id
        ),
        weeks AS (
            SELECT weekly.id, least(
                       date '{first}' + 7 * coalesce(
                           min(s) FILTER (WHERE s > {running} OR NOT full_now), min(s)) + 6,
                       CASE WHEN coalesce(max(filled.home), 0) < weekly.in_person THEN date '{month_end}' END
                   ) AS due
            FROM weekly LEFT JOIN filled ON filled.id = weekly.id
            CROSS JOIN LATERAL (
                SELECT coalesce({running} = ANY (filled.slots), false) AS full_now
            ) now
            LEFT JOIN generate_series(0, {count - 1}) s ON NOT coalesce(s = ANY (filled.slots), false)
            GROUP BY weekly.id, weekly.in_person, full_now
        )"""
