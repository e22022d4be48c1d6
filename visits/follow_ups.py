"""Reads of follow-ups: who handles which, what is waiting for whom, and the counts of lists."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from organization.choices import Permission, Role
from organization.grants import GRANTS
from organization.models import Assignment, User
from visits.choices import DEPARTURE_KINDS, OPEN_FOLLOW_UP, FollowUpKind, FollowUpState, Risk
from visits.models import FollowUp
from visits.querysets import FollowUpQuerySet, elders_given_to, in_the_area

VILLAGE = (FollowUpKind.HOME_VISIT, FollowUpKind.RED_RISK)


@dataclass(frozen=True)
class FollowUpFigures:
    """How many follow-ups of a selection there are, and how many of them still wait."""

    total: int
    waiting: int
    working: int
    overdue: int
    red: int


def handled_by(user: User) -> Q:
    """Condition: the user is one who may handle the matter.

    A reported death or move: whoever may stop payments there or at the 户籍. A bureau's matter: that bureau, or the
    county's clerk for it. Anything else: the village, the township, and whoever is to visit the elder this month.
    """
    condition = Q(elder__in=elders_given_to(user), bureau=None) & ~Q(kind__in=DEPARTURE_KINDS)
    for assignment in user.active_assignments:
        granted = GRANTS[Role(assignment.role)]
        if Permission.FOLLOW_UP not in granted:
            continue
        inside = in_the_area(assignment.area_id)
        if assignment.role == Role.DEPARTMENT:
            condition |= inside & Q(bureau=assignment.bureau_id, bureau__isnull=False)
            continue
        kinds = ~Q(kind__in=DEPARTURE_KINDS)
        if Permission.ENROLMENT_CHANGE in granted:
            kinds |= Q(kind__in=DEPARTURE_KINDS)
        whose = Q() if assignment.role == Role.BUREAU_CLERK else Q(bureau=None)
        condition |= inside & kinds & whose
    return condition


def waits_for(user: User) -> Q:
    """Condition: the matter is the user's to do. The county's clerk may handle everything, but is asked only for some.

    For the county: reported deaths and moves, which hold payments, and what went to a bureau without staff here.
    """
    if {Role.BUREAU_CLERK} != set(user.role_names()):
        return handled_by(user)
    staffed = Assignment.objects.filter(role=Role.DEPARTMENT, user__is_active=True, bureau__isnull=False)
    nobodys = Q(bureau__isnull=False) & ~Q(bureau__in=staffed.values("bureau"))
    return handled_by(user) & (Q(kind__in=DEPARTURE_KINDS) | nobodys)


def may_handle(user: User, row: FollowUp) -> bool:
    """Tell whether the user may take and close the matter; one query."""
    return FollowUp.objects.filter(handled_by(user), pk=row.pk).exists()


def handlers_of(row: FollowUp) -> str:
    """Who handles the matter, in words."""
    if row.bureau is not None:
        return row.bureau.name
    if row.kind in DEPARTURE_KINDS:
        return "镇（街）经办人"
    return "村（社区）协管员" if row.kind in VILLAGE else "村（社区）和镇（街）"


def overdue(now: datetime) -> Q:
    """Condition: still open after its time."""
    return Q(state__in=OPEN_FOLLOW_UP, due_at__lt=now)


def figures_of(rows: FollowUpQuerySet, now: datetime) -> FollowUpFigures:
    """Count a selection; one query."""
    counted = rows.order_by().aggregate(
        total=Count("pk"),
        waiting=Count("pk", filter=Q(state=FollowUpState.WAITING)),
        working=Count("pk", filter=Q(state=FollowUpState.WORKING)),
        overdue=Count("pk", filter=overdue(now)),
        red=Count("pk", filter=Q(state__in=OPEN_FOLLOW_UP, risk=Risk.RED)),
    )
    return FollowUpFigures(**counted)
