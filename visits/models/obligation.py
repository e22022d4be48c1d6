"""Who has to be visited in a month: the denominator."""

from django.db import models
from django.db.models import F, Index

from catalog.models import VisitTier
from eldercare.models import Elder
from visits.choices import ExemptReason


class Obligation(models.Model):
    """One elder's visits due in one month of one county (design §3, contract «Obligations»).

    due = times × slots; done counts effective visits, at most `times` per slot; met: every slot full and the
    month's in-person minimum reached. A row never disappears: who leaves the denominator is exempt from a day.
    """

    month = models.DateField("月份")
    county_code = models.CharField(max_length=12)
    elder = models.ForeignKey(Elder, on_delete=models.PROTECT, related_name="obligations", verbose_name="老年人")
    tier = models.ForeignKey(VisitTier, on_delete=models.PROTECT, related_name="+", verbose_name="层级", db_index=False)
    area_code = models.CharField("居住区划", max_length=12)
    due = models.PositiveSmallIntegerField("应访次数")
    done = models.PositiveSmallIntegerField("已访次数", default=0)
    met = models.BooleanField("已达标", default=False)
    exempt_from = models.DateField("免访起", null=True)
    exempt_reason = models.CharField("免访原因", max_length=4, choices=ExemptReason.choices, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "探访任务"
        ordering = ("month", "area_code")
        constraints = (
            models.UniqueConstraint(fields=("month", "county_code", "elder"), name="obligation_once"),
        )
        indexes = (Index(F("month"), F("area_code"), name="obligation_area"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.elder}"
