"""The run under faults: cut short, killed, twice at once, and beside an import (users.md §D3)."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from catalog.policy import Policy
from eldercare.choices import Kind
from eldercare.models import Elder
from eldercare.services.monthly_facts import partition_ensure
from subsidies.invariants import invariants_check
from subsidies.models import Chunk, Entitlement, Month
from subsidies.services import chunk as chunk_service
from subsidies.services import month as month_service
from subsidies.services.chunk import ChunkTask, UnaccountedError
from subsidies.services.month import month_run
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.registry import add, make_elder
from tests.subsidies.county import LULIANG, counted, item, outcomes, publish_list, run, snapshot

pytestmark = pytest.mark.django_db(transaction=True)
JUNE = date(2024, 6, 1)
TOWNSHIPS = tuple(f"530322{number}" for number in range(101, 107))
Decide = Callable[..., int]


@pytest.fixture
def elders(db: None) -> list[Elder]:
    """Six townships with three elders each, two of them poor; an item per person, per household and counted."""
    publish_list(
        item("POOR", "低保"),
        item("HOME", "低保", subject="家庭", form="服务", amount=None),
        item("ALL", "年龄 >= 60", track="计数", form="服务", amount=None),
    )
    found = []
    for township in TOWNSHIPS:
        village = f"{township}201"
        found += [
            make_elder(date(1940, 1, 1), hukou=village, low_income_allowance=True),
            make_elder(date(1941, 1, 1), hukou=village, low_income_allowance=True),
            make_elder(date(1942, 1, 1), hukou=village),
        ]
    return found


def everything() -> tuple[Any, ...]:
    """What readers see of June."""
    month = Month.objects.get(month=JUNE)
    return snapshot(month), counted(month), month.persons


def from_scratch() -> tuple[Any, ...]:
    """What an undisturbed run of June on an empty database of months says."""
    Month.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement, visits_obligation CASCADE")
    run(JUNE)
    return everything()


def change(elders: list[Elder]) -> None:
    """News in every township: one more poor elder, one less."""
    for elder in elders[2::3]:
        add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2020, 1, 1))
    for elder in elders[0::3]:
        elder.circumstances.filter(kind=Kind.LOW_INCOME_ALLOWANCE).delete()


def failing_at(township: str) -> Decide:
    """chunk_decide that fails at one township's edge."""
    decide = chunk_service.chunk_decide

    def fail(*, task: ChunkTask, policy: Policy) -> int:
        if township in (task.townships or ()):
            raise ConnectionError("停电")
        return decide(task=task, policy=policy)

    return fail


def end_own_backend(*args: Any, **kwargs: Any) -> None:
    """Inside a chunk, after its facts were written: the server ends the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def all_hold() -> bool:
    return not [finding.name for finding in invariants_check() if finding.broken]


@pytest.mark.parametrize("township", [TOWNSHIPS[0], TOWNSHIPS[3], TOWNSHIPS[-1]])
def test_a_first_run_cut_short_publishes_nothing_and_the_next_one_finishes_it(
    elders: list[Elder], monkeypatch: pytest.MonkeyPatch, township: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(month_service, "chunk_decide", failing_at(township))
        with pytest.raises(ConnectionError):
            month_run(county_code=LULIANG, month=JUNE, workers=1)
    month = Month.objects.get()
    assert (month.revision, month.persons, snapshot(month)) == (0, 0, set())
    assert run(JUNE).persons == len(elders)
    resumed = everything()
    assert all_hold()
    assert resumed == from_scratch()


@pytest.mark.parametrize("new_list", [False, True], ids=["facts changed", "list changed too"])
def test_a_second_run_cut_short_leaves_readers_on_the_old_revision_and_the_next_one_finishes_it(
    elders: list[Elder], monkeypatch: pytest.MonkeyPatch, new_list: bool
) -> None:
    run(JUNE)
    before = everything()
    change(elders)
    if new_list:
        publish_list(item("MORE", "低保", amount=70), code="second-list")
    with monkeypatch.context() as patch:
        patch.setattr(chunk_service, "decisions_make", end_own_backend)
        with pytest.raises(DatabaseError):
            run(JUNE)
    assert everything() == before
    if new_list:
        with monkeypatch.context() as patch:
            patch.setattr(month_service, "chunk_decide", failing_at(TOWNSHIPS[2]))
            with pytest.raises(ConnectionError):
                month_run(county_code=LULIANG, month=JUNE, workers=1)
        assert everything() == before
    assert run(JUNE).revision == 2
    resumed = everything()
    assert resumed != before
    assert all_hold()
    assert resumed == from_scratch()


def test_a_chunk_that_would_lose_a_person_fails_and_writes_nothing(
    elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_service, "persons_unaccounted", lambda *args, **kwargs: 1)
    with pytest.raises(UnaccountedError, match="相差 1"):
        run(JUNE)
    assert not Entitlement.objects.exists()
    assert not Month.objects.filter(revision__gt=0).exists()


def run_in_process() -> "subprocess.Popen[bytes]":
    """A real `manage.py run_month` on the test database."""
    database = connection.settings_dict
    # the host may be a socket folder, which only fits into the query part
    url = (
        f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}&port={database['PORT']}"
    )
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_month", "2024-06"],
        cwd=Path(settings.BASE_DIR),
        env=os.environ | {"DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SURELY
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def decided_chunks() -> int:
    return Chunk.objects.filter(facts_version__gt=0).count()


@pytest.mark.parametrize("done", [1, 4])
def test_a_run_killed_in_the_middle_is_finished_by_the_next_one_with_the_same_totals(
    elders: list[Elder], done: int
) -> None:
    month = Month.objects.create(county_code=LULIANG, month=JUNE)
    Chunk.objects.bulk_create([Chunk(month=month, township=township) for township in TOWNSHIPS])
    with transaction.atomic():
        # the run's workers stop at the chunks held here, in the middle of their transactions
        list(Chunk.objects.select_for_update().filter(township__in=TOWNSHIPS[done:]))
        process = run_in_process()
        try:
            wait_for(lambda: decided_chunks() == done)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert Month.objects.get().revision == 0
    assert run(JUNE).persons == len(elders)
    resumed = everything()
    assert all_hold()
    assert resumed == from_scratch()


def run_twice_at_once(monkeypatch: pytest.MonkeyPatch, wait: float) -> list[Exception]:
    """Two runs that meet, if nothing keeps them apart, once they have dealt out the work; returns what was raised."""
    with connection.cursor() as cursor:
        for table in ("eldercare_monthlyfacts", "subsidies_entitlement"):
            partition_ensure(cursor, table, JUNE)  # they would collide there before they meet
    monkeypatch.setattr(month_service, "_tasks", met_after(month_service._tasks, wait))
    return raised(at_once(lambda: run(JUNE), lambda: run(JUNE)))


def test_without_the_lock_two_runs_at_once_disturb_each_other(
    elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(month_service, "county_locked", lambda county_code: nullcontext())
    failures = run_twice_at_once(monkeypatch, SURELY)
    assert failures or not all_hold()


def test_two_runs_at_once_give_one_revision_and_no_doubles(
    elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_twice_at_once(monkeypatch, IN_VAIN) == []
    assert Month.objects.get().revision == 1
    assert all_hold()
    once = everything()
    assert once == from_scratch()


def test_what_is_imported_while_a_run_freezes_is_decided_by_the_next_run(
    elders: list[Elder], monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, late = chunk_service.chunk_decide, elders[2]
    news = iter([late])

    def import_first(*, task: ChunkTask, policy: Policy) -> int:
        for elder in news:
            add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", date(2020, 1, 1))
        return decide(task=task, policy=policy)

    with monkeypatch.context() as patch:
        patch.setattr(month_service, "chunk_decide", import_first)
        month_run(county_code=LULIANG, month=JUNE, workers=1)
    assert outcomes(late, JUNE) == {}, "the run reads one snapshot"
    assert run(JUNE).revision == 2
    assert outcomes(late, JUNE)["POOR"] == "应发"
    assert everything() == from_scratch()


def test_a_run_waits_for_an_import_under_way_and_decides_it(elders: list[Elder]) -> None:
    late, written, done = elders[2], threading.Event(), threading.Event()

    def import_slowly() -> None:
        with transaction.atomic():
            add(late, Kind.LOW_INCOME_ALLOWANCE, "是", date(2020, 1, 1))
            written.set()
            done.wait(IN_VAIN)

    def run_beside() -> None:
        written.wait(SURELY)
        run(JUNE)
        done.set()

    assert raised(at_once(import_slowly, run_beside)) == []
    run(JUNE)
    assert outcomes(late, JUNE)["POOR"] == "应发"
    assert everything() == from_scratch()
