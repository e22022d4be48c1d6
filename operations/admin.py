"""The audit chain, to be read by the audit administrator; and role grants, kept here because each is audited."""

import json
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from operations.models import AuditEntry
from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.models import Assignment, User


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    """Read only: the database itself refuses every change."""

    list_display = ("at", "actor_name", "action", "subject", "address")
    list_filter = (("at", admin.DateFieldListFilter),)
    search_fields = ("subject__startswith", "actor_name__startswith", "actor__username__startswith")
    search_help_text = "对象或操作人，从开头起，如“elder:12”“导入批次 3”"
    show_full_result_count = False
    ordering = ("-id",)
    fields = readonly_fields = ("at", "actor_name", "actor", "action", "subject", "content", "address")

    @admin.display(description="内容")
    def content(self, entry: AuditEntry) -> str:
        return json.dumps(entry.data, ensure_ascii=False, indent=1)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False


@admin.register(Assignment)
class AssignmentAdmin(admin.ModelAdmin):
    """Who holds which role where; every grant, change and withdrawal is in the audit chain."""

    list_display = ("user", "role", "area", "bureau")
    list_select_related = ("user", "area", "bureau")
    list_filter = ("role",)
    search_fields = ("user__username", "user__full_name")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Nobody grants a role to oneself."""
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.exclude(pk=request.user.pk or 0).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Assignment, form: Any, change: bool) -> None:
        before = {"before": _described(Assignment.objects.get(pk=obj.pk))} if change else {}
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            _record(request, "role_change" if change else "role_grant", obj, before)

    def delete_model(self, request: HttpRequest, obj: Assignment) -> None:
        with transaction.atomic():
            _record(request, "role_withdraw", obj, {})
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Assignment]) -> None:
        with transaction.atomic():
            for assignment in queryset:
                _record(request, "role_withdraw", assignment, {})
            super().delete_queryset(request, queryset)


def _record(request: HttpRequest, action: str, assignment: Assignment, more: dict[str, Any]) -> None:
    audit_record(
        action=action,
        subject=f"user:{assignment.user_id}",
        actor=request.user if isinstance(request.user, User) else None,
        data=_described(assignment) | more,
        address=client_address(request),
    )


def _described(assignment: Assignment) -> dict[str, str]:
    return {
        "user": assignment.user.username,
        "role": assignment.role,
        "area": assignment.area_id,
        "bureau": str(assignment.bureau or ""),
    }
