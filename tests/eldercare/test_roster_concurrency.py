"""Two at once, killed in the middle, rung twice: no double, no half batch."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError

from eldercare import tasks
from eldercare.models import Circumstance, Elder, ImportBatch, StagedRow
from eldercare.roster.checking import RosterCheck
from eldercare.roster.writing import plan_apply
from eldercare.services import roster
from eldercare.services.roster import RosterRefused, roster_commit, roster_undo
from operations.models import Job
from operations.services.job import HANDLERS, job_create, job_run
from tests.eldercare.rosters import OTHER_VILLAGE, checked, held, imported, person, workbook
from tests.races import IN_VAIN, SURELY, at_once, met_before, raised

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("villages"),
]


def meet_before_writing(monkeypatch: pytest.MonkeyPatch, wait: float) -> None:
    """Let two look at the registry before either writes to it, as far as the lock lets them."""
    monkeypatch.setattr(roster, "plan_apply", met_before(plan_apply, wait))


def two_files() -> tuple[ImportBatch, ImportBatch]:
    people = range(1, 40)
    first = checked(workbook([person(serial, 特困供养="分散") for serial in people]))
    second = checked(workbook([person(serial, 特困供养="集中") for serial in people]), as_of=date(2026, 6, 1))
    return first, second


def test_without_the_lock_two_files_with_the_same_people_clash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the race is real, and even then the database lets nobody in twice."""
    monkeypatch.setattr(roster, "_serialize", lambda cursor: None)
    meet_before_writing(monkeypatch, SURELY)
    first, second = two_files()
    results = at_once(lambda: roster_commit(batch=first), lambda: roster_commit(batch=second))
    assert [type(error) for error in raised(results)] == [IntegrityError]
    assert Elder.objects.count() == 39


def test_two_files_with_the_same_people_are_written_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meet_before_writing(monkeypatch, IN_VAIN)
    first, second = two_files()
    results = at_once(lambda: roster_commit(batch=first), lambda: roster_commit(batch=second))
    assert sorted(result.counts["created"] for result in results) == [0, 39]
    assert Elder.objects.count() == 39
    assert [value for value, _, _ in held(person(1), "destitute")] == ["分散", "集中"]


def test_the_same_file_sent_by_two_people_is_written_once() -> None:
    content = workbook([person(serial) for serial in range(1, 40)])
    batches = [checked(content), checked(content)]
    results = at_once(*(lambda batch=batch: roster_commit(batch=batch) for batch in batches))
    assert sorted(result.counts["created"] for result in results) == [0, 39]
    assert Circumstance.objects.filter(kind="hukou").count() == 39


def test_a_double_click_on_confirm_writes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    meet_before_writing(monkeypatch, IN_VAIN)
    batch = checked(workbook([person(serial) for serial in range(1, 40)]))
    results = at_once(*[lambda: roster_commit(batch=batch)] * 4)
    assert {result.counts["created"] for result in results} == {39}
    assert Elder.objects.count() == 39


def test_commit_and_undo_at_once_leave_all_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = imported(*(person(serial) for serial in range(1, 20)))
    second = checked(
        workbook([person(serial, 户籍区划=OTHER_VILLAGE) for serial in range(1, 20)]), as_of=date(2026, 6, 1)
    )
    meet_before_writing(monkeypatch, IN_VAIN)
    undone, written = at_once(lambda: roster_undo(batch=first), lambda: roster_commit(batch=second))
    assert Elder.objects.count() == 19
    if isinstance(undone, RosterRefused):
        assert written.counts["updated"] == 19
    else:
        assert written.counts["created"] == 19


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours runs after it."""


@pytest.mark.parametrize("point", ["plan_build", "plan_apply", "_record", "staged_clear"])
def test_a_commit_killed_anywhere_leaves_nothing_and_can_be_done_again(
    point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = checked(workbook([person(1), person(2)]))

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(roster, point, die)
        with pytest.raises(Killed):
            roster_commit(batch=batch)
    assert not Elder.objects.exists()
    assert StagedRow.objects.count() == 2
    assert roster_commit(batch=batch).counts["created"] == 2


def test_a_check_killed_in_the_middle_is_done_again_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = roster.roster_upload(name="x.xlsx", content=workbook([person(1), person(2)]))

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(RosterCheck, "compare", die)
        with pytest.raises(Killed):
            roster.roster_check(batch=batch)
    assert not StagedRow.objects.exists()
    assert roster.roster_check(batch=batch).counts["created"] == 2


def test_jobs_check_and_commit_and_may_be_rung_twice() -> None:
    batch = roster.roster_upload(name="x.xlsx", content=workbook([person(1)]))
    assert HANDLERS["roster_commit"] is tasks.commit_roster
    for kind in ("roster_check", "roster_commit"):
        job = job_create(kind=kind, title="导入", params={"batch": batch.pk}, ring=lambda job_id: None)
        assert job_run(job_id=str(job.pk))
        assert not job_run(job_id=str(job.pk))
        job.refresh_from_db()
        assert job.state == Job.State.DONE
    assert Elder.objects.count() == 1


def test_a_job_that_may_not_commit_says_why() -> None:
    batch = checked(workbook([person(1, 低保="也许")]))
    job = job_create(kind="roster_commit", title="导入", params={"batch": batch.pk}, ring=lambda job_id: None)
    job_run(job_id=str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error[:14]) == (Job.State.FAILED, "有 1 行没有通过核对，按“")
