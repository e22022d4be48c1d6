"""The end of public notices: at night, or by the first step after the last day."""

from datetime import date

from django.db import transaction

from subsidies.batch_table import TRANSITIONS
from subsidies.choices import BatchAction, BatchState
from subsidies.models import Batch
from subsidies.services.batch_transition import batch_lock, totals_set, transition_write


def notices_end(*, today: date) -> int:
    """Step on with every batch whose last day of notice is past; return how many. Safe to repeat."""
    over = Batch.objects.filter(state=BatchState.NOTICE, notice_until__lt=today)
    ended = 0
    for batch_id in over.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            ended += notice_end(batch=batch_lock(batch_id), today=today)
    return ended


def notice_end(*, batch: Batch, today: date) -> bool:
    """Step on with a locked batch if its notice is over; an open objection keeps back only its own line."""
    if batch.state != BatchState.NOTICE or batch.notice_until is None or today <= batch.notice_until:
        return False
    totals_set(batch)
    target = TRANSITIONS[BatchState.NOTICE, BatchAction.NOTICE_END].target
    transition_write(batch=batch, action=BatchAction.NOTICE_END, state=target, actor=None)
    return True
