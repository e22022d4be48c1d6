"""The payment file of a batch: made once, kept encrypted, every download counted and audited."""

import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from operations.crypto import decrypt
from operations.models import AuditEntry
from operations.services.audit import audit_record
from operations.services.stored_file import stored_file_create, stored_file_read
from organization.models import Area, User
from subsidies.bank_file import BankLine, Control, file_bytes
from subsidies.bank_layout import FileLayout, file_layout
from subsidies.batch_gate import batch_gate
from subsidies.choices import BatchAction, BatchKind, BatchState, PaymentState
from subsidies.layout_reader import LayoutError
from subsidies.models import BankFile, BankProfile, Batch, Payment
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch_transition import (
    NOTE_LENGTH,
    batch_lock,
    note_clean,
    transition_open,
    transition_write,
)

CHUNK: Final = 2_000
DOWNLOADED: Final = "下载银行文件"
DOWNLOADED_AGAIN: Final = "再次下载银行文件"
Report = Callable[[str, int, int], None]


def silent(step: str, done: int = 0, total: int = 0) -> None:
    """Report to nobody."""


def bank_file_make(*, batch_id: int, profile_id: int, actor: User, report: Report = silent) -> BankFile:
    """Write the payment file of a confirmed batch; asked for again in the same format it gives the same file.

    Net amounts of 待发 lines; lines that an offset takes whole are not in it. Raises MoneyRefusedError where the batch
    is not ready, its control totals do not tie, or the format cannot hold a line.
    """
    with transaction.atomic():
        batch = batch_lock(batch_id)
        made = BankFile.objects.select_related("profile", "made_by").filter(batch=batch).first()
        if made is not None:
            if made.profile_id == profile_id:
                return made
            raise MoneyRefusedError(
                f"批次 {batch} 的银行文件已由 {made.made_by} 于 {_moment(made)} 按“{made.profile}”生成；"
                "请下载已有文件，要换格式请先作废它"
            )
        if batch.state != BatchState.CONFIRMED:
            raise MoneyRefusedError(
                f"批次 {batch} 现为“{batch.state}”，财政确认后、报送银行前才能生成银行文件"
            )
        transition_open(batch=batch, action=BatchAction.FILE, actor=actor)
        batch_gate(batch=batch, action=BatchAction.FILE)
        profile, layout = _profile(profile_id, batch)
        control = _control(batch)
        report("写入明细", 0, control.lines)
        county = Area.objects.filter(code=batch.county_code).values_list("name", flat=True).first() or ""
        content = file_bytes(layout, control, _lines(batch, layout, control.lines, report), county=county)
        report("加密保存", control.lines, control.lines)
        stored = stored_file_create(name=f"{batch.number}.{layout.suffix}", content=content, created_by=actor)
        file = BankFile.objects.create(
            batch=batch,
            profile=profile,
            stored=stored,
            sha256=stored.sha256,
            lines=control.lines,
            amount=control.amount,
            made_by=actor,
        )
        _write(batch, actor, file, f"{profile}，{file.lines} 笔 {file.amount:,.2f} 元")
    return file


def bank_file_discard(*, bank_file_id: int, actor: User, reason: str) -> Batch:
    """Give up a file that the bank was not told of, so that another can be made; its content stays kept.

    Once it was downloaded, this takes somebody who neither made nor downloaded it: two files of one batch may go round.
    """
    reason = note_clean(reason, name="作废原因", required=True)
    with transaction.atomic():
        file = BankFile.objects.filter(pk=bank_file_id).first()
        batch = batch_lock(file.batch_id) if file else None
        # locked against a download at this moment
        held = BankFile.objects.select_for_update(of=("self",)).select_related("profile", "made_by")
        file = held.filter(pk=bank_file_id).first()
        if batch is None or file is None:
            raise MoneyRefusedError("这个银行文件已经作废；请刷新页面")
        if batch.state != BatchState.CONFIRMED:
            raise MoneyRefusedError(f"批次 {batch} 已报送银行，银行文件不能作废；请等银行回盘")
        transition_open(batch=batch, action=BatchAction.FILE, actor=actor)
        _refuse_holder(batch, file, actor)
        _write(batch, actor, file, f"作废“{file.profile}”文件：{reason}")
        file.delete()
    return batch


def _refuse_holder(batch: Batch, file: BankFile, actor: User) -> None:
    """Raise MoneyRefusedError if the file was downloaded and the actor made it or has a copy."""
    if not file.downloads:
        return
    entries = AuditEntry.objects.filter(
        subject=f"batch:{batch.number}",
        action__in=(DOWNLOADED, DOWNLOADED_AGAIN),
        data__sha256=file.sha256,
        at__gte=file.made_at,
    )
    fetched = dict(entries.order_by("-id").values_list("actor_id", "actor_name"))
    if actor.pk in fetched or actor.pk == file.made_by_id:
        who = "、".join(reversed(fetched.values()))
        raise MoneyRefusedError(
            f"银行文件由 {file.made_by} 生成，已由 {who} 下载 {file.downloads} 次，可能已在流转；"
            "请由没有生成也没有下载过它的人员核实未报银行后作废"
        )


def bank_file_download(*, bank_file_id: int, actor: User, address: str = "") -> bytes:
    """Return the file's bytes and count the download; from the second on the audit says 再次下载银行文件.

    Raises MoneyRefusedError if what is kept is no longer what was made.
    """
    with transaction.atomic():
        file = (
            BankFile.objects.select_for_update(of=("self",))
            .select_related("stored", "batch")
            .get(pk=bank_file_id)
        )
        content = stored_file_read(stored=file.stored)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise MoneyRefusedError("保存的银行文件与生成时的校验码不一致，不能下载；请联系系统管理员")
        file.downloads += 1
        file.save(update_fields=["downloads"])
        audit_record(
            action=DOWNLOADED if file.downloads == 1 else DOWNLOADED_AGAIN,
            subject=f"batch:{file.batch.number}",
            actor=actor,
            data={
                "sha256": file.sha256,
                "lines": file.lines,
                "amount": str(file.amount),
                "times": file.downloads,
            },
            address=address,
        )
    return content


def _profile(profile_id: int, batch: Batch) -> tuple[BankProfile, FileLayout]:
    profile = BankProfile.objects.filter(pk=profile_id, county_code=batch.county_code, active=True).first()
    if profile is None:
        raise MoneyRefusedError("选的银行文件格式不属于本县或已停用；请另选一种")
    try:
        return profile, file_layout(profile.layout)
    except LayoutError as error:
        raise MoneyRefusedError(f"银行文件格式“{profile}”有误，请数据管理员更正：{error}") from error


def _control(batch: Batch) -> Control:
    """Totals of what goes to the bank. Raises MoneyRefusedError unless they tie with the batch."""
    sums = Payment.objects.filter(batch=batch, state=PaymentState.PENDING).aggregate(
        every=Count("id"),
        lines=Count("id", filter=Q(amount__gt=F("offset"))),
        amount=Sum(F("amount") - F("offset")),
    )
    amount = sums["amount"] or Decimal("0.00")
    if (sums["every"], amount) != (batch.lines, batch.amount):
        raise MoneyRefusedError(
            f"批次 {batch} 登记 {batch.lines} 笔 {batch.amount} 元，明细待发 {sums['every']} 笔 {amount} 元，"
            "两者不一致，没有生成银行文件；请联系系统管理员核查（verify）"
        )
    return Control(batch.number, sums["lines"], amount)


def _lines(batch: Batch, layout: FileLayout, total: int, report: Report) -> Iterator[BankLine]:
    """What the bank gets, by number; read and decrypted a chunk at a time. Raises if the lines do not add up."""
    fields = {column.field for column in layout.columns}
    rows = (
        Payment.objects.filter(batch=batch, state=PaymentState.PENDING, amount__gt=F("offset"))
        .order_by("number")
        .values_list(
            "number",
            "holder",
            "account_cipher",
            "bank",
            F("amount") - F("offset"),
            "elder__id_number_cipher",
            "item__name",
            "month",
            "kind",
            "area_code",
            "elder__phone_cipher",
        )
    )
    prefix = "重发" if batch.kind == BatchKind.REISSUE else ""
    done, amount = 0, Decimal(0)
    for number, holder, account, bank, net, identity, item, month, kind, area, phone in rows.iterator(
        chunk_size=CHUNK
    ):
        yield BankLine(
            number=number,
            holder=holder,
            account=decrypt(account),
            bank=bank,
            amount=net,
            id_number=decrypt(identity) if "id_number" in fields or "id_type" in fields else "",
            item=item,
            month=month,
            kind=prefix or kind,
            village=area,
            phone=decrypt(phone) if "phone" in fields else "",
        )
        done += 1
        amount += net
        if done % CHUNK == 0:
            report("写入明细", done, total)
    if (done, amount) != (total, batch.amount):
        raise MoneyRefusedError(f"写出 {done} 笔 {amount} 元，与批次合计不一致，没有生成银行文件；请重试")


def _write(batch: Batch, actor: User, file: BankFile, note: str) -> None:
    """Write step and audit of what happened to the file; the batch stays where it is."""
    transition_write(
        batch=batch,
        action=BatchAction.FILE,
        state=BatchState.CONFIRMED,
        actor=actor,
        note=note[:NOTE_LENGTH],
        lines=file.lines,
        amount=file.amount,
        data={"sha256": file.sha256, "downloads": file.downloads, "note": note},
    )


def _moment(file: BankFile) -> str:
    return timezone.localtime(file.made_at).strftime("%m-%d %H:%M")
