"""Enrolments (享受登记) in items that must be applied for."""

from django.db import models
from django.db.models import F, Q

from catalog.models import Item
from eldercare.models import Elder
from subsidies.choices import EnrolmentState


class Enrolment(models.Model):
    """An elder's enrolment in an item. first_month, last_month: first days of months, last_month still paid."""

    elder = models.ForeignKey(
        Elder, on_delete=models.PROTECT, related_name="enrolments", verbose_name="老年人"
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="enrolments", verbose_name="项目")
    first_month = models.DateField("起始月")
    last_month = models.DateField("终止月", null=True, blank=True)
    state = models.CharField("状态", max_length=3, choices=EnrolmentState.choices)

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
