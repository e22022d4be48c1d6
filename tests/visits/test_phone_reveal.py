"""Showing a full phone number keeps nobody of the same account from working."""

import threading
from datetime import date

import pytest
from django.db import connection, transaction

from eldercare.models import Elder
from operations.crypto import encrypt
from operations.services.audit import audit_record
from organization.choices import Role
from organization.models import Area
from tests.conftest import VILLAGE_A, make_user
from tests.races import SURELY
from tests.registry import make_elder
from visits.models import PhoneState
from visits.services import phone_reveal

NOW = "2026-03-05T09:00:00+08:00"


@pytest.fixture
def elder(county: Area) -> Elder:
    elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A)
    elder.phone_cipher = encrypt("19900000001")
    elder.save()
    return elder


@pytest.mark.django_db(transaction=True)
def test_a_sync_is_stored_while_the_same_worker_looks_at_a_number(
    elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make_user("reveal_worker", Role.VILLAGE_WORKER, VILLAGE_A)
    holding, synced = threading.Event(), threading.Event()
    write = audit_record

    def wait_and_write(**entry: object) -> object:
        holding.set()
        assert synced.wait(SURELY)
        return write(**entry)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(phone_reveal, "audit_record", wait_and_write)
    failed: list[Exception] = []

    def look() -> None:
        try:
            phone_reveal.phones_reveal(elder=elder, reason="上门前先打电话", actor=worker, address="")
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    looking = threading.Thread(target=look)
    looking.start()
    assert holding.wait(SURELY)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            PhoneState.objects.create(user=worker, synced_at=NOW)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    finally:
        synced.set()
        looking.join()
    assert not failed
    assert PhoneState.objects.filter(user=worker).exists()
