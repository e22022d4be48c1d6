"""Calling back: what looks padded, which visits were drawn, and what the elder said."""

from django.conf import settings
from django.db import models

from visits.choices import CallBackResult, SignalKind
from visits.models.visit import Visit


class Signal(models.Model):
    """Something odd about a record; it only makes a call back likelier."""

    visit = models.ForeignKey(
        Visit, on_delete=models.PROTECT, related_name="signals", verbose_name="探访记录"
    )
    kind = models.CharField("信号", max_length=4, choices=SignalKind.choices)
    detail = models.CharField("说明", max_length=120)
    found_at = models.DateTimeField("发现时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "异常信号"
        constraints = (models.UniqueConstraint(fields=("visit", "kind"), name="signal_once"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.detail}"


class CallBackDraw(models.Model):
    """A drawn sample of a township's month: who drew, from how many, by which seed, so that it can be drawn again."""

    month = models.DateField("月份")
    area_code = models.CharField("乡镇（街道）", max_length=12)
    seed = models.CharField("随机种子", max_length=32)
    population = models.PositiveIntegerField("有效探访人数")
    drawn = models.PositiveIntegerField("抽取人数")
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="抽取人"
    )
    drawn_at = models.DateTimeField("抽取时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "回访抽样"
        ordering = ("-month", "area_code")
        constraints = (models.UniqueConstraint(fields=("month", "area_code"), name="call_back_draw_once"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.area_code}"


class CallBack(models.Model):
    """One visit to be checked with the elder; result '' until somebody called."""

    draw = models.ForeignKey(
        CallBackDraw, on_delete=models.PROTECT, related_name="calls", verbose_name="抽样"
    )
    visit = models.ForeignKey(
        Visit, on_delete=models.PROTECT, related_name="call_backs", verbose_name="探访记录"
    )
    result = models.CharField(
        "回访结果", max_length=3, choices=CallBackResult.choices, blank=True, default=""
    )
    note = models.CharField("说明", max_length=200, blank=True)
    called_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="回访人"
    )
    called_at = models.DateTimeField("回访时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "回访"
        constraints = (models.UniqueConstraint(fields=("draw", "visit"), name="call_back_once"),)

    def __str__(self) -> str:
        return f"{self.visit_id} {self.result}"
