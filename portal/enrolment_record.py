"""What an elder draws and may be suspended from, for the record's part 享受登记."""

from dataclasses import dataclass
from typing import Final

from catalog.models import Item
from eldercare.models import Elder
from organization.choices import Permission
from organization.models import User
from subsidies.applications import OPEN
from subsidies.choices import EnrolmentState, Outcome, ResumeReason, StopReason
from subsidies.models import Application, Enrolment, Entitlement, Month

TONES: Final = {
    EnrolmentState.RECEIVING: "good",
    EnrolmentState.SUSPENDED: "attention",
    EnrolmentState.ENDED: "",
}
#: 类别调整 is set by the system alone
STOP_REASONS: Final = [
    (value, label) for value, label in StopReason.choices if value != StopReason.RECLASSIFIED
]
RESUME_REASONS: Final = ResumeReason.choices
REASON_LABELS: Final = dict(StopReason.choices) | dict(ResumeReason.choices)


@dataclass(frozen=True)
class EnrolmentRow:
    """One enrolment with what was done to it, newest act first."""

    enrolment: Enrolment
    tone: str
    events: list[tuple[object, str]]


@dataclass(frozen=True)
class EnrolmentRecord:
    """Enrolments, open applications, items that come by themselves, and what may be done."""

    rows: list[EnrolmentRow]
    applications: list[Application]
    automatic: list[Item]
    running: list[Item]
    resumable: list[Item]


def enrolment_record(elder: Elder) -> EnrolmentRecord:
    """Everything about the elder's enrolments; 5 queries."""
    enrolments = list(
        Enrolment.objects.filter(elder=elder)
        .select_related("item")
        .prefetch_related("events__actor")
        .order_by("item__number", "item__code", "-first_month")
    )
    applications = Application.objects.filter(elder=elder, state__in=OPEN).select_related("item")
    held = {row.item_id for row in enrolments}
    automatic = [item for item in _drawn(elder) if item.pk not in held]
    going = {row.item for row in enrolments if row.state != EnrolmentState.ENDED}
    return EnrolmentRecord(
        [_row(row) for row in enrolments],
        list(applications),
        automatic,
        _sorted(going | set(automatic)),
        _sorted({row.item for row in enrolments if row.state != EnrolmentState.RECEIVING}),
    )


def may_change(elder: Elder, user: User, permission: Permission) -> bool:
    """Whether the elder lies within the areas in which the user has the permission."""
    prefixes = user.area_prefixes(permission)
    return any(
        code.startswith(prefix) for prefix in prefixes for code in (elder.hukou_code, elder.residence_code)
    )


def _row(enrolment: Enrolment) -> EnrolmentRow:
    events = sorted(enrolment.events.all(), key=lambda event: event.pk, reverse=True)
    return EnrolmentRow(
        enrolment,
        TONES[EnrolmentState(enrolment.state)],
        [(event, REASON_LABELS.get(event.reason, event.reason)) for event in events],
    )


def _drawn(elder: Elder) -> list[Item]:
    """Items drawn by the newest month of the elder's counties."""
    counties = {f"{code[:6]}000000" for code in (elder.hukou_code, elder.residence_code) if code}
    months = Month.objects.filter(county_code__in=counties, revision__gt=0).order_by("county_code", "-month")
    found: set[Item] = set()
    for month in months.distinct("county_code"):
        rows = Entitlement.objects.of(month).filter(elder=elder, outcome__in=[Outcome.DUE, Outcome.SUSPENDED])
        found |= {row.item for row in rows.select_related("item")}
    return _sorted(found)


def _sorted(items: set[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (item.number, item.code))
