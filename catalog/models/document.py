"""Policy documents."""

from django.db import models


class Document(models.Model):
    """A policy document that carries a list for an area; it must not fall short of the parent list."""

    code = models.SlugField("编码", max_length=60, unique=True)
    title = models.CharField("标题", max_length=120)
    number = models.CharField("文号", max_length=60, blank=True)
    issued = models.DateField("印发日期")
    area = models.ForeignKey("organization.Area", on_delete=models.PROTECT, verbose_name="适用区划")
    parent_code = models.CharField("上级清单编码", max_length=60, blank=True)
    note = models.TextField("整理说明", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "政策文件"
        ordering = ("area_id", "-issued")

    def __str__(self) -> str:
        return self.title
