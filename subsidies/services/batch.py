"""Making a draft batch from what is due, and throwing a draft away (design §2, Money)."""

from collections.abc import Callable, Sequence

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Count, F, Sum
from django.utils import timezone

from operations.services.audit import audit_record
from organization.choices import Permission
from organization.models import User
from subsidies.balance import span_of, spans_payable, terms_of
from subsidies.batch_lines import (
    COLLECTED,
    collect_due,
    collect_failed,
    collection_begin,
    failed_take,
    left_behind,
    lines_insert,
)
from subsidies.choices import BatchAction, BatchKind, BatchState
from subsidies.county_lock import county_lock
from subsidies.models import Batch, BatchStep, Month
from subsidies.refusals import MoneyRefusedError

Report = Callable[[str, int, int], None]


def _silent(step: str, done: int, total: int) -> None:
    return None


def batch_build(
    *,
    month: Month,
    kind: str,
    actor: User,
    item_ids: Sequence[int] | None = None,
    report: Report = _silent,
) -> Batch:
    """Make the draft of a month's run: what is due by the newest facts (发放), or failed lines again (重发).

    item_ids: only these items. All or nothing; a draft that stands already is returned as it is. Raises
    MoneyRefusedError where there is nothing to pay, saying what was left out.
    """
    with transaction.atomic():
        county_lock(month.county_code)
        run = Month.objects.get(pk=month.pk)
        _refuse_stranger(run.county_code, actor)
        draft = Batch.objects.filter(month=run, kind=kind, state=BatchState.DRAFT).first()
        if draft:
            return draft
        if not run.revision:
            raise MoneyRefusedError(f"{run.month:%Y年%m月}还没有核定完成，不能生成批次；请先运行该月核定")
        batch = Batch.objects.create(
            county_code=run.county_code,
            number=_next_number(run),
            month=run,
            kind=BatchKind(kind),
            revision=run.revision,
            made_by=actor,
        )
        with connection.cursor() as cursor:
            collection_begin(cursor)
            steps = _collect(cursor, run, kind, item_ids, report)
            report("写入发放明细", steps, steps + 1)
            today = timezone.localdate()
            lines = lines_insert(cursor, batch=batch, run=run, today=today, offsets=kind == BatchKind.REGULAR)
            if not lines:
                raise _nothing(cursor, run, kind)
            cursor.execute(f"DROP TABLE {COLLECTED}")
        _total(batch)
        _step(batch, BatchAction.BUILD, actor, "生成发放批次")
        report("写入发放明细", steps + 1, steps + 1)
    return batch


def batch_discard(*, batch_id: int, actor: User) -> Batch:
    """Throw a draft away with its lines, which are due again; only its maker may."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if batch.state == BatchState.VOID:
            discarded = batch.steps.filter(action=BatchAction.DISCARD).select_related("actor").first()
            if discarded and discarded.actor == actor:
                return batch
        if batch.state != BatchState.DRAFT:
            raise MoneyRefusedError(f"批次 {batch.number} 是“{batch.state}”，只有草稿可以删除；请改用退回")
        if batch.made_by_id != actor.pk:
            raise MoneyRefusedError(f"批次 {batch.number} 由 {batch.made_by} 制作，只有本人可以删除草稿")
        batch.state = BatchState.VOID
        _step(batch, BatchAction.DISCARD, actor, "删除批次草稿")
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM subsidies_payment WHERE batch_id = %s", [batch.pk])
        batch.lines, batch.amount = 0, 0
        batch.save(update_fields=["state", "lines", "amount"])
    return batch


def _refuse_stranger(county_code: str, actor: User) -> None:
    if not any(county_code.startswith(prefix) for prefix in actor.area_prefixes(Permission.BATCH_MAKE)):
        raise MoneyRefusedError("您没有为本县制作发放批次的权限；请由县民政局经办人办理")


def _next_number(run: Month) -> str:
    """County 6 digits, month, running number of this county and month."""
    batches = Batch.objects.filter(month=run).values_list("number", flat=True)
    last = max((int(number.rsplit("-", 1)[1]) for number in batches), default=0)
    return f"{run.county_code[:6]}-{run.month:%Y%m}-{last + 1:02d}"


def _collect(
    cursor: CursorWrapper, run: Month, kind: str, item_ids: Sequence[int] | None, report: Report
) -> int:
    """Collect what is due, month after month; return in how many steps."""
    if kind == BatchKind.REISSUE:
        terms = terms_of(run.county_code)
        wanted = [item for item in terms if item_ids is None or item in item_ids]
        report("查找失败的明细", 0, 2)
        failed = failed_take(cursor, run=run, items=wanted)
        rows = Month.objects.filter(county_code=run.county_code, month__in=failed).order_by("month")
        if spans := [span_of(row, wanted, terms, place) for place, row in enumerate(rows)]:
            report("核对应发", 1, 2)
            collect_failed(cursor, spans)
        return 2
    spans = spans_payable(run, items=item_ids)
    if not spans:
        raise MoneyRefusedError(
            f"没有项目由系统发放 {run.month:%Y年%m月}；请先在发放设置中登记项目的启用发放月"
        )
    for place, span in enumerate(spans):
        report(f"核对 {span.month.month:%Y年%m月} 的应发与已发", place, len(spans) + 1)
        collect_due(cursor, span)
    return len(spans)


def _nothing(cursor: CursorWrapper, run: Month, kind: str) -> MoneyRefusedError:
    """Say why there is nothing to pay."""
    accounts, held = left_behind(cursor, run=run, today=timezone.localdate())
    left = [
        text
        for count, text in (
            (accounts, f"{accounts} 条的老人没有有效银行账户，请先补登账户"),
            (held, f"{held} 条已按异常暂缓，请先处理异常"),
        )
        if count
    ]
    what = (
        "没有可以重发的失败明细" if kind == BatchKind.REISSUE else "没有需要发放的明细，应发的都已发放或在途"
    )
    return MoneyRefusedError("；".join(["没有可以写入批次的明细", *left]) if left else what)


def _total(batch: Batch) -> None:
    found = batch.payments.aggregate(lines=Count("pk"), amount=Sum(F("amount") - F("offset")))
    batch.lines, batch.amount = found["lines"], found["amount"]
    batch.save(update_fields=["lines", "amount"])


def _step(batch: Batch, action: BatchAction, actor: User, audited: str) -> None:
    BatchStep.objects.create(
        batch=batch,
        action=action,
        state=batch.state,
        actor=actor,
        lines=batch.lines,
        amount=batch.amount,
    )
    audit_record(
        action=audited,
        subject=f"batch:{batch.number}",
        actor=actor,
        data={"kind": str(batch.kind), "lines": batch.lines, "amount": str(batch.amount)}
        | {"revision": batch.revision},
    )
