"""Enrolments (享受登记), what was done to them, and the applications that lead to them."""

from django.db import models
from django.db.models import F, Q

from catalog.models import Item
from eldercare.models import Elder
from organization.models import User
from subsidies.choices import ApplicationState, Channel, EnrolmentAction, EnrolmentState


class Enrolment(models.Model):
    """An elder's enrolment in an item. first_month, last_month: first days of months, last_month still paid.

    An item 免申即享 needs none; one that stands there holds back (暂停) or ends (终止) what comes by itself.
    suspended_from: 暂停 holds from this month on, None: from the first; an ended row pays no month from it on.
    """

    elder = models.ForeignKey(
        Elder, on_delete=models.PROTECT, related_name="enrolments", verbose_name="老年人"
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="enrolments", verbose_name="项目")
    first_month = models.DateField("起始月")
    last_month = models.DateField("终止月", null=True, blank=True)
    state = models.CharField("状态", max_length=3, choices=EnrolmentState.choices)
    suspended_from = models.DateField("暂停起", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "享受登记"
        constraints = (
            models.UniqueConstraint(
                fields=("elder", "item", "first_month"),
                name="enrolment_once",
                violation_error_message="该老年人此项目在该起始月已有登记",
            ),
            models.CheckConstraint(
                condition=Q(last_month=None) | Q(last_month__gte=F("first_month")),
                name="enrolment_range",
                violation_error_message="终止月不能早于起始月",
            ),
            models.CheckConstraint(
                condition=~Q(state=EnrolmentState.ENDED) | Q(last_month__isnull=False),
                name="enrolment_ended_has_month",
                violation_error_message="状态为终止的登记应填写终止月",
            ),
        )

    def __str__(self) -> str:
        return f"{self.elder} {self.item}"


class EnrolmentEvent(models.Model):
    """One act upon an enrolment; append-only. month: from which month it works (停发: the last month paid)."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="events")
    action = models.CharField("办理", max_length=2, choices=EnrolmentAction.choices)
    reason = models.CharField("原因", max_length=10, blank=True)
    month = models.DateField("月份")
    note = models.CharField("说明", max_length=200, blank=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField("办理时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "享受登记办理记录"
        ordering = ("enrolment", "id")

    def __str__(self) -> str:
        return f"{self.action} {self.month:%Y-%m}"


class Application(models.Model):
    """A request for an item 申请, from hand-in to decision (domain §2.4); the acts stand in the audit chain.

    first_month: the first month paid, proposed by the item's terms and fixed by the approval. Maker, checker and
    approver are three persons.
    """

    elder = models.ForeignKey(
        Elder, on_delete=models.PROTECT, related_name="applications", verbose_name="老年人"
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="applications", verbose_name="项目")
    state = models.CharField(
        "状态", max_length=4, choices=ApplicationState.choices, default=ApplicationState.CHECKING
    )
    channel = models.CharField("来源", max_length=4, choices=Channel.choices)
    agent_name = models.CharField("代办人", max_length=60, blank=True)
    agent_relation = models.CharField("与本人关系", max_length=20, blank=True)
    note = models.CharField("说明", max_length=200, blank=True)
    area_code = models.CharField("区划", max_length=12)
    applied_on = models.DateField("申请日期")
    first_month = models.DateField("起始月", null=True, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="经办人")
    made_at = models.DateTimeField("登记时间", auto_now_add=True)
    checked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="审核人"
    )
    checked_at = models.DateTimeField("审核时间", null=True)
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="审批人"
    )
    approved_at = models.DateTimeField("审批时间", null=True)
    notice_until = models.DateField("公示截止", null=True)  # the last day of the notice
    refusal = models.CharField("不予批准的理由", max_length=200, blank=True)
    enrolment = models.OneToOneField(
        Enrolment, on_delete=models.PROTECT, null=True, related_name="application", verbose_name="享受登记"
    )

    class Meta:
        verbose_name = verbose_name_plural = "享受申请"
        ordering = ("-made_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("elder", "item"),
                condition=Q(
                    state__in=[
                        ApplicationState.CHECKING,
                        ApplicationState.APPROVING,
                        ApplicationState.NOTICE,
                    ]
                ),
                name="application_open_once",
                violation_error_message="该老年人此项目已有一件申请在办",
            ),
        )
        indexes = (models.Index(F("state"), F("area_code"), name="application_queue"),)

    def __str__(self) -> str:
        return f"{self.elder} {self.item} {self.state}"
