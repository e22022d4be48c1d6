"""Recovery cases (追缴): opening, notice and consent (domain §2.5).

Opening holds the elder's row, so that two at once do not recover the same month twice; for the other locks see
recovery_entry.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from catalog.models import Item
from eldercare.models import Elder
from operations.services.stored_file import stored_file_create
from organization.models import User
from subsidies.choices import RecoveryState, StopReason
from subsidies.models import Month, Recovery
from subsidies.overpayment import overpaid_months, underway_by_month
from subsidies.recovery_selectors import causes_proposed
from subsidies.refusals import MoneyRefusedError
from subsidies.services.ledger import recovery_open_post
from subsidies.services.recovery_entry import (
    case_audit,
    case_locked,
    keep_runs_out,
    lines_add,
    state_refresh,
)

PAY_WITHIN: Final = timedelta(days=92)  # three months (domain §2.5)
OVER: Final = (RecoveryState.SETTLED, RecoveryState.WRITTEN_OFF, RecoveryState.CANCELLED)


@dataclass(frozen=True)
class OpenedCases:
    """What became of several pairs; refused: (elder, item) → why not."""

    opened: list[Recovery]
    refused: dict[tuple[int, int], str]


def recovery_open(
    *, run: Month, elder_id: int, item_id: int, cause: str, actor: User, note: str = ""
) -> Recovery:
    """Open a case over everything overpaid up to the run's month for an elder and item that is not recovered yet.

    run: the county's newest published month. Asked again by the same person it gives the same case. Raises
    MoneyRefusedError where nothing can be recovered now.
    """
    with transaction.atomic():
        keep_runs_out(run.county_code)
        elder = Elder.objects.select_for_update(no_key=True).get(pk=elder_id)
        item = Item.objects.select_related("document").get(pk=item_id)
        if known := Recovery.objects.filter(run=run, elder=elder, item=item).first():
            return _opened_before(known, actor)
        _refuse_run(run, item, cause)
        months = overpaid_months(run=run, elder_id=elder_id, item_id=item_id)
        if not months:
            raise MoneyRefusedError(_nothing(elder, item))
        recovery = Recovery.objects.create(
            county_code=run.county_code,
            elder=elder,
            item=item,
            run=run,
            cause=cause,
            note=note,
            area_code=months[-1].area_code,
            due_stop=months[0].month,
            actual_stop=months[-1].month,
            amount=sum(month.amount for month in months),
            made_by=actor,
        )
        lines_add(recovery=recovery, amounts=[(month.month, month.amount) for month in months])
        recovery_open_post(recovery=recovery, actor=actor)
        case_audit("追缴立案", recovery, actor, amount=str(recovery.amount), months=len(months), cause=cause)
    return recovery


def recoveries_open(*, run: Month, pairs: Iterable[tuple[int, int]], cause: str, actor: User) -> OpenedCases:
    """Open cases for pairs of elder and item, each for itself; cause '': the one that the facts propose."""
    pairs = sorted(set(pairs))
    causes = dict.fromkeys(pairs, cause) if cause else causes_proposed(run=run, pairs=pairs)
    opened, refused = [], {}
    for pair in pairs:
        elder_id, item_id = pair
        why = causes.get(pair, StopReason.CORRECTED)
        try:
            opened.append(recovery_open(run=run, elder_id=elder_id, item_id=item_id, cause=why, actor=actor))
        except MoneyRefusedError as refusal:
            refused[pair] = str(refusal)
    return OpenedCases(opened, refused)


def recovery_notify(*, recovery_id: int, on: date, pay_by: date | None, actor: User) -> Recovery:
    """Record that the family was told; pay_by: three months after the day if not given."""
    pay_by = pay_by or on + PAY_WITHIN
    with transaction.atomic():
        recovery = case_locked(recovery_id)
        if recovery.notified_on is not None:
            if (recovery.notified_on, recovery.pay_by) == (on, pay_by):
                return recovery
            raise MoneyRefusedError(
                f"已登记 {recovery.notified_on} 通知、{recovery.pay_by} 前退回；"
                "通知只登记一次，再次催告请记在纸质材料上"
            )
        if recovery.state in OVER:
            raise MoneyRefusedError(f"本案已{recovery.state}，不需要再通知")
        if on > timezone.localdate():
            raise MoneyRefusedError("通知日期不能晚于今天，请填写实际送达的日期")
        if pay_by < on:
            raise MoneyRefusedError("退回期限不能早于通知日期，请核对两个日期")
        recovery.notified_on, recovery.pay_by = on, pay_by
        recovery.save(update_fields=["notified_on", "pay_by"])
        state_refresh(recovery)
        case_audit("追缴通知", recovery, actor, on=on.isoformat(), pay_by=pay_by.isoformat())
    return recovery


def recovery_consent(*, recovery_id: int, name: str, content: bytes, on: date, actor: User) -> Recovery:
    """Keep the paper by which the family agrees that later payments are kept back (domain §2.5)."""
    with transaction.atomic():
        recovery = case_locked(recovery_id)
        stored = stored_file_create(name=name, content=content, created_by=actor)
        if recovery.consent is not None:
            if (recovery.consent.sha256, recovery.consent_on) == (stored.sha256, on):
                stored.content.delete(save=False)
                stored.delete()
                return recovery
            raise MoneyRefusedError(
                f"已登记 {recovery.consent_on} 的同意书“{recovery.consent.name}”，不能换掉；请核对后保留原件"
            )
        if recovery.state in OVER:
            raise MoneyRefusedError(f"本案已{recovery.state}，不需要同意书")
        if on > timezone.localdate():
            raise MoneyRefusedError("同意日期不能晚于今天，请填写同意书上的签字日期")
        recovery.consent, recovery.consent_on = stored, on
        recovery.save(update_fields=["consent", "consent_on"])
        case_audit("登记抵扣同意书", recovery, actor, on=on.isoformat(), sha256=stored.sha256)
    return recovery


def _refuse_run(run: Month, item: Item, cause: str) -> None:
    """Only the newest month knows all that was recovered before; older ones would recover it again."""
    newest = Month.objects.filter(county_code=run.county_code, revision__gt=0).order_by("-month").first()
    if newest is None or newest.pk != run.pk:
        name = f"{newest.month:%Y年%m月}" if newest else "本县已核定的月份"
        raise MoneyRefusedError(f"追缴按最近一次核定立案，请从 {name} 的名单办理")
    if item.document.area_id != run.county_code:
        raise MoneyRefusedError(f"{item} 不是本县清单的项目，请由发放县追缴")
    if cause not in StopReason.values:
        raise MoneyRefusedError("请选择追缴原因")


def _opened_before(known: Recovery, actor: User) -> Recovery:
    if known.made_by_id == actor.pk:
        return known
    at = timezone.localtime(known.made_at)
    raise MoneyRefusedError(
        f"已由 {known.made_by or '系统'} 于 {at:%m-%d %H:%M} 立案；此后新多发的，待下个月核定后另立一案"
    )


def _nothing(elder: Elder, item: Item) -> str:
    on_the_way = sum(underway_by_month(elder_id=elder.pk, item_id=item.pk).values())
    if on_the_way:
        return (
            f"{elder} 的 {item} 现在没有可以追缴的金额；有 {on_the_way:,.2f} 元还在发放途中，"
            "请先暂缓或退回批次，已报银行的等回盘后再立案"
        )
    return f"{elder} 的 {item} 没有多发：按最新核定结果，各月已发都不多于应发"
