"""Areas, bureaus and users; role grants stand in operations.admin. Who may what here: organization.backends."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from organization.models import Area, Bureau, Letterhead, User

admin.site.unregister(Group)


@admin.register(Area)
class AreaAdmin(admin.ModelAdmin):
    """Areas are never deleted: they are abolished with a date and a successor."""

    list_display = ("code", "name", "parent", "valid_from", "valid_to", "successor")
    list_select_related = ("parent", "successor")
    list_filter = (("valid_to", admin.EmptyFieldListFilter),)
    search_fields = ("code__startswith", "name")
    autocomplete_fields = ("parent", "successor")
    ordering = ("code",)

    def get_readonly_fields(self, request: HttpRequest, obj: Area | None = None) -> tuple[str, ...]:
        """The code is the area: it stays."""
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Area | None = None) -> bool:
        return False


@admin.register(Bureau)
class BureauAdmin(admin.ModelAdmin):
    list_display = ("name", "code", "area", "other_names")
    list_select_related = ("area",)
    search_fields = ("name", "code")
    autocomplete_fields = ("area",)

    @admin.display(description="别名")
    def other_names(self, bureau: Bureau) -> str:
        return "、".join(bureau.aliases)

    def has_delete_permission(self, request: HttpRequest, obj: Bureau | None = None) -> bool:
        return False


@admin.register(Letterhead)
class LetterheadAdmin(admin.ModelAdmin):
    """What papers print about the county's office; one per county."""

    list_display = ("unit", "area", "phone")
    list_select_related = ("area",)
    autocomplete_fields = ("area",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Accounts; roles are granted apart from them. Nobody is deleted: an account is closed."""

    list_display = ("username", "full_name", "is_active", "is_staff", "last_login", "roles")
    list_filter = ("is_active", "is_staff", "assignments__role")
    search_fields = ("username", "full_name")
    ordering = ("username",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", "full_name", "email")}),
        ("状态", {"fields": ("is_active", "is_staff", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "full_name", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        queryset: QuerySet[User] = super().get_queryset(request)
        return queryset.prefetch_related("assignments__area").distinct()

    @admin.display(description="角色")
    def roles(self, user: User) -> str:
        return "、".join(f"{one.get_role_display()}（{one.area.name}）" for one in user.assignments.all())

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False
