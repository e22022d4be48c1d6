"""Anomalies: due lines that somebody must look at before they are paid."""

from django.db import models
from django.db.models import Q

from catalog.models import Item
from eldercare.models import Elder
from organization.models import User
from subsidies.choices import AnomalyKind, AnomalyState
from subsidies.models.month import Month


class Anomaly(models.Model):
    """One reason to look at an elder's due lines of a run; item None: it concerns all of them.

    detail: a Chinese sentence without numbers that need masking. fingerprint: what the sentence rests on; a decision
    holds as long as it stays the same.
    """

    run = models.ForeignKey(Month, on_delete=models.CASCADE, related_name="anomalies")
    elder = models.ForeignKey(Elder, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField("种类", max_length=4, choices=AnomalyKind.choices)
    detail = models.CharField("情况", max_length=200)
    fingerprint = models.CharField(max_length=64)
    area_code = models.CharField("区划", max_length=12)
    state = models.CharField("处理", max_length=2, choices=AnomalyState.choices, default=AnomalyState.OPEN)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField("处理时间", null=True)
    reason = models.CharField("处理理由", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "异常"
        constraints = (
            models.UniqueConstraint(
                fields=("run", "elder", "item", "kind"), name="anomaly_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(state=AnomalyState.OPEN) | Q(decided_at__isnull=False), name="anomaly_decided"
            ),
        )
        indexes = (models.Index(fields=("run", "state"), name="anomaly_queue"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.detail}"
