"""Building a batch as a background job."""

import subprocess
import sys
from datetime import date

import pytest
from django.conf import settings

from operations.models import Job
from operations.services.job import job_run
from subsidies.batch_tasks import batch_build_request
from subsidies.choices import BatchKind, BatchState
from subsidies.models import Batch, Month
from tests.registry import make_elder
from tests.subsidies.county import item, publish_list, run
from tests.subsidies.money import Staff, account, staff, terms

FEBRUARY = date(2025, 2, 1)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(db: None) -> Staff:
    """An elder to whom POOR pays 50 a month."""
    publish_list(item("POOR", "低保"))
    terms("POOR", FEBRUARY)
    account(make_elder(date(1940, 1, 1), low_income_allowance=True))
    run(FEBRUARY)
    return staff()


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bell is rung by hand in these tests."""
    monkeypatch.setattr("subsidies.batch_tasks.job_run.delay", lambda job_id: None)


def asked(people: Staff) -> Job:
    return batch_build_request(month=Month.objects.get(), kind=BatchKind.REGULAR, created_by=people.maker)


def test_a_build_asked_for_twice_is_one_job_until_it_is_over(people: Staff) -> None:
    first = asked(people)
    assert asked(people) == first
    job_run(job_id=str(first.pk))
    assert asked(people) != first


def test_the_job_builds_the_draft_and_tells_its_figures(people: Staff) -> None:
    job = asked(people)
    assert job_run(job_id=str(job.pk))
    job.refresh_from_db()
    batch = Batch.objects.get()
    assert job.result == {"batch_id": batch.pk, "number": batch.number, "lines": 1, "amount": "50.00"}


def test_a_job_done_again_after_a_lost_answer_gives_the_batch_that_was_built(people: Staff) -> None:
    job = asked(people)
    job_run(job_id=str(job.pk))
    batch = Batch.objects.get()
    Batch.objects.update(state=BatchState.TOWNSHIP)
    account(make_elder(date(1941, 1, 1), low_income_allowance=True))
    run(FEBRUARY)
    Job.objects.filter(pk=job.pk).update(state=Job.State.WAITING)
    job_run(job_id=str(job.pk))
    job.refresh_from_db()
    assert (job.result["number"], Batch.objects.count()) == (batch.number, 1)


def test_a_build_without_anything_to_pay_says_so(people: Staff) -> None:
    job_run(job_id=str(asked(people).pk))
    Batch.objects.update(state=BatchState.TOWNSHIP)
    job = asked(people)
    job_run(job_id=str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "没有需要发放的明细" in job.error


def test_a_worker_knows_how_to_build_batches() -> None:
    answer = subprocess.run(
        [
            sys.executable,
            "-c",
            "from config.celery import app; app.loader.import_default_modules()\n"
            "from operations.services.job import HANDLERS; print('batch_build' in HANDLERS)",
        ],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "True"
