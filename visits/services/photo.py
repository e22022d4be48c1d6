"""Keeping the photos of a visit, each once."""

from typing import Final, Literal
from uuid import UUID

from django.db import transaction

from operations.commands import Refused
from operations.services.audit import audit_record
from operations.services.stored_file import stored_file_create
from organization.models import User
from visits.models import Visit, VisitPhoto
from visits.photo_image import PhotoFault, photo_read
from visits.services.signal import signals_find

PHOTO_BYTES: Final = 500 * 1024
PHOTOS: Final = 6
KEPT: Final = "上传探访照片"
OF_ANOTHER: Final = "照片：编号已属于另一条记录；请重新拍摄后再传"
TOO_MANY: Final = f"照片：一次探访最多 {PHOTOS} 张；请在手机上删去多余的"


def photo_store(
    *, photo_id: UUID, visit_id: UUID, content: bytes, user: User
) -> Literal["stored", "known"] | None:
    """Keep a photo of a visit that the user recorded; None if there is no such visit (yet).

    Refused for what is no photo, for one too many, and for a number that another visit's photo bears.
    """
    if not Visit.objects.filter(pk=visit_id, recorder=user).exists():
        return None
    try:
        clean, fingerprint = photo_read(content)
    except PhotoFault as fault:
        raise Refused(str(fault)) from None
    with transaction.atomic():
        # One after another, so that the same photo sent twice at once is kept once.
        Visit.objects.select_for_update(no_key=True).get(pk=visit_id)
        there = VisitPhoto.objects.filter(pk=photo_id).first()
        if there is not None:
            if there.visit_id != visit_id:
                raise Refused(OF_ANOTHER)
            return "known"
        if VisitPhoto.objects.filter(visit=visit_id).count() >= PHOTOS:
            raise Refused(TOO_MANY)
        stored = stored_file_create(name=f"{photo_id}.jpg", content=clean, created_by=user)
        VisitPhoto.objects.create(pk=photo_id, visit_id=visit_id, file=stored, fingerprint=fingerprint)
        signals_find(visit_ids=[visit_id])
        audit_record(
            action=KEPT,
            subject=f"visit:{visit_id}",
            actor=user,
            data={"photo": str(photo_id), "sha256": stored.sha256},
        )
    return "stored"
