"""The county's list: items in force and one item with its versions."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from catalog.models import DatedValue, Item, ItemVersion
from catalog.selectors import item_list_for
from organization.areas import county_code
from organization.choices import Permission
from organization.models import User
from organization.permissions import SignedInRequest, requires
from portal.scope import place_of


@dataclass(frozen=True)
class Tier:
    """One step of an amount: under which condition how much, as the list writes it."""

    condition: str
    pay: str


@dataclass(frozen=True)
class VersionRow:
    """One version of an item, ready to be shown."""

    version: ItemVersion
    tiers: list[Tier]
    current: bool


@requires(Permission.CATALOG_VIEW)
@require_GET
def item_list(request: SignedInRequest) -> HttpResponse:
    """Items in force in the user's county today, in printed order."""
    today = timezone.localdate()
    versions = list(item_list_for(county_code=place_of(request.user).county_code, day=today))
    documents = {version.item.document_id: version.item.document for version in versions}
    context = {
        "rows": [_row(version) for version in versions],
        "documents": list(documents.values()),
        "numbers": len({(version.item.document_id, version.item.number) for version in versions}),
        "today": today,
    }
    return render(request, "portal/item_list.html", context)


@requires(Permission.CATALOG_VIEW)
@require_GET
def item_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One item: the official wording beside the rule, figures, versions."""
    item = get_object_or_404(_items(request.user).select_related("document"), pk=pk)
    versions = item.versions.select_related("lead").prefetch_related("joined").order_by("-valid")
    rows = [_row(version) for version in versions]
    words = " ".join(f"{row.version.rule} {row.version.amounts}" for row in rows)
    figures = DatedValue.objects.filter(document=item.document).order_by("kind", "name", "valid")
    context = {
        "item": item,
        "rows": rows,
        "newest": next((row for row in rows if row.current), rows[0] if rows else None),
        "figures": [figure for figure in figures if figure.name in words],
    }
    return render(request, "portal/item_detail.html", context)


def _items(user: User) -> QuerySet[Item]:
    """Items of the lists of the user's counties and of the areas above them."""
    codes = {"000000000000"}
    for assignment in user.active_assignments:
        county = county_code(assignment.area_id)
        codes |= {county, county[:4].ljust(12, "0"), county[:2].ljust(12, "0")}
    return Item.objects.filter(document__area__in=codes)


def _row(version: ItemVersion) -> VersionRow:
    tiers = [Tier(tier.get("if") or "", str(tier["pay"])) for tier in version.amounts]
    return VersionRow(version, tiers, timezone.localdate() in version.valid)
