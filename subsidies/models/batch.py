"""Batches (发放批次), their steps, and what is checked and objected on the way."""

from django.db import models
from django.db.models import Q

from organization.models import User
from subsidies.choices import BatchAction, BatchKind, BatchState, ObjectionState
from subsidies.models.month import Month


class Batch(models.Model):
    """Lines that go to the bank together.

    number: 县6位-年月-两位序号, what the bank file names. month: the run whose due lines it pays. revision: the
    month's revision that it was built on. lines, amount: of what is to be paid, without held and void lines; amount
    is what the bank pays (after offsets). notice_from, notice_until: first and last day of 公示.
    """

    county_code = models.CharField("县", max_length=12)
    number = models.CharField("批次号", max_length=20, unique=True)
    month = models.ForeignKey(Month, on_delete=models.PROTECT, related_name="batches", verbose_name="核定月")
    kind = models.CharField("类别", max_length=2, choices=BatchKind.choices)
    state = models.CharField("状态", max_length=4, choices=BatchState.choices, default=BatchState.DRAFT)
    revision = models.PositiveIntegerField("核定版次")
    lines = models.PositiveIntegerField("笔数", default=0)
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2, default=0)
    notice_from = models.DateField("公示开始", null=True)
    notice_until = models.DateField("公示截止", null=True)
    notice_key = models.UUIDField("公示编号", null=True, unique=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="制单人")
    made_at = models.DateTimeField("生成时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "发放批次"
        ordering = ("-made_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("month", "kind"), condition=Q(state=BatchState.DRAFT), name="batch_one_draft"
            ),
        )
        indexes = (models.Index(fields=("county_code", "state"), name="batch_state"),)

    def __str__(self) -> str:
        return self.number


class BatchStep(models.Model):
    """One step of a batch; append-only, written in the transaction that changes the state."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="steps")
    action = models.CharField("步骤", max_length=6, choices=BatchAction.choices)
    state = models.CharField("之后状态", max_length=4, choices=BatchState.choices)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField("时间", auto_now_add=True)
    note = models.CharField("意见", max_length=200, blank=True)
    lines = models.PositiveIntegerField("笔数")
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = verbose_name_plural = "批次步骤"
        ordering = ("batch", "id")

    def __str__(self) -> str:
        return f"{self.batch} {self.action}"


class TownshipCheck(models.Model):
    """A township's share of a batch and who found it right. township: 9-digit prefix, '' for outside the county."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="checks")
    township = models.CharField(max_length=9, blank=True)
    lines = models.PositiveIntegerField("笔数")
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2)
    checked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    checked_at = models.DateTimeField("核实时间", null=True)
    note = models.CharField("意见", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "镇街核实"
        constraints = (models.UniqueConstraint(fields=("batch", "township"), name="township_check_once"),)

    def __str__(self) -> str:
        return f"{self.batch} {self.township}"


class Objection(models.Model):
    """An objection raised during 公示: it holds one line until it is decided."""

    payment = models.ForeignKey("subsidies.Payment", on_delete=models.PROTECT, related_name="objections")
    text = models.CharField("异议内容", max_length=500)
    state = models.CharField(
        "处理", max_length=3, choices=ObjectionState.choices, default=ObjectionState.OPEN
    )
    received_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField("收到时间", auto_now_add=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField("处理时间", null=True)
    finding = models.CharField("处理结果", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "公示异议"
        constraints = (
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(state=ObjectionState.OPEN),
                name="objection_open_once",
                violation_error_message="这一行已有一件异议在处理",
            ),
        )

    def __str__(self) -> str:
        return self.text
