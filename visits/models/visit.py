"""Visits as append-only events."""

from django.db import models
from django.db.models import F, Index, Q

from catalog.choices import VisitMode
from eldercare.models import Elder
from visits.choices import Result


class Visit(models.Model):
    """One visit under the UUID that its recorder gave it; a correction is a new event naming the old one.

    The database refuses every UPDATE and DELETE (migration 0002).
    """

    id = models.UUIDField("记录编号", primary_key=True)
    elder = models.ForeignKey(
        Elder, on_delete=models.PROTECT, related_name="visits", verbose_name="老年人", db_index=False
    )
    at = models.DateTimeField("探访时间")
    mode = models.CharField("方式", max_length=10, choices=VisitMode.choices)
    result = models.CharField("结果", max_length=10, choices=Result.choices)
    visitor = models.CharField("探访人", max_length=40)
    note = models.CharField("备注", max_length=500, blank=True)
    corrects = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrected_by",
        verbose_name="更正",
    )
    recorded_at = models.DateTimeField("入库时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "探访记录"
        ordering = ("-at",)
        constraints = (models.CheckConstraint(condition=~Q(corrects=F("id")), name="visit_corrects_another"),)
        indexes = (Index(F("at"), name="visit_at"), Index(F("elder"), F("at"), name="visit_elder"))

    def __str__(self) -> str:
        return f"{self.elder} {self.result}"
