"""Money of the demonstration: months paid by its accounts through the steps that the pages take."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from eldercare.choices import Kind
from eldercare.models import Circumstance, Elder
from operations.spreadsheets import xlsx_bytes
from organization.areas import area_prefix
from organization.choices import Permission, Role
from organization.models import User
from portal.demo.accounts import OTHER_LEAD, person
from portal.demo.areas import COUNTY, COUNTY_NAME
from portal.demo.bank import bank_answer
from portal.demo.chance import chance
from portal.demo.imports import roster_import
from portal.demo.numbers import bank_account
from portal.demo.people import BANKS
from portal.demo.recoveries import recoveries_make
from portal.demo.terms import notice_begin, terms_make
from subsidies.anomalies import anomalies_open
from subsidies.choices import AnomalyKind, AnomalyState, BatchKind, BatchState, ObjectionState, PaymentState
from subsidies.models import Anomaly, BankProfile, Batch, Month, Objection, Payment
from subsidies.refusals import MoneyRefusedError
from subsidies.services.anomaly import anomaly_decide
from subsidies.services.bank import bank_file_download, bank_file_make
from subsidies.services.bank_return import return_import
from subsidies.services.batch import batch_build
from subsidies.services.batch_step import (
    batch_approve,
    batch_close,
    batch_confirm,
    batch_send,
    batch_submit,
    township_check,
)
from subsidies.services.objection import objection_record

#: The first of the story's months that the portal pays.
GO_LIVE: Final = 3
DECISIONS: Final = {
    AnomalyKind.NO_ACCOUNT: (AnomalyState.HELD, "已通知村（社区）补录银行账户，补录后再发"),
    AnomalyKind.AFTER_DEATH: (AnomalyState.CLEARED, "多发的月份已转追缴，本月不再列支"),
    AnomalyKind.ACCOUNT_CHANGED: (AnomalyState.CLEARED, "上批退票后更换账户，已电话核实"),
    AnomalyKind.SHARED_ACCOUNT: (AnomalyState.CLEARED, "夫妻共用账户，已核对户口簿"),
    AnomalyKind.HOLDER: (AnomalyState.CLEARED, "监护人代领，已核对证明"),
    AnomalyKind.JUMP: (AnomalyState.CLEARED, "能力评估或残疾等级变化，已核对原件"),
    AnomalyKind.IDENTITY: (AnomalyState.CLEARED, "已核对身份证原件和户口簿"),
}
ACCOUNT_COLUMNS: Final = ("姓名", "身份证号码", "户籍区划", "开户行", "银行账号", "账户户名")
Step = tuple[str, Callable[[], Any]]


def money_before(months: Sequence[date], position: int, seed: int) -> Iterator[Step]:
    """Steps before a month is decided."""
    if position == GO_LIVE:
        yield "发放设置", partial(terms_make, months[position])
    elif position > GO_LIVE:
        past, month = months[position - 1], months[position]
        yield f"账户更正 {month:%Y年%m月}", partial(accounts_correct, past, month, seed)


def money_steps(months: Sequence[date], position: int, seed: int) -> Iterator[Step]:
    """Steps after a month was decided: all but the newest are paid to the end."""
    if position < GO_LIVE:
        return
    month, newest = months[position], position == len(months) - 1
    yield f"异常 {month:%Y年%m月}", partial(anomalies_settle, month, decide=not newest)
    yield f"追缴 {month:%Y年%m月}", partial(recoveries_make, month, position - GO_LIVE)
    if position > GO_LIVE:
        end = BatchState.SENT if newest else BatchState.CLOSED
        yield f"重发 {month:%Y年%m月}", partial(failed_pay, month, seed, end)
    if newest:
        yield f"公示 {month:%Y年%m月}", partial(notice_open, month, seed)
    else:
        yield f"发放 {month:%Y年%m月}", partial(month_pay, month, seed)


def anomalies_settle(month: date, *, decide: bool) -> dict[str, int]:
    """Count what the run found odd and, if wanted, decide all of it kind by kind."""
    run = _run(month)
    found = run.anomalies.count()
    waiting = Anomaly.objects.filter(run=run, state=AnomalyState.OPEN)
    return {"found": found, "decided": _decided(waiting) if decide else 0}


def _decided(waiting: QuerySet[Anomaly]) -> int:
    """Decide anomalies kind by kind; return how many."""
    decided = 0
    for kind, (state, reason) in DECISIONS.items():
        ids = list(waiting.filter(kind=kind).order_by("pk").values_list("pk", flat=True))
        if ids:
            clerk = person(Role.BUREAU_CLERK)
            decided += anomaly_decide(anomaly_ids=ids, state=state, reason=reason, actor=clerk)
    return decided


def month_pay(month: date, seed: int) -> dict[str, Any]:
    """Pay a decided month to the end; in a tiny county nobody may have an account."""
    return _paid(month, BatchKind.REGULAR, seed, BatchState.CLOSED)


def failed_pay(month: date, seed: int, end: BatchState) -> dict[str, Any]:
    """Pay again what failed, up to a state; a small county may have nothing to pay again."""
    return _paid(month, BatchKind.REISSUE, seed, end)


def _paid(month: date, kind: BatchKind, seed: int, end: BatchState) -> dict[str, Any]:
    try:
        batch = _built(month, kind)
    except MoneyRefusedError as refusal:
        return {"refused": str(refusal)}
    return _told(_carried(batch, end, seed))


def notice_open(month: date, seed: int) -> dict[str, Any]:
    """Hang a list of one item out: from this month on it has a public notice; one line is objected to."""
    item = notice_begin()
    try:
        batch = _built(month, BatchKind.REGULAR, [item.pk])
    except MoneyRefusedError as refusal:
        return {"refused": str(refusal)}
    batch = _carried(batch, BatchState.NOTICE, seed)
    lines = Payment.objects.filter(batch=batch).order_by("number")
    if lines.count() > 1 and not Objection.objects.filter(payment__batch=batch).exists():
        text = "邻居反映老人上月已随子女到外县居住，请核实户籍是否迁出。"
        objection_record(payment_id=lines[0].pk, text=text, actor=person(Role.BUREAU_CLERK))
    return _told(batch) | {"objections": Objection.objects.filter(state=ObjectionState.OPEN).count()}


def accounts_correct(past: date, since: date, seed: int) -> dict[str, int]:
    """Import new accounts, from a day on, for those of the county whom a month's batch could not reach."""
    failed = Payment.objects.filter(batch__month=_run(past), state=PaymentState.FAILED)
    gone = Circumstance.objects.filter(kind=Kind.DEATH).values("elder")
    here = Elder.objects.filter(hukou_code__startswith=area_prefix(COUNTY)).exclude(pk__in=gone)
    elders = here.filter(pk__in=failed.values("elder")).order_by("pk")
    if not elders:
        return {"rows": 0}
    content = xlsx_bytes("账户更正", ACCOUNT_COLUMNS, (_account_row(elder, seed, since) for elder in elders))
    name = f"{COUNTY_NAME}银行账户更正_{since:%Y-%m}.xlsx"
    return roster_import(name=name, content=content, as_of=since)


def _account_row(elder: Elder, seed: int, since: date) -> tuple[str, ...]:
    random = chance(seed, f"account:{elder.id_number}:{since}")
    number = elder.id_number
    return elder.name, number, elder.hukou_code, random.choice(BANKS), bank_account(random), elder.name


def _carried(batch: Batch, end: BatchState, seed: int) -> Batch:
    """Take a batch on from wherever it stands until it has reached a state."""
    while batch.state != end:
        batch = STEPS[BatchState(batch.state)](batch, seed)
    return batch


def _submitted(batch: Batch, seed: int) -> Batch:
    _decided(anomalies_open(batch))
    return batch_submit(batch_id=batch.pk, actor=person(Role.BUREAU_CLERK), note="请各镇（街）核实")


def _checked(batch: Batch, seed: int) -> Batch:
    """Every township by its lead; what lies outside the county is the approver's."""
    one, others = person(Role.TOWNSHIP_LEAD), User.objects.get(username=OTHER_LEAD[0])
    own = one.area_prefixes(Permission.BATCH_CHECK)
    waiting = batch.checks.filter(checked_by=None).exclude(township="").values_list("township", flat=True)
    for township in list(waiting):
        actor = one if any(township.startswith(prefix) for prefix in own) else others
        batch = township_check(batch_id=batch.pk, township=township, actor=actor, note="名单已核实")
    return batch


def _approved(batch: Batch, seed: int) -> Batch:
    return batch_approve(batch_id=batch.pk, actor=person(Role.BUREAU_CHIEF), note="同意发放")


def _confirmed(batch: Batch, seed: int) -> Batch:
    return batch_confirm(batch_id=batch.pk, actor=person(Role.FINANCE), note="预算内，同意拨付")


def _sent(batch: Batch, seed: int) -> Batch:
    finance = person(Role.FINANCE)
    profile = BankProfile.objects.filter(county_code=COUNTY, active=True).order_by("pk")[0]
    file = bank_file_make(batch_id=batch.pk, profile_id=profile.pk, actor=finance)
    bank_file_download(bank_file_id=file.pk, actor=finance)
    return batch_send(batch_id=batch.pk, actor=finance)


def _returned(batch: Batch, seed: int) -> Batch:
    content = bank_answer(batch, seed=seed, today=timezone.localdate())
    name = f"回盘_{batch.number}.xlsx"
    return return_import(batch_id=batch.pk, name=name, content=content, actor=person(Role.FINANCE)).batch


def _closed(batch: Batch, seed: int) -> Batch:
    return batch_close(batch_id=batch.pk, actor=person(Role.FINANCE), note="回盘已核对")


STEPS: Final[Mapping[BatchState, Callable[[Batch, int], Batch]]] = {
    BatchState.DRAFT: _submitted,
    BatchState.TOWNSHIP: _checked,
    BatchState.APPROVAL: _approved,
    BatchState.FINANCE: _confirmed,
    BatchState.CONFIRMED: _sent,
    BatchState.SENT: _returned,
    BatchState.RETURNED: _closed,
}


def _run(month: date) -> Month:
    return Month.objects.get(county_code=COUNTY, month=month)


def _built(month: date, kind: BatchKind, item_ids: Sequence[int] | None = None) -> Batch:
    """The batch of a step cut short, or a new draft."""
    run = _run(month)
    begun = Batch.objects.filter(month=run, kind=kind).exclude(state=BatchState.VOID).first()
    return begun or batch_build(month=run, kind=kind, actor=person(Role.BUREAU_CLERK), item_ids=item_ids)


def _told(batch: Batch) -> dict[str, Any]:
    failed = Payment.objects.filter(batch=batch, state=PaymentState.FAILED).count()
    return {"number": batch.number, "lines": batch.lines, "amount": str(batch.amount), "failed": failed}
