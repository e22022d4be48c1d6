"""Results of a month."""

from django.db import models
from django.db.models import F, Index

from catalog.models import Item, ItemVersion
from eldercare.models import Elder
from subsidies.choices import LineKind, Outcome
from subsidies.models.month import Month
from subsidies.querysets import EntitlementQuerySet


class Entitlement(models.Model):
    """One elder entitled to one item in one month; partitioned by month (migration 0002).

    amount: 元, NULL where the standard is pending or the item is not money. winner: the item drawn instead.
    rev_from, rev_to: half-open range of the month's revisions in which the row is valid.
    """

    pk = models.CompositePrimaryKey("month", "county_code", "elder", "item", "rev_from")
    month = models.DateField()
    county_code = models.CharField(max_length=12)
    elder = models.ForeignKey(
        Elder, on_delete=models.DO_NOTHING, related_name="entitlements", db_constraint=False
    )
    item = models.ForeignKey(
        Item, on_delete=models.DO_NOTHING, related_name="entitlements", db_constraint=False
    )
    item_version = models.ForeignKey(
        ItemVersion, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    area_code = models.CharField(max_length=12)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    outcome = models.CharField(max_length=4, choices=Outcome.choices)
    winner = models.ForeignKey(
        Item, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )
    rev_from = models.PositiveIntegerField()
    rev_to = models.PositiveIntegerField(null=True)

    objects = EntitlementQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "subsidies_entitlement"
        verbose_name = verbose_name_plural = "月度应享"

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.elder_id} {self.item_id}"


class ItemCount(models.Model):
    """Persons entitled to a 计数 item in a village: a revision adds differences, the sum up to it is the figure."""

    month = models.ForeignKey(Month, on_delete=models.CASCADE, related_name="counts")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    area_code = models.CharField(max_length=12)
    revision = models.PositiveIntegerField()
    persons = models.IntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "计数项目人数"
        indexes = (Index(F("month"), F("item"), F("area_code"), name="item_count"),)

    def __str__(self) -> str:
        return f"{self.month} {self.item_id} {self.persons}"


class Adjustment(models.Model):
    """A due line of a month's run for an earlier month: entitled by the newest facts minus settled (design §2.7)."""

    run = models.ForeignKey(Month, on_delete=models.CASCADE, related_name="adjustments")
    elder = models.ForeignKey(Elder, on_delete=models.PROTECT, related_name="adjustments")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    month = models.DateField("所属月")
    kind = models.CharField("类别", max_length=2, choices=LineKind.choices)
    amount = models.DecimalField("金额", max_digits=12, decimal_places=2)
    area_code = models.CharField(max_length=12)

    class Meta:
        verbose_name = verbose_name_plural = "补发追缴"
        constraints = (
            models.UniqueConstraint(fields=("run", "elder", "item", "month"), name="adjustment_once"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
