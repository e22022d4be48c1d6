"""The audit chain: who did what to whom, unchangeable."""

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One act. The database fills `previous` and `digest` (sha256 over the row and the digest before it)
    and refuses every UPDATE and DELETE (migration 0002)."""

    at = models.DateTimeField("时间")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="操作人"
    )
    actor_name = models.CharField("操作人姓名", max_length=60)
    action = models.CharField("动作", max_length=40)
    subject = models.CharField("对象", max_length=80)
    data = models.JSONField("内容", default=dict)
    address = models.CharField("来源地址", max_length=45, blank=True)
    previous = models.BinaryField(max_length=32, editable=False, default=b"")
    digest = models.BinaryField(max_length=32, editable=False, default=b"")

    class Meta:
        verbose_name = verbose_name_plural = "审计日志"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("subject", "at"), name="audit_subject"),
            models.Index(fields=("actor", "at"), name="audit_actor"),
        )

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.subject}"
