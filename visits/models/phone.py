"""What a worker's phone said last."""

from django.conf import settings
from django.db import models


class PhoneState(models.Model):
    """Last sync of a user's phone. waiting: records it still held; clock_offset: seconds the server was ahead."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="phone"
    )
    synced_at = models.DateTimeField("最近同步")
    waiting = models.PositiveIntegerField("待上传", default=0)
    clock_offset = models.IntegerField("时钟差（秒）", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "手机状态"

    def __str__(self) -> str:
        return str(self.user)
