"""Files as they came in or went out, encrypted on disk and known by their digest."""

import uuid

from django.conf import settings
from django.db import models


class StoredFile(models.Model):
    """A kept file: original name, size in bytes, sha256 of the plain content; the content is encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField("文件名", max_length=255)
    size = models.PositiveBigIntegerField("字节数")
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True)
    content = models.FileField("内容", upload_to="stored/%Y/%m")
    created_at = models.DateTimeField("保存时间", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="保存人"
    )

    class Meta:
        verbose_name = verbose_name_plural = "文件"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name
