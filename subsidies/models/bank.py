"""Files to and from the bank."""

from django.db import models

from operations.models import StoredFile
from organization.models import User
from subsidies.choices import ReturnReason, Verdict
from subsidies.models.batch import Batch
from subsidies.models.payment import Payment


class BankProfile(models.Model):
    """How one bank wants its payment file and gives its return (domain §2.7); data, checked on saving.

    layout and return_layout: see subsidies.bank_layout.
    """

    county_code = models.CharField("县", max_length=12)
    name = models.CharField("名称", max_length=60)
    layout = models.JSONField("发放文件格式")
    return_layout = models.JSONField("回盘文件格式")
    active = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "银行文件格式"
        constraints = (models.UniqueConstraint(fields=("county_code", "name"), name="bank_profile_once"),)

    def __str__(self) -> str:
        return self.name


class BankFile(models.Model):
    """The payment file of a batch, made once. lines, amount: its control totals."""

    batch = models.OneToOneField(Batch, on_delete=models.PROTECT, related_name="bank_file")
    profile = models.ForeignKey(BankProfile, on_delete=models.PROTECT, related_name="+")
    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField("SHA-256", max_length=64)
    lines = models.PositiveIntegerField("笔数")
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2)
    downloads = models.PositiveIntegerField("下载次数", default=0)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField("生成时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "银行发放文件"

    def __str__(self) -> str:
        return f"{self.batch} {self.sha256[:8]}"


class ReturnFile(models.Model):
    """A return file (回盘) as it came; counts: rows by verdict."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="return_files")
    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    name = models.CharField("文件名", max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64)
    rows = models.PositiveIntegerField("行数", default=0)
    counts = models.JSONField("结果", default=dict)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField("导入时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "回盘文件"
        ordering = ("batch", "id")
        constraints = (models.UniqueConstraint(fields=("batch", "sha256"), name="return_file_once"),)

    def __str__(self) -> str:
        return self.name


class ReturnRow(models.Model):
    """One row of a return file and what it did; append-only. amount: 元 as the bank says, None if unreadable."""

    file = models.ForeignKey(ReturnFile, on_delete=models.PROTECT, related_name="results")
    number = models.PositiveIntegerField("行号")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="results")
    verdict = models.CharField("结果", max_length=4, choices=Verdict.choices)
    reason = models.CharField("原因", max_length=8, choices=ReturnReason.choices, blank=True, db_default="")
    bank_text = models.CharField("银行说明", max_length=120, blank=True, db_default="")
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2, null=True)
    paid_on = models.DateField("入账日期", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "回盘明细"
        constraints = (models.UniqueConstraint(fields=("file", "number"), name="return_row_once"),)

    def __str__(self) -> str:
        return f"{self.file_id}-{self.number} {self.verdict}"
