"""One payment traced: what it rests on, the batch's way, what the bank said, and the lines it pays again."""

from dataclasses import dataclass

from django.db.models import Q

from organization.choices import Permission
from organization.models import User
from portal.batch_steps import Stage, stages_of
from portal.elder_record import panel_of
from portal.payment_rows import PaymentRow, payment_rows
from portal.proofs import Service
from subsidies.batch_table import UNCONFIRMED
from subsidies.change_history import DueLine, change_reasons
from subsidies.choices import BatchState, LineKind, ObjectionState, PaymentState
from subsidies.models import Entitlement, Month, Objection, Payment, ReturnRow
from subsidies.services.objection import HOLDING, RECEIVING, RELEASING


@dataclass(frozen=True)
class Trace:
    """Everything that the page of a line shows.

    service: the item as the month decided it, None if it did not. change: what changed since, for 补发.
    """

    row: PaymentRow
    month: Month | None
    entitlement: Entitlement | None
    service: Service | None
    change: str
    stages: list[Stage]
    results: list[ReturnRow]
    chain: list[Payment]
    objections: list[Objection]
    can_hold: bool
    can_release: bool
    can_object: bool
    open_objection: Objection | None
    can_decide: bool


def trace_of(payment: Payment, user: User) -> Trace:
    """Trace a line; the month's explanation reads the facts that the month froze."""
    month = Month.objects.filter(
        county_code=payment.batch.county_code, month=payment.month, revision__gt=0
    ).first()
    panel = panel_of(payment.elder, [], month) if month else None
    services = panel.services if panel else []
    objections = list(payment.objections.select_related("received_by", "decided_by").order_by("pk"))
    opened = next((o for o in objections if o.state == ObjectionState.OPEN), None)
    batch, maker = payment.batch, payment.batch.made_by_id == user.pk
    pending, held = payment.state == PaymentState.PENDING, payment.state == PaymentState.HELD
    return Trace(
        row=payment_rows([payment])[0],
        month=month,
        entitlement=Entitlement.objects.of(month).filter(elder=payment.elder_id, item=payment.item_id).first()
        if month
        else None,
        service=next((s for s in services if s.explained.item.item_id == payment.item_id), None),
        change=_change(payment),
        stages=stages_of(payment.batch, list(payment.batch.steps.select_related("actor"))),
        results=list(ReturnRow.objects.filter(payment=payment).select_related("file").order_by("pk")),
        chain=_chain(payment),
        objections=objections,
        can_hold=pending
        and batch.state in UNCONFIRMED
        and batch.state != BatchState.DRAFT
        and _may(user, payment, *HOLDING),
        can_release=held and opened is None and not maker and _may(user, payment, *RELEASING),
        can_object=pending and batch.state == BatchState.NOTICE and _may(user, payment, *RECEIVING),
        open_objection=opened,
        can_decide=opened is not None
        and user.pk not in {opened.received_by_id, batch.made_by_id}
        and _may(user, payment, Permission.BATCH_APPROVE),
    )


def _may(user: User, payment: Payment, *permissions: Permission) -> bool:
    """Tell whether one of the permissions covers the line's village, or the whole county."""
    county = payment.batch.county_code
    codes = {county, payment.area_code if payment.area_code.startswith(county[:6]) else county}
    prefixes = {p for permission in permissions for p in user.area_prefixes(permission)}
    return any(code.startswith(prefix) for code in codes for prefix in prefixes)


def _change(payment: Payment) -> str:
    """Why a line of an earlier month is due only now."""
    if payment.kind != LineKind.BACK_PAY:
        return ""
    line = DueLine(payment.elder_id, payment.item_id, payment.month, payment.amount)
    reasons = change_reasons(county_code=payment.batch.county_code, lines=[line])
    return reasons[line.key].text if line.key in reasons else ""


def _chain(payment: Payment) -> list[Payment]:
    """Other lines of the same elder, item and month: those that failed before it and those that pay it again."""
    same = Payment.objects.filter(elder=payment.elder_id, item=payment.item_id, month=payment.month)
    return list(same.filter(~Q(pk=payment.pk)).select_related("batch").order_by("sequence"))
