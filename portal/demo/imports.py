"""Files that the demonstration's clerk imports."""

from datetime import date

from eldercare.models import ImportBatch
from eldercare.services.roster import roster_check, roster_commit, roster_upload
from organization.choices import Role
from portal.demo.accounts import person


class DemoRefusedError(Exception):
    """The demonstration cannot be built; the message is a Chinese sentence."""


def roster_import(*, name: str, content: bytes, as_of: date) -> dict[str, int]:
    """Upload, check and commit a file whole; return its counts. Raises DemoRefusedError where a row is refused."""
    clerk = person(Role.BUREAU_CLERK)
    batch = roster_check(batch=roster_upload(name=name, content=content, as_of=as_of, created_by=clerk))
    if batch.state != ImportBatch.State.READY or batch.counts["errors"]:
        raise DemoRefusedError(f"{name} 没有通过核对：{batch.report}")
    counts: dict[str, int] = roster_commit(batch=batch, actor=clerk).counts
    return counts
