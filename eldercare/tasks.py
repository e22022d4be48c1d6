"""Background work of the registry."""

from typing import Any

from celery import shared_task

from eldercare.models import ImportBatch
from eldercare.services.circumstance import elder_areas_refresh
from eldercare.services.roster import RosterRefused, roster_check, roster_commit
from operations.models import Job
from operations.services.job import JobError, Progress, job_handler


@job_handler("roster_check")
def check_roster(job: Job, progress: Progress) -> dict[str, Any]:
    """Check an uploaded roster. params: {"batch": id}."""
    batch = roster_check(batch=ImportBatch.objects.get(pk=job.params["batch"]), progress=progress)
    return {"batch": batch.pk, "state": batch.state, **batch.counts}


@job_handler("roster_commit")
def commit_roster(job: Job, progress: Progress) -> dict[str, Any]:
    """Write a checked roster. params: {"batch": id, "mode": "all" | "valid"}."""
    batch = ImportBatch.objects.get(pk=job.params["batch"])
    try:
        batch = roster_commit(
            batch=batch, mode=job.params.get("mode"), actor=job.created_by, progress=progress
        )
    except RosterRefused as refusal:
        raise JobError(str(refusal)) from refusal
    return {"batch": batch.pk, "state": batch.state, **batch.counts}


@shared_task
def areas_refresh() -> None:
    """Let registered changes of area take effect on their day."""
    elder_areas_refresh()
