"""What a visit leaves to be done, by whom and until when (docs/guide/15)."""

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Index, Q

from eldercare.models import Elder
from organization.models import Bureau
from visits.choices import OPEN_FOLLOW_UP, FollowUpKind, FollowUpState, Risk
from visits.models.visit import Finding, Visit
from visits.querysets import FollowUpQuerySet


class FollowUp(models.Model):
    """One matter: a referral to a bureau, a home visit, a death to be checked. bureau None: the township handles it."""

    kind = models.CharField("类别", max_length=4, choices=FollowUpKind.choices)
    elder = models.ForeignKey(
        Elder, on_delete=models.PROTECT, related_name="follow_ups", verbose_name="老年人"
    )
    visit = models.ForeignKey(
        Visit, on_delete=models.PROTECT, related_name="follow_ups", verbose_name="探访记录"
    )
    finding = models.OneToOneField(
        Finding, on_delete=models.PROTECT, null=True, related_name="follow_up", verbose_name="发现"
    )
    area_code = models.CharField("居住区划", max_length=12)
    bureau = models.ForeignKey(
        Bureau, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="责任单位"
    )
    risk = models.CharField("风险", max_length=1, choices=Risk.choices, blank=True, default="")
    title = models.CharField("事项", max_length=80)
    due_at = models.DateTimeField("办理时限")
    state = models.CharField(
        "状态", max_length=4, choices=FollowUpState.choices, default=FollowUpState.WAITING
    )
    created_at = models.DateTimeField("产生时间", auto_now_add=True)
    closed_at = models.DateTimeField("办结时间", null=True)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "跟进事项"
        ordering = ("due_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("elder", "kind"),
                condition=Q(state__in=OPEN_FOLLOW_UP) & ~Q(kind=FollowUpKind.REFERRAL),
                name="follow_up_open_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_FOLLOW_UP, closed_at=None)
                | ~Q(state__in=OPEN_FOLLOW_UP) & Q(closed_at__isnull=False),
                name="follow_up_closed_at",
            ),
        )
        indexes = (
            Index(
                OpClass(F("area_code"), "varchar_pattern_ops"),
                F("due_at"),
                condition=Q(state__in=OPEN_FOLLOW_UP),
                name="follow_up_open_area",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.title}"


class FollowUpStep(models.Model):
    """What was done about a matter, by whom; actor None: by the portal itself. Append-only."""

    follow_up = models.ForeignKey(
        FollowUp, on_delete=models.PROTECT, related_name="steps", verbose_name="跟进事项"
    )
    state = models.CharField("状态", max_length=4, choices=FollowUpState.choices)
    note = models.CharField("说明", max_length=300, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="办理人"
    )
    at = models.DateTimeField("时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "办理经过"
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.state} {self.note}"
