"""verify and money: a county with paid, failed, reissued, recovered and offset lines; each invariant broken once."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import Item
from eldercare.choices import Kind
from eldercare.models import Elder
from subsidies.choices import BatchKind, BatchState, Channel, PaymentState, StopReason
from subsidies.invariants import invariants_check
from subsidies.models import Application, Batch, Month, Objection, Payment, Recovery, RecoveryRequest
from subsidies.money_invariants import MONEY
from subsidies.services.batch import batch_build
from subsidies.services.recovery import recovery_consent, recovery_notify, recovery_open
from subsidies.services.recovery_entry import recovery_repay
from subsidies.services.recovery_request import recovery_decide, recovery_request
from tests.registry import add, make_elder
from tests.subsidies.county import item, publish_list, run
from tests.subsidies.money import Staff, account, staff, terms, without_triggers
from tests.subsidies.passage import FAILED, confirmed, paid_out, sent

pytestmark = pytest.mark.django_db(transaction=True)
FEBRUARY, MARCH = date(2025, 2, 1), date(2025, 3, 1)
TWICE = (
    "DROP INDEX payment_reissued_once;"
    " UPDATE subsidies_payment SET reissues_id = (SELECT max(reissues_id) FROM subsidies_payment)"
    " WHERE reissues_id IS NULL AND state = '已发'"
)


def step_by(action: str, other: str) -> str:
    """SQL: a step was taken by who took another step of the batch."""
    return (
        f"UPDATE subsidies_batchstep s SET actor_id = o.actor_id FROM subsidies_batchstep o"
        f" WHERE o.batch_id = s.batch_id AND s.action = '{action}' AND o.action = '{other}'"
    )


def booked(account: str) -> str:
    """SQL: both sides of an account's postings are one yuan too high."""
    return (
        "UPDATE subsidies_ledgerentry SET debit = debit + CASE WHEN debit > 0 THEN 1 ELSE 0 END,"
        f" credit = credit + CASE WHEN credit > 0 THEN 1 ELSE 0 END WHERE account = '{account}'"
    )


#: invariant → what breaks it; several ways where it says several things
BREAKS: list[tuple[str, str]] = [
    ("台账每一事项、批次或追缴、项目借贷相等", booked("补贴支出")),
    (
        "台账的支出、拨款、收回都有资金来源，其他科目没有",
        "UPDATE subsidies_ledgerentry SET source = '' WHERE account = '财政拨款'",
    ),
    (
        "台账的支出、拨款、收回都有资金来源，其他科目没有",
        "UPDATE subsidies_ledgerentry SET source = '财政' WHERE account = '银行在途'",
    ),
    (
        "每人每项每月已发与在途不超过历次核定的最高应发加已立案追缴",
        "UPDATE subsidies_payment SET amount = amount + 1 WHERE state = '已发'",
    ),
    (
        "每人每项每月已发与在途不超过历次核定的最高应发加已立案追缴",
        "UPDATE subsidies_payment SET state = '已发' WHERE state = '失败'",
    ),
    (
        "正常发放的明细不超过批次所依据版次的应发",
        "UPDATE subsidies_entitlement SET rev_to = 1 WHERE rev_to IS NULL",
    ),
    ("批次笔数与金额等于其明细", "UPDATE subsidies_batch SET lines = lines + 1"),
    ("批次笔数与金额等于其明细", "UPDATE subsidies_payment SET state = '暂缓' WHERE state = '已发'"),
    ("银行文件笔数与金额等于批次要付的明细", "UPDATE subsidies_bankfile SET amount = amount + 1"),
    ("银行文件笔数与金额等于批次要付的明细", "UPDATE subsidies_bankfile SET lines = lines - 1"),
    ("回盘每一行都对上本批次的明细或列为未知", "UPDATE subsidies_returnrow SET verdict = '未知'"),
    ("回盘每一行都对上本批次的明细或列为未知", "UPDATE subsidies_returnrow SET payment_id = NULL"),
    ("回盘每一行都对上本批次的明细或列为未知", "DELETE FROM subsidies_returnrow WHERE verdict = '成功'"),
    ("已发与失败的明细都以银行回盘为据且金额相符", "UPDATE subsidies_returnrow SET amount = amount + 1"),
    (
        "已发与失败的明细都以银行回盘为据且金额相符",
        "UPDATE subsidies_payment SET state = '已发' WHERE state = '失败'",
    ),
    ("失败的明细至多重发一次，且是同一人同一项目同一月", TWICE),
    (
        "失败的明细至多重发一次，且是同一人同一项目同一月",
        "UPDATE subsidies_payment SET amount = amount + 1 WHERE reissues_id IS NOT NULL",
    ),
    (
        "失败的明细至多重发一次，且是同一人同一项目同一月",
        "UPDATE subsidies_payment SET state = '作废' WHERE state = '失败'",
    ),
    ("批次各步骤由不同的人办理", step_by("审批", "生成")),
    ("批次各步骤由不同的人办理", step_by("审批", "核实")),
    ("批次各步骤由不同的人办理", step_by("财政确认", "审批")),
    ("批次各步骤由不同的人办理", step_by("关闭", "生成")),
    ("批次各步骤由不同的人办理", step_by("提交", "审批")),
    (
        "批次各步骤由不同的人办理",
        "UPDATE subsidies_townshipcheck c SET checked_by_id = b.made_by_id"
        " FROM subsidies_batch b WHERE b.id = c.batch_id",
    ),
    ("享受申请的经办、审核、审批为不同的人", "UPDATE subsidies_application SET checked_by_id = made_by_id"),
    (
        "享受申请的经办、审核、审批为不同的人",
        "UPDATE subsidies_application SET approved_by_id = checked_by_id",
    ),
    ("追缴核销与撤销的申请人不是审批人", "UPDATE subsidies_recoveryrequest SET decided_by_id = made_by_id"),
    ("异议由受理人和制单人以外的人处理", "UPDATE subsidies_objection SET decided_by_id = received_by_id"),
    ("台账的财政拨款等于已发的明细", booked("财政拨款")),
    ("台账的银行在途等于未回盘的明细，关闭后为零", booked("银行在途")),
    (
        "台账的银行在途等于未回盘的明细，关闭后为零",
        "UPDATE subsidies_batch SET state = '关闭' WHERE state = '已报银行'",
    ),
    ("台账的应付补贴等于已确认未报送的明细", booked("应付补贴")),
    ("台账的应付未付等于未再付的失败明细", booked("应付未付")),
    (
        "台账的应付未付等于未再付的失败明细",
        "UPDATE subsidies_payment SET state = '已发' WHERE state = '失败'",
    ),
    ("台账的应收追缴等于每案未退的金额", booked("应收追缴")),
    (
        "台账的抵扣往来收支相抵",
        "DELETE FROM subsidies_ledgerentry WHERE account = '抵扣往来' AND recovery_id IS NOT NULL",
    ),
    ("追缴金额等于立案各月之和，未退金额不为负", "UPDATE subsidies_recovery SET amount = amount + 1"),
    (
        "追缴金额等于立案各月之和，未退金额不为负",
        "UPDATE subsidies_recoveryentry SET amount = 100 WHERE kind = '退回'",
    ),
    ("抵扣的记录等于已报送明细的抵扣", "DELETE FROM subsidies_recoveryentry WHERE kind = '抵扣'"),
]


def poor(since: date = date(2020, 1, 1)) -> Elder:
    elder = make_elder(date(1940, 1, 1))
    add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", since)
    account(elder)
    return elder


@pytest.fixture
def people(db: None) -> Staff:
    """Everything that may happen to a line has happened to one of February or March."""
    who = staff()
    publish_list(item("POOR", "低保"))
    terms("POOR", FEBRUARY)
    overpaid, failing, twice, given_up = (poor() for _ in range(4))
    month = run(FEBRUARY)
    first = batch_build(month=month, kind=BatchKind.REGULAR, actor=who.maker)
    batch_number = {line.elder_id: line.number for line in first.payments.all()}
    answers = {batch_number[elder.pk]: (FAILED, "已销户") for elder in (failing, twice)}
    paid_out(month, who, answers)
    paid_out(month, who, {1: (FAILED, "已销户")}, BatchKind.REISSUE)
    for elder in (overpaid, given_up):
        elder.circumstances.filter(kind=Kind.LOW_INCOME_ALLOWANCE).delete()
        add(elder, Kind.LOW_INCOME_ALLOWANCE, "是", MARCH)
    run(MARCH)
    recover(overpaid, who)
    write_off(given_up, who)
    paid_out(Month.objects.get(month=MARCH), who)
    late(who)
    apply_and_object(who)
    return who


def recover(elder: Elder, who: Staff) -> None:
    """20 of 50 returned, the rest kept back from March."""
    case = claim(elder, who)
    recovery_repay(
        recovery_id=case.pk, amount=Decimal(20), on=timezone.localdate(), key=uuid4(), actor=who.finance
    )
    recovery_consent(
        recovery_id=case.pk, name="同意书.pdf", content=b"1", on=timezone.localdate(), actor=who.maker
    )


def write_off(elder: Elder, who: Staff) -> None:
    request = recovery_request(
        recovery_id=claim(elder, who).pk, kind="核销", reason="无力退还", actor=who.maker
    )
    recovery_decide(request_id=request.pk, approved=True, opinion="", actor=who.chief)


def claim(elder: Elder, who: Staff) -> Recovery:
    case = recovery_open(
        run=Month.objects.get(month=MARCH),
        elder_id=elder.pk,
        item_id=Item.objects.get().pk,
        cause=StopReason.CORRECTED,
        actor=who.maker,
    )
    return recovery_notify(
        recovery_id=case.pk,
        on=timezone.localdate(),
        pay_by=timezone.localdate() + timedelta(days=30),
        actor=who.maker,
    )


def late(who: Staff) -> None:
    """One batch is with the bank and one is confirmed."""
    for bring in (sent, confirmed):
        poor()
        bring(batch_build(month=run(MARCH), kind=BatchKind.REGULAR, actor=who.maker), who)


def apply_and_object(who: Staff) -> None:
    line = Payment.objects.order_by("pk").first()
    assert line is not None
    Application.objects.create(
        elder=line.elder,
        item=line.item,
        channel=Channel.SELF,
        state="已批准",
        area_code=line.area_code,
        applied_on=FEBRUARY,
        made_by=who.maker,
        checked_by=who.lead_a,
        approved_by=who.chief,
    )
    Objection.objects.create(
        payment=line, text="不符合", state="不成立", received_by=who.lead_a, decided_by=who.chief
    )


def broken() -> set[str]:
    return {finding.name for finding in invariants_check() if finding.broken}


def test_whatever_happened_to_the_money_it_is_in_order(people: Staff) -> None:
    assert broken() == set()
    states = set(Payment.objects.values_list("state", flat=True))
    assert states == {PaymentState.PAID, PaymentState.FAILED, PaymentState.PENDING}
    batches = set(Batch.objects.values_list("state", flat=True))
    assert batches == {BatchState.CLOSED, BatchState.SENT, BatchState.CONFIRMED}
    assert RecoveryRequest.objects.filter(approved=True).exists()
    assert Payment.objects.filter(offset=Decimal(30)).exists()


def test_each_breach_is_found_by_its_name(people: Staff) -> None:
    missed = []
    for name, sql in BREAKS:
        with transaction.atomic():
            without_triggers(sql)
            if name not in broken():
                missed.append((name, sql))
            transaction.set_rollback(True)
    assert missed == []


def test_every_invariant_of_money_is_broken_once() -> None:
    assert {name for name, _ in BREAKS} == set(MONEY)
