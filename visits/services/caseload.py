"""Who visits whom: giving villages and elders to workers, handing an absent worker's people over, and back.

Every change ends the rows before it and adds dated rows, so that it can be seen who had whom on any day; the open
obligations of the running month move along. Changes of a county wait for one another.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q, QuerySet
from django.utils import timezone

from operations.commands import Refused
from operations.services.audit import audit_record
from organization.choices import Permission, Role
from organization.models import Area, Assignment, User
from organization.querysets import in_areas
from visits.caseloads import ASSIGNEE, assignee_joins, caseload_day, may_visit
from visits.models import Caseload, Obligation
from visits.months import locked_townships, months_hold, township_sql
from visits.querysets import ObligationQuerySet

#: What is given away: elder id or village code → area code.
Places = dict[int | str, str]
NAMED: Final = 3


@dataclass(frozen=True)
class Assigned:
    """What a change came to: people whom it concerned, open obligations that moved, and whom others just gave away."""

    people: int
    moved: int
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """Who gets people over a half-open range of days, why, and by whom. worker None: back to the village's rule.

    seen: when the page was shown on which the choice was made; what others changed since then is left as it is.
    """

    worker: User | None
    since: date
    actor: User
    until: date | None = None
    reason: str = ""
    seen: datetime | None = None


def obligations_assign(
    *, month: date, elder_ids: Collection[int] | None = None, area_codes: Collection[str] | None = None
) -> int:
    """Bring the assignees of a month's open obligations in line with the caseloads; return how many changed.

    elder_ids, area_codes: only the obligations of these elders or in these areas; neither: all. What is met or exempt
    stays with whom it was, and so does a township's month that was submitted. One statement.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        months_hold()
        locked = sorted(township for _, township in locked_townships([month]))
        cursor.execute(
            f"""
            WITH fresh AS MATERIALIZED (
                SELECT o.id, {ASSIGNEE} AS worker_id FROM visits_obligation o
                {assignee_joins("o.elder_id", "o.area_code")}
                WHERE o.month = %(month)s AND NOT o.met AND o.exempt_from IS NULL
                  AND (%(elders)s::bigint[] IS NULL AND %(areas)s::text[] IS NULL
                       OR o.elder_id = ANY (%(elders)s) OR o.area_code = ANY (%(areas)s))
                  AND NOT ({township_sql("o.area_code", "o.county_code")}) = ANY (%(locked)s)
                  AND o.assignee_id IS DISTINCT FROM {ASSIGNEE}
                ORDER BY o.elder_id FOR NO KEY UPDATE OF o
            )
            UPDATE visits_obligation AS target SET assignee_id = fresh.worker_id
            FROM fresh WHERE target.id = fresh.id""",
            {
                "month": month,
                "day": caseload_day(month),
                "elders": None if elder_ids is None else list(elder_ids),
                "areas": None if area_codes is None else list(area_codes),
                "locked": locked,
            },
        )
        return int(cursor.rowcount)


def village_assign(*, area_code: str, change: Change) -> Assigned:
    """Give a village to a worker from a day on. Raises Refused."""
    return _assign({area_code: area_code}, change, action="分配村（社区）")


def elders_assign(*, elder_ids: Collection[int], change: Change) -> Assigned:
    """Give elders to a worker from a day on, wherever their village goes. Raises Refused."""
    places = _places_of(Obligation.objects.filter(elder_id__in=elder_ids), change)
    if not places:
        raise Refused("没有选中本区划应访的老年人；请刷新名单后重新选择")
    return _assign(places, change, action="分配老年人")


def worker_hand_over(*, absent: User, change: Change) -> Assigned:
    """Hand over all whom an absent worker has. Raises Refused.

    The villages that fall to the worker and the elders given to the worker one by one, of the actor's areas, so that
    who becomes due later is handed over as well. Elders whom somebody else has given away already are skipped.
    """
    if change.worker is None or change.worker.pk == absent.pk:
        raise Refused("请选择接手的人，不能是原来的探访人")
    places = _all_of(absent, change)
    if not places:
        raise Refused(f"{absent}在您的区划内没有分到的村（社区）或老年人，无需移交")
    return _assign(places, change, action="移交探访", absent=absent)


def _assign(places: Places, change: Change, *, action: str, absent: User | None = None) -> Assigned:
    _check(change, set(places.values()))
    with transaction.atomic():
        _county_hold(places.values())
        skipped = _put(places, change)
        kept = [key for key in places if key not in skipped]
        elders, villages = _elders(kept), _villages(kept)
        moved = obligations_assign(month=_month(), elder_ids=elders, area_codes=villages)
        audit_record(
            action=action,
            subject=f"区划 {'、'.join(sorted(set(places.values()))[:NAMED])}",
            actor=change.actor,
            data={
                "worker": change.worker and change.worker.username,
                "absent": absent and absent.username,
                "since": str(change.since),
                "until": change.until and str(change.until),
                "reason": change.reason,
                "villages": villages,
                "elders": elders,
                "moved": moved,
            },
        )
    return Assigned(len(kept), moved, tuple(sorted(skipped.values())))


def _month() -> date:
    return timezone.localdate().replace(day=1)


def _elders(keys: Iterable[int | str]) -> list[int]:
    return sorted(key for key in keys if isinstance(key, int))


def _villages(keys: Iterable[int | str]) -> list[str]:
    return sorted(key for key in keys if isinstance(key, str))


def _check(change: Change, areas: set[str]) -> None:
    """Refuse days gone by, areas that are not the actor's, and workers who left or belong elsewhere."""
    if change.since < timezone.localdate():
        raise Refused("开始日期不能早于今天；已经过去的日子由谁负责，不再改动")
    if change.until is not None and change.until <= change.since:
        raise Refused("结束日期应晚于开始日期；不写结束日期就是长期")
    if change.worker is not None and not change.worker.is_active:
        raise Refused(f"{change.worker}的账号已停用，请选择在岗的人")
    prefixes = change.actor.area_prefixes(Permission.VISIT_ASSIGN)
    names = dict(Area.objects.filter(code__in=areas).values_list("code", "name"))
    for code in sorted(areas):
        if code not in names or not code.startswith(tuple(prefixes)):
            raise Refused("不在您的区划范围内，没有改动；请从本镇（街）的名单中选择")
        if change.worker is not None and not may_visit(change.worker, code):
            raise Refused(f"{change.worker}不是{names[code]}所在镇（街）的探访人员，请选择本镇（街）的人")


def _county_hold(areas: Iterable[str]) -> None:
    """Let changes of one county's caseloads wait for one another, to the end of the transaction."""
    with connection.cursor() as cursor:
        for county in sorted({int(area[:6]) for area in areas}):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('visit_caseloads'), %s)", [county])


def _put(places: Places, change: Change) -> dict[int | str, str]:
    """Write the rows of a change and cut those before it; give what others changed since, each with a sentence."""
    standing: dict[int | str, list[Caseload]] = {key: [] for key in places}
    for row in _overlapping(places, change):
        standing[row.elder_id or row.area_code].append(row)
    skipped: dict[int | str, str] = {}
    cut: list[Caseload] = []
    drop: list[int] = []
    new: list[Caseload] = []
    for key, rows in standing.items():
        if other := next((row for row in rows if _changed_since(row, change)), None):
            skipped[key] = f"{other.made_by}刚刚分给了{other.worker}，没有改动"
            continue
        new += [rest for row in rows if (rest := _rest(row, change))]
        if change.worker is not None:
            new.append(_row(key, places[key], change, change.worker))
        for row in rows:
            if row.valid.lower < change.since:
                row.valid = DateRange(row.valid.lower, change.since)
                cut.append(row)
            else:  # never in force for a whole day: the audit keeps it
                drop.append(row.pk)
    # shorter ranges first: the constraints forbid even a moment of overlap
    Caseload.objects.bulk_update(cut, ["valid"])
    Caseload.objects.filter(pk__in=drop).delete()
    Caseload.objects.bulk_create(new)
    return skipped


def _overlapping(places: Places, change: Change) -> QuerySet[Caseload]:
    rows = Caseload.objects.filter(valid__overlap=DateRange(change.since, change.until))
    theirs = Q(elder_id__in=_elders(places)) | Q(elder=None, area_code__in=_villages(places))
    return rows.filter(theirs).select_related("worker", "made_by")


def _changed_since(row: Caseload, change: Change) -> bool:
    """Somebody else gave it to a third one after the page was shown on which this choice was made."""
    if change.seen is None or row.made_at <= change.seen or row.made_by_id == change.actor.pk:
        return False
    return change.worker is None or row.worker_id != change.worker.pk


def _rest(row: Caseload, change: Change) -> Caseload | None:
    """What remains of a row after a change that ends: the former worker takes over again."""
    if change.until is None or (row.valid.upper is not None and row.valid.upper <= change.until):
        return None
    return Caseload(
        elder_id=row.elder_id,
        area_code=row.area_code,
        worker_id=row.worker_id,
        valid=DateRange(change.until, row.valid.upper),
        reason=row.reason,
        made_by_id=row.made_by_id,
    )


def _row(key: int | str, area_code: str, change: Change, worker: User) -> Caseload:
    return Caseload(
        elder_id=key if isinstance(key, int) else None,
        area_code=area_code,
        worker=worker,
        valid=DateRange(change.since, change.until),
        reason=change.reason,
        made_by=change.actor,
    )


def _places_of(obligations: ObligationQuerySet, change: Change) -> Places:
    """Elder → area of the running month's obligations that the actor may assign."""
    rows = obligations.filter(month=_month()).visible_to(change.actor, Permission.VISIT_ASSIGN)
    return dict(rows.values_list("elder_id", "area_code"))


def _all_of(absent: User, change: Change) -> Places:
    """Villages and elders that fall to a worker on the first day of the change, of the actor's areas."""
    held = in_areas(
        Caseload.objects.filter(valid__contains=change.since),
        change.actor.area_prefixes(Permission.VISIT_ASSIGN),
        "area_code",
    )
    places: Places = {
        elder or area: area for elder, area in held.filter(worker=absent).values_list("elder_id", "area_code")
    }
    given = held.filter(elder=None).values("area_code")
    own = Assignment.objects.filter(role=Role.VILLAGE_WORKER)
    shared = own.filter(user__is_active=True).exclude(user=absent).values("area_id")
    alone = own.filter(user=absent).exclude(area_id__in=shared).exclude(area_id__in=given)
    mine = in_areas(alone, change.actor.area_prefixes(Permission.VISIT_ASSIGN), "area__code")
    return places | {area: area for area in mine.values_list("area_id", flat=True)}
