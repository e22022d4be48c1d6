"""How an item is paid: terms, funding and appropriations."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from catalog.models import Item
from organization.models import User
from subsidies.choices import FirstMonth, FundSource


class PaymentTerms(models.Model):
    """That and how the portal pays an item.

    first_month: from this month on the portal pays; months before it count as paid outside, as they were decided.
    notice_days: days of 公示, 0 for none. certify_months: how often an elder must be certified, 0 for never.
    """

    item = models.OneToOneField(
        Item, on_delete=models.PROTECT, related_name="payment_terms", verbose_name="项目"
    )
    first_month = models.DateField("启用发放月")
    notice_days = models.PositiveSmallIntegerField("公示天数", default=0)
    start = models.CharField(
        "起始月规则", max_length=5, choices=FirstMonth.choices, default=FirstMonth.AFTER_APPROVED
    )
    certify_months = models.PositiveSmallIntegerField("认证周期（月）", default=0)
    certify_grace_days = models.PositiveSmallIntegerField("认证宽限天数", default=30)

    class Meta:
        verbose_name = verbose_name_plural = "发放设置"

    def __str__(self) -> str:
        return f"{self.item} 自 {self.first_month:%Y-%m}"


class Funding(models.Model):
    """Share of a source in an item's money from a month on; the shares of one item and month add up to 100.

    Without rows an item is paid by 财政 alone.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="fundings", verbose_name="项目")
    source = models.CharField("资金来源", max_length=5, choices=FundSource.choices)
    first_month = models.DateField("起始月")
    share = models.DecimalField(
        "比例（%）",
        max_digits=5,
        decimal_places=2,
        validators=(MinValueValidator(0), MaxValueValidator(100)),
    )

    class Meta:
        verbose_name = verbose_name_plural = "资金来源"
        constraints = (
            models.UniqueConstraint(fields=("item", "source", "first_month"), name="funding_once"),
            models.CheckConstraint(condition=Q(share__gte=0) & Q(share__lte=100), name="funding_share"),
        )

    def __str__(self) -> str:
        return f"{self.item} {self.source} {self.share}%"


class Appropriation(models.Model):
    """Money granted (预算下达) in a year; append-only, what is taken back is a negative row.

    item: None for a source's whole income of the year, of which the elder-care share is reported (彩票公益金 ≥ 60%).
    """

    county_code = models.CharField("县", max_length=12)
    year = models.PositiveSmallIntegerField("年度")
    source = models.CharField("资金来源", max_length=5, choices=FundSource.choices)
    item = models.ForeignKey(
        Item, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="项目"
    )
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2)
    document = models.CharField("下达文号", max_length=80)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "预算下达"
        indexes = (models.Index(fields=("county_code", "year"), name="appropriation_year"),)

    def __str__(self) -> str:
        return f"{self.year} {self.source} {self.amount}"
