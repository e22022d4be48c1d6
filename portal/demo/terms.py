"""Payment terms, shares of funding and grants of the demonstration."""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_UP, Decimal
from typing import Final

from django.db.models import Sum
from django.utils import timezone

from catalog.models import Item
from organization.choices import Role
from portal.demo.accounts import person
from portal.demo.areas import COUNTY
from subsidies.choices import FirstMonth, FundSource, Outcome
from subsidies.models import Entitlement, Month
from subsidies.services.appropriation import appropriation_record
from subsidies.services.terms import Terms, funding_set, terms_set

#: Items paid: start rule of an application and months between certifications (domain §2.2).
PAID: Final[Mapping[str, tuple[FirstMonth, int]]] = {
    "L03a": (FirstMonth.ELIGIBLE, 12),
    "L03b": (FirstMonth.ELIGIBLE, 12),
    "L16": (FirstMonth.AFTER_APPROVED, 0),
    "L17": (FirstMonth.AFTER_APPROVED, 0),
    "L19": (FirstMonth.AFTER_APPROVED, 0),
    "L21": (FirstMonth.APPLIED, 0),
    "L22": (FirstMonth.APPLIED, 0),
    "L23a": (FirstMonth.THIS_YEAR, 0),
    "L23b": (FirstMonth.THIS_YEAR, 0),
}
#: Applied for, with a public notice; no sum is fixed in the list, so nothing is paid.
APPLIED_FOR: Final = "L18"
NOTICED: Final = "L19"
GRACE_DAYS: Final = 30
NOTICE_DAYS: Final = 7
SHARED: Final = ("L03a", "L19")
SHARES: Final[dict[str, Decimal]] = {FundSource.FISCAL: Decimal(60), FundSource.LOTTERY: Decimal(40)}
WHOLE: Final[dict[str, Decimal]] = {FundSource.FISCAL: Decimal(100)}
RESERVE: Final = Decimal("1.2")
LEAST: Final = Decimal(20_000)
#: Of a county's lottery income at least 60 % is for elder care: the demonstration's spends 64 %.
LOTTERY_SHARE: Final = Decimal("0.64")


def terms_make(first_month: date) -> int:
    """Set terms, shares and the year's grants; amounts follow what is due in the months decided so far."""
    clerk = person(Role.BUREAU_CLERK)
    items = {item.code: item for item in Item.objects.filter(document__area_id=COUNTY)}
    for code, (start, certify) in PAID.items():
        terms_set(item=items[code], terms=Terms(first_month, 0, start, certify, GRACE_DAYS), actor=clerk)
    asked = Terms(first_month, NOTICE_DAYS, FirstMonth.APPLIED, 0, GRACE_DAYS)
    terms_set(item=items[APPLIED_FOR], terms=asked, actor=clerk)
    for code in SHARED:
        funding_set(item=items[code], first_month=first_month, shares=SHARES, actor=clerk)
    for year, months in _years(first_month).items():
        _grant(year, months, items)
    return len(PAID)


def _years(first_month: date) -> dict[int, int]:
    """Year → months that the portal pays in it: to the end of this year, and of the next if the story reaches it."""
    years = {first_month.year: 13 - first_month.month}
    if timezone.localdate().year > first_month.year:
        years[first_month.year + 1] = 12
    return years


def _grant(year: int, months: int, items: Mapping[str, Item]) -> None:
    finance = person(Role.FINANCE)
    newest = Month.objects.filter(county_code=COUNTY, revision__gt=0).order_by("-month")[0]
    due = Entitlement.objects.of(newest).filter(outcome=Outcome.DUE, item__code__in=PAID)
    sums = dict(due.order_by().values_list("item__code").annotate(sum=Sum("amount")))
    lottery = Decimal(0)
    for number, code in enumerate(PAID, 1):
        whole = max(sums.get(code, Decimal(0)) * months * RESERVE, LEAST)
        shares = SHARES if code in SHARED else WHOLE
        for source, share in shares.items():
            amount = _thousands(whole * share / 100)
            lottery += amount if source == FundSource.LOTTERY else 0
            document = f"青财社〔{year}〕{number}号"
            appropriation_record(
                county_code=COUNTY,
                year=year,
                source=source,
                item=items[code],
                amount=amount,
                document=document,
                actor=finance,
            )
    appropriation_record(
        county_code=COUNTY,
        year=year,
        source=FundSource.LOTTERY,
        item=None,
        amount=_thousands(lottery / LOTTERY_SHARE),
        document=f"青财综〔{year}〕1号",
        actor=finance,
    )


def _thousands(amount: Decimal) -> Decimal:
    return (amount / 1000).quantize(Decimal(1), ROUND_UP) * 1000


def notice_begin() -> Item:
    """Give an item a public notice from now on."""
    item = Item.objects.select_related("payment_terms").get(document__area_id=COUNTY, code=NOTICED)
    start, certify = PAID[NOTICED]
    terms = Terms(item.payment_terms.first_month, NOTICE_DAYS, start, certify, GRACE_DAYS)
    terms_set(item=item, terms=terms, actor=person(Role.BUREAU_CLERK))
    return item
