"""生存认证: rounds and the proofs that an elder lives (domain §2.6)."""

from django.db import models
from django.db.models import F, Q

from catalog.models import Item
from eldercare.models import Elder
from organization.models import User
from subsidies.choices import CertificationMode


class CertificationRound(models.Model):
    """A county's round: who draws one of the items must be certified in [opens, due]; later he is suspended.

    due, suspends_on: the last day in time, and the first day on which the overdue are suspended.
    """

    county_code = models.CharField("县", max_length=12)
    name = models.CharField("名称", max_length=60)
    items = models.ManyToManyField(Item, related_name="+", verbose_name="项目")
    opens = models.DateField("开始")
    due = models.DateField("截止")
    suspends_on = models.DateField("逾期暂停日")
    suspended_at = models.DateTimeField("已暂停于", null=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "生存认证轮次"
        ordering = ("-opens",)
        constraints = (
            models.UniqueConstraint(fields=("county_code", "name"), name="certification_round_once"),
            models.CheckConstraint(
                condition=Q(due__gte=F("opens")) & Q(suspends_on__gt=F("due")),
                name="certification_round_days",
                violation_error_message="截止日不能早于开始日，逾期暂停日应在截止日之后",
            ),
        )

    def __str__(self) -> str:
        return self.name


class CertificationDue(models.Model):
    """One elder on a round's list; certification: the proof that met it."""

    round = models.ForeignKey(CertificationRound, on_delete=models.CASCADE, related_name="dues")
    elder = models.ForeignKey(Elder, on_delete=models.PROTECT, related_name="certification_dues")
    area_code = models.CharField("区划", max_length=12)
    certification = models.ForeignKey(
        "subsidies.Certification", on_delete=models.PROTECT, null=True, related_name="met"
    )
    suspended = models.BooleanField("已暂停", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "待认证名单"
        constraints = (models.UniqueConstraint(fields=("round", "elder"), name="certification_due_once"),)
        indexes = (models.Index(F("round"), F("area_code"), name="certification_due_area"),)

    def __str__(self) -> str:
        return f"{self.round} {self.elder}"


class Certification(models.Model):
    """One proof that an elder lives; append-only. place: where it happened, in words."""

    elder = models.ForeignKey(Elder, on_delete=models.PROTECT, related_name="certifications")
    on = models.DateField("认证日期")
    mode = models.CharField("方式", max_length=4, choices=CertificationMode.choices)
    alive = models.BooleanField("确认在世", default=True)
    place = models.CharField("地点", max_length=100, blank=True)
    note = models.CharField("说明", max_length=200, blank=True)
    visit = models.ForeignKey("visits.Visit", on_delete=models.PROTECT, null=True, related_name="+")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField("登记时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "生存认证"
        constraints = (models.UniqueConstraint(fields=("elder", "on", "mode"), name="certification_once"),)

    def __str__(self) -> str:
        return f"{self.elder} {self.on} {self.mode}"
