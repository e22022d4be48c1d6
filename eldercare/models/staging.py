"""Cleaned rows of a roster between preview and confirmation; emptied when the batch is decided.

Sensitive values are encrypted here as in the registry. The tables are unlogged: a batch whose rows a crash took is
checked again.
"""

from django.db import models

from eldercare.choices import Kind


class StagedRow(models.Model):
    """One row of the file that may be written; number counts the file's data rows from 1.

    layout: which of the batch's column sets its sheet has. starts: the day from which its circumstances hold.
    holder: NULL where the row does not say.
    """

    pk = models.CompositePrimaryKey("batch", "number")
    batch = models.ForeignKey(
        "eldercare.ImportBatch",
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    number = models.IntegerField()
    layout = models.IntegerField()
    id_number_index = models.BinaryField()
    id_number_cipher = models.BinaryField()
    id_last4 = models.TextField()
    id_verified = models.BooleanField()
    name = models.TextField()
    pinyin = models.TextField()
    sex = models.TextField()
    birth_date = models.DateField()
    starts = models.DateField()
    hukou_code = models.TextField()
    residence_code = models.TextField()
    ethnicity = models.TextField()
    address = models.TextField()
    phone_index = models.BinaryField()
    phone_cipher = models.BinaryField()
    phone_last4 = models.TextField()
    household_key = models.BinaryField()
    head_cipher = models.BinaryField()
    relation_to_head = models.TextField()
    disability_card_index = models.BinaryField()
    disability_card_cipher = models.BinaryField()
    note = models.TextField()
    bank = models.TextField()
    account_index = models.BinaryField()
    account_cipher = models.BinaryField()
    holder = models.TextField(null=True)  # noqa: DJ001  # NULL is «the row does not say», not an empty name
    contact_name = models.TextField()
    contact_phone_index = models.BinaryField()
    contact_phone_cipher = models.BinaryField()

    class Meta:
        verbose_name = verbose_name_plural = "待入库行"

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.number}"


class StagedCircumstance(models.Model):
    """One circumstance that a staged row states.

    reading: how it meets what the registry knows, see eldercare.roster.plan.
    """

    class Reading(models.TextChoices):
        STANDING = "S", "自某日起"
        DATED = "D", "有自己的起始日"
        ENDING = "E", "有自己的截止日"
        EVENT = "P", "事件"

    pk = models.CompositePrimaryKey("batch", "number", "kind")
    batch = models.ForeignKey(
        "eldercare.ImportBatch",
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    number = models.IntegerField()
    kind = models.CharField(max_length=24, choices=Kind.choices)
    value = models.TextField()
    starts = models.DateField()
    ends = models.DateField(null=True)
    reading = models.CharField(max_length=1, choices=Reading.choices)

    class Meta:
        verbose_name = verbose_name_plural = "待入库情形"

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.number} {self.kind}"
