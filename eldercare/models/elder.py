"""The elder as known today, with contacts and dated bank accounts."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Index

from eldercare.choices import Sex
from eldercare.querysets import ElderQuerySet
from operations import masking
from operations.crypto import decrypt


class Elder(models.Model):
    """A person of the registry; what can change over time stands in dated circumstances.

    hukou_code, residence_code: the area codes as of today, kept by the circumstance service for lists and scope.
    household_key: blind index of the head's ID number, or of the own one; equal keys are one household.
    version: raised by the database on every change; the month compares it to know who has to be decided again.
    """

    id_number_cipher = models.BinaryField("证件号码", editable=False)
    id_number_index = models.BinaryField(max_length=32, unique=True, editable=False)
    id_last4 = models.CharField("证件号后四位", max_length=4, db_index=True)
    id_verified = models.BooleanField("证件已核实", default=False)
    name = models.CharField("姓名", max_length=60)
    pinyin = models.CharField("拼音", max_length=200, editable=False)
    sex = models.CharField("性别", max_length=1, choices=Sex.choices)
    birth_date = models.DateField("出生日期")
    ethnicity = models.CharField("民族", max_length=20, blank=True)
    address = models.CharField("住址", max_length=200, blank=True)
    hukou_code = models.CharField("户籍区划", max_length=12, blank=True)
    residence_code = models.CharField("居住区划", max_length=12, blank=True)
    phone_cipher = models.BinaryField("联系电话", editable=False, default=b"")
    phone_index = models.BinaryField(max_length=32, editable=False, default=b"", db_default=b"")
    phone_last4 = models.CharField("电话后四位", max_length=4, blank=True)
    household_key = models.BinaryField(max_length=32, editable=False)
    head_cipher = models.BinaryField("户主证件号码", editable=False, default=b"")
    relation_to_head = models.CharField("与户主关系", max_length=20, blank=True)
    disability_card_cipher = models.BinaryField("残疾证号", editable=False, default=b"")
    disability_card_index = models.BinaryField(max_length=32, editable=False, default=b"", db_default=b"")
    note = models.CharField("备注", max_length=500, blank=True)
    version = models.BigIntegerField(editable=False, default=0)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = ElderQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "老年人"
        indexes = (
            Index(OpClass(F("hukou_code"), "varchar_pattern_ops"), F("id"), name="elder_hukou"),
            Index(OpClass(F("residence_code"), "varchar_pattern_ops"), F("id"), name="elder_residence"),
            Index(F("version"), name="elder_version"),
            Index(F("household_key"), name="elder_household"),
            Index(F("phone_last4"), name="elder_phone_last4"),
            Index(OpClass(F("name"), "varchar_pattern_ops"), name="elder_name"),
            GinIndex(OpClass(F("pinyin"), "gin_trgm_ops"), name="elder_pinyin", fastupdate=True),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def id_number(self) -> str:
        """The full ID number: show it only after a reason was recorded."""
        return decrypt(self.id_number_cipher)

    @property
    def masked_id_number(self) -> str:
        """The ID number as lists show it."""
        return masking.mask_id_number(self.id_number)

    @property
    def masked_phone(self) -> str:
        """The phone number as lists show it."""
        return masking.mask_phone(decrypt(self.phone_cipher))


class Contact(models.Model):
    """Someone to call about an elder."""

    elder = models.OneToOneField(
        Elder, on_delete=models.CASCADE, related_name="contact", verbose_name="老年人"
    )
    name = models.CharField("联系人", max_length=60)
    phone_cipher = models.BinaryField("联系人电话", editable=False, default=b"")
    phone_index = models.BinaryField(max_length=32, editable=False, default=b"", db_default=b"")

    class Meta:
        verbose_name = verbose_name_plural = "联系人"

    def __str__(self) -> str:
        return self.name

    @property
    def masked_phone(self) -> str:
        """The phone number as lists show it."""
        return masking.mask_phone(decrypt(self.phone_cipher))


class BankAccount(models.Model):
    """An account that was the elder's over a half-open range of days."""

    elder = models.ForeignKey(
        Elder, on_delete=models.CASCADE, related_name="bank_accounts", verbose_name="老年人"
    )
    bank = models.CharField("开户行", max_length=80, blank=True)
    holder = models.CharField("账户户名", max_length=60)
    account_cipher = models.BinaryField("银行账号", editable=False)
    account_index = models.BinaryField(max_length=32, editable=False, db_index=True)
    valid = DateRangeField("有效期")
    batch = models.ForeignKey(
        "eldercare.ImportBatch", on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    ended_by = models.ForeignKey(
        "eldercare.ImportBatch", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    ended_from = models.DateField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "银行账户"
        constraints = (
            ExclusionConstraint(
                name="account_no_overlap",
                expressions=((F("elder"), RangeOperators.EQUAL), (F("valid"), RangeOperators.OVERLAPS)),
                violation_error_message="同一时期只能有一个账户",
            ),
        )

    def __str__(self) -> str:
        return self.masked_account

    @property
    def masked_account(self) -> str:
        """The account as lists show it."""
        return masking.mask_account(decrypt(self.account_cipher))
