"""Who has to be visited in a month: the denominator."""

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Index, Q

from catalog.models import VisitTier
from eldercare.models import Elder
from visits.choices import ExemptReason
from visits.querysets import ObligationQuerySet


class Obligation(models.Model):
    """One elder's visits due in one month of one county.

    due = times × slots; done counts effective visits, at most `times` per slot; met: every slot full and the
    month's in-person minimum reached. Rows never disappear: who leaves the denominator is exempt from a day.
    in_institution: lived in one when the month began, so that living in one exempts nobody anew.
    assignee: who is to visit; None: whoever works in the village. Once the township has submitted its month, done,
    met and exemption stay; late_done, late_met: what visits that came in after that would have added.
    """

    month = models.DateField("月份")
    county_code = models.CharField(max_length=12)
    elder = models.ForeignKey(
        Elder, on_delete=models.PROTECT, related_name="obligations", verbose_name="老年人", db_index=False
    )
    # Tiers are a handful of rows that nothing deletes: checking the key on every row would only cost time.
    tier = models.ForeignKey(
        VisitTier,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="层级",
        db_index=False,
        db_constraint=False,
    )
    area_code = models.CharField("居住区划", max_length=12)
    due = models.PositiveSmallIntegerField("应访次数")
    done = models.PositiveSmallIntegerField("已访次数", default=0)
    met = models.BooleanField("已达标", default=False)
    in_institution = models.BooleanField("期初在机构", default=False)
    exempt_from = models.DateField("免访起", null=True)
    exempt_reason = models.CharField("免访原因", max_length=4, choices=ExemptReason.choices, blank=True)

    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="obligations",
        verbose_name="探访人",
        db_index=False,
    )
    late_done = models.PositiveSmallIntegerField("补录次数", default=0, db_default=0)
    late_met = models.BooleanField("补录后达标", default=False, db_default=False)

    objects = ObligationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "探访任务"
        ordering = ("month", "area_code")
        constraints = (
            # elder first: the same index finds an elder's months
            models.UniqueConstraint(fields=("elder", "month", "county_code"), name="obligation_once"),
            models.CheckConstraint(
                condition=Q(exempt_from=None, exempt_reason="")
                | Q(exempt_from__isnull=False, met=False) & ~Q(exempt_reason=""),
                name="obligation_exempt_or_met",
                violation_error_message="已达标的任务不能免访，免访须有起始日期和原因",
            ),
        )
        indexes = (
            Index(F("month"), OpClass(F("area_code"), "varchar_pattern_ops"), name="obligation_area"),
            Index(F("assignee"), F("month"), condition=Q(assignee__isnull=False), name="obligation_assignee"),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.elder}"
