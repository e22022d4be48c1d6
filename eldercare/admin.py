"""The registry in the admin: to look at within one's areas; changes come by rosters and by business pages."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from import_export.admin import ImportMixin

from eldercare.models import BankAccount, Circumstance, Contact, Elder, ImportBatch
from eldercare.reading.gate import FileRefused
from eldercare.resources.small_file import EncryptedStorage, RosterFormat, SmallFileResource, sent_by
from organization.choices import Permission
from organization.models import User
from organization.permissions import user_may


def period(valid: Any) -> str:
    """Write a half-open range of days as first and last day."""
    return (
        f"{valid.lower} 起" if valid.upper is None else f"{valid.lower} 至 {valid.upper - timedelta(days=1)}"
    )


def _staff(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


class ViewOnly:
    """Seen by who may see elders, written by nobody here."""

    permission = Permission.ELDER_VIEW

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return isinstance(request.user, User) and user_may(request.user, self.permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class CircumstanceInline(ViewOnly, admin.TabularInline):
    model = Circumstance
    fields = readonly_fields = ("kind", "value", "period", "source", "document", "batch")
    ordering = ("kind", "valid")
    extra = 0

    @admin.display(description="有效期")
    def period(self, row: Circumstance) -> str:
        return period(row.valid)


class BankAccountInline(ViewOnly, admin.TabularInline):
    model = BankAccount
    fields = readonly_fields = ("bank", "holder", "masked", "period")
    extra = 0

    @admin.display(description="银行账号")
    def masked(self, row: BankAccount) -> str:
        return row.masked_account

    @admin.display(description="有效期")
    def period(self, row: BankAccount) -> str:
        return period(row.valid)


class ContactInline(ViewOnly, admin.TabularInline):
    model = Contact
    fields = readonly_fields = ("name", "masked")
    extra = 0

    @admin.display(description="联系人电话")
    def masked(self, row: Contact) -> str:
        return row.masked_phone


@admin.register(Elder)
class ElderAdmin(ViewOnly, ImportMixin, admin.ModelAdmin):
    """Elders of the user's areas; small rosters can be imported here too."""

    resource_classes = [SmallFileResource]
    import_formats = [RosterFormat]
    tmp_storage_class = EncryptedStorage
    skip_admin_log = True
    list_display = ("name", "masked", "sex", "birth_year", "hukou_code", "residence_code")
    fields = (
        "name", "masked", "id_verified", "sex", "birth_year", "ethnicity", "hukou_code", "residence_code",
        "address", "phone", "relation_to_head", "note", "created_at",
    )  # fmt: skip
    readonly_fields = ("masked", "phone", "birth_year", "created_at")
    search_fields = ("name",)
    show_full_result_count = False
    inlines = (CircumstanceInline, BankAccountInline, ContactInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Elder]:
        if not isinstance(request.user, User):
            return Elder.objects.none()
        return Elder.objects.visible_to(request.user).order_by("id")

    def has_import_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and user_may(request.user, Permission.ROSTER_IMPORT)

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        with sent_by(_staff(request)):
            response: HttpResponse = super().import_action(request, **kwargs)
        return response

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        with sent_by(_staff(request)):
            response: HttpResponse = super().process_import(request, **kwargs)
        return response

    def add_data_read_fail_error_to_form(self, form: Form, error: Exception) -> None:
        """Say why a file is refused in our words, anything else in general ones."""
        known = isinstance(error, FileRefused)
        form.add_error("import_file", str(error) if known else "文件读取失败；请另存为 .xlsx 后再上传")

    @admin.display(description="证件号码")
    def masked(self, elder: Elder) -> str:
        return elder.masked_id_number

    @admin.display(description="出生年份", ordering="birth_date")
    def birth_year(self, elder: Elder) -> str:
        """The year alone: the whole day would complete the masked number."""
        return f"{elder.birth_date.year} 年"

    @admin.display(description="联系电话")
    def phone(self, elder: Elder) -> str:
        return elder.masked_phone


@admin.register(ImportBatch)
class ImportBatchAdmin(ViewOnly, admin.ModelAdmin):
    permission = Permission.ROSTER_IMPORT
    list_display = (
        "id",
        "name",
        "as_of",
        "mode",
        "state",
        "rows",
        "created_at",
        "created_by",
        "committed_at",
    )
    list_filter = ("state", "mode")
    list_select_related = ("file", "created_by")
    exclude = ("job", "columns")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportBatch]:
        """One's own batches: a report shows values of the file."""
        return super().get_queryset(request).filter(created_by=request.user.pk)

    @admin.display(description="文件")
    def name(self, batch: ImportBatch) -> str:
        return batch.file.name

    @admin.display(description="行数")
    def rows(self, batch: ImportBatch) -> int:
        return int(batch.counts.get("rows", 0))
