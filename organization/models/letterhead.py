"""What papers of a county say about the office that sends them."""

from django.db import models


class Letterhead(models.Model):
    """Sender of a county's papers; what is left empty prints as a blank line to be filled in by hand.

    refund_account: the 财政专户 into which overpaid money goes back. objection: how one may object, in plain words.
    """

    area = models.OneToOneField(
        "organization.Area", on_delete=models.PROTECT, primary_key=True, verbose_name="县"
    )
    unit = models.CharField("单位名称", max_length=60)
    phone = models.CharField("联系电话", max_length=40, blank=True)
    address = models.CharField("地址", max_length=120, blank=True)
    refund_account = models.CharField(
        "财政专户", max_length=200, blank=True, help_text="户名、开户行、账号，印在追缴通知书上"
    )
    objection = models.CharField(
        "异议途径", max_length=300, blank=True, help_text="印在告知书和通知书上；不填用通用说法"
    )

    class Meta:
        verbose_name = verbose_name_plural = "文书抬头"

    def __str__(self) -> str:
        return self.unit
