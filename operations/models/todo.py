"""To-dos (待办), addressed to a role in an area, not to a person."""

from django.db import models
from django.db.models import Q

from organization.choices import Role


class Todo(models.Model):
    """Something that a role × area × bureau has to do by a day; `key` makes raising it idempotent."""

    key = models.CharField("唯一键", max_length=120)
    role = models.CharField("角色", max_length=20, choices=Role.choices)
    area = models.ForeignKey("organization.Area", on_delete=models.PROTECT, verbose_name="区划")
    bureau = models.ForeignKey(
        "organization.Bureau", on_delete=models.PROTECT, null=True, blank=True, verbose_name="责任单位"
    )
    title = models.CharField("事项", max_length=120)
    link = models.CharField("去办理", max_length=200, blank=True)
    due = models.DateField("期限", null=True, blank=True)
    created_at = models.DateTimeField("产生时间", auto_now_add=True)
    done_at = models.DateTimeField("办结时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "待办"
        ordering = ("due", "id")
        constraints = (
            models.UniqueConstraint(fields=("key",), condition=Q(done_at=None), name="todo_open_once"),
        )

    def __str__(self) -> str:
        return self.title
