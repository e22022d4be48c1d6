"""Dated circumstances: everything that can change about an elder."""

from functools import reduce
from operator import and_

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Index, Q

from eldercare.choices import Kind
from eldercare.models.elder import Elder

EVERYBODYS = (Kind.HUKOU, Kind.RESIDENCE, Kind.PENSION, Kind.PENSION_IN_PAY, Kind.CARE_INSURANCE)
# one by one: PostgreSQL reads this form back as it wrote it, which a list it does not
_NOT_EVERYBODYS = reduce(and_, (~Q(kind=kind) for kind in EVERYBODYS))


class Circumstance(models.Model):
    """One kind of circumstance of one elder with one value over a half-open range of days.

    Ranges of one elder and kind never overlap. `batch` brought the row; `ended_by` is the batch that set its end,
    `ended_from` the end that stood there before (NULL: open), so that an import can be taken back.
    Batches are never deleted, so the link to one is not checked again for every row of an import.
    """

    elder = models.ForeignKey(
        Elder, on_delete=models.CASCADE, related_name="circumstances", verbose_name="老年人", db_index=False
    )
    kind = models.CharField("种类", max_length=24, choices=Kind.choices)
    value = models.CharField("内容", max_length=60)
    valid = DateRangeField("有效期")
    source = models.CharField("来源", max_length=60, blank=True)
    document = models.CharField("依据", max_length=120, blank=True)
    batch = models.ForeignKey(
        "eldercare.ImportBatch", on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    ended_by = models.ForeignKey(
        "eldercare.ImportBatch", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    ended_from = models.DateField(null=True)
    version = models.BigIntegerField(editable=False, default=0)

    class Meta:
        verbose_name = verbose_name_plural = "情形"
        constraints = (
            ExclusionConstraint(
                name="circumstance_no_overlap",
                expressions=(
                    (F("elder"), RangeOperators.EQUAL),
                    (F("kind"), RangeOperators.EQUAL),
                    (F("valid"), RangeOperators.OVERLAPS),
                ),
                violation_error_message="同一时期同类情形只能有一条",
            ),
            models.CheckConstraint(condition=Q(valid__isempty=False), name="circumstance_not_empty"),
        )
        indexes = (
            Index(F("elder"), name="circumstance_elder"),
            Index(F("version"), name="circumstance_version"),
            # lists filter by what few elders have; what nearly everybody has would only make the index heavy
            Index(F("kind"), F("value"), F("elder"), name="circumstance_held", condition=_NOT_EVERYBODYS),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}：{self.value}"
