"""Celery's side of background jobs."""

from celery import shared_task

from operations.services import job as jobs


@shared_task
def job_run(job_id: str) -> bool:
    """Do one job, unless somebody else is at it."""
    return jobs.job_run(job_id=job_id)


@shared_task
def jobs_ring() -> int:
    """Ring again for jobs whose bell was lost or whose worker died."""
    waiting = jobs.jobs_waiting()
    for job_id in waiting:
        job_run.delay(job_id)
    return len(waiting)
