"""漏享: who is entitled to an item 申请 by the newest month and does not draw it, for the work of finding them.

Left out: who has an application in hand, who was enrolled since the month was decided, and who gave the item up.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Left

from catalog.choices import Application as Way
from catalog.choices import Subject
from catalog.models import Item
from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from subsidies.applications import OPEN
from subsidies.choices import EnrolmentState, Outcome, StopReason
from subsidies.models import Application, Enrolment, EnrolmentEvent, Entitlement, Month


@dataclass(frozen=True)
class MissedCell:
    """One item in one township (12-digit code). amount: 元 a month missed, None where the amount is not known."""

    township: str
    item: Item
    persons: int
    amount: Decimal | None


def newest_month(county_code: str) -> Month | None:
    """The newest decided month of a county."""
    return Month.objects.filter(county_code=county_code, revision__gt=0).order_by("-month").first()


def missed_list(
    month: Month,
    user: User | None = None,
    *,
    permission: Permission = Permission.MONTH_VIEW,
    area_code: str = "",
    item_id: int | None = None,
) -> QuerySet[Entitlement]:
    """Lines missed in the month, with elder and item, by village and item; one per person, or per household.

    user: only villages in which the user has the permission. area_code: only under this area.
    """
    rows = Entitlement.objects.of(month).filter(
        outcome=Outcome.NOT_APPLIED, item_version__application=Way.ON_REQUEST
    )
    if user is not None:
        rows = in_areas(rows, user.area_prefixes(permission), "area_code")
    if area_code:
        rows = rows.filter(area_code__startswith=area_prefix(area_code))
    if item_id is not None:
        rows = rows.filter(item=item_id)
    rows = rows.exclude(_of_the_same(Application.objects.filter(state__in=OPEN)))
    rows = rows.exclude(_of_the_same(_enrolled_since(month.month)))
    rows = rows.exclude(_of_the_same(_given_up(month.month)))
    return rows.select_related("elder", "item").order_by(
        "area_code", "item__number", "item__code", "elder_id"
    )


def missed_counts(
    month: Month, user: User | None = None, *, permission: Permission = Permission.MONTH_VIEW
) -> list[MissedCell]:
    """Persons and money missed by township and item, townships and items in printed order. 2 queries."""
    grouped = list(
        missed_list(month, user, permission=permission)
        .order_by()
        .select_related(None)
        .annotate(township=Left("area_code", 9))
        .values("township", "item_id")
        .annotate(persons=Count("elder_id"), sum=Sum("amount"))
    )
    items = Item.objects.in_bulk({row["item_id"] for row in grouped})
    cells = [
        MissedCell(row["township"].ljust(12, "0"), items[row["item_id"]], row["persons"], row["sum"])
        for row in grouped
    ]
    return sorted(cells, key=lambda cell: (cell.township, cell.item.number, cell.item.code))


def _of_the_same(rows: QuerySet[Application] | QuerySet[Enrolment]) -> Q | Exists:
    """A row for the line's item of the elder, or of a member where the item is a household's."""
    mine = rows.filter(item=OuterRef("item_id"), elder=OuterRef("elder_id"))
    family = rows.filter(
        item=OuterRef("item_id"),
        item__subject=Subject.HOUSEHOLD,
        elder__household_key=OuterRef("elder__household_key"),
    )
    return Exists(mine) | Exists(family)


def _enrolled_since(month: date) -> QuerySet[Enrolment]:
    """Enrolments that run and have not been looked at by the month, or begin only after it."""
    return Enrolment.objects.exclude(state=EnrolmentState.ENDED).filter(
        Q(last_month=None) | Q(last_month__gte=month)
    )


def _given_up(month: date) -> QuerySet[Enrolment]:
    """Enrolments over by the month because the person did not want them."""
    renounced = EnrolmentEvent.objects.filter(enrolment=OuterRef("pk"), reason=StopReason.RENOUNCED)
    later = Enrolment.objects.filter(
        item=OuterRef("item"), elder=OuterRef("elder"), first_month__gt=OuterRef("first_month")
    )
    return Enrolment.objects.filter(
        Exists(renounced), ~Exists(later), state=EnrolmentState.ENDED, last_month__lt=month
    )
