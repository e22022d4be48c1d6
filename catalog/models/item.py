"""Items of a list and their dated versions."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F

from catalog.choices import Application, Form, ItemType, Start, Subject, Track
from catalog.models.document import Document


class Item(models.Model):
    """One row of a printed list; what may change stands in its versions."""

    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, related_name="items", verbose_name="文件"
    )
    code = models.CharField("项目编码", max_length=20)
    number = models.PositiveSmallIntegerField("序号")
    name = models.CharField("项目名称", max_length=60)
    type = models.CharField("服务类型", max_length=8, choices=ItemType.choices)
    form = models.CharField("形式", max_length=4, choices=Form.choices)
    subject = models.CharField("对象主体", max_length=8, choices=Subject.choices)
    covers = ArrayField(
        models.CharField(max_length=20), default=list, blank=True, verbose_name="对应上级项目"
    )
    printed = models.TextField("原文", blank=True)
    note = models.TextField("整理说明", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "清单项目"
        ordering = ("document", "number", "code")
        constraints = (models.UniqueConstraint(fields=("document", "code"), name="item_code"),)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class ItemVersion(models.Model):
    """What an item says over a half-open range of days.

    rule: text of the rule language, '' where nobody is decided. amounts: list of {"if": rule text or null,
    "pay": amount text}, first match pays, 元 per month; empty for items without money. minimum: 不低于.
    pending: 待定标准, decided and counted, never paid. lookback: months back that may still be paid.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions", verbose_name="项目")
    valid = DateRangeField("有效期")
    summary = models.TextField("说明")
    clause = models.CharField("条款", max_length=60)
    lead = models.ForeignKey(
        "organization.Bureau", on_delete=models.PROTECT, related_name="+", verbose_name="牵头单位"
    )
    joined = models.ManyToManyField(
        "organization.Bureau", related_name="+", blank=True, verbose_name="配合单位"
    )
    rule = models.TextField("条件")
    amounts = models.JSONField("标准", default=list, blank=True)
    minimum = models.BooleanField("不低于", default=False)
    pending = models.BooleanField("待定标准", default=False)
    application = models.CharField("享受方式", max_length=4, choices=Application.choices)
    start = models.CharField("起始", max_length=2, choices=Start.choices)
    lookback = models.PositiveSmallIntegerField("可补发月数", default=0)
    track = models.CharField("核定方式", max_length=2, choices=Track.choices)
    digest = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "项目版本"
        ordering = ("item", "valid")
        constraints = (
            ExclusionConstraint(
                name="item_version_no_overlap",
                expressions=((F("item"), RangeOperators.EQUAL), (F("valid"), RangeOperators.OVERLAPS)),
                violation_error_message="同一项目的版本有效期不能重叠",
            ),
        )

    def __str__(self) -> str:
        return f"{self.item} {self.valid.lower}"
