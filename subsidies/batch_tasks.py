"""Building a batch in the background."""

from collections.abc import Sequence
from typing import Any, Final

from operations.models import Job
from operations.services.job import JobError, Progress, job_create, job_handler
from operations.tasks import job_run
from organization.models import User
from subsidies.models import Batch, Month
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch import batch_build

KIND: Final = "batch_build"


@job_handler(KIND)
def build(job: Job, progress: Progress) -> dict[str, Any]:
    """Build the draft named in the job; after a lost answer give the one that was built."""
    month = Month.objects.get(pk=job.params["month_id"])
    if job.created_by is None:
        raise JobError("没有制单人，请重新生成批次")
    built = Batch.objects.filter(
        month=month, kind=job.params["kind"], made_by=job.created_by, made_at__gte=job.created_at
    )
    try:
        batch = built.order_by("made_at").first() or batch_build(
            month=month,
            kind=job.params["kind"],
            actor=job.created_by,
            item_ids=job.params["item_ids"],
            report=progress.report,
        )
    except MoneyRefusedError as error:
        raise JobError(str(error)) from error
    return {"batch_id": batch.pk, "number": batch.number, "lines": batch.lines, "amount": str(batch.amount)}


def batch_build_request(
    *, month: Month, kind: str, item_ids: Sequence[int] | None = None, created_by: User
) -> Job:
    """Put a build on the list; one of the month and kind that still waits or works is returned instead of a second."""
    open_job = Job.objects.filter(
        kind=KIND,
        params__month_id=month.pk,
        params__kind=str(kind),
        state__in=[Job.State.WAITING, Job.State.RUNNING],
    ).first()
    if open_job:
        return open_job
    return job_create(
        kind=KIND,
        title=f"生成 {month.month:%Y年%m月}{kind}批次",
        params={
            "month_id": month.pk,
            "kind": str(kind),
            "item_ids": None if item_ids is None else sorted(item_ids),
        },
        ring=job_run.delay,
        created_by=created_by,
    )
