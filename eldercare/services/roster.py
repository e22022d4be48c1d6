"""A roster file's way: upload → check (preview) → commit, and undo.

Locks: one advisory lock serialises commits and undos; the elders met are row-locked after it, so that single changes
(eldercare.services.circumstance) wait too. The state change in the same transaction makes every step happen once.
"""

from datetime import date
from typing import Any, Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from eldercare.models import ImportBatch, StagedRow
from eldercare.reading.gate import FileRefused, file_kind
from eldercare.roster.checking import RosterCheck
from eldercare.roster.error_workbook import error_workbook
from eldercare.roster.findings import out_of_scope
from eldercare.roster.plan import Layouts, plan_build, plan_counts
from eldercare.roster.scope import scope_of
from eldercare.roster.staging import staged_clear
from eldercare.roster.undoing import undo_apply, undo_obstacles
from eldercare.roster.writing import plan_apply
from operations.services.audit import audit_record
from operations.services.job import Progress
from operations.services.stored_file import stored_file_create, stored_file_read
from organization.models import User

State = ImportBatch.State
Mode = ImportBatch.Mode

LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('eldercare_roster'))"
HAS_ERRORS: Final = (
    "有 {errors} 行没有通过核对，按“全部正确才入库”没有写入任何数据；请改正后重新上传，或选择“正确的先入库”"
)
NOTHING_GOOD: Final = "没有一行通过核对，没有数据可入库；请按错误清单改正后重新上传"
LOST: Final = "核对结果已失效（系统曾异常重启）；请重新上传同一文件"
MOVED: Final = "核对之后，您的管理范围有变动，或有人已在您管理范围之外登记；请重新上传同一文件"
NOWHERE: Final = "您现在没有可导入花名册的区划；请联系安全管理员授权后重新上传"
WRONG_STATE: Final = "这一批次现在是“{state}”，不能{act}"


class RosterRefused(Exception):
    """The step cannot be done; the message is a Chinese sentence for the person who asked for it."""


def roster_upload(
    *,
    name: str,
    content: bytes,
    as_of: date | None = None,
    mode: str = Mode.ALL,
    created_by: User | None = None,
) -> ImportBatch:
    """Keep a file as a batch to be checked. Raises RosterRefused for what is no spreadsheet or too big."""
    try:
        file_kind(content)
    except FileRefused as refusal:
        raise RosterRefused(str(refusal)) from None
    stored = stored_file_create(name=name, content=content, created_by=created_by)
    return ImportBatch.objects.create(
        file=stored, as_of=as_of or timezone.localdate(), mode=mode, created_by=created_by
    )


def roster_check(*, batch: ImportBatch, progress: Progress | None = None) -> ImportBatch:
    """Read, clean, stage and compare a batch; it becomes READY with counts and report, or REFUSED with a reason."""
    progress = progress or Progress()
    content = stored_file_read(stored=batch.file)
    try:
        with transaction.atomic():
            batch = (
                ImportBatch.objects.select_for_update(of=("self",)).select_related("file").get(pk=batch.pk)
            )
            if batch.state == State.CHECKING:
                _check(batch, content, progress)
    except FileRefused as refusal:
        ImportBatch.objects.filter(pk=batch.pk, state=State.CHECKING).update(
            state=State.REFUSED, report={"refusal": str(refusal)}, counts={}
        )
        batch.refresh_from_db()
    return batch


def _check(batch: ImportBatch, content: bytes, progress: Progress) -> None:
    staged_clear(batch.pk)
    scope = scope_of(batch.created_by)
    if scope == ():
        raise FileRefused(NOWHERE)
    check = RosterCheck(batch_id=batch.pk, as_of=batch.as_of, today=timezone.localdate(), scope=scope)
    check.read(content, progress)
    progress.report("与登记对照", check.total, check.total)
    batch.counts = check.compare()
    batch.report = check.report.as_json()
    batch.report["notices"] += _sent_before(batch)
    batch.columns = check.layouts
    if check.report.refused:
        progress.report("生成错误清单", check.total, check.total)
        workbook = error_workbook(content, check.report.by_row(), check.places)
        name = f"错误清单-{batch.file.name.rsplit('.', 1)[0]}.xlsx"
        batch.errors_file = stored_file_create(name=name, content=workbook, created_by=batch.created_by)
    batch.state = State.READY
    batch.save(update_fields=["counts", "report", "columns", "errors_file", "state"])


def _sent_before(batch: ImportBatch) -> list[str]:
    same = ImportBatch.objects.filter(file__sha256=batch.file.sha256, state=State.COMMITTED).exclude(
        pk=batch.pk
    )
    return [
        f"同一文件已作为「{former.file.name}」入库（批次 {former.pk}）"
        for former in same.select_related("file")[:3]
    ]


def roster_commit(
    *,
    batch: ImportBatch,
    mode: str | None = None,
    actor: User | None = None,
    progress: Progress | None = None,
) -> ImportBatch:
    """Write a checked batch, whole or not at all; a second call finds it done. Raises RosterRefused."""
    if progress is not None:
        progress.report("写入登记")
    with transaction.atomic(), connection.cursor() as cursor:
        _serialize(cursor)
        now = timezone.now()
        claimed = ImportBatch.objects.filter(pk=batch.pk, state=State.READY).update(
            state=State.COMMITTED, committed_at=now
        )
        batch = ImportBatch.objects.select_related("file", "created_by").get(pk=batch.pk)
        if claimed != 1:
            return _already(batch, "入库")
        batch.mode = mode or batch.mode
        _may_commit(batch)
        _write(cursor, batch, actor)
    return batch


def _write(cursor: CursorWrapper, batch: ImportBatch, actor: User | None) -> None:
    scope = scope_of(actor or batch.created_by)
    if scope == ():
        raise RosterRefused(NOWHERE)
    layouts = Layouts(batch.columns)
    plan_build(cursor, batch_id=batch.pk, layouts=layouts, lock=True)
    # Asked once the elders are held: until then a single change may still move one away.
    if any(out_of_scope(cursor, batch.pk, scope)):
        raise RosterRefused(MOVED)
    created, updated, unchanged = plan_counts(cursor)
    plan_apply(cursor, batch_id=batch.pk, layouts=layouts, today=timezone.localdate())
    repeated = int(batch.counts.get("repeated", 0))
    batch.counts |= {"created": created, "updated": updated, "unchanged": unchanged + repeated}
    batch.save(update_fields=["mode", "counts"])
    _record("花名册入库", batch, actor, batch.counts)
    staged_clear(batch.pk)


def _may_commit(batch: ImportBatch) -> None:
    if batch.mode == Mode.ALL and batch.counts["errors"]:
        raise RosterRefused(HAS_ERRORS.format(errors=batch.counts["errors"]))
    expected = batch.counts["rows"] - batch.counts["errors"] - batch.counts.get("repeated", 0)
    if not expected:
        raise RosterRefused(NOTHING_GOOD)
    if StagedRow.objects.filter(batch=batch).count() != expected:
        raise RosterRefused(LOST)


def roster_discard(*, batch: ImportBatch) -> ImportBatch:
    """Give up a batch that was checked but not committed."""
    with transaction.atomic():
        done = ImportBatch.objects.filter(pk=batch.pk, state__in=(State.READY, State.CHECKING)).update(
            state=State.REFUSED
        )
        batch.refresh_from_db()
        if not done and batch.state != State.REFUSED:
            raise RosterRefused(WRONG_STATE.format(state=batch.get_state_display(), act="退回"))
        staged_clear(batch.pk)
    return batch


def roster_recheck(*, batch: ImportBatch) -> ImportBatch:
    """Send a batch back to be checked again, as after a crash took its staged rows."""
    ImportBatch.objects.filter(pk=batch.pk, state=State.READY).update(state=State.CHECKING)
    return roster_check(batch=batch)


def roster_undo(*, batch: ImportBatch, actor: User | None = None) -> ImportBatch:
    """Take a committed batch back; refused, saying why, if later work rests on it."""
    with transaction.atomic(), connection.cursor() as cursor:
        _serialize(cursor)
        claimed = ImportBatch.objects.filter(pk=batch.pk, state=State.COMMITTED).update(state=State.UNDONE)
        batch = ImportBatch.objects.select_related("file").get(pk=batch.pk)
        if claimed != 1:
            if batch.state == State.UNDONE:
                return batch
            raise RosterRefused(WRONG_STATE.format(state=batch.get_state_display(), act="撤销"))
        _hold_elders(cursor, batch.pk)
        if reasons := undo_obstacles(batch):
            raise RosterRefused(f"不能撤销：{'；'.join(reasons)}")
        undo_apply(cursor, batch.pk)
        _record("撤销花名册", batch, actor, batch.counts)
    return batch


def _serialize(cursor: CursorWrapper) -> None:
    """Wait for other commits and undos to end."""
    cursor.execute(LOCK)


def _hold_elders(cursor: CursorWrapper, batch_id: int) -> None:
    """Keep single changes away while a batch is taken back."""
    cursor.execute(
        """SELECT e.id FROM eldercare_elder e JOIN eldercare_importchange c ON c.elder_id = e.id
           WHERE c.batch_id = %s ORDER BY e.id FOR UPDATE OF e""",
        [batch_id],
    )


def _already(batch: ImportBatch, act: str) -> ImportBatch:
    if batch.state == State.COMMITTED:
        return batch
    raise RosterRefused(WRONG_STATE.format(state=batch.get_state_display(), act=act))


def _record(action: str, batch: ImportBatch, actor: User | None, counts: dict[str, Any]) -> None:
    audit_record(
        action=action,
        subject=f"导入批次 {batch.pk}",
        actor=actor or batch.created_by,
        data={"file": batch.file.name, "sha256": batch.file.sha256, "mode": batch.mode, **counts},
    )
