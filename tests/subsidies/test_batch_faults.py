"""Building a batch under faults: twice at once, beside a run, and killed at every step (users.md §D3)."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection
from django.utils import timezone

from catalog.models import Item, ItemVersion
from catalog.policy import Policy
from eldercare.choices import Kind
from eldercare.models import Elder
from eldercare.services.monthly_facts import partition_ensure
from operations.crypto import encrypt
from operations.models import Job
from operations.models.job import STALE_AFTER
from operations.services.job import job_create, job_run
from subsidies.batch_tasks import KIND
from subsidies.choices import BatchKind
from subsidies.models import Batch, Month, Payment
from subsidies.services import batch as batch_service
from subsidies.services import month as month_service
from subsidies.services.batch import batch_build
from subsidies.services.chunk import ChunkTask, chunk_decide
from tests.races import IN_VAIN, SURELY, at_once, met_after, raised
from tests.registry import make_elder
from tests.subsidies.county import LULIANG, VILLAGE, item, publish_list, run
from tests.subsidies.money import Staff, account, staff, terms, without_triggers

pytestmark = pytest.mark.django_db(transaction=True)
JANUARY, FEBRUARY, MARCH = (date(2025, month, 1) for month in range(1, 4))
MANY = 10_000


@pytest.fixture
def people(db: None) -> Staff:
    """POOR pays 50 a month from January on."""
    publish_list(item("POOR", "低保"))
    terms("POOR", JANUARY)
    return staff()


def poor() -> Elder:
    elder = make_elder(date(1940, 1, 1), low_income_allowance=True)
    account(elder)
    return elder


def build_twice_at_once(people: Staff, monkeypatch: pytest.MonkeyPatch, wait: float) -> list[Exception]:
    """Two builds that meet, if nothing keeps them apart, after neither has found a draft."""
    month = run(FEBRUARY)

    def build() -> Batch:
        return batch_build(month=month, kind=BatchKind.REGULAR, actor=people.maker)

    monkeypatch.setattr(batch_service, "_next_number", met_after(batch_service._next_number, wait))
    return raised(at_once(build, build))


def test_without_the_lock_two_builds_at_once_disturb_each_other(
    people: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor()
    monkeypatch.setattr(batch_service, "county_lock", lambda county_code: None)
    failures = build_twice_at_once(people, monkeypatch, SURELY)
    assert [type(failure) for failure in failures] == [IntegrityError]


def test_two_builds_at_once_make_one_draft(people: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    poor()
    assert build_twice_at_once(people, monkeypatch, IN_VAIN) == []
    assert (Batch.objects.count(), Payment.objects.count()) == (1, 1)


def build_beside_a_run(people: Staff, monkeypatch: pytest.MonkeyPatch, wait: float) -> set[Elder]:
    """A run has begun to decide that one of two elders is not entitled any more; who is in the batch built now?"""
    leaving, _ = poor(), poor()
    month = run(FEBRUARY)
    leaving.circumstances.filter(kind=Kind.LOW_INCOME_ALLOWANCE).delete()
    deciding, built = threading.Event(), threading.Event()

    def slowly(*, task: ChunkTask, policy: Policy) -> int:
        deciding.set()
        built.wait(wait)
        return chunk_decide(task=task, policy=policy)

    def build() -> None:
        deciding.wait(SURELY)
        batch_build(month=month, kind=BatchKind.REGULAR, actor=people.maker)
        built.set()

    monkeypatch.setattr(month_service, "chunk_decide", slowly)
    assert raised(at_once(lambda: run(FEBRUARY), build)) == []
    return {line.elder for line in Payment.objects.select_related("elder")} & {leaving}


def test_without_the_lock_a_batch_pays_by_facts_that_a_run_is_about_to_replace(
    people: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(month_service, "county_locked", lambda county_code: nullcontext())
    assert build_beside_a_run(people, monkeypatch, SURELY) != set()


def test_a_build_waits_for_a_run_and_pays_by_its_facts(
    people: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build_beside_a_run(people, monkeypatch, IN_VAIN) == set()
    assert Batch.objects.get().revision == Month.objects.get().revision == 2


def many_elders() -> None:
    """10,000 elders with an account, entitled to 50 a month in February and March: 20,000 lines."""
    row, version = Item.objects.get(), ItemVersion.objects.get()
    without_triggers(f"""
        INSERT INTO eldercare_elder
            (id_number_cipher, id_number_index, id_last4, id_verified, name, pinyin, sex, birth_date, ethnicity,
             address, hukou_code, residence_code, household_key, head_cipher, relation_to_head,
             disability_card_cipher, note, version, created_at, phone_cipher, phone_last4)
        SELECT '', sha256(n::text::bytea), '0000', true, '测' || n, '', '女', '1940-01-01', '', '', '{VILLAGE}',
               '{VILLAGE}', sha256(n::text::bytea), '', '', '', '', n, now(), '', ''
        FROM generate_series(1, {MANY}) n""")
    cipher = encrypt("6200000000000000000").hex()
    with connection.cursor() as cursor:
        cursor.execute(f"""
            INSERT INTO eldercare_bankaccount (elder_id, bank, holder, account_cipher, account_index, valid)
            SELECT id, '', name, '\\x{cipher}', sha256(id::text::bytea), daterange('2020-01-01', NULL)
            FROM eldercare_elder""")
        for month in (FEBRUARY, MARCH):
            Month.objects.create(county_code=LULIANG, month=month, revision=1)
            partition_ensure(cursor, "subsidies_entitlement", month)
            cursor.execute(f"""
                INSERT INTO subsidies_entitlement
                    (month, county_code, elder_id, item_id, item_version_id, area_code, amount, outcome, rev_from)
                SELECT '{month}', '{LULIANG}', id, {row.pk}, {version.pk}, hukou_code, 50, '应发', 1
                FROM eldercare_elder""")
        cursor.execute("ANALYZE")


def killed_at(step: str, job: Job) -> int:
    """How a worker ended that was killed at this step."""
    database = connection.settings_dict
    url = (
        f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}&port={database['PORT']}"
    )
    worker = subprocess.run(
        [sys.executable, "-m", "tests.subsidies.killed_worker"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url, "JOB": str(job.pk), "STEP": step},
    )
    return worker.returncode


def figures() -> tuple[Any, ...]:
    """What was built."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), sum(amount), count(DISTINCT (elder_id, month)), min(number), max(number)"
            " FROM subsidies_payment"
        )
        return tuple(cursor.fetchone())


def abandon(job: Job) -> None:
    """Time passes until the job may be taken up by another worker."""
    Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - STALE_AFTER - timedelta(seconds=1))


def test_a_build_killed_at_every_step_leaves_nothing_or_all_and_ends_with_the_same_totals(
    people: Staff,
) -> None:
    many_elders()
    month = Month.objects.get(month=MARCH)
    job = job_create(
        kind=KIND,
        title="生成批次",
        params={"month_id": month.pk, "kind": str(BatchKind.REGULAR), "item_ids": None},
        ring=lambda job_id: None,
        created_by=people.maker,
    )
    for step in ("0", "1", "2", "3", "4"):
        assert killed_at(step, job) == -signal.SIGKILL
        assert (figures()[0], Batch.objects.count()) == (0, 0)
        abandon(job)
    assert killed_at("end", job) == -signal.SIGKILL
    whole = (2 * MANY, Decimal(2 * MANY * 50), 2 * MANY, 1, 2 * MANY)
    assert figures() == whole
    abandon(job)
    assert job_run(job_id=str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.result["lines"], figures()) == (Job.State.DONE, 2 * MANY, whole)
    assert Batch.objects.get().steps.count() == 1
