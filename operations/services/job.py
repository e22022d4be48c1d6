"""Life of a background job: create, claim, beat, finish, fail, hand back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from operations.models import Job
from operations.models.job import STALE_AFTER
from organization.models import User

BEAT_SECONDS = 1.0
UNFORESEEN = "系统出错，任务没有完成；已经保存的部分不受影响，请稍后重试，仍不成功请联系系统管理员"


@dataclass
class Progress:
    """What a handler reports while it works; a thread of its own writes it down once a second."""

    done: int = 0
    total: int = 0
    step: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def report(self, step: str, done: int = 0, total: int = 0) -> None:
        """Say what is being done now and how far it is."""
        self.step, self.done, self.total = step, done, total


Handler = Callable[[Job, Progress], dict[str, Any]]
HANDLERS: dict[str, Handler] = {}


class JobError(Exception):
    """A job cannot succeed; the message is a Chinese sentence for the person who asked for it."""


def job_handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of this kind. It must be safe to run twice."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return register


def job_create(
    *,
    kind: str,
    title: str,
    params: dict[str, Any],
    ring: Callable[[str], object],
    created_by: User | None = None,
) -> Job:
    """Write a job down and ring the bell once the transaction is committed."""
    job = Job.objects.create(kind=kind, title=title, params=params, created_by=created_by)
    transaction.on_commit(lambda: ring(str(job.id)))
    return job


def job_claim(*, job_id: str) -> Job | None:
    """Take a waiting or abandoned job; None if somebody else has it or it is over."""
    now = timezone.now()
    free = Q(state=Job.State.WAITING) | Q(state=Job.State.RUNNING, heartbeat_at__lt=now - STALE_AFTER)
    claimed = Job.objects.filter(free, id=job_id).update(
        state=Job.State.RUNNING, attempt=F("attempt") + 1, started_at=now, heartbeat_at=now, error=""
    )
    return Job.objects.get(id=job_id) if claimed == 1 else None


def job_run(*, job_id: str) -> bool:
    """Claim the job and do it; False if it was not free. A failure is written on the job."""
    job = job_claim(job_id=job_id)
    if job is None:
        return False
    try:
        with _beating(job) as progress:
            result = HANDLERS[job.kind](job, progress)
    except JobError as error:
        _finish(job, state=Job.State.FAILED, error=str(error))
    except Exception:
        _finish(job, state=Job.State.FAILED, error=UNFORESEEN)
        raise
    else:
        _finish(job, state=Job.State.DONE, result=result)
    return True


def jobs_waiting() -> list[str]:
    """Ids of jobs that nobody works on: never rung, or abandoned by a dead worker."""
    stale = timezone.now() - STALE_AFTER
    free = Q(state=Job.State.WAITING) | Q(state=Job.State.RUNNING, heartbeat_at__lt=stale)
    return [str(pk) for pk in Job.objects.filter(free).order_by("created_at").values_list("id", flat=True)]


def _finish(job: Job, **changes: Any) -> None:
    Job.objects.filter(id=job.id, attempt=job.attempt).update(finished_at=timezone.now(), **changes)


@contextmanager
def _beating(job: Job) -> Iterator[Progress]:
    """Write heartbeat and progress from a thread with a connection of its own, outside the handler's transaction."""
    progress = Progress()
    thread = threading.Thread(target=_beat, args=(job, progress), daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        progress.stop.set()
        thread.join()


def _beat(job: Job, progress: Progress) -> None:
    try:
        while not progress.stop.wait(BEAT_SECONDS):
            Job.objects.filter(id=job.id, attempt=job.attempt, state=Job.State.RUNNING).update(
                heartbeat_at=timezone.now(), done=progress.done, total=progress.total, step=progress.step
            )
    finally:
        connection.close()
