"""Whose elders are whose: by village, or one by one where somebody decided so."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from eldercare.models import Elder


class Caseload(models.Model):
    """A worker's village (elder None) or single elder over a half-open range of days; the elder's own row wins."""

    elder = models.ForeignKey(
        Elder, on_delete=models.PROTECT, null=True, related_name="caseloads", verbose_name="老年人"
    )
    area_code = models.CharField("居住区划", max_length=12)
    worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="caseloads", verbose_name="探访人"
    )
    valid = DateRangeField("有效期")
    reason = models.CharField("原因", max_length=100, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="分配人"
    )
    made_at = models.DateTimeField("分配时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "探访分工"
        ordering = ("area_code", "valid")
        constraints = (
            ExclusionConstraint(
                name="caseload_elder_no_overlap",
                expressions=((F("elder"), RangeOperators.EQUAL), (F("valid"), RangeOperators.OVERLAPS)),
                condition=Q(elder__isnull=False),
            ),
            ExclusionConstraint(
                name="caseload_village_no_overlap",
                expressions=((F("area_code"), RangeOperators.EQUAL), (F("valid"), RangeOperators.OVERLAPS)),
                condition=Q(elder=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.worker} {self.area_code}"
