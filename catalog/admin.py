"""The list in the admin, to look at: policy changes by packs alone, so that a change has a day and a source."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.models import (
    DatedValue,
    Document,
    ExclusionGroup,
    FindingKind,
    Item,
    ItemVersion,
    Target,
    VisitTier,
)


def period(row: Any) -> str:
    """Write a half-open range of days as first and last day."""
    first, until = row.valid.lower, row.valid.upper
    return f"{first} 起" if until is None else f"{first} 至 {until - timedelta(days=1)}"


class ViewOnly:
    """Neither added nor changed nor deleted here."""

    def denied(self, *_args: Any, **_options: Any) -> bool:
        """Answer Django's question for a permission."""
        return False

    has_add_permission = has_change_permission = has_delete_permission = denied


class DatedAdmin(ViewOnly, admin.ModelAdmin):
    """Shows the range of days as a clerk writes it."""

    exclude = ("valid",)
    readonly_fields = ("in_force",)

    @admin.display(description="有效期", ordering="valid")
    def in_force(self, row: Any) -> str:
        return period(row)


@admin.register(Document)
class DocumentAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ("title", "number", "issued", "area", "code", "parent_code")
    list_filter = ("area",)
    list_select_related = ("area",)
    search_fields = ("title", "number", "code")
    date_hierarchy = "issued"


class ItemVersionInline(ViewOnly, admin.StackedInline):
    model = ItemVersion
    extra = 0
    exclude = ("valid", "digest", "amounts", "joined")
    readonly_fields = ("in_force", "standard", "joined_bureaus")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ItemVersion]:
        queryset: QuerySet[ItemVersion] = super().get_queryset(request)
        return queryset.select_related("item", "lead").prefetch_related("joined")

    @admin.display(description="有效期")
    def in_force(self, version: ItemVersion) -> str:
        return period(version)

    @admin.display(description="标准（元/月）")
    def standard(self, version: ItemVersion) -> str:
        tiers = [
            f"{tier['if']}：{tier['pay']}" if tier["if"] else str(tier["pay"]) for tier in version.amounts
        ]
        floor = "不低于 " if version.minimum and tiers else ""
        return floor + ("；".join(tiers) or ("待定标准" if version.pending else "不涉及金额"))

    @admin.display(description="配合单位")
    def joined_bureaus(self, version: ItemVersion) -> str:
        return "、".join(bureau.name for bureau in version.joined.all()) or "无"


@admin.register(Item)
class ItemAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ("code", "name", "number", "type", "form", "subject", "document")
    list_filter = ("document", "type", "form", "subject")
    list_select_related = ("document",)
    search_fields = ("code", "name")
    inlines = (ItemVersionInline,)


@admin.register(DatedValue)
class DatedValueAdmin(DatedAdmin):
    list_display = ("name", "kind", "value", "in_force", "document")
    list_filter = ("document", "kind")
    list_select_related = ("document",)
    search_fields = ("name",)


@admin.register(ExclusionGroup)
class ExclusionGroupAdmin(DatedAdmin):
    list_display = ("code", "name", "strategy", "items", "in_force", "document")
    list_filter = ("document", "strategy")
    list_select_related = ("document",)


@admin.register(VisitTier)
class VisitTierAdmin(DatedAdmin):
    list_display = ("name", "times", "per", "modes", "in_person", "order", "in_force", "document")
    list_filter = ("document", "per")
    list_select_related = ("document",)


@admin.register(FindingKind)
class FindingKindAdmin(DatedAdmin):
    list_display = ("name", "group", "risk", "bureau", "hours", "order", "in_force", "document")
    list_filter = ("document", "group", "risk")
    list_select_related = ("document", "bureau")


@admin.register(Target)
class TargetAdmin(ViewOnly, admin.ModelAdmin):
    list_display = ("code", "name", "comparator", "value", "unit", "due", "document")
    list_filter = ("document",)
    list_select_related = ("document",)
    search_fields = ("code", "name", "indicator")
    date_hierarchy = "due"
