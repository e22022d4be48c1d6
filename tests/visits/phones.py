"""A phone for tests: what it would send, and what the server answers."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from eldercare.models import Elder
from organization.models import User
from tests.visits.conftest import SHANGHAI
from visits.choices import OPEN_FOLLOW_UP
from visits.models import FollowUp, Obligation, Signal, Visit
from visits.phone_record import read_sync
from visits.phone_ref import ref_of
from visits.services.sync import SyncResult, visits_sync

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=SHANGHAI)


def shanghai(text: str) -> datetime:
    """A moment «YYYY-MM-DD HH:MM[:SS]» in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def record(
    elder: Elder, user: User, at: str | datetime = "2026-03-20 10:00", **more: object
) -> dict[str, Any]:
    """One record as a phone writes it: a visit at home in which the elder was seen."""
    moment = at if isinstance(at, datetime) else shanghai(at)
    return {
        "id": str(uuid4()),
        "elder": ref_of(elder, user),
        "at": moment.isoformat(),
        "mode": "上门",
        "result": "见到本人",
        "note": "",
        "event_day": None,
        "risk": "",
        "findings": [],
        "latitude": None,
        "longitude": None,
        "accuracy": None,
        "corrects": None,
    } | more


def body(
    *records: object,
    ahead: timedelta = timedelta(),
    now: datetime = NOW,
    last: str | None = None,
    waiting: int = 0,
) -> dict[str, Any]:
    """A sync's body from a phone whose clock is `ahead` of the server's."""
    return {"sent_at": (now + ahead).isoformat(), "last": last, "waiting": waiting, "records": list(records)}


def send(user: User, *records: object, now: datetime = NOW, **more: Any) -> list[SyncResult]:
    """What the server answers to these records."""
    return visits_sync(request=read_sync(body(*records, now=now, **more)), user=user, now=now).results


def number(item: dict[str, Any]) -> UUID:
    """The record's number."""
    return UUID(item["id"])


def state() -> dict[str, list[tuple[Any, ...]]]:
    """What counts: obligations, standing records, open follow-ups, signals."""
    return {
        "obligations": list(
            Obligation.objects.order_by("pk").values_list(
                "pk", "done", "met", "exempt_from", "late_done", "late_met"
            )
        ),
        "standing": list(Visit.objects.standing().order_by("pk").values_list("pk")),
        "follow-ups": sorted(
            FollowUp.objects.filter(state__in=OPEN_FOLLOW_UP).values_list(
                "kind", "visit_id", "risk", "title", "due_at"
            )
        ),
        "signals": sorted(Signal.objects.values_list("visit_id", "kind", "detail")),
    }
