"""Checking and committing a roster in the background, asked for by a page."""

from datetime import date

from django.db import transaction

from eldercare.models import ImportBatch
from eldercare.services.roster import RosterRefused, roster_upload
from operations.services.job import job_create
from operations.tasks import job_run
from organization.models import User


@transaction.atomic
def roster_check_request(*, name: str, content: bytes, as_of: date, user: User) -> ImportBatch:
    """Keep a file and have it checked. Raises RosterRefused for what is no roster file."""
    batch = roster_upload(name=name, content=content, as_of=as_of, created_by=user)
    return _start(batch, "roster_check", f"核对 {batch.file.name}", {}, user)


@transaction.atomic
def roster_commit_request(*, batch: ImportBatch, mode: ImportBatch.Mode, user: User) -> ImportBatch:
    """Have a checked batch written; a second click changes nothing. Raises RosterRefused in other states."""
    batch = ImportBatch.objects.select_for_update(of=("self",)).select_related("file", "job").get(pk=batch.pk)
    if batch.state == ImportBatch.State.COMMITTED or (batch.job and not batch.job.is_over):
        return batch
    if batch.state != ImportBatch.State.READY:
        raise RosterRefused(f"这一批现在是“{batch.get_state_display()}”，不能入库；请重新上传。")
    return _start(batch, "roster_commit", f"入库 {batch.file.name}", {"mode": mode.value}, user)


def _start(batch: ImportBatch, kind: str, title: str, params: dict[str, str], user: User) -> ImportBatch:
    job = job_create(
        kind=kind,
        title=title[:120],
        params={"batch": batch.pk, **params},
        ring=job_run.delay,
        created_by=user,
    )
    batch.job = job
    batch.save(update_fields=["job"])
    return batch
