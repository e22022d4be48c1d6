"""What keeps a batch from going on: facts known since its lines were made that would pay them wrongly.

Counted over the lines still to be paid; one that is held back already counts no more, which is the way out.
"""

from typing import Final

from django.db import connection

from eldercare.choices import Kind
from eldercare.services.monthly_facts import partition_name
from subsidies.anomalies import anomalies_held, anomalies_open
from subsidies.batch_lines import contradicted_sql
from subsidies.choices import BatchAction, Outcome, PaymentState
from subsidies.models import Batch, Month
from subsidies.refusals import MoneyRefusedError
from subsidies.reported import reported_select

#: Steps at which somebody answers for what the lines say today.
ANSWERED: Final = (BatchAction.APPROVE, BatchAction.CONFIRM)
#: Steps after 财政确认: no line can be held back any more.
FIXED: Final = (BatchAction.FILE, BatchAction.SEND)
PENDING: Final = f"p.batch_id = %(batch)s AND p.state = '{PaymentState.PENDING}'"


def batch_gate(*, batch: Batch, action: BatchAction) -> None:
    """Let the batch take the step, or raise MoneyRefusedError: how many lines, why, and the way out.

    At every step: no reissue of what the bank says it paid after all. At 提交 besides: every anomaly looked at.
    At 提交, 审批 and 财政确认: nobody whose death or moving out a visit reported and nobody has confirmed.
    At 审批 and 财政确认 besides: no line of a suspended month, of who is gone, or held back over an anomaly since.
    """
    why = []
    if count := _contradicted(batch):
        why.append(f"{count} 行是重发，但银行又报原来那一笔已成功，再发会重复付款")
    if action in FIXED:
        _refuse(batch, why, "请不要报送，先向银行核实，并联系系统管理员处理")
        return
    if action == BatchAction.SUBMIT:
        _refuse_undecided(batch)
    if action in (BatchAction.SUBMIT, *ANSWERED) and (count := _reported(batch)):
        why.append(f"{count} 行的老年人由探访报告去世或迁出，还没有核实")
    if action in ANSWERED:
        if count := _suspended(batch):
            why.append(f"{count} 行已暂停享受")
        if count := anomalies_held(batch).count():
            why.append(f"{count} 条异常已决定暂缓")
        if count := _gone(batch):
            why.append(f"{count} 行的老年人已登记去世或迁出")
            _refuse(batch, why, "请重新核定后退回重做，或在名单中暂缓这些行")
    rebuild = "删除草稿重新生成" if action == BatchAction.SUBMIT else "退回重做"
    _refuse(batch, why, f"请在名单中暂缓这些行，或{rebuild}")


def _refuse(batch: Batch, why: list[str], way: str) -> None:
    if why:
        raise MoneyRefusedError(f"批次 {batch.number} 有 {'；有 '.join(why)}。{way}")


def _refuse_undecided(batch: Batch) -> None:
    """Nothing is handed over before every anomaly of its lines was looked at, nor what was held back since."""
    waiting = anomalies_open(batch).count()
    if waiting:
        raise MoneyRefusedError(
            f"批次 {batch.number} 还有 {waiting} 条异常待核实；请先在该月的“异常”中逐条放行或暂缓，再提交"
        )
    held = anomalies_held(batch).count()
    if held:
        raise MoneyRefusedError(
            f"批次 {batch.number} 有 {held} 条异常在生成草稿之后决定暂缓；请删除草稿，重新生成后再提交"
        )


def _contradicted(batch: Batch) -> int:
    """Lines that pay again what the bank first refused and then said it had paid."""
    return _count(
        f"SELECT count(*) FROM subsidies_payment p"
        f" WHERE {PENDING} AND p.reissues_id IS NOT NULL AND {contradicted_sql('p')}",
        batch,
    )


def _suspended(batch: Batch) -> int:
    """Lines whose month now says 暂停 for the elder and item."""
    paid = batch.payments.filter(state=PaymentState.PENDING).values("month")
    months = Month.objects.filter(county_code=batch.county_code, month__in=paid, revision__gt=0)
    parts = [
        f"""
        SELECT count(*) AS lines
        FROM subsidies_payment p JOIN {partition_name("subsidies_entitlement", month.month)} n
          ON n.elder_id = p.elder_id AND n.item_id = p.item_id
        WHERE {PENDING} AND p.month = '{month.month}' AND n.county_code = %(county)s
          AND n.outcome = '{Outcome.SUSPENDED}'
          AND n.rev_from <= {month.revision} AND (n.rev_to IS NULL OR n.rev_to > {month.revision})"""
        for month in months.order_by("month")
    ]
    return _count(f"SELECT sum(lines) FROM ({' UNION ALL '.join(parts)}) months", batch) if parts else 0


def _gone(batch: Batch) -> int:
    """Lines of months that begin after the month of death or of moving out (design §2 step 2).

    Who came back before the month was over is there again (`eldercare.facts.closing_reading`).
    """
    return _count(
        f"""
        SELECT count(*) FROM subsidies_payment p
        WHERE {PENDING} AND EXISTS (
            SELECT FROM eldercare_circumstance c
            WHERE c.elder_id = p.elder_id AND c.kind IN ('{Kind.DEATH}', '{Kind.MOVED_OUT}')
              AND lower(c.valid) < p.month
              AND (upper(c.valid) IS NULL OR upper(c.valid) >= p.month + interval '1 month'))""",
        batch,
    )


def _reported(batch: Batch) -> int:
    """Lines of whom a visit reported dead or moved out, still to be checked (跟进)."""
    reported = f"SELECT elder_id FROM ({reported_select()}) reports"
    return _count(
        f"SELECT count(*) FROM subsidies_payment p WHERE {PENDING} AND p.elder_id IN ({reported})", batch
    )


def _count(sql: str, batch: Batch) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"batch": batch.pk, "county": batch.county_code})
        (found,) = cursor.fetchone()
    return int(found or 0)
