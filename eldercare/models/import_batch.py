"""One roster file on its way into the registry."""

from django.conf import settings
from django.db import models

from operations.models import Job, StoredFile


class ImportBatch(models.Model):
    """A roster file: what was read, what it would do, what was done, and how to take it back.

    as_of: the day from which rows without 起始日期 hold. counts: rows, created, updated, unchanged, errors, warnings,
    suspected. columns: the sets of roster columns (attribute names) that the sheets have.
    """

    class State(models.TextChoices):
        CHECKING = "checking", "核对中"
        READY = "ready", "待入库"
        REFUSED = "refused", "已退回"
        COMMITTED = "committed", "已入库"
        UNDONE = "undone", "已撤销"

    class Mode(models.TextChoices):
        ALL = "all", "全部正确才入库"
        VALID = "valid", "正确的先入库"

    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+", verbose_name="原始文件")
    errors_file = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="错误清单"
    )
    as_of = models.DateField("起始日期")
    mode = models.CharField("方式", max_length=5, choices=Mode.choices, default=Mode.ALL)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.CHECKING)
    counts = models.JSONField("计数", default=dict)
    report = models.JSONField("核对结果", default=dict)
    columns = models.JSONField("文件的列", default=list)
    job = models.ForeignKey(
        Job, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name="后台任务"
    )
    created_at = models.DateTimeField("上传时间", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="上传人"
    )
    committed_at = models.DateTimeField("入库时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "导入批次"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.file.name}（{self.get_state_display()}）"


class ImportChange(models.Model):
    """What stood there before an elder was changed: the stack from which an import is taken back.

    batch NULL: a single change, not an import. before NULL: the elder was created; else elder (or null where the own
    columns stayed), circumstances, accounts and contact as they were, of the parts that changed.
    """

    elder = models.ForeignKey(
        "eldercare.Elder",
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="changes",
        verbose_name="老年人",
    )
    batch = models.ForeignKey(
        ImportBatch,
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        related_name="+",
        verbose_name="批次",
    )
    before = models.JSONField("原值", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "登记变更"

    def __str__(self) -> str:
        return f"{self.elder_id} {self.batch_id}"
