"""Long work whose truth is in PostgreSQL; the queue only says that something waits."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

STALE_AFTER = timedelta(minutes=2)


class Job(models.Model):
    """A piece of background work with state, progress and heartbeat.

    attempt: raised on every claim; a worker may finish a job only under the attempt it claimed.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "排队中"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        FAILED = "failed", "未成功"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("种类", max_length=40)
    title = models.CharField("名称", max_length=120)
    params = models.JSONField("参数", default=dict)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.WAITING)
    attempt = models.PositiveIntegerField("次数", default=0)
    done = models.PositiveIntegerField("已处理", default=0)
    total = models.PositiveIntegerField("总数", default=0)
    step = models.CharField("当前步骤", max_length=120, blank=True)
    result = models.JSONField("结果", default=dict)
    error = models.TextField("原因", blank=True)
    created_at = models.DateTimeField("提交时间", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="提交人"
    )
    started_at = models.DateTimeField("开始时间", null=True)
    heartbeat_at = models.DateTimeField("心跳", null=True)
    finished_at = models.DateTimeField("结束时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "后台任务"
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("state", "heartbeat_at"), name="job_state"),)

    def __str__(self) -> str:
        return self.title

    @property
    def is_stale(self) -> bool:
        """A running job without a heartbeat for two minutes: its worker is gone."""
        return (
            self.state == self.State.RUNNING
            and self.heartbeat_at is not None
            and timezone.now() - self.heartbeat_at > STALE_AFTER
        )

    @property
    def percent(self) -> int:
        """Progress in whole percent, rounded down."""
        return self.done * 100 // self.total if self.total else 0

    @property
    def is_over(self) -> bool:
        """The job has ended, well or badly."""
        return self.state in {self.State.DONE, self.State.FAILED}
