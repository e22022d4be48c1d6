"""What a 公示 list shows to everyone: a whitelist, and only between its first and last day (domain §8, Publicity)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from operations.masking import mask_name
from organization.areas import area_prefix
from organization.models import Area, Letterhead
from subsidies.choices import BatchState, PaymentState
from subsidies.models import Batch, Objection, Payment

#: All that is read of a line; what is not read cannot be shown.
SHOWN: Final = ("number", "elder__name", "area_code", "item__name", "month", "amount")
ELSEWHERE: Final = "县外"


@dataclass(frozen=True)
class Notice:
    """A list on notice. first, last: its days, both included; lines, amount: of the whole list, 元.

    office, hotline: whom to tell, as on the county's papers; '' if the county has not set them.
    """

    key: UUID
    county_code: str
    county: str
    office: str
    hotline: str
    first: date
    last: date
    lines: int
    amount: Decimal


@dataclass(frozen=True)
class NoticeLine:
    """One line of the list. number: what an objection names; month: 所属月."""

    number: int
    name: str
    village: str
    item: str
    month: date
    amount: Decimal


def notices_open(*, today: date, county_code: str | None = None) -> list[Notice]:
    """Lists on notice today, the one that ends first before the others. 2 queries and one per county."""
    batches = _on_notice(today)
    if county_code is not None:
        batches = batches.filter(county_code=county_code)
    return [_notice(batch) for batch in batches.order_by("notice_until", "number")]


def notice_get(*, key: UUID, today: date) -> Notice | None:
    """The list of this key if it is on notice today; None before and after, whatever became of the batch."""
    batch = _on_notice(today).filter(notice_key=key).first()
    return None if batch is None else _notice(batch)


def notice_townships(*, notice: Notice) -> list[tuple[str, str, int]]:
    """(prefix, name, lines) of the townships in the list; ('', 县外, …) for lines of outside the county."""
    counts: dict[str, int] = {}
    county = area_prefix(notice.county_code)
    for code, lines in _lines(notice.key).order_by().values_list("area_code").annotate(n=Count("pk")):
        township = code[:9] if code.startswith(county) else ""
        counts[township] = counts.get(township, 0) + lines
    names = _names({f"{township}000" for township in counts if township})
    return [
        (township, names.get(f"{township}000", ELSEWHERE) if township else ELSEWHERE, lines)
        for township, lines in sorted(counts.items(), key=lambda pair: (not pair[0], pair[0]))
    ]


def notice_villages(*, notice: Notice, township: str) -> list[tuple[str, str, int]]:
    """(code, name, lines) of the villages of a township (9-digit prefix) that are in the list. 2 queries."""
    rows = _lines(notice.key).filter(area_code__startswith=township)
    counts = dict(rows.order_by().values_list("area_code").annotate(n=Count("pk")))
    names = _names(set(counts))
    return [(str(code), names.get(str(code), str(code)), lines) for code, lines in sorted(counts.items())]


def notice_lines(
    *, notice: Notice, township: str | None = None, start: int = 0, size: int = 100
) -> list[NoticeLine]:
    """A page of the list by number, which a batch gives out village by village. 2 queries.

    township: 9-digit prefix or a village's whole code, '' for outside the county.
    """
    rows = _lines(notice.key)
    if township:
        rows = rows.filter(area_code__startswith=township)
    elif township is not None:
        rows = rows.exclude(area_code__startswith=area_prefix(notice.county_code))
    page = list(rows.order_by("number").values_list(*SHOWN)[start : start + size])
    county = area_prefix(notice.county_code)
    names = _names({code for _, _, code, _, _, _ in page if code.startswith(county)})
    return [
        NoticeLine(number, mask_name(name), names.get(code, ELSEWHERE), item, month, amount)
        for number, name, code, item, month, amount in page
    ]


def _on_notice(today: date) -> QuerySet[Batch]:
    return Batch.objects.filter(
        state=BatchState.NOTICE,
        notice_key__isnull=False,
        notice_from__lte=today,
        notice_until__gte=today,
    )


def _notice(batch: Batch) -> Notice:
    key, first, last = batch.notice_key, batch.notice_from, batch.notice_until
    if key is None or first is None or last is None:
        raise ValueError(f"{batch} was never on notice")
    head = Letterhead.objects.filter(area=batch.county_code).first()
    sums = _lines(key).aggregate(lines=Count("pk"), amount=Sum("amount"))
    return Notice(
        key=key,
        county_code=batch.county_code,
        county=_names({batch.county_code}).get(batch.county_code, ""),
        office=head.unit if head else "",
        hotline=head.phone if head else "",
        first=first,
        last=last,
        lines=sums["lines"],
        amount=sums["amount"] or Decimal("0.00"),
    )


def _lines(key: UUID) -> QuerySet[Payment]:
    """Lines that were approved; one that an objection holds stays in the list while it is looked into."""
    objected = Exists(Objection.objects.filter(payment=OuterRef("pk")))
    shown = Q(state=PaymentState.PENDING) | Q(state=PaymentState.HELD) & objected
    return Payment.objects.filter(shown, batch__notice_key=key)


def _names(codes: set[str]) -> dict[str, str]:
    return dict(Area.objects.filter(code__in=codes).values_list("code", "name"))
