"""A township's visit month on its way to the county, and the figure that was frozen in the end."""

from django.conf import settings
from django.db import models

from visits.choices import MonthState


class VisitMonth(models.Model):
    """One township in one month. obliged, visited: its figure when it was submitted; 0 while it is open."""

    month = models.DateField("月份")
    county_code = models.CharField(max_length=12)
    area_code = models.CharField("乡镇（街道）", max_length=12)
    state = models.CharField("状态", max_length=3, choices=MonthState.choices, default=MonthState.OPEN)
    obliged = models.PositiveIntegerField("应访人数", default=0)
    visited = models.PositiveIntegerField("已访人数", default=0)
    note = models.CharField("未达标说明", max_length=300, blank=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="提交人"
    )
    submitted_at = models.DateTimeField("提交时间", null=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="接收人"
    )
    accepted_at = models.DateTimeField("接收时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "探访月报"
        ordering = ("month", "area_code")
        constraints = (models.UniqueConstraint(fields=("month", "area_code"), name="visit_month_once"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.area_code}"


class RateSnapshot(models.Model):
    """A county's accepted month as it was: canonical JSON of counts, and its sha256. Append-only."""

    month = models.DateField("月份")
    county_code = models.CharField(max_length=12)
    body = models.TextField("内容")
    sha256 = models.CharField("SHA-256", max_length=64)
    taken_at = models.DateTimeField("统计时点")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="接收人"
    )

    class Meta:
        verbose_name = verbose_name_plural = "探访率快照"
        ordering = ("-month", "county_code")
        constraints = (models.UniqueConstraint(fields=("month", "county_code"), name="rate_snapshot_once"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.county_code}"
