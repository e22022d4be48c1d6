"""The rival of the sync: a view as most tutorials put it together, one record after another through the ORM.

It reads the same body by the same rules of shape, looks up and saves each record and counts each elder anew in
Python. It gives no receipts, looks for no follow-ups and no signals, and knows no corrections that came first.
"""

import json
from datetime import date, datetime, time
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from catalog.selectors import finding_kinds
from eldercare.models import Elder
from operations.services.audit import audit_record
from organization.models import User
from organization.permissions import public
from visits.cells import ZONE
from visits.choices import EFFECTIVE, Channel
from visits.models import Finding, Obligation, PhoneState, Visit, VisitMonth
from visits.phone_record import PhoneRecord, read_record, read_sync
from visits.phone_ref import read_ref
from visits.slots import next_month


@public
def sync(request: HttpRequest) -> HttpResponse:
    """Save the records of a post one by one."""
    if not isinstance(request.user, User):
        return JsonResponse({}, status=401)
    now = timezone.now()
    body = read_sync(json.loads(request.body))
    with transaction.atomic():
        results = [_save(item, request.user, now) for item in body.records]
        PhoneState.objects.update_or_create(
            user=request.user, defaults={"synced_at": now, "waiting": 0, "clock_offset": 0}
        )
        audit_record(
            action="上传探访记录", subject="对照", actor=request.user, data={"records": len(results)}
        )
    return JsonResponse({"results": results})


def _save(item: Any, user: User, now: datetime) -> dict[str, str]:
    record = read_record(item)
    ref = read_ref(record.ref, user)
    if ref is None:
        return {"id": str(record.id), "state": "rejected"}
    elder = Elder.objects.get(pk=ref.pk)
    day = record.device_at.astimezone(ZONE).date()
    visit, created = Visit.objects.get_or_create(id=record.id, defaults=_values(record, elder, user, day))
    for found in record.findings:
        kind = {kind.code: kind for kind in finding_kinds(elder.residence_code, day)}[found.code]
        Finding.objects.get_or_create(
            visit=visit,
            code=found.code,
            defaults={"name": kind.name, "group": kind.group, "risk": kind.risk, "note": found.note},
        )
    if created:
        _count(elder, day.replace(day=1))
    return {"id": str(record.id), "state": "stored" if created else "known"}


def _values(record: PhoneRecord, elder: Elder, user: User, day: date) -> dict[str, Any]:
    late = VisitMonth.objects.filter(month=day.replace(day=1), area_code=f"{elder.residence_code[:9]}000")
    return {
        "elder": elder,
        "at": record.device_at,
        "mode": record.mode,
        "result": record.result,
        "visitor": str(user),
        "note": record.note,
        "corrects": record.corrects,
        "recorder": user,
        "channel": Channel.PHONE,
        "device_at": record.device_at,
        "clock_offset": 0,
        "latitude": record.latitude,
        "longitude": record.longitude,
        "accuracy": record.accuracy,
        "risk": record.risk,
        "late": late.exclude(state="进行中").exists(),
    }


def _count(elder: Elder, month: date) -> None:
    """Count the elder's month in a loop."""
    first = datetime.combine(month, time.min, tzinfo=ZONE)
    after = datetime.combine(next_month(month), time.min, tzinfo=ZONE)
    for obligation in Obligation.objects.select_for_update().filter(elder=elder, month=month):
        tier, days = obligation.tier, set()
        for visit in Visit.objects.filter(elder=elder, at__gte=first, at__lt=after):
            if visit.result not in EFFECTIVE or visit.mode not in tier.modes:
                continue
            if Visit.objects.filter(corrects=visit.pk).exists():
                continue
            days.add(visit.at.astimezone(ZONE).date())
        obligation.done = min(len(days), obligation.due)
        obligation.met = obligation.done >= obligation.due
        obligation.save()
