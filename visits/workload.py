"""How the running month's people are shared out: per worker and per village, with what each phone said last."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, Q
from django.utils import timezone

from organization.areas import VILLAGE_DIGITS, area_prefix
from organization.choices import Permission, Role
from organization.models import Area, Assignment, User
from organization.querysets import in_areas
from visits.caseloads import VISITORS
from visits.models import Caseload, Obligation, PhoneState
from visits.querysets import MET, OBLIGED, OPEN, ObligationQuerySet
from visits.rate import Figure


@dataclass(frozen=True)
class WorkerLoad:
    """One worker: where, how many, and the last sync of the phone. active: False for an account switched off."""

    user: User
    places: tuple[str, ...]
    load: Figure
    synced_at: datetime | None = None
    waiting: int = 0


@dataclass(frozen=True)
class VillageLoad:
    """One village: whose it is (assigned, or by its only worker), from when, until when, and what is planned."""

    code: str
    name: str
    load: Figure
    unassigned: int
    worker: User | None
    row: Caseload | None = None
    planned: Caseload | None = None


@dataclass(frozen=True)
class Workloads:
    """Everything that the page of workers shows."""

    workers: list[WorkerLoad] = field(default_factory=list)
    villages: list[VillageLoad] = field(default_factory=list)
    unassigned: int = 0


def workloads(user: User, month: date) -> Workloads:
    """Give workers and villages of the areas in which the user may assign; 7 queries."""
    prefixes = user.area_prefixes(Permission.VISIT_ASSIGN)
    rows = Obligation.objects.counted_for(user, Permission.VISIT_ASSIGN).filter(month=month)
    villages = _villages(rows, prefixes)
    return Workloads(_workers(rows, prefixes), villages, sum(village.unassigned for village in villages))


def worker_loads(rows: ObligationQuerySet) -> dict[int | None, Figure]:
    """Give assignee → people of these obligations; one query."""
    found = rows.order_by().values_list("assignee").annotate(obliged=OBLIGED, seen=MET)
    return {worker: Figure(n, met) for worker, n, met in found}


def _workers(rows: ObligationQuerySet, prefixes: Sequence[str]) -> list[WorkerLoad]:
    """Who may be given people, and who has some though not any longer here."""
    loads = worker_loads(rows)
    here = in_areas(Assignment.objects.filter(role__in=VISITORS), prefixes, "area__code")
    found = User.objects.filter(
        Q(pk__in=here.filter(user__is_active=True).values("user")) | Q(pk__in=[pk for pk in loads if pk])
    )
    phones = {phone.user_id: phone for phone in PhoneState.objects.filter(user__in=found)}
    workers = [
        WorkerLoad(
            user=user,
            places=tuple(
                sorted({each.area.name for each in user.assignments.all() if each.role in VISITORS})
            ),
            load=loads.get(user.pk, Figure()),
            synced_at=phones[user.pk].synced_at if user.pk in phones else None,
            waiting=phones[user.pk].waiting if user.pk in phones else 0,
        )
        for user in found.prefetch_related("assignments__area")
    ]
    return sorted(workers, key=lambda each: (-each.load.unmet, str(each.user), each.user.pk))


def _villages(rows: ObligationQuerySet, prefixes: Sequence[str]) -> list[VillageLoad]:
    figures = {
        code: (Figure(obliged, seen), alone)
        for code, obliged, seen, alone in rows.order_by()
        .values_list("area_code")
        .annotate(
            obliged=OBLIGED,
            seen=MET,
            alone=Count("pk", filter=Q(OPEN, assignee=None)),
        )
    }
    areas = in_areas(Area.objects.current(), prefixes, "code").order_by("code")
    today = timezone.localdate()
    held = in_areas(Caseload.objects.filter(elder=None), prefixes, "area_code").select_related("worker")
    now = {row.area_code: row for row in held.filter(valid__contains=today)}
    planned = {row.area_code: row for row in held.filter(valid__startswith__gt=today).order_by("-valid")}
    sole = _sole_workers(prefixes)
    return [
        VillageLoad(
            code=area.code,
            name=area.name,
            load=figures.get(area.code, (Figure(), 0))[0],
            unassigned=figures.get(area.code, (Figure(), 0))[1],
            worker=now[area.code].worker if area.code in now else sole.get(area.code),
            row=now.get(area.code),
            planned=planned.get(area.code),
        )
        for area in areas
        if len(area_prefix(area.code)) == VILLAGE_DIGITS
    ]


def _sole_workers(prefixes: Sequence[str]) -> dict[str, User]:
    """Village → its only active worker."""
    here = Assignment.objects.filter(role=Role.VILLAGE_WORKER, user__is_active=True).select_related("user")
    found: dict[str, User | None] = {}
    for each in in_areas(here, prefixes, "area__code"):
        same = found.get(each.area_id, each.user) == each.user
        found[each.area_id] = each.user if same else None
    return {code: user for code, user in found.items() if user is not None}
