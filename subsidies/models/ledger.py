"""The ledger: double entry, append-only."""

from django.db import models
from django.db.models import Q

from catalog.models import Item
from organization.models import User
from subsidies.choices import Account, FundSource
from subsidies.models.batch import Batch
from subsidies.models.recovery import Recovery


class LedgerEntry(models.Model):
    """One side of a posting, per item and source of money; append-only.

    event: what happened, e.g. «batch:12:confirm», «return:7», «recovery:3:entry:9»; the same event is posted once.
    Exactly one of debit and credit is above 0; of one event and item they add up to the same. source: named for
    补贴支出, 财政拨款 and 追缴收回, whose money has one; '' for what is only on its way.
    """

    event = models.CharField("事项", max_length=60)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="entries")
    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, null=True, related_name="postings")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    source = models.CharField("资金来源", max_length=5, choices=FundSource.choices, blank=True, db_default="")
    account = models.CharField("科目", max_length=4, choices=Account.choices)
    debit = models.DecimalField("借方（元）", max_digits=14, decimal_places=2, default=0)
    credit = models.DecimalField("贷方（元）", max_digits=14, decimal_places=2, default=0)
    note = models.CharField("摘要", max_length=120)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField("记账时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "台账"
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("event", "item", "source", "account"), name="ledger_entry_once"),
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0), name="ledger_one_side"
            ),
            models.CheckConstraint(
                condition=Q(batch__isnull=False) | Q(recovery__isnull=False), name="ledger_has_origin"
            ),
        )

    def __str__(self) -> str:
        return f"{self.event} {self.account} {self.debit or -self.credit}"
