"""What the bank could not pay in and what is not due any more (应付未付核销)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from operations.models import AuditEntry
from operations.services.audit import audit_record
from organization.choices import Permission
from organization.models import User
from subsidies.balance import balances_parameters, claimed_sql, spans_of_months
from subsidies.batch_lines import collection_begin, failed_parts, failed_take
from subsidies.choices import PaymentState, Verdict
from subsidies.county_lock import county_lock_or_refuse
from subsidies.models import Batch, Payment, ReturnRow
from subsidies.refusals import MoneyRefusedError
from subsidies.services.batch_transition import refuse_without
from subsidies.services.ledger import unpaid_cancel_post

ACTION: Final = "核销应付未付"
REASON_LENGTH: Final = 100


def unpaid_cancel(*, payment_ids: Sequence[int], actor: User, reason: str) -> int:
    """Give up failed lines of which nothing is due any more; return how many were given up now.

    All or nothing; what was kept back from a line stays settled. Raises MoneyRefusedError where something is still
    due, where the month is suspended and where a line is paid again already.
    """
    reason = reason.strip()
    if not reason or len(reason) > REASON_LENGTH:
        raise MoneyRefusedError(f"请填写核销理由，不超过 {REASON_LENGTH} 个字")
    wanted = sorted(set(payment_ids))
    batches = list(Batch.objects.filter(payments__in=wanted).distinct())
    if not batches or len({batch.county_code for batch in batches}) > 1:
        raise MoneyRefusedError("没有选中本县的失败明细，请在失败明细列表中重新选择")
    county_code = batches[0].county_code
    refuse_without(actor=actor, permission=Permission.BATCH_MAKE, county_code=county_code)
    with transaction.atomic():
        county_lock_or_refuse(county_code)
        lines = list(Payment.objects.select_for_update().filter(pk__in=wanted).select_related("batch"))
        still = [line for line in lines if not _cancelled_before(line, actor)]
        if still:
            _refuse_owed(still, _parts(county_code))
            unpaid_cancel_post(payment_ids=[line.pk for line in still], actor=actor, note=reason)
            Payment.objects.filter(pk__in=[line.pk for line in still]).update(state=PaymentState.VOID)
            _audit(still, actor, reason)
    return len(still)


def _cancelled_before(line: Payment, actor: User) -> bool:
    """Tell whether this person gave the line up already; refuse if it was somebody else or it never failed."""
    if line.state == PaymentState.FAILED:
        return False
    if line.state != PaymentState.VOID or not line.reason:
        raise MoneyRefusedError(
            f"批次 {line.batch} 第 {line.number} 条是“{line.state}”，只有发放失败的明细可以核销"
        )
    entries = AuditEntry.objects.filter(action=ACTION, subject=f"batch:{line.batch.number}")
    done = entries.filter(data__numbers__contains=[line.number]).select_related("actor").first()
    if done and done.actor_id != actor.pk:
        at = timezone.localtime(done.at)
        raise MoneyRefusedError(
            f"批次 {line.batch} 第 {line.number} 条已由 {done.actor_name} 于 {at:%m-%d %H:%M} 核销，不用再办"
        )
    return True


def _parts(county_code: str) -> dict[int, Decimal]:
    """Failed line that nobody pays again → what of it is still due; lines of suspended months are missing."""
    with connection.cursor() as cursor:
        collection_begin(cursor)
        spans = spans_of_months(county_code, failed_take(cursor, county_code=county_code, until=date.max))
        if not spans:
            return {}
        cursor.execute(f"SELECT id, part FROM ({failed_parts(spans)}) parts", balances_parameters(spans))
        return dict(cursor.fetchall())


def _refuse_owed(lines: Sequence[Payment], parts: dict[int, Decimal]) -> None:
    for line in lines:
        place = f"批次 {line.batch} 第 {line.number} 条"
        again = Payment.objects.filter(reissues=line).exclude(state=PaymentState.VOID, reason="")
        if reissue := again.select_related("batch").order_by("-pk").first():
            raise MoneyRefusedError(f"{place}已在批次 {reissue.batch} 重发，不能核销；请看重发的那一条")
        if ReturnRow.objects.filter(payment=line, verdict=Verdict.CONFLICT).exists():
            raise MoneyRefusedError(f"银行对{place}先报失败、又报成功；请先向银行核实，不能核销")
        if line.pk not in parts and _is_claimed(line):
            raise MoneyRefusedError(
                f"{place}的钱已立案追缴，银行又退了票；请先撤销追缴，再按是否仍应发办理重发或核销"
            )
        if line.pk not in parts:
            raise MoneyRefusedError(f"{place}的月份现为暂停，还不知道是否应发；请等恢复或停发以后再办")
        if parts[line.pk] > 0:
            raise MoneyRefusedError(f"{place}仍应发 {parts[line.pk]} 元，不能核销；请更正账户后重发")


def _is_claimed(line: Payment) -> bool:
    """Tell whether the money of a failed line is claimed by a case (`balance.claimed_sql`)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM subsidies_payment p JOIN subsidies_batch b ON b.id = p.batch_id"
            f" WHERE p.id = %s AND {claimed_sql('p', 'b')})",
            [line.pk],
        )
        return bool(cursor.fetchone()[0])


def _audit(lines: Sequence[Payment], actor: User, reason: str) -> None:
    by_batch: defaultdict[str, list[Payment]] = defaultdict(list)
    for line in lines:
        by_batch[line.batch.number].append(line)
    for number, own in sorted(by_batch.items()):
        amount = sum((line.amount - line.offset for line in own), Decimal(0))
        audit_record(
            action=ACTION,
            subject=f"batch:{number}",
            actor=actor,
            data={"numbers": [line.number for line in own], "amount": str(amount), "reason": reason},
        )
