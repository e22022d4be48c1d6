"""A server restored from an older backup gets everything back from the phones, once and exactly as it was."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from catalog.models import Document, FindingKind
from eldercare.models import Elder
from operations.crypto import decrypt, encrypt
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import ALWAYS, VILLAGE_A1, TierMaker, open_month
from tests.visits.phones import NOW, body, record, send, state
from visits.models import Visit
from visits.phone_record import RecordFault, read_sync
from visits.services.replay import visits_replay
from visits.services.sync import visits_sync

TABLES = ("visit", "finding", "obligation", "followup", "followupstep", "signal")
Backup = Callable[[], Callable[[], None]]


@pytest.fixture
def elder(county: Document, tier: TierMaker) -> Elder:
    """An elder obliged to be visited in March; the county's list knows a fall."""
    tier()
    FindingKind.objects.create(
        document=county, code="fall", name="跌倒", group="健康", risk="红", hours=24, order=1, valid=ALWAYS
    )
    found = make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)
    open_month()
    return found


@pytest.fixture
def worker(elder: Elder) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


@pytest.fixture
def backup(db: None) -> Iterator[Backup]:
    """Keep the tables of visits as they are; the function returned puts them back."""

    def keep() -> Callable[[], None]:
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"CREATE TEMP TABLE kept_{table} ON COMMIT DROP AS TABLE visits_{table}")

        def restore() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(f"TRUNCATE {', '.join(f'visits_{table}' for table in TABLES)} CASCADE")
                for table in TABLES:
                    cursor.execute(f"INSERT INTO visits_{table} SELECT * FROM kept_{table}")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")

        return restore

    yield keep


def rows() -> list[tuple[Any, ...]]:
    """Every record with all its columns, and its findings."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT to_jsonb(v), (SELECT jsonb_agg(to_jsonb(f) - 'id' ORDER BY f.code) FROM visits_finding f
                                 WHERE f.visit_id = v.id)
            FROM visits_visit v ORDER BY v.id""")
        return list(cursor.fetchall())


def a_day(elder: Elder, worker: User) -> list[dict[str, Any]]:
    """Records with everything that one can hold."""
    first = record(elder, worker, "2026-03-20 08:00:01", note="“引号”、\\反斜线 𠮷")
    return [
        first,
        record(elder, worker, "2026-03-20 09:00", result="外出", corrects=first["id"]),
        record(
            *(elder, worker, "2026-03-20 10:00"),
            latitude=25.031234,
            longitude=103.66,
            accuracy=12.345,
            findings=[{"code": "fall", "note": "浴室"}],
        ),
        record(elder, worker, "2026-03-20 11:00", mode="电话", result="已故", event_day="2026-03-19"),
    ]


def replay(worker: User, *receipts: object) -> list[str]:
    """What becomes of the receipts."""
    later = NOW + timedelta(days=1)
    return [str(result.state) for result in visits_replay(receipts=list(receipts), actor=worker, now=later)]


def test_the_phone_is_asked_for_its_receipts_and_everything_comes_back_once_and_the_same(
    worker: User, elder: Elder, backup: Backup
) -> None:
    send(worker, record(elder, worker, "2026-03-19 10:00"))
    restore = backup()
    day = a_day(elder, worker)
    receipts = [answer.receipt for answer in send(worker, *day, ahead=timedelta(hours=1))]
    before, counted = rows(), state()
    restore()
    assert Visit.objects.count() == 1
    empty = visits_sync(request=read_sync(body(last=day[-1]["id"])), user=worker, now=NOW)
    assert empty.replay
    assert replay(worker, *receipts) == ["stored"] * 4
    assert rows() == before
    assert state() == counted
    again = visits_sync(request=read_sync(body(last=day[-1]["id"])), user=worker, now=NOW)
    assert not again.replay


def test_receipts_come_back_in_any_order_and_twice_without_harm(
    worker: User, elder: Elder, backup: Backup
) -> None:
    restore = backup()
    receipts = [answer.receipt for answer in send(worker, *a_day(elder, worker))]
    before, counted = rows(), state()
    restore()
    assert replay(worker, receipts[2], receipts[0], receipts[2]) == ["stored"] * 3
    assert replay(worker, *reversed(receipts)) == ["stored", "known", "stored", "known"]
    assert replay(worker, *receipts) == ["known"] * 4
    assert (rows(), state()) == (before, counted)


def test_a_record_that_the_phone_sends_again_itself_after_the_restore_is_the_same_number(
    worker: User, elder: Elder, backup: Backup
) -> None:
    restore = backup()
    sent = record(elder, worker)
    [answer] = send(worker, sent)
    restore()
    send(worker, sent)
    assert replay(worker, answer.receipt) == ["known"]
    assert Visit.objects.count() == 1


def test_whoever_holds_the_phone_may_bring_the_receipts_and_the_recorder_stays(
    worker: User, elder: Elder, backup: Backup
) -> None:
    restore = backup()
    [answer] = send(worker, record(elder, worker))
    restore()
    bringer = make_user("bringer", Role.VILLAGE_WORKER, VILLAGE_A1)
    assert replay(bringer, answer.receipt) == ["stored"]
    assert Visit.objects.get().recorder == worker
    assert AuditEntry.objects.get(action="补回探访记录").actor == bringer


def test_a_record_finds_its_elder_under_another_key_and_never_whoever_has_the_old_one(
    worker: User, elder: Elder, backup: Backup
) -> None:
    restore = backup()
    late = make_elder(date(1945, 1, 1), hukou=VILLAGE_A1)
    [answer] = send(worker, record(late, worker))
    restore()
    key, index = late.pk, bytes(late.id_number_index)
    Elder.objects.filter(pk=key).update(id_number_index=b"somebody else registered first" + b"..")
    assert replay(worker, answer.receipt) == ["later"]
    assert Visit.objects.count() == 0
    again = make_elder(date(1945, 1, 1), hukou=VILLAGE_A1)
    Elder.objects.filter(pk=again.pk).update(id_number_index=index)
    assert replay(worker, answer.receipt) == ["stored"]
    assert Visit.objects.get().elder == again


def test_a_record_waits_until_its_recorder_has_an_account_again(
    worker: User, elder: Elder, backup: Backup
) -> None:
    restore = backup()
    [answer] = send(worker, record(elder, worker))
    restore()
    User.objects.filter(pk=worker.pk).update(username="before")
    assert replay(worker, answer.receipt) == ["later"]
    successor = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)
    assert replay(worker, answer.receipt) == ["stored"]
    assert Visit.objects.get().recorder == successor


def test_a_receipt_from_before_a_column_was_added_and_another_dropped_is_taken(
    worker: User, elder: Elder, backup: Backup
) -> None:
    restore = backup()
    [answer] = send(worker, record(elder, worker))
    before = rows()
    restore()
    said = json.loads(decrypt(base64.b64decode(answer.receipt)))
    del said["row"]["late"], said["row"]["risk"]
    said["row"]["dropped"] = "x"
    assert replay(worker, base64.b64encode(encrypt(json.dumps(said))).decode()) == ["stored"]
    assert rows() == before


@pytest.mark.parametrize("receipt", ["", "x", None, 7, [], "AAAA"])
def test_what_is_no_receipt_of_ours_is_rejected(worker: User, receipt: object) -> None:
    assert replay(worker, receipt) == ["rejected"]


def test_what_we_sealed_for_something_else_is_no_receipt(worker: User) -> None:
    assert replay(worker, base64.b64encode(encrypt("530101")).decode()) == ["rejected"]


def test_a_touched_receipt_is_rejected_and_stops_no_other(worker: User, elder: Elder, backup: Backup) -> None:
    restore = backup()
    one, other = (answer.receipt for answer in send(worker, *a_day(elder, worker)[:2]))
    restore()
    sealed = bytearray(base64.b64decode(one))
    sealed[-20] ^= 1
    assert replay(worker, base64.b64encode(sealed).decode(), other) == ["rejected", "stored"]


@pytest.mark.parametrize("given", [None, {}, "x", ["x"] * 51])
def test_anything_but_fifty_receipts_is_refused_whole(worker: User, given: object) -> None:
    with pytest.raises(RecordFault, match="receipts：应为不超过 50 条的列表"):
        visits_replay(receipts=given, actor=worker, now=NOW)


def test_nothing_personal_can_be_read_in_a_receipt(worker: User, elder: Elder) -> None:
    sent = record(elder, worker, note="血压高")
    [answer] = send(worker, sent)
    sealed = base64.b64decode(answer.receipt)
    for text in ("血压高", elder.name, worker.username, str(worker), elder.id_number, sent["id"]):
        assert text.encode() not in sealed


def test_a_phone_that_never_had_anything_confirmed_is_not_asked(worker: User) -> None:
    assert not visits_sync(request=read_sync(body()), user=worker, now=NOW).replay
    assert visits_sync(request=read_sync(body(last=str(uuid4()))), user=worker, now=NOW).replay
