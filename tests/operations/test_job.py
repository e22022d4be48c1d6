"""Jobs: claimed once, alive while they beat, handed on when their worker dies."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from operations.models import Job
from operations.services import job as jobs
from operations.services.job import (
    JobError,
    Progress,
    job_claim,
    job_create,
    job_handler,
    job_run,
    jobs_waiting,
)
from tests.races import SURELY, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kinds() -> Iterator[list[str]]:
    """Job kinds of this module; the list notes what ran."""
    ran: list[str] = []

    @job_handler("note")
    def note(job: Job, progress: Progress) -> dict[str, Any]:
        progress.report("记录", 1, 2)
        ran.append(str(job.id))
        return {"noted": True}

    @job_handler("refuse")
    def refuse(job: Job, progress: Progress) -> dict[str, Any]:
        raise JobError("文件第 3 行缺姓名")

    @job_handler("break")
    def break_(job: Job, progress: Progress) -> dict[str, Any]:
        raise RuntimeError("secret detail 990101194003151239")

    yield ran
    for kind in ("note", "refuse", "break"):
        del jobs.HANDLERS[kind]


def create(kind: str = "note", rung: list[str] | None = None) -> Job:
    return job_create(kind=kind, title="测试", params={}, ring=(rung if rung is not None else []).append)


def test_the_bell_rings_after_the_job_is_written() -> None:
    rung: list[str] = []
    job = create(rung=rung)
    assert rung == [str(job.id)]


def test_a_job_ends_with_its_result() -> None:
    job = create()
    assert job_run(job_id=str(job.id))
    job.refresh_from_db()
    assert (job.state, job.result) == (Job.State.DONE, {"noted": True})


def test_a_refusal_is_shown_to_the_person_who_asked() -> None:
    job = create("refuse")
    job_run(job_id=str(job.id))
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.FAILED, "文件第 3 行缺姓名")


def test_an_unforeseen_error_shows_no_detail() -> None:
    job = create("break")
    with pytest.raises(RuntimeError):
        job_run(job_id=str(job.id))
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "9901" not in job.error
    assert "已经保存的部分不受影响" in job.error


def test_a_finished_job_is_not_done_again(kinds: list[str]) -> None:
    job = create()
    job_run(job_id=str(job.id))
    assert not job_run(job_id=str(job.id))
    assert len(kinds) == 1


def test_of_many_workers_one_gets_the_job() -> None:
    job = create()
    got = at_once(*[lambda: job_claim(job_id=str(job.id)) is not None] * 8)
    assert sorted(got) == [False] * 7 + [True]


@pytest.mark.parametrize(("silence", "free"), [(119, False), (121, True)])
def test_a_job_is_handed_on_after_two_minutes_without_heartbeat(
    silence: int, free: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = create()
    job_claim(job_id=str(job.id))
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    Job.objects.filter(id=job.id).update(heartbeat_at=now - timedelta(seconds=silence))
    job.refresh_from_db()
    assert job.is_stale is free
    assert (str(job.id) in jobs_waiting()) is free
    assert (job_claim(job_id=str(job.id)) is not None) is free


def test_a_worker_that_lost_its_job_cannot_finish_it() -> None:
    job = create()
    lost = job_claim(job_id=str(job.id))
    assert lost is not None
    Job.objects.filter(id=job.id).update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    job_claim(job_id=str(job.id))
    jobs._finish(lost, state=Job.State.FAILED, error="太晚")
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.RUNNING, "")


def test_heartbeat_and_progress_are_written_while_the_handler_works() -> None:
    seen: list[Job] = []

    @job_handler("slow")
    def slow(job: Job, progress: Progress) -> dict[str, Any]:
        progress.report("读取", 3, 10)
        end = time.monotonic() + SURELY
        while not seen and time.monotonic() < end:
            time.sleep(0.1)
            seen.extend(Job.objects.filter(id=job.id, done=3, step="读取"))
        return {}

    try:
        job_run(job_id=str(create("slow").id))
    finally:
        del jobs.HANDLERS["slow"]
    assert seen


def test_a_lost_bell_is_rung_again() -> None:
    job = create()
    assert jobs_waiting() == [str(job.id)]
