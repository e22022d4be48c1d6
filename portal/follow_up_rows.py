"""Follow-ups as lists show them, and the filters of the list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from organization.areas import area_prefix
from organization.models import User
from organization.querysets import in_areas
from portal.filtersets import AREA
from portal.places import place_names
from visits.choices import OPEN_FOLLOW_UP, FollowUpKind, FollowUpState, Risk
from visits.follow_ups import handlers_of, overdue, waits_for
from visits.models import FollowUp
from visits.querysets import FollowUpQuerySet

FILTERS: Final = ("kind", "state", "bureau", "risk", "area", "due", "mine", "size")
#: Without a state the list shows what is still open.
OPEN = ""
ALL = "全部"
STATES: Final = ((OPEN, "未办结"), *((state, state) for state in FollowUpState.values), (ALL, "全部"))
DUES: Final = (("overdue", "已逾期"), ("today", "今天到期"))
RISKS: Final = ((Risk.RED, "红色"), (Risk.YELLOW, "黄色"), ("无", "无"))
#: Value of the bureau filter for what no bureau handles.
NO_BUREAU: Final = "0"
STATE_TONES: Final = {
    FollowUpState.WAITING: "attention",
    FollowUpState.WORKING: "info",
    FollowUpState.DONE: "good",
    FollowUpState.DROPPED: "",
}
KIND_TONES: Final = {FollowUpKind.DEATH: "danger", FollowUpKind.RED_RISK: "danger"}
RISK_TONES: Final = {Risk.RED: "danger", Risk.YELLOW: "attention"}


@dataclass(frozen=True)
class FollowUpRow:
    """One matter. late: how long it is overdue in words, '' if it is not."""

    row: FollowUp
    place: str
    handler: str
    state_tone: str
    kind_tone: str
    risk_tone: str
    is_open: bool
    late: str
    is_today: bool


def follow_up_rows(rows: Iterable[FollowUp], now: datetime) -> list[FollowUpRow]:
    """Rows of a page; one query for the names of places."""
    rows = list(rows)
    places = place_names(row.area_code for row in rows)
    today = timezone.localdate(now)
    return [
        FollowUpRow(
            row=row,
            place=places.get(row.area_code, ""),
            handler=handlers_of(row),
            state_tone=STATE_TONES[FollowUpState(row.state)],
            kind_tone=KIND_TONES.get(FollowUpKind(row.kind), ""),
            risk_tone=RISK_TONES.get(Risk(row.risk), ""),
            is_open=(is_open := row.state in OPEN_FOLLOW_UP),
            late=_late(now - row.due_at) if is_open and row.due_at < now else "",
            is_today=is_open and timezone.localdate(row.due_at) == today,
        )
        for row in rows
    ]


def filtered(rows: FollowUpQuerySet, params: QueryDict, user: User, now: datetime) -> FollowUpQuerySet:
    """What fits the filters; a bad value finds nothing."""
    state, kind, risk = params.get("state", OPEN), params.get("kind", ""), params.get("risk", "")
    area, bureau, due = params.get("area", ""), params.get("bureau", ""), params.get("due", "")
    if state == OPEN:
        rows = rows.filter(state__in=OPEN_FOLLOW_UP)
    elif state != ALL:
        rows = rows.filter(state=state)
    if kind:
        rows = rows.filter(kind=kind)
    if risk:
        rows = rows.filter(risk=Risk.NONE if risk == "无" else risk)
    if area:
        rows = in_areas(rows, [area_prefix(area)], "area_code") if AREA.match(area) else rows.none()
    if bureau:
        rows = rows.filter(_bureau(bureau))
    if due:
        rows = rows.filter(_due(due, now))
    match params.get("mine", ""):
        case "":
            return rows
        case "1":
            return rows.filter(waits_for(user))
        case "0":
            return rows.exclude(pk__in=FollowUp.objects.filter(waits_for(user)).values("pk"))
        case _:
            return rows.none()


def _bureau(text: str) -> Q:
    if text == NO_BUREAU:
        return Q(bureau=None)
    return Q(bureau=int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else Q(pk__in=[])


def _due(text: str, now: datetime) -> Q:
    if text == "overdue":
        return overdue(now)
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    is_today = Q(due_at__gte=midnight, due_at__lt=midnight + timedelta(days=1))
    return is_today & Q(state__in=OPEN_FOLLOW_UP) if text == "today" else Q(pk__in=[])


def _late(time: timedelta) -> str:
    return f"逾期 {time.days} 天" if time.days else f"逾期 {max(int(time.total_seconds()) // 3600, 1)} 小时"
