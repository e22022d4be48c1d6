"""Administrative areas with dated validity."""

from typing import Self

from django.contrib.postgres.indexes import OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Index, Q

from organization.areas import CODE_LENGTH, area_prefix


class AreaQuerySet(models.QuerySet["Area"]):
    """Areas by time and position."""

    def below(self, code: str) -> Self:
        """The area itself and everything under it."""
        return self.filter(code__startswith=area_prefix(code))

    def children_of(self, code: str) -> Self:
        """Areas one level below."""
        return self.filter(parent_id=code)

    def current(self) -> Self:
        """Areas that have not been abolished."""
        return self.filter(valid_to=None)


class Area(models.Model):
    """A province, prefecture, county, township or village; code digits are the tree (prefix = scope).

    valid_from/valid_to: half-open range of days; successor: who took over when it was abolished.
    """

    code = models.CharField(
        "区划代码",
        max_length=CODE_LENGTH,
        primary_key=True,
        validators=[RegexValidator(r"^\d{12}$", "区划代码应为 12 位数字")],
    )
    name = models.CharField("名称", max_length=60)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )
    valid_from = models.DateField("启用日期", null=True, blank=True)
    valid_to = models.DateField("撤销日期", null=True, blank=True)
    successor = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="predecessors",
        verbose_name="并入",
    )

    objects = AreaQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "行政区划"
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gt=F("valid_from")),
                name="area_valid_range",
                violation_error_message="撤销日期应晚于启用日期",
            ),
        )
        indexes = (Index(OpClass(F("code"), "varchar_pattern_ops"), name="area_code_prefix"),)

    def __str__(self) -> str:
        return self.name

    @property
    def prefix(self) -> str:
        """Significant digits of the code."""
        return area_prefix(self.code)
