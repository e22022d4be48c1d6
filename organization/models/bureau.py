"""Bureaus that lead or join items of the list."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Bureau(models.Model):
    """A responsible body (责任单位) with the other names under which documents print it."""

    code = models.SlugField("编码", max_length=40)
    name = models.CharField("名称", max_length=60)
    aliases = ArrayField(models.CharField(max_length=60), default=list, blank=True, verbose_name="别名")
    area = models.ForeignKey("organization.Area", on_delete=models.PROTECT, verbose_name="所属区划")

    class Meta:
        verbose_name = verbose_name_plural = "责任单位"
        ordering = ("area_id", "code")
        constraints = (
            models.UniqueConstraint(
                fields=("area", "name"), name="bureau_name", violation_error_message="该区划已有同名单位"
            ),
            models.UniqueConstraint(
                fields=("area", "code"), name="bureau_code", violation_error_message="该区划已有此编码"
            ),
        )

    def __str__(self) -> str:
        return self.name
