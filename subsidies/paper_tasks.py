"""Long papers in the background; the file is there for a day, for the person who ordered it."""

from datetime import datetime, timedelta
from typing import Any, Final

from celery import shared_task
from django.utils import timezone

from operations.models import Job, StoredFile
from operations.services.job import JobError, Progress, job_create, job_handler
from operations.services.stored_file import stored_file_create
from operations.tasks import job_run
from organization.models import User
from subsidies.papers.making import MIMES, Order, paper_make
from subsidies.refusals import MoneyRefusedError

KIND: Final = "paper"
KEPT: Final = timedelta(days=1)


@job_handler(KIND)
def make(job: Job, progress: Progress) -> dict[str, Any]:
    """Make the paper ordered in the job's parameters and keep it."""
    if job.created_by is None:
        raise JobError("没有申请人，请重新生成")
    progress.report("正在排版")
    try:
        paper = paper_make(order=Order(**job.params), actor=job.created_by)
    except MoneyRefusedError as refusal:
        raise JobError(str(refusal)) from refusal
    stored = stored_file_create(name=paper.name, content=paper.content, created_by=job.created_by)
    return {"file": str(stored.pk), "name": paper.name, "mark": paper.mark, "size": stored.size}


def paper_request(*, order: Order, title: str, created_by: User) -> Job:
    """Put a paper on the list; the same one that still waits or works is returned instead of a second."""
    params = order.params()
    open_job = Job.objects.filter(
        kind=KIND,
        params=params,
        created_by=created_by,
        state__in=[Job.State.WAITING, Job.State.RUNNING],
    ).first()
    return open_job or job_create(
        kind=KIND, title=title[:120], params=params, ring=job_run.delay, created_by=created_by
    )


def paper_of(job: Job, now: datetime) -> StoredFile | None:
    """The file that a job left, while it is kept."""
    if job.finished_at is None or now - job.finished_at > KEPT:
        return None
    return StoredFile.objects.filter(pk=job.result.get("file")).first() if job.result.get("file") else None


def mime_of(name: str) -> str:
    """Content type of a paper by its name."""
    return MIMES[name.rpartition(".")[2]]


@shared_task
def papers_expire() -> int:
    """Remove the files of papers that were kept for a day; return how many."""
    over = Job.objects.filter(kind=KIND, finished_at__lt=timezone.now() - KEPT, result__has_key="file")
    stored = StoredFile.objects.filter(pk__in=list(over.values_list("result__file", flat=True)))
    count = 0
    for file in stored:
        file.content.delete(save=False)
        file.delete()
        count += 1
    return count
