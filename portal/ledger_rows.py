"""Entries of the ledger for pages and downloads; both sides of a whole result are always shown beside each other."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import Q, QuerySet, Sum
from django.http import QueryDict
from django.utils import timezone

from portal.paging import LARGEST
from subsidies.choices import Account, FundSource
from subsidies.models import LedgerEntry

HEADINGS: Final = (
    "凭证号",
    "记账时间",
    "摘要",
    "来源单据",
    "项目编码",
    "项目名称",
    "科目",
    "资金来源",
    "借方（元）",
    "贷方（元）",
    "经办人",
)
WIDTHS: Final = (10, 18, 16, 24, 12, 24, 16, 14, 16, 16, 12)
#: value in the URL → (word, part of the event)
EVENTS: Final = {
    "confirm": ("财政确认", Q(event__endswith=":confirm")),
    "send": ("报送银行", Q(event__endswith=":send")),
    "return": ("银行回盘", Q(event__startswith="return:")),
    "cancel": ("核销应付未付", Q(event__contains=":cancel:")),
    "recovery": ("追缴", Q(event__startswith="recovery:")),
}


@dataclass(frozen=True)
class LedgerSums:
    """Entries of a whole result: number, Σ debit and Σ credit in 元."""

    entries: int
    debit: Decimal
    credit: Decimal

    @property
    def difference(self) -> Decimal:
        """Debit minus credit; 0.00 unless a filter cuts an event in two."""
        return self.debit - self.credit


def entries_of(county_code: str) -> QuerySet[LedgerEntry]:
    """Every entry of a county."""
    return LedgerEntry.objects.filter(
        Q(batch__county_code=county_code) | Q(recovery__county_code=county_code)
    )


def filtered(entries: QuerySet[LedgerEntry], params: QueryDict) -> QuerySet[LedgerEntry]:
    """Entries that fit the query; a filter with a value that cannot be finds nothing."""
    if event := params.get("event", ""):
        entries = entries.filter(EVENTS[event][1]) if event in EVENTS else entries.none()
    if account := params.get("account", ""):
        entries = entries.filter(account=account) if account in Account.values else entries.none()
    if source := params.get("source", ""):
        entries = entries.filter(source=source) if source in FundSource.values else entries.none()
    for name, field in (("item", "item_id"), ("batch", "batch_id")):
        if value := params.get(name, ""):
            is_id = value.isascii() and value.isdigit() and int(value) < LARGEST
            entries = entries.filter(**{field: int(value)}) if is_id else entries.none()
    if text := params.get("month", ""):
        month = _month(text)
        run = Q(batch__month__month=month) | Q(recovery__run__month=month)
        entries = entries.filter(run) if month else entries.none()
    return entries


def sums_of(entries: QuerySet[LedgerEntry]) -> LedgerSums:
    """Number and both sides of a result."""
    found = entries.order_by().aggregate(debit=Sum("debit"), credit=Sum("credit"))
    zero = Decimal("0.00")
    return LedgerSums(entries.count(), found["debit"] or zero, found["credit"] or zero)


def ordered(entries: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
    """Newest first, the entries of one event together."""
    return entries.select_related("item", "batch", "recovery__elder", "actor").order_by("-at", "event", "id")


def cells(entries: Iterable[LedgerEntry]) -> Iterable[tuple[str | int | Decimal, ...]]:
    """Entries in the order of HEADINGS."""
    for entry in entries:
        origin = f"批次 {entry.batch.number}" if entry.batch else f"追缴 {entry.recovery_id}"
        at = timezone.localtime(entry.at)
        yield (
            entry.pk,
            f"{at:%Y-%m-%d %H:%M}",
            entry.note,
            origin,
            entry.item.code,
            entry.item.name,
            entry.account,
            entry.source,
            entry.debit,
            entry.credit,
            str(entry.actor or "系统"),
        )


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
