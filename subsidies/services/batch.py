"""Making a draft batch from what is due, and throwing a draft away (design §2, Money)."""

from collections.abc import Callable, Sequence

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from organization.choices import Permission
from organization.models import User
from subsidies.balance import spans_of_months, spans_payable, terms_of
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
from subsidies.models import Batch, Month
from subsidies.refusals import MoneyRefusedError
from subsidies.services.anomaly import anomalies_refresh
from subsidies.services.batch_transition import (
    batch_lock,
    refuse_without,
    totals_set,
    transition_open,
    transition_write,
)

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
        refuse_without(actor=actor, permission=Permission.BATCH_MAKE, county_code=run.county_code)
        draft = Batch.objects.filter(month=run, kind=kind, state=BatchState.DRAFT).first()
        if draft:
            return draft
        if not run.revision:
            raise MoneyRefusedError(f"{run.month:%Y年%m月}还没有核定完成，不能生成批次；请先运行该月核定")
        report("查找发放异常", 0, 0)
        anomalies_refresh(month=run)
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
            # autovacuum would tell the planner only after the next reads
            cursor.execute("ANALYZE subsidies_payment")
        totals_set(batch)
        transition_write(
            batch=batch,
            action=BatchAction.BUILD,
            state=BatchState.DRAFT,
            actor=actor,
            data={"kind": str(kind), "revision": run.revision},
        )
        report("写入发放明细", steps + 1, steps + 1)
    return batch


def batch_discard(*, batch_id: int, actor: User) -> Batch:
    """Throw a draft away with its lines, which are due again; only its maker may."""
    with transaction.atomic():
        batch = batch_lock(batch_id)
        transition = transition_open(batch=batch, action=BatchAction.DISCARD, actor=actor)
        if transition is None:
            return batch
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM subsidies_payment WHERE batch_id = %s", [batch.pk])
        lines, amount = batch.lines, batch.amount
        totals_set(batch)
        transition_write(
            batch=batch,
            action=BatchAction.DISCARD,
            state=transition.target,
            actor=actor,
            lines=lines,
            amount=amount,
        )
    return batch


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
        failed = failed_take(cursor, county_code=run.county_code, until=run.month, items=wanted)
        if spans := spans_of_months(run.county_code, failed):
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
