"""Lines of a batch: one payment to one elder for one item and month."""

from django.db import models
from django.db.models import F, Q

from catalog.models import Item, ItemVersion
from eldercare.models import Elder
from operations.crypto import decrypt
from operations.masking import mask_account
from subsidies.choices import LineKind, PaymentState, ReturnReason
from subsidies.models.batch import Batch


class Payment(models.Model):
    """One line. number: place in the batch, what the bank returns. month: 所属月.

    amount: 元 due for the month; offset: of it kept back for a recovery with consent; the bank pays the difference.
    sequence: 1, 2, … for the lines of one elder, item and month. Account and holder are those of the day of the build.
    reissues: the failed line that this one pays again. Only state, reason and paid_on change after the batch was
    submitted.
    """

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="payments")
    number = models.PositiveIntegerField("序号")
    elder = models.ForeignKey(Elder, on_delete=models.PROTECT, related_name="payments")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="payments")
    item_version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, null=True, related_name="+")
    month = models.DateField("所属月")
    kind = models.CharField("类别", max_length=2, choices=LineKind.choices)
    sequence = models.PositiveSmallIntegerField("次序")
    amount = models.DecimalField("金额（元）", max_digits=12, decimal_places=2)
    offset = models.DecimalField("抵扣（元）", max_digits=12, decimal_places=2, default=0, db_default=0)
    area_code = models.CharField("区划", max_length=12)
    bank = models.CharField("开户行", max_length=80, blank=True)
    holder = models.CharField("户名", max_length=60)
    account_cipher = models.BinaryField("账号", editable=False)
    account_index = models.BinaryField(max_length=32, editable=False)
    state = models.CharField("状态", max_length=3, choices=PaymentState.choices)
    reason = models.CharField(
        "失败原因", max_length=8, choices=ReturnReason.choices, blank=True, db_default=""
    )
    paid_on = models.DateField("入账日期", null=True)
    reissues = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="reissued_by")

    class Meta:
        verbose_name = verbose_name_plural = "发放明细"
        constraints = (
            models.UniqueConstraint(fields=("elder", "item", "month", "sequence"), name="payment_once"),
            models.UniqueConstraint(fields=("batch", "number"), name="payment_number"),
            models.UniqueConstraint(
                fields=("reissues",), condition=~Q(state=PaymentState.VOID), name="payment_reissued_once"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0) & Q(offset__gte=0) & Q(offset__lte=F("amount")),
                name="payment_amounts",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[LineKind.REGULAR, LineKind.BACK_PAY]), name="payment_kind"
            ),
        )
        indexes = (
            models.Index(fields=("month", "item"), name="payment_month"),
            models.Index(
                fields=("batch", "state"),
                condition=Q(state__in=[PaymentState.FAILED, PaymentState.HELD, PaymentState.PROCESSING]),
                name="payment_exceptions",
            ),
        )

    def __str__(self) -> str:
        return f"{self.batch_id}-{self.number}"

    @property
    def masked_account(self) -> str:
        """The account as lists show it."""
        return mask_account(decrypt(self.account_cipher))
