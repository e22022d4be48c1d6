"""Background work of the month."""

from datetime import date
from typing import Any

from celery import shared_task
from django.utils import timezone

from catalog.selectors import counties_applied
from operations.models import Job
from operations.services.job import JobError, Progress, job_create, job_handler
from operations.tasks import job_run
from organization.models import User
from subsidies.services.application import application_notices_end
from subsidies.services.certification import certification_rounds_ensure, certifications_refresh
from subsidies.services.month import MonthRefusedError, month_run
from subsidies.services.notice import notices_end

KIND = "month_run"


@job_handler(KIND)
def run(job: Job, progress: Progress) -> dict[str, Any]:
    """Run the month named in the job; safe to repeat."""
    try:
        month = month_run(
            county_code=job.params["county_code"],
            month=date.fromisoformat(job.params["month"]),
            report=progress.report,
        )
    except MonthRefusedError as error:
        raise JobError(str(error)) from error
    formed = month.published_at is not None and month.published_at >= job.created_at
    return {
        "month_id": month.pk,
        "revision": month.revision,
        "persons": month.persons,
        "formed": formed,  # a version of its own; else nothing had changed and the one before stays
    }


def month_run_request(*, county_code: str, month: date, created_by: User | None = None) -> Job:
    """Put a run on the list; one that still waits or works is returned instead of a second."""
    params = {"county_code": county_code, "month": month.isoformat()}
    open_job = Job.objects.filter(
        kind=KIND, params=params, state__in=[Job.State.WAITING, Job.State.RUNNING]
    ).first()
    if open_job:
        return open_job
    return job_create(
        kind=KIND, title=f"核定 {month:%Y年%m月}", params=params, ring=job_run.delay, created_by=created_by
    )


@shared_task
def notices_end_daily() -> int:
    """After midnight: step on with every batch whose public notice ended with yesterday."""
    return notices_end(today=timezone.localdate())


@shared_task
def month_open() -> list[str]:
    """On the 1st: ask for the run of the month that begins, for every county with a list."""
    month = timezone.localdate().replace(day=1)
    return [str(month_run_request(county_code=county, month=month).pk) for county in counties_applied()]


@shared_task
def application_notices_end_daily() -> int:
    """Each day, before a month may begin: enrol those whose public notice is over."""
    return application_notices_end(today=timezone.localdate())


@shared_task
def certifications_refresh_daily() -> int:
    """Each day: open the rounds of the calendar, take visits as proofs, suspend the overdue, resume the certified."""
    today = timezone.localdate()
    certification_rounds_ensure(today=today)
    return sum(certifications_refresh(today=today))
