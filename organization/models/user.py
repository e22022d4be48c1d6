"""Users and their roles × areas × bureaus."""

from functools import cached_property
from typing import Final

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models

from organization.areas import area_prefix
from organization.choices import Permission, Role
from organization.grants import GRANTS, may_be_joined

APART: Final = (
    "三员分立：系统管理员、安全管理员、审计管理员不能由同一账号担任，也不能兼任业务角色；"
    "该用户已是“{names}”，请另选账号，或先收回原有角色"
)


class User(AbstractUser):
    """A person who signs in; rights come from assignments alone."""

    first_name = None  # type: ignore[assignment]  # Chinese names are one field
    last_name = None  # type: ignore[assignment]
    full_name = models.CharField("姓名", max_length=40, blank=True)

    class Meta(AbstractUser.Meta):
        verbose_name = verbose_name_plural = "用户"

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        """The person's name, or the account's."""
        return self.full_name or self.username

    def get_short_name(self) -> str:
        """The same as the full name."""
        return self.get_full_name()

    @cached_property
    def active_assignments(self) -> list["Assignment"]:
        """Roles of the user with area and bureau, read once per request."""
        return list(self.assignments.select_related("area", "bureau"))

    def role_names(self) -> list[str]:
        """Codes of the user's roles."""
        return [assignment.role for assignment in self.active_assignments]

    def area_prefixes(self, permission: Permission = Permission.ELDER_VIEW) -> list[str]:
        """Code prefixes of the areas in which a role grants the permission; shorter ones swallow longer ones."""
        granting = [a for a in self.active_assignments if permission in GRANTS[Role(a.role)]]
        prefixes = sorted({area_prefix(a.area_id) for a in granting})
        return [p for p in prefixes if not any(p != q and p.startswith(q) for q in prefixes)]


class Assignment(models.Model):
    """One role of one user in one area, for one bureau where the role has one."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="assignments", verbose_name="用户")
    role = models.CharField("角色", max_length=20, choices=Role.choices)
    area = models.ForeignKey("organization.Area", on_delete=models.PROTECT, verbose_name="区划范围")
    bureau = models.ForeignKey(
        "organization.Bureau", on_delete=models.PROTECT, null=True, blank=True, verbose_name="责任单位"
    )

    class Meta:
        verbose_name = verbose_name_plural = "角色授权"
        constraints = (
            models.UniqueConstraint(
                fields=("user", "role", "area", "bureau"),
                name="assignment_once",
                nulls_distinct=False,
                violation_error_message="该用户已有此角色",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} {self.get_role_display()} {self.area}"

    def clean(self) -> None:
        """Keep the three administrators apart from each other and from casework."""
        others = Assignment.objects.filter(user=self.user_id).exclude(pk=self.pk)
        held = set(others.values_list("role", flat=True))
        if not may_be_joined(held | {self.role}):
            names = "、".join(sorted(Role(role).label for role in held))
            raise ValidationError(APART.format(names=names))
