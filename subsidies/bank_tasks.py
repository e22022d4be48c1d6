"""Payment and return files in the background; an uploaded file is kept before anything is done with it."""

from typing import Any, Final

from django.db import transaction

from operations.models import Job, StoredFile
from operations.services.job import JobError, Progress, job_create, job_handler
from operations.services.stored_file import stored_file_create, stored_file_read
from operations.tasks import job_run
from organization.models import User
from subsidies.models import Batch
from subsidies.refusals import MoneyRefusedError
from subsidies.services.bank import bank_file_make
from subsidies.services.bank_return import return_import

FILE: Final = "bank_file"
RETURN: Final = "bank_return"


@job_handler(FILE)
def make_file(job: Job, progress: Progress) -> dict[str, Any]:
    """Write a payment file. params: {"batch": id, "profile": id}."""
    try:
        file = bank_file_make(
            batch_id=job.params["batch"],
            profile_id=job.params["profile"],
            actor=_asker(job),
            report=progress.report,
        )
    except MoneyRefusedError as refusal:
        raise JobError(str(refusal)) from refusal
    return {"bank_file": file.pk, "batch": file.batch_id, "lines": file.lines, "amount": str(file.amount)}


@job_handler(RETURN)
def take_return(job: Job, progress: Progress) -> dict[str, Any]:
    """Take a kept return file in. params: {"batch": id, "stored": uuid}."""
    stored = StoredFile.objects.get(pk=job.params["stored"])
    try:
        file = return_import(
            batch_id=job.params["batch"],
            name=stored.name,
            content=stored_file_read(stored=stored),
            actor=_asker(job),
            stored=stored,
            report=progress.report,
        )
    except MoneyRefusedError as refusal:
        raise JobError(str(refusal)) from refusal
    return {
        "return_file": file.pk,
        "batch": file.batch_id,
        "repeated": file.stored_id != stored.pk,
        **file.counts,
    }


def bank_file_request(*, batch_id: int, profile_id: int, created_by: User) -> Job:
    """Put the writing of a payment file on the list; one that still waits or works is returned instead of a second."""
    params = {"batch": batch_id, "profile": profile_id}
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if open_job := _open(FILE, params):
            return open_job
        return job_create(
            kind=FILE, title=f"生成银行文件 {batch}", params=params, ring=job_run.delay, created_by=created_by
        )


def bank_return_request(*, batch_id: int, name: str, content: bytes, created_by: User) -> Job:
    """Keep a return file and put its import on the list; the same bytes still waiting are not put there twice."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        stored = stored_file_create(name=name, content=content, created_by=created_by)
        for job in Job.objects.filter(kind=RETURN, params__batch=batch_id, state__in=_UNDER_WAY):
            same = StoredFile.objects.filter(pk=job.params["stored"], sha256=stored.sha256)
            if same.exists():
                return job
        return job_create(
            kind=RETURN,
            title=f"导入回盘 {batch} {stored.name}"[:120],
            params={"batch": batch_id, "stored": str(stored.pk)},
            ring=job_run.delay,
            created_by=created_by,
        )


_UNDER_WAY: Final = (Job.State.WAITING, Job.State.RUNNING)


def _open(kind: str, params: dict[str, Any]) -> Job | None:
    return Job.objects.filter(kind=kind, params=params, state__in=_UNDER_WAY).first()


def _asker(job: Job) -> User:
    if job.created_by is None:
        raise JobError("任务没有提交人，没有办理；请登录后重新提交")
    return job.created_by
