"""A county whose workers come home with a day's records on their phones: what the benchmark of the sync runs on."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.utils import timezone
from django.utils.crypto import get_random_string

from benchmarks.county import SEED
from catalog.models import VisitTier
from catalog.pack import read_pack
from catalog.services.pack import pack_load
from eldercare.choices import Kind
from eldercare.models import Elder
from organization.choices import Role
from organization.middleware import PHONE
from organization.models import Assignment, User
from portal.demo.areas import COUNTY, COUNTY_NAME
from portal.demo.chance import chance
from portal.demo.registry import registry_load_fast
from visits.cells import ZONE
from visits.models import Obligation
from visits.phone_ref import ref_of

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
#: (mode, result), how many of a hundred.
DAY: Final = ((("上门", "见到本人"), 75), (("电话", "联系到本人"), 18), (("电话", "未联系上"), 7))
#: Who is not visited at home; so many more elders are registered than visited.
AWAY: Final = (Kind.DEATH, Kind.MOVED_OUT, Kind.INSTITUTION)
MORE: Final = 1.2
NOTES: Final = ("", "", "精神好，饭量正常", "已提醒关好煤气", "儿子周末回来")
#: One record in so many found something.
FOUND: Final = 20
WRITTEN: Final = (
    "visits_visit, visits_finding, visits_followup, visits_followupstep, visits_signal, visits_phonestate"
)


def prepare(phones: int, records: int, path: str) -> dict[str, int]:
    """Registry, list, this month's obligations assigned to workers, their sessions; the phones' posts to `path`."""
    for name, area in (("national", None), ("luliang", COUNTY)):
        text = (settings.BASE_DIR / "fixtures" / f"{name}.yaml").read_text(encoding="utf-8")
        pack_load(pack=read_pack(text), area_override=area, area_name=COUNTY_NAME if area else "")
    registry_load_fast(round(phones * records * MORE), SEED)
    here = Elder.objects.exclude(circumstances__kind__in=AWAY).filter(residence_code__startswith=COUNTY[:6])
    elders = here.order_by("residence_code", "pk").only("pk", "created_at", "residence_code")
    groups = list(_in_groups(list(elders[: phones * records]), records))
    workers = User.objects.bulk_create(
        User(username=f"worker-{n}", full_name=f"协管员{n}") for n in range(len(groups))
    )
    Assignment.objects.bulk_create(
        Assignment(user=worker, role=Role.VILLAGE_WORKER, area_id=group[0].residence_code)
        for worker, group in zip(workers, groups, strict=True)
    )
    now = timezone.now()
    _oblige(workers, groups, now.astimezone(ZONE).date().replace(day=1))
    with Path(path).open("w", encoding="utf-8") as file:
        for worker, group in zip(workers, groups, strict=True):
            day = {"records": list(_day(worker, group, now))}
            file.write(json.dumps(_signed_in(worker) | day, ensure_ascii=False) + "\n")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {"phones": len(workers), "obligations": Obligation.objects.count()}


def forget() -> None:
    """As before the first post."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {WRITTEN} CASCADE")
        cursor.execute("UPDATE visits_obligation SET done = 0, met = false WHERE done > 0 OR met")
        cursor.execute("VACUUM ANALYZE visits_obligation")


def outcome() -> dict[str, Any]:
    """What the posts came to: records, people visited, and a digest of both."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT v.id::text, v.elder_id, v.at, v.mode, v.result, v.note, v.recorder_id,
                   (SELECT count(*) FROM visits_finding f WHERE f.visit_id = v.id)
            FROM visits_visit v ORDER BY v.id""")
        records = cursor.fetchall()
        cursor.execute("SELECT elder_id, done FROM visits_obligation WHERE met ORDER BY elder_id")
        met = cursor.fetchall()
    return {
        "records": len(records),
        "met": len(met),
        "digest": sha256(repr((records, met)).encode()).hexdigest(),
    }


def _in_groups(elders: Sequence[Elder], size: int) -> Iterator[Sequence[Elder]]:
    for start in range(0, len(elders), size):
        yield elders[start : start + size]


def _oblige(workers: Sequence[User], groups: Sequence[Sequence[Elder]], month: date) -> None:
    tier = VisitTier.objects.get(document__area=COUNTY, code="month")
    Obligation.objects.bulk_create(
        (
            Obligation(
                month=month,
                county_code=COUNTY,
                elder=elder,
                tier=tier,
                area_code=elder.residence_code,
                due=1,
                assignee=worker,
            )
            for worker, group in zip(workers, groups, strict=True)
            for elder in group
        ),
        batch_size=5_000,
    )


def _signed_in(worker: User) -> dict[str, str]:
    """The cookies of a session on a phone."""
    session = SessionStore()
    session[SESSION_KEY] = str(worker.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = worker.get_session_auth_hash()
    session[PHONE] = True
    session.save()
    return {"session": str(session.session_key), "csrf": get_random_string(CSRF_SECRET_LENGTH)}


def _day(worker: User, group: Sequence[Elder], now: datetime) -> Iterator[dict[str, Any]]:
    """A record for each elder, over the last hours."""
    random = chance(SEED, f"phone {worker.username}")
    for place, elder in enumerate(group):
        ((mode, result),) = random.choices([kind for kind, _ in DAY], [share for _, share in DAY])
        is_home = mode == "上门"
        found = [{"code": "mobility", "note": "上下楼要人扶"}] if random.randrange(FOUND) == 0 else []
        yield {
            "id": str(_number(random)),
            "elder": ref_of(elder, worker),
            "at": (now - timedelta(minutes=5 + 7 * place)).isoformat(),
            "mode": mode,
            "result": result,
            "note": random.choice(["", "", "精神好，饭量正常", "已提醒关好煤气", "儿子周末回来"])
            if mode == "上门"
            else "",
            "event_day": None,
            "risk": "",
            "findings": found,
            "latitude": round(25 + random.random() / 10, 6) if is_home else None,
            "longitude": round(103 + random.random() / 10, 6) if is_home else None,
            "accuracy": 15.0 if is_home else None,
            "corrects": None,
        }


def _number(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)
