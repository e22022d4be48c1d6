"""Dated figures, conditions, exclusion groups, visit tiers and targets of a document."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F

from catalog.choices import Per, Strategy, ValueKind
from catalog.models.document import Document


class DatedValue(models.Model):
    """A parameter (number), a rate (元) or a named condition (rule text) over a half-open range of days."""

    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, related_name="values", verbose_name="文件"
    )
    kind = models.CharField("种类", max_length=10, choices=ValueKind.choices)
    name = models.CharField("名称", max_length=40)
    value = models.TextField("内容")
    valid = DateRangeField("有效期")
    note = models.TextField("说明", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "参数、标准与情形"
        ordering = ("document", "kind", "name", "valid")
        constraints = (
            ExclusionConstraint(
                name="dated_value_no_overlap",
                expressions=(
                    (F("document"), RangeOperators.EQUAL),
                    (F("name"), RangeOperators.EQUAL),
                    (F("valid"), RangeOperators.OVERLAPS),
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


class ExclusionGroup(models.Model):
    """Items of which one elder may draw only one in a month; `items` in order of precedence."""

    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, related_name="exclusions", verbose_name="文件"
    )
    code = models.CharField("编码", max_length=40)
    name = models.CharField("名称", max_length=60, blank=True)
    strategy = models.CharField("办法", max_length=2, choices=Strategy.choices)
    items = ArrayField(models.CharField(max_length=20), verbose_name="项目")
    valid = DateRangeField("有效期")
    note = models.TextField("说明", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "不重复享受"
        ordering = ("document", "code", "valid")
        constraints = (
            ExclusionConstraint(
                name="exclusion_no_overlap",
                expressions=(
                    (F("document"), RangeOperators.EQUAL),
                    (F("code"), RangeOperators.EQUAL),
                    (F("valid"), RangeOperators.OVERLAPS),
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.strategy} {'、'.join(self.items)}"


class VisitTier(models.Model):
    """How often whom: `times` effective visits `per` slot, in these modes, `in_person` 上门 a month.

    ended_here: the county ended it on its own page; a pack that knows of no end does not bring it back.
    """

    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, related_name="visit_tiers", verbose_name="文件"
    )
    code = models.CharField("编码", max_length=40)
    name = models.CharField("名称", max_length=40)
    rule = models.TextField("条件")
    times = models.PositiveSmallIntegerField("次数")
    per = models.CharField("周期", max_length=1, choices=Per.choices)
    modes = ArrayField(models.CharField(max_length=10), verbose_name="方式")
    in_person = models.PositiveSmallIntegerField("至少上门次数", default=0)
    grace_days = models.PositiveSmallIntegerField("宽限天数", default=0)
    order = models.PositiveSmallIntegerField("优先顺序")
    clause = models.CharField("条款", max_length=60, blank=True)
    valid = DateRangeField("有效期")
    note = models.TextField("说明", blank=True)
    ended_here = models.BooleanField("本县停用", default=False, db_default=False)

    class Meta:
        verbose_name = verbose_name_plural = "探访层级"
        ordering = ("document", "order", "valid")
        constraints = (
            ExclusionConstraint(
                name="visit_tier_no_overlap",
                expressions=(
                    (F("document"), RangeOperators.EQUAL),
                    (F("code"), RangeOperators.EQUAL),
                    (F("valid"), RangeOperators.OVERLAPS),
                ),
            ),
        )

    def __str__(self) -> str:
        return self.name


class FindingKind(models.Model):
    """A word for what a visit may find, and what follows: the bureau that has to see to it within `hours`.

    bureau None: the village settles it. risk: '', 黄 or 红. Printed group: 健康, 经济, 安全 or 需求.
    """

    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, related_name="finding_kinds", verbose_name="文件"
    )
    code = models.CharField("编码", max_length=40)
    name = models.CharField("名称", max_length=40)
    group = models.CharField("类别", max_length=2)
    risk = models.CharField("风险", max_length=1, blank=True)
    hours = models.PositiveSmallIntegerField("办理时限（小时）")
    bureau = models.ForeignKey(
        "organization.Bureau", on_delete=models.PROTECT, null=True, related_name="+", verbose_name="责任单位"
    )
    order = models.PositiveSmallIntegerField("顺序")
    valid = DateRangeField("有效期")

    class Meta:
        verbose_name = verbose_name_plural = "探访发现项"
        ordering = ("document", "order", "code", "valid")
        constraints = (
            ExclusionConstraint(
                name="finding_kind_no_overlap",
                expressions=(
                    (F("document"), RangeOperators.EQUAL),
                    (F("code"), RangeOperators.EQUAL),
                    (F("valid"), RangeOperators.OVERLAPS),
                ),
            ),
        )

    def __str__(self) -> str:
        return self.name


class Target(models.Model):
    """A figure that a document demands by a day (domain §5)."""

    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, related_name="targets", verbose_name="文件"
    )
    code = models.CharField("编码", max_length=20)
    name = models.CharField("名称", max_length=80)
    comparator = models.CharField("比较", max_length=2)
    value = models.DecimalField("目标值", max_digits=12, decimal_places=2)
    unit = models.CharField("单位", max_length=12, blank=True)
    due = models.DateField("期限", null=True)
    indicator = models.CharField("指标", max_length=40, blank=True)
    clause = models.CharField("条款", max_length=60, blank=True)
    note = models.TextField("说明", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "目标"
        ordering = ("document", "code")
        constraints = (models.UniqueConstraint(fields=("document", "code"), name="target_code"),)

    def __str__(self) -> str:
        return f"{self.name} {self.comparator} {self.value}{self.unit}"
