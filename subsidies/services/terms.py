"""Setting that and how the portal pays an item: first month, days of notice, certification, shares of funding."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

from catalog.models import Item
from operations.services.audit import audit_record
from organization.models import User
from subsidies.choices import FundSource
from subsidies.county_lock import county_lock_or_refuse
from subsidies.models import Funding, LedgerEntry, Payment, PaymentTerms
from subsidies.recovery_selectors import newest_month
from subsidies.refusals import MoneyRefusedError
from subsidies.services.bank_profile import bank_profiles_ensure

WHOLE: Final = Decimal(100)


@dataclass(frozen=True)
class Terms:
    """Payment terms as a form gives them. first_month: first day of a month; start: a FirstMonth."""

    first_month: date
    notice_days: int
    start: str
    certify_months: int
    certify_grace_days: int


@transaction.atomic
def terms_set(*, item: Item, terms: Terms, actor: User) -> PaymentTerms:
    """Set the terms of an item; the same terms again change nothing. The first give the county bank file formats.

    Raises MoneyRefusedError when the first month is to move although the portal has lines of the item: what earlier
    months count as paid outside would change behind them; and when it is to lie before the newest decided month, for
    all since would be due anew.
    """
    county_lock_or_refuse(item.document.area_id)
    Item.objects.select_for_update().get(pk=item.pk)
    row = PaymentTerms.objects.filter(item=item).first()
    before = _plain(row) if row else {}
    if row and row.first_month != terms.first_month:
        _refuse_moved(item, row.first_month)
    if row is None or row.first_month != terms.first_month:
        _refuse_decided(item, terms.first_month)
    row = row or PaymentTerms(item=item)
    row.first_month = terms.first_month
    row.notice_days = terms.notice_days
    row.start = terms.start
    row.certify_months = terms.certify_months
    row.certify_grace_days = terms.certify_grace_days
    after = _plain(row)
    if after != before:
        row.save()
        if not before and item.document.area_id:
            bank_profiles_ensure(county_code=item.document.area_id)
        _audit("修改发放设置" if before else "启用发放", item, actor, {"before": before, "after": after})
    return row


@transaction.atomic
def funding_set(
    *, item: Item, first_month: date, shares: Mapping[str, Decimal], actor: User
) -> list[Funding]:
    """Set the shares of an item's sources from a month on; the same shares again change nothing.

    shares: source → percent, together 100. Raises MoneyRefusedError otherwise, and for months whose money is booked.
    """
    Item.objects.select_for_update().get(pk=item.pk)
    if sum(shares.values(), Decimal(0)) != WHOLE or min(shares.values()) < 0:
        total = sum(shares.values(), Decimal(0))
        raise MoneyRefusedError(f"各资金来源的比例合计应为 100%，现为 {total}%，请修改后再保存")
    rows = Funding.objects.filter(item=item, first_month=first_month)
    before = {row.source: str(row.share) for row in rows if row.share}
    after = {str(source): f"{share:.2f}" for source, share in shares.items() if share}
    if before != after:
        _refuse_booked(item, first_month)
        rows.delete()
        Funding.objects.bulk_create(
            [
                Funding(item=item, source=FundSource(source), first_month=first_month, share=share)
                for source, share in shares.items()
                if share
            ]
        )
        month = f"{first_month:%Y-%m}"
        _audit("修改资金来源", item, actor, {"first_month": month, "before": before, "after": after})
    return list(Funding.objects.filter(item=item, first_month=first_month))


def _refuse_moved(item: Item, first_month: date) -> None:
    lines = Payment.objects.filter(item=item).count()
    if lines:
        raise MoneyRefusedError(
            f"{item.name}自 {first_month:%Y年%m月} 起已由平台生成 {lines} 笔发放，启用发放月不能再改；"
            "其他设置可以单独修改"
        )


def _refuse_decided(item: Item, first_month: date) -> None:
    newest = newest_month(item.document.area_id)
    if newest is not None and first_month < newest.month:
        raise MoneyRefusedError(
            f"本县已核定到 {newest.month:%Y年%m月}，启用发放月不能早于这个月，否则以前各月会再发一遍；"
            f"请填 {newest.month:%Y-%m} 或以后的月份，之前的月份按已在平台外发放处理"
        )


def _refuse_booked(item: Item, first_month: date) -> None:
    entries = LedgerEntry.objects.filter(item=item)
    booked = max(
        filter(
            None,
            entries.aggregate(
                batch=Max("batch__month__month"), recovery=Max("recovery__run__month")
            ).values(),
        ),
        default=None,
    )
    if booked and first_month <= booked:
        raise MoneyRefusedError(f"{item.name}到 {booked:%Y年%m月} 的钱已按原比例记账，新比例请从之后的月份起")


def _plain(row: PaymentTerms) -> dict[str, Any]:
    return {
        "first_month": f"{row.first_month:%Y-%m}",
        "notice_days": row.notice_days,
        "start": str(row.start),
        "certify_months": row.certify_months,
        "certify_grace_days": row.certify_grace_days,
    }


def _audit(action: str, item: Item, actor: User, data: dict[str, Any]) -> None:
    audit_record(action=action, subject=f"item:{item.code}", actor=actor, data=data)
