"""Recovery cases (追缴): what was overpaid, and how it comes back; only counter-entries undo anything."""

from django.db import models
from django.db.models import Q

from catalog.models import Item
from eldercare.models import Elder
from operations.models import StoredFile
from organization.models import User
from subsidies.choices import RecoveryEntryKind, RecoveryState, StopReason
from subsidies.models.month import Month
from subsidies.models.payment import Payment


class Recovery(models.Model):
    """Money to be recovered from one elder for one item (domain §2.5).

    run: the month whose due lines showed it. due_stop, actual_stop: the month from which nothing was due, and the
    last month paid. amount: Σ of its lines when opened. consent: the paper by which the family agrees to offsets.
    """

    county_code = models.CharField("县", max_length=12)
    elder = models.ForeignKey(Elder, on_delete=models.PROTECT, related_name="recoveries")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Month, on_delete=models.PROTECT, related_name="recoveries")
    state = models.CharField(
        "状态", max_length=4, choices=RecoveryState.choices, default=RecoveryState.PROPOSED
    )
    cause = models.CharField("原因", max_length=10, choices=StopReason.choices)
    note = models.CharField("说明", max_length=200, blank=True)
    area_code = models.CharField("区划", max_length=12)
    due_stop = models.DateField("应停月")
    actual_stop = models.DateField("实停月")
    amount = models.DecimalField("应追缴（元）", max_digits=12, decimal_places=2)
    notified_on = models.DateField("通知日期", null=True)
    pay_by = models.DateField("退回期限", null=True)
    consent = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    consent_on = models.DateField("同意抵扣日期", null=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField("立案时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "追缴"
        ordering = ("-made_at",)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="recovery_amount"),
            models.UniqueConstraint(fields=("run", "elder", "item"), name="recovery_once"),
        )
        indexes = (models.Index(fields=("county_code", "state"), name="recovery_state"),)

    def __str__(self) -> str:
        return f"{self.elder} {self.item} {self.amount}"


class RecoveryLine(models.Model):
    """What is recovered for one month; a counter-line (amount < 0) takes it back. Append-only."""

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="lines")
    elder = models.ForeignKey(Elder, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    month = models.DateField("所属月")
    sequence = models.PositiveSmallIntegerField("次序")
    amount = models.DecimalField("金额（元）", max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = verbose_name_plural = "追缴明细"
        ordering = ("recovery", "month", "sequence")
        constraints = (
            models.UniqueConstraint(fields=("elder", "item", "month", "sequence"), name="recovery_line_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="recovery_line_amount"),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.amount}"


class RecoveryRequest(models.Model):
    """A write-off or cancellation asked for by one person and decided by another."""

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="requests")
    kind = models.CharField("事项", max_length=2, choices=RecoveryEntryKind.choices)
    reason = models.CharField("理由", max_length=200)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField("申请时间", auto_now_add=True)
    approved = models.BooleanField("批准", null=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField("审批时间", null=True)
    opinion = models.CharField("意见", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "追缴审批"
        constraints = (
            models.UniqueConstraint(
                fields=("recovery",), condition=Q(approved=None), name="recovery_request_open_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[RecoveryEntryKind.WRITE_OFF, RecoveryEntryKind.CANCEL]),
                name="recovery_request_kind",
            ),
        )

    def __str__(self) -> str:
        return f"{self.recovery} {self.kind}"


class RecoveryEntry(models.Model):
    """What lowered (amount > 0) or, as a counter-entry, raised (amount < 0) the open sum; append-only.

    key: the form's own number, so that a second click books nothing. payment: the line that an offset was taken from.
    """

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField("事项", max_length=2, choices=RecoveryEntryKind.choices)
    amount = models.DecimalField("金额（元）", max_digits=12, decimal_places=2)
    on = models.DateField("日期")
    note = models.CharField("说明", max_length=200, blank=True)
    key = models.UUIDField("表单编号", unique=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="offsets")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField("登记时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "追缴记录"
        ordering = ("recovery", "id")
        constraints = (models.CheckConstraint(condition=~Q(amount=0), name="recovery_entry_amount"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
