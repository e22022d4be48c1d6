"""One person's two phones at once: neither sees what the other stores, unless the one waits for the other."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from eldercare.models import Elder
from organization.models import User
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.registry import make_elder
from tests.visits.conftest import SHANGHAI
from visits.models import Signal, Visit
from visits.services import signal
from visits.services.signal import signals_find

pytestmark = pytest.mark.django_db(transaction=True)


def come_in(find: Callable[..., None], elder: Elder, worker: User, minute: int, latitude: float) -> None:
    """Store a record made at home and look for signals, in a transaction of its own."""
    at = datetime(2026, 3, 10, 10, minute, tzinfo=SHANGHAI)
    with transaction.atomic():
        record = Visit.objects.create(
            id=uuid4(), elder=elder, at=at, mode="上门", result="见到本人", visitor="周访", recorder=worker,
            latitude=latitude, longitude=103,
        )  # fmt: skip
        ids: Sequence[UUID] = [record.pk]
        find(visit_ids=ids)


def both(wait: float) -> int:
    """Two records a hundred kilometres and a minute apart come in at once; how many signals there are."""
    worker = User.objects.create_user("worker")
    find = met_after(signals_find, wait)
    elders = [make_elder(date(1940, 1, day)) for day in (1, 2)]
    steps = [
        partial(come_in, find, elder, worker, number, 25.0 + number) for number, elder in enumerate(elders)
    ]
    assert raised(at_once(*steps)) == []
    return Signal.objects.count()


def test_without_the_lock_neither_of_two_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "LOCK", "SELECT 1")
    assert both(SURELY) == 0


def test_of_two_at_once_both_are_found() -> None:
    assert both(IN_VAIN) == 2
