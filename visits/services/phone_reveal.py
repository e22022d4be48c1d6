"""Showing whole phone numbers: after a reason, so many a day, and audited before they are shown."""

from datetime import datetime, time
from typing import Final

from django.db import transaction
from django.utils import timezone

from eldercare.models import Elder
from operations.commands import Refused
from operations.crypto import decrypt
from operations.models import AuditEntry
from operations.services.audit import audit_record
from organization.models import User

#: The audit's word; reveals on the phone and on every page count together.
REVEALED: Final = "查看完整电话"
A_DAY: Final = 60
LEAST_REASON: Final = 4
LONGEST_REASON: Final = 100


def phones_reveal(*, elder: Elder, reason: str, actor: User, address: str) -> list[tuple[str, str]]:
    """Return (whose, number) of the elder and of the elder's contact, those that are registered.

    The caller has made sure that the actor may see this elder's. Raises Refused for want of a reason of
    LEAST_REASON to LONGEST_REASON characters or of a number, and above A_DAY.
    """
    reason = reason.strip()
    if len(reason) < LEAST_REASON:
        raise Refused(f"请写明查看完整电话的原因，至少 {LEAST_REASON} 个字；会记入审计")
    if len(reason) > LONGEST_REASON:
        raise Refused(f"查看完整电话的原因太长，现有 {len(reason)} 个字；请缩短到 {LONGEST_REASON} 个字以内")
    with transaction.atomic():
        # Two at once must not both be the last of the day.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        phones = _phones(elder)
        if not phones:
            raise Refused(f"花名册里没有登记{elder.name}和联系人的电话；请补登电话，或上门核实")
        if _today(actor) >= A_DAY:
            raise Refused(f"今天查看完整电话已满 {A_DAY} 次；请明天再看，或请同事协助")
        audit_record(
            action=REVEALED,
            subject=f"elder:{elder.pk}",
            actor=actor,
            data={"field": "联系电话", "reason": reason},
            address=address,
        )
    return phones


def _phones(elder: Elder) -> list[tuple[str, str]]:
    contact = getattr(elder, "contact", None)
    found = [("本人", decrypt(elder.phone_cipher))]
    if contact is not None:
        found.append((f"联系人 {contact.name}", decrypt(contact.phone_cipher)))
    return [(whose, number) for whose, number in found if number]


def _today(actor: User) -> int:
    midnight = datetime.combine(timezone.localdate(), time.min, tzinfo=timezone.get_current_timezone())
    return AuditEntry.objects.filter(actor=actor, action=REVEALED, at__gte=midnight).count()
