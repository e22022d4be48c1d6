"""The audit chain's lock is held to the end: whoever took another one after it could wait in a circle."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import TOWN_A, VILLAGE_A1, TierMaker, open_month
from tests.visits.phones import NOW, number, record, send
from visits.services.photo import photo_store
from visits.services.replay import visits_replay
from visits.services.visit_return import visits_return

#: What waits for others: advisory locks, locks on rows, rows that others may be writing.
LOCKS = ("pg_advisory_xact_lock", "FOR NO KEY UPDATE", "FOR UPDATE", "INSERT INTO", "UPDATE ")
AUDIT = 'INSERT INTO "operations_auditentry"'


@pytest.fixture
def elder(tier: TierMaker) -> Elder:
    """An elder of 甲一村, obliged in March."""
    tier()
    found = make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)
    open_month()
    return found


@pytest.fixture
def worker(elder: Elder) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


@contextmanager
def locks_after_the_audit(expected_audits: int) -> Iterator[list[str]]:
    """Collect what is locked after the first audit row, other audit rows aside."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield found
    statements = [" ".join(query["sql"].split()) for query in queries]
    audits = [place for place, sql in enumerate(statements) if sql.startswith(AUDIT)]
    assert len(audits) >= expected_audits
    after = statements[audits[0] + 1 :]
    found.extend(sql for sql in after if not sql.startswith(AUDIT) and any(lock in sql for lock in LOCKS))


def deceased(elder: Elder, worker: User) -> Callable[[], str]:
    """A record that leaves a follow-up, with its audit row; call it for the receipt."""
    sent = record(elder, worker, result="已故", event_day="2026-03-19")
    return lambda: send(worker, sent)[0].receipt


def test_a_sync_takes_it_last(elder: Elder, worker: User) -> None:
    with locks_after_the_audit(2) as found:
        deceased(elder, worker)()
    assert found == []


def test_a_replay_takes_it_last(elder: Elder, worker: User) -> None:
    receipt = deceased(elder, worker)()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE visits_visit CASCADE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    with locks_after_the_audit(2) as found:
        visits_replay(receipts=[receipt], actor=worker, now=NOW)
    assert found == []


def test_a_return_takes_it_last(elder: Elder, worker: User) -> None:
    sent = record(elder, worker, result="已故")
    send(worker, sent)
    lead = make_user("lead", Role.TOWNSHIP_LEAD, TOWN_A)
    with locks_after_the_audit(2) as found:
        visits_return(visit_ids=[number(sent)], reason="请核对后重新登记", actor=lead)
    assert found == []


def test_a_photo_takes_it_last(elder: Elder, worker: User) -> None:
    sent = record(elder, worker)
    send(worker, sent)
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "JPEG")
    with locks_after_the_audit(1) as found:
        photo_store(photo_id=uuid4(), visit_id=number(sent), content=out.getvalue(), user=worker)
    assert found == []
