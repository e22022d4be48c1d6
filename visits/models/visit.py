"""Visits as append-only events, with what came with them."""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Index, Q

from catalog.choices import VisitMode
from eldercare.models import Elder
from operations.models import StoredFile
from visits.choices import Channel, FindingGroup, Result, Risk
from visits.querysets import VisitQuerySet


class Visit(models.Model):
    """One visit under the UUID that its recorder gave it; a correction is a new event naming the old one.

    at: when it took place, by the server's clock; device_at: what the phone's clock said, clock_offset: seconds
    that the server was ahead of it when the record came in. corrects: may come in before what it corrects.
    event_day: the day of death or of moving out as told on the spot. digest: sha256 of what the phone sent, ''
    for other channels. handed_over: the elder was no longer the recorder's; late: the month was locked already.
    accuracy: metres, 0 where the phone says that the place is made up. The database refuses every UPDATE and
    DELETE (migration 0002; 0004 holds the same rule for findings, returns, steps of follow-ups and snapshots).
    """

    id = models.UUIDField("记录编号", primary_key=True)
    elder = models.ForeignKey(
        Elder, on_delete=models.PROTECT, related_name="visits", verbose_name="老年人", db_index=False
    )
    at = models.DateTimeField("探访时间")
    mode = models.CharField("方式", max_length=10, choices=VisitMode.choices)
    result = models.CharField("结果", max_length=10, choices=Result.choices)
    visitor = models.CharField("探访人", max_length=40)
    note = models.CharField("备注", max_length=500, blank=True)
    corrects = models.UUIDField("更正", null=True, blank=True, db_column="corrects_id", db_index=True)
    recorded_at = models.DateTimeField("入库时间", auto_now_add=True)
    recorder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="登记人",
        db_index=False,
    )
    channel = models.CharField(
        "来源", max_length=2, choices=Channel.choices, default=Channel.FILE, db_default=Channel.FILE
    )
    device_at = models.DateTimeField("手机时间", null=True)
    clock_offset = models.IntegerField("时钟差（秒）", null=True)
    latitude = models.DecimalField("纬度", max_digits=9, decimal_places=6, null=True)
    longitude = models.DecimalField("经度", max_digits=9, decimal_places=6, null=True)
    accuracy = models.FloatField("定位精度（米）", null=True, validators=[MinValueValidator(0)])
    risk = models.CharField("风险", max_length=1, choices=Risk.choices, blank=True, default="", db_default="")
    event_day = models.DateField("去世或迁出日期", null=True)
    handed_over = models.BooleanField("已移交", default=False, db_default=False)
    late = models.BooleanField("补录", default=False, db_default=False)
    digest = models.CharField(max_length=64, blank=True, default="", db_default="")

    objects = VisitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "探访记录"
        ordering = ("-at",)
        constraints = (models.CheckConstraint(condition=~Q(corrects=F("id")), name="visit_corrects_another"),)
        indexes = (
            Index(F("at"), name="visit_at"),
            Index(F("elder"), F("at"), name="visit_elder"),
            Index(F("recorder"), F("at"), name="visit_recorder"),
        )

    def __str__(self) -> str:
        return f"{self.elder} {self.result}"


class Finding(models.Model):
    """Something noticed on a visit, by the word of the county's list that was in force. Append-only."""

    visit = models.ForeignKey(
        Visit, on_delete=models.PROTECT, related_name="findings", verbose_name="探访记录"
    )
    code = models.CharField("编码", max_length=40)
    name = models.CharField("发现", max_length=40)
    group = models.CharField("类别", max_length=2, choices=FindingGroup.choices)
    risk = models.CharField("风险", max_length=1, choices=Risk.choices, blank=True, default="")
    note = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "探访发现"
        constraints = (models.UniqueConstraint(fields=("visit", "code"), name="finding_once"),)

    def __str__(self) -> str:
        return self.name


class VisitPhoto(models.Model):
    """A photo under the phone's UUID, re-encoded and kept encrypted; fingerprint: 64-bit difference hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="photos", verbose_name="探访记录")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+", verbose_name="文件")
    fingerprint = models.BigIntegerField("指纹", db_index=True)
    created_at = models.DateTimeField("入库时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "探访照片"
        ordering = ("created_at",)

    def __str__(self) -> str:
        return str(self.id)


class VisitReturn(models.Model):
    """A record sent back to its recorder with a reason: it counts no longer; a correction counts anew. Append-only."""

    visit = models.OneToOneField(
        Visit, on_delete=models.PROTECT, related_name="returned", verbose_name="探访记录"
    )
    reason = models.CharField("退回原因", max_length=200)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="退回人"
    )
    at = models.DateTimeField("退回时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "探访退回"

    def __str__(self) -> str:
        return self.reason
