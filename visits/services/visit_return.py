"""Sending records back to whoever recorded them: they count no longer, a correction counts anew (docs/guide/16)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from catalog.choices import Per
from operations.commands import Refused
from operations.services.audit import audit_record
from organization.areas import county_code
from organization.choices import Permission
from organization.models import Area, User
from visits.cells import ZONE
from visits.models import Obligation, Visit, VisitReturn
from visits.months import locked_townships, months_hold, township_of
from visits.services.arrival import visits_arrived
from visits.slots import counted_days, months_counting

#: Stock phrases, most frequent first.
PHRASES: Final = (
    "回访不属实，请重新探访",
    "没有见到本人，结果填写有误",
    "时间或方式与实际不符",
    "记错了人，请核对后重新登记",
    "照片与本次探访不符，请补拍",
    "备注过于简单，请写明实际情况",
)
SHORTEST, LONGEST = 4, 200
MOST: Final = 100

#: First day of a month and its township.
Place = tuple[date, str]


@dataclass(frozen=True)
class Returned:
    """What became of each record: ids sent back, and (record, why not) of the others."""

    done: list[UUID]
    refused: list[tuple[Visit, str]]


def visits_return(
    *, visit_ids: Sequence[UUID], reason: str, actor: User, now: datetime | None = None
) -> Returned:
    """Send the records back for one reason and recount; each is taken or refused by itself.

    Records outside the actor's areas are neither. Raises Refused for a reason too short or too long.
    """
    reason = reason.strip()
    if not SHORTEST <= len(reason) <= LONGEST:
        raise Refused(f"退回原因要写 {SHORTEST} 到 {LONGEST} 个字，探访人在手机上能看到；也可以选常用语")
    with transaction.atomic():
        # held before the records are read: no township can submit a month that is about to lose one
        months_hold()
        visits = _locked_rows(visit_ids, actor)
        why_not = _why_not(visits, actor)
        fresh = [visit for visit in visits if visit.pk not in why_not]
        VisitReturn.objects.bulk_create(VisitReturn(visit=visit, reason=reason, by=actor) for visit in fresh)
        visits_arrived(visit_ids=[visit.pk for visit in fresh], now=now or timezone.now())
        for visit in fresh:
            audit_record(
                action="退回探访记录",
                subject=f"visit:{visit.pk}",
                actor=actor,
                data={"elder": visit.elder_id, "reason": reason},
            )
    refused = [(visit, why_not[visit.pk]) for visit in visits if visit.pk in why_not]
    return Returned([visit.pk for visit in fresh], refused)


def _locked_rows(visit_ids: Sequence[UUID], actor: User) -> list[Visit]:
    """The records in the actor's areas; whoever returns one of them at the same time waits."""
    seen = Visit.objects.visible_to(actor, Permission.VISIT_RETURN)
    ids = seen.filter(pk__in=list(visit_ids)[:MOST]).values("pk")
    rows = Visit.objects.filter(pk__in=ids).select_related("elder").order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))


def _why_not(visits: Sequence[Visit], actor: User) -> dict[UUID, str]:
    """Why each of the records that cannot be returned cannot."""
    ids = [visit.pk for visit in visits]
    why: dict[UUID, str] = {}
    for pk, sentence in _locked(visits).items():
        why[pk] = sentence
    for visit in visits:
        if visit.recorder_id == actor.pk:
            why[visit.pk] = "是您自己登记的，要由别人退回"
    for corrected in Visit.objects.filter(pk__in=ids).corrected().values_list("pk", flat=True):
        why[corrected] = "已有更正记录，请退回更正后的那一条"
    for sent in VisitReturn.objects.filter(visit__in=ids).select_related("by"):
        at = timezone.localtime(sent.at)
        why[sent.visit_id] = f"已由 {sent.by} 于 {at:%m-%d %H:%M} 退回"
    return why


def _locked(visits: Sequence[Visit]) -> dict[UUID, str]:
    """Records that rest in a month which a township has submitted, each with the way out."""
    places = {visit.pk: where for visit, where in zip(visits, _months_of(visits), strict=True)}
    months = {month for where in places.values() for month, _ in where}
    locked = locked_townships(months)
    names = dict(Area.objects.filter(code__in={code for _, code in locked}).values_list("code", "name"))
    return {
        pk: f"{names.get(code, code)}{month.year}年{month.month}月的探访月报已经提交，数字已锁定；"
        "请先撤回月报，已接收的请县民政局退回，再退回这条记录"
        for pk, where in places.items()
        for month, code in sorted(where & locked)[:1]
    }


def _months_of(visits: Sequence[Visit]) -> Iterable[set[Place]]:
    """Per record the months in which it took place or counts, each with the elder's township in it."""
    days = [visit.at.astimezone(ZONE).date() for visit in visits]
    months = set[date]().union(*(months_counting(day) for day in days))
    rows = Obligation.objects.filter(month__in=months, elder__in={visit.elder_id for visit in visits})
    owed: dict[int, list[Obligation]] = defaultdict(list)
    for row in rows.select_related("tier").order_by("month"):
        owed[row.elder_id].append(row)
    for visit, day in zip(visits, days, strict=True):
        month = day.replace(day=1)
        own = [row for row in owed[visit.elder_id] if row.month == month or _counts(day, row)]
        where = {(row.month, township_of(row.area_code, row.county_code)) for row in own}
        if month not in {each for each, _ in where}:
            home = visit.elder.residence_code or visit.elder.hukou_code
            where.add((month, township_of(home, county_code(home))))
        yield where


def _counts(day: date, row: Obligation) -> bool:
    first, after = counted_days(row.month, Per(row.tier.per))
    return first <= day < after
