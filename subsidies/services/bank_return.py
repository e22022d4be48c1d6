"""Taking in a bank's return file (回盘): each row is kept with what it did; lines, ledger and batch in one transaction.

Lock: the batch's row, taken after the file was read and before anything is judged.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from operations.crypto import blind_index, decrypt
from operations.models import StoredFile
from operations.services.audit import audit_record
from operations.services.stored_file import stored_file_create
from organization.models import User
from subsidies.choices import BatchAction, BatchState, PaymentState, Verdict
from subsidies.layout_reader import LayoutError
from subsidies.models import Batch, Payment, ReturnFile, ReturnRow
from subsidies.refusals import MoneyRefusedError
from subsidies.return_file import ReturnLine, read_return
from subsidies.return_judging import (
    APPLY,
    CHANGES,
    COPY_INPUT,
    COUNT,
    CREATE_INPUT,
    INPUT,
    JUDGE,
    JUDGED,
    KEEP,
    MASKED,
    REFUSE_MASKED,
)
from subsidies.return_layout import ReturnLayout, return_layout
from subsidies.services.bank import Report, silent
from subsidies.services.batch_transition import NOTE_LENGTH, batch_lock, transition_open, transition_write
from subsidies.services.ledger import LineChange, return_post

CHUNK: Final = 2_000
MANY: Final = 10_000
OPEN: Final = (BatchState.SENT, BatchState.RETURNED, BatchState.CLOSED)
REPEATED: Final = "重复导入回盘"


@dataclass(frozen=True)
class _Change:
    """Lines of one item that went from one state to another; amount: Σ of what the bank pays."""

    item_id: int
    before: str
    after: str
    lines: int
    amount: Decimal


def return_import(
    *,
    batch_id: int,
    name: str,
    content: bytes,
    actor: User,
    stored: StoredFile | None = None,
    report: Report = silent,
) -> ReturnFile:
    """Take a return file in; the same bytes again give the first import and an audit entry only.

    stored: where the content is kept already. After 关闭 only a file with a 退票 is taken: it opens the batch again.
    Raises MoneyRefusedError for a batch that is not with the bank or a file that cannot be read as its return.
    """
    digest = hashlib.sha256(content).hexdigest()
    batch = Batch.objects.select_related("bank_file__profile").get(pk=batch_id)
    if known := _known(batch, digest, name, actor):
        return known
    _refuse_state(batch)
    layout = _layout(batch)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CREATE_INPUT)
        named: set[str] = set()
        total = _stage(cursor, read_return(content, layout, named), named, batch, report)
        cursor.execute(f"ANALYZE {INPUT}")
        _refuse_tails(cursor, batch)
        # the same bytes for two batches at once: the second one sees the first
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('return_import'), hashtext(%s))", [digest])
        batch = batch_lock(batch_id)
        if known := _known(batch, digest, name, actor):
            return known
        _refuse_state(batch)
        transition_open(batch=batch, action=BatchAction.RETURN, actor=actor)
        report("核对明细", 0, total)
        cursor.execute(JUDGE, {"batch": batch.pk})
        cursor.execute(f"ANALYZE {JUDGED}")
        changes, counts = _changes(cursor), _counts(cursor)
        if batch.state == BatchState.CLOSED and not any(c.before == PaymentState.PAID for c in changes):
            raise MoneyRefusedError(
                f"批次 {batch} 已关闭，关闭后只收退票；这个文件里没有已发明细的退票，没有导入"
            )
        report("更新明细", 0, total)
        cursor.execute(APPLY)
        kept = stored or stored_file_create(name=name, content=content, created_by=actor)
        file = ReturnFile.objects.create(
            batch=batch,
            stored=kept,
            name=kept.name,
            sha256=digest,
            rows=total,
            counts=counts,
            uploaded_by=actor,
        )
        report("保存回盘明细", 0, total)
        cursor.execute(KEEP, {"file": file.pk})
        return_post(
            file=file,
            changes=[LineChange(c.item_id, c.before, c.after, c.amount) for c in changes],
            actor=actor,
        )
        _write(batch, file, changes, actor)
    if total >= MANY:
        # autovacuum would notice only later, and the pages that follow would be planned for an empty table
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {Payment._meta.db_table}, {ReturnRow._meta.db_table}")
    return file


def _known(batch: Batch, digest: str, name: str, actor: User) -> ReturnFile | None:
    """Return the import of the same bytes, if there is one; that somebody tried again is audited.

    Raises MoneyRefusedError if they were taken in for another batch of the county.
    """
    file = ReturnFile.objects.filter(batch=batch, sha256=digest).first()
    if file is not None:
        audit_record(
            action=REPEATED,
            subject=f"batch:{batch.number}",
            actor=actor,
            data={"file": file.pk, "name": name[:255], "sha256": digest},
        )
        return file
    same = ReturnFile.objects.filter(batch__county_code=batch.county_code, sha256=digest)
    if other := same.select_related("batch").first():
        raise MoneyRefusedError(
            f"这个文件已作为批次 {other.batch} 的回盘导入过，不能再导入批次 {batch}；"
            "请核对是否选错文件，并向银行取本批次的回盘"
        )
    return None


def _refuse_state(batch: Batch) -> None:
    if batch.state in OPEN:
        return
    if batch.state == BatchState.VOID:
        raise MoneyRefusedError(f"批次 {batch} 已作废，没有报送银行；请核对回盘属于哪个批次")
    raise MoneyRefusedError(
        f"批次 {batch} 现为“{batch.state}”，还没有报送银行，不能导入回盘；请先下载银行文件并登记报送"
    )


def _layout(batch: Batch) -> ReturnLayout:
    file = getattr(batch, "bank_file", None)
    if file is None:
        raise MoneyRefusedError(f"批次 {batch} 没有银行文件，不知道回盘是哪种格式；请先生成银行文件")
    try:
        return return_layout(file.profile.return_layout)
    except LayoutError as error:
        raise MoneyRefusedError(
            f"银行文件格式“{file.profile}”的回盘设置有误，请数据管理员更正：{error}"
        ) from error


def _stage(
    cursor: CursorWrapper, lines: Iterator[ReturnLine], named: set[str], batch: Batch, report: Report
) -> int:
    """Copy the rows to the temporary table; return their number. Refuses a file without a readable row of ours.

    named: batch numbers in the file's rows of totals; whole when the lines have been read.
    """
    total, ours, readable = 0, 0, 0
    sample, others = "", set[str]()
    has_number, first_paid = False, date.max
    with cursor.copy(COPY_INPUT) as copy:
        for line in lines:
            foreign = bool(line.batch) and line.batch != batch.number.upper()
            if foreign and len(others) < 3:
                others.add(line.batch)
            copy.write_row(_columns(line, foreign))
            total += 1
            ours += not foreign
            readable += line.result is not None
            has_number = has_number or bool(line.batch)
            if line.result == Verdict.PAID and line.paid_on:
                first_paid = min(first_paid, line.paid_on)
            sample = sample or line.text
            if total % CHUNK == 0:
                report("读取回盘", total, batch.lines)
    if strangers := sorted(named - {batch.number}):
        raise MoneyRefusedError(
            f"文件汇总行写的批次号是 {'、'.join(strangers)}，不是本批次 {batch}，没有导入；"
            "请核对是否选错文件，或到该批次导入"
        )
    if not total:
        raise MoneyRefusedError("文件里没有一行回盘结果；请核对是否选错文件")
    if not readable:
        raise MoneyRefusedError(
            f"文件里 {total} 行都无法识别（首行{sample}），没有导入；请核对是否选错文件，"
            f"或请数据管理员更正银行文件格式“{batch.bank_file.profile}”的回盘设置"
        )
    if not ours:
        raise MoneyRefusedError(
            f"文件里写的批次号是 {'、'.join(sorted(others))}，不是本批次 {batch}；请到该批次导入"
        )
    if not (has_number or named):
        _refuse_earlier(batch, first_paid)
    return total


def _refuse_earlier(batch: Batch, first_paid: date) -> None:
    """Raise MoneyRefusedError if the money arrived before the bank had the batch: the return is an older one's."""
    sent = batch.steps.filter(action=BatchAction.SEND).order_by("id").last()
    day = timezone.localdate(sent.at) if sent else date.min
    if first_paid < day:
        raise MoneyRefusedError(
            f"文件里没有批次号，而最早的入账日期 {first_paid} 早于本批次 {batch} 报送银行的日期 {day}，没有导入；"
            "请核对是否选了以前批次的回盘"
        )


def _refuse_tails(cursor: CursorWrapper, batch: Batch) -> None:
    """Mark the rows whose masked account ends otherwise than the line's."""
    cursor.execute(MASKED, {"batch": batch.pk})
    wrong = []
    while rows := cursor.fetchmany(CHUNK):
        wrong += [row for row, tail, account in rows if not decrypt(account).endswith(tail)]
    if wrong:
        cursor.execute(REFUSE_MASKED, {"rows": wrong})


def _columns(line: ReturnLine, foreign: bool) -> tuple[object, ...]:
    text = line.text
    if foreign:
        text = f"批次 {line.batch[:20]}，序号 {line.line}：{text}"[:120]
    account = blind_index(line.account) if line.account else None
    return (
        line.row, foreign, line.line, line.amount, account, line.result, line.reason, text, line.paid_on,
        line.tail,
    )  # fmt: skip


def _counts(cursor: CursorWrapper) -> dict[str, int]:
    cursor.execute(COUNT)
    return {str(verdict): int(number) for verdict, number in cursor.fetchall()}


def _changes(cursor: CursorWrapper) -> list[_Change]:
    cursor.execute(CHANGES)
    return [_Change(*row) for row in cursor.fetchall()]


def _write(batch: Batch, file: ReturnFile, changes: list[_Change], actor: User) -> None:
    """Write step and audit; a file that changed nothing leaves the batch where it is."""
    was_closed = batch.state == BatchState.CLOSED
    state = BatchState.RETURNED if changes else BatchState(batch.state)
    counts = file.counts
    said = "，".join(f"{verdict} {counts[verdict]} 行" for verdict in Verdict.values if verdict in counts)
    transition_write(
        batch=batch,
        action=BatchAction.RETURN,
        state=state,
        actor=actor,
        note=(f"关闭后退票，重新打开：{said}" if was_closed else said)[:NOTE_LENGTH],
        data={"file": file.pk, "name": file.name, "sha256": file.sha256, "counts": counts},
    )
