"""Bank file formats in the admin: kept by the county's data administrator, checked before they are saved."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from operations.services.audit import audit_record
from organization.addresses import client_address
from organization.areas import area_prefix, is_county
from organization.choices import Role
from organization.models import Area, User
from subsidies.bank_layout import file_layout
from subsidies.layout_reader import FORMATS, LayoutError
from subsidies.models import BankProfile
from subsidies.return_layout import return_layout
from subsidies.services.bank_profile import shipped_profiles

LAYOUT_HELP = (
    "JSON 对象。format：xlsx、csv 或 fixed；encoding：utf-8、utf-8-sig、gbk 或 gb18030；delimiter：分隔符；"
    "header：有无表头；control：控制行（批次号、总笔数、总金额）在 none、first 还是 last；memo：摘要，"
    "可用 {县}{项目}{所属月}{类别}{批次号}；unit：元或分；month_format：所属月写法，如 %Y%m；id_type：证件类型的写法；"
    "columns：各列的 field、title、width（定长时的字节数）、align、pad；control_columns：定长时控制行的各列。"
)
RETURN_HELP = (
    "JSON 对象。columns：各栏在回盘中的表头（可列几种叫法）、第几列，或定长时的 {start, width}；"
    "states：成功、失败、处理中各有哪些写法；reasons：失败原因各含哪些文字或返回码，不写时按常用说法判断；"
    "date_format：入账日期写法，如 %Y%m%d。"
)


class _Indented(json.JSONEncoder):
    """A layout as a person reads it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"indent": 1, "ensure_ascii": False})


def _counties(request: HttpRequest) -> QuerySet[Area]:
    """Counties whose data the user administers."""
    held = request.user.active_assignments if isinstance(request.user, User) else []
    prefixes = [area_prefix(one.area_id) for one in held if one.role == Role.DATA_ADMIN]
    below = Q(pk__in=[])
    for prefix in prefixes:
        below |= Q(code__startswith=prefix)
    areas = Area.objects.filter(below, code__endswith="000000").values_list("code", flat=True)
    codes = [code for code in areas if is_county(code)]
    return Area.objects.filter(code__in=codes).order_by("code")


class BankProfileForm(forms.ModelForm):
    """Both layouts are checked key by key."""

    layout = forms.JSONField(label="发放文件格式", encoder=_Indented, help_text=LAYOUT_HELP)
    return_layout = forms.JSONField(label="回盘文件格式", encoder=_Indented, help_text=RETURN_HELP)

    class Meta:
        model = BankProfile
        fields = ("county_code", "name", "active", "layout", "return_layout")

    def clean_layout(self) -> Any:
        return _checked(file_layout, self.cleaned_data["layout"])

    def clean_return_layout(self) -> Any:
        return _checked(return_layout, self.cleaned_data["return_layout"])


def _checked(check: Any, layout: Any) -> Any:
    try:
        check(layout)
    except LayoutError as error:
        raise ValidationError(error.faults) from error
    return layout


@admin.register(BankProfile)
class BankProfileAdmin(admin.ModelAdmin):
    """Formats of the user's counties; one out of use is switched off, never deleted."""

    form = BankProfileForm
    list_display = ("name", "county", "kind", "active")
    list_filter = ("active",)
    search_fields = ("name",)
    ordering = ("county_code", "name")
    readonly_fields = ("county",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BankProfile]:
        codes = _counties(request).values_list("code", flat=True)
        profiles: QuerySet[BankProfile] = super().get_queryset(request)
        return profiles.filter(county_code__in=list(codes))

    def get_fields(self, request: HttpRequest, obj: BankProfile | None = None) -> tuple[str, ...]:
        """A format stays with its county."""
        return ("county" if obj else "county_code", "name", "active", "layout", "return_layout")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the user's counties."""
        if db_field.name == "county_code":
            counties = [(area.code, area.name) for area in _counties(request)]
            return forms.ChoiceField(label="县", choices=counties)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new format begins as the plainest shipped one."""
        shipped = shipped_profiles()[0]
        return {"layout": shipped["layout"], "return_layout": shipped["return_layout"]}

    def has_delete_permission(self, request: HttpRequest, obj: BankProfile | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: BankProfile, form: Any, change: bool) -> None:
        before = _described(BankProfile.objects.get(pk=obj.pk)) if change else {}
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            audit_record(
                action="修改银行文件格式" if change else "新增银行文件格式",
                subject=f"bank_profile:{obj.pk}",
                actor=request.user if isinstance(request.user, User) else None,
                data={"before": before, "after": _described(obj)},
                address=client_address(request),
            )

    @admin.display(description="县", ordering="county_code")
    def county(self, profile: BankProfile) -> str:
        area = Area.objects.filter(code=profile.county_code).first()
        return area.name if area else profile.county_code

    @admin.display(description="发放文件")
    def kind(self, profile: BankProfile) -> str:
        try:
            layout = file_layout(profile.layout)
        except LayoutError:
            return "格式有误，请更正"
        return FORMATS[layout.format] + ("" if layout.format == "xlsx" else f"（{layout.encoding.upper()}）")


def _described(profile: BankProfile) -> dict[str, Any]:
    return {
        "county": profile.county_code,
        "name": profile.name,
        "active": profile.active,
        "layout": profile.layout,
        "return_layout": profile.return_layout,
    }
