"""A month of a county and the pieces in which it is decided."""

from django.db import models


class Month(models.Model):
    """One month of one county.

    revision: the revision that readers see, 0 before the first run is whole. policy: digest of the policy that the
    revision was decided under. visits_version: registry version
    up to which the visit figures follow. settled_revision: the revision taken as settled once a later month was opened.
    """

    county_code = models.CharField("县", max_length=12)
    month = models.DateField("月份")
    revision = models.PositiveIntegerField("版次", default=0)
    policy = models.CharField(max_length=64, blank=True)
    persons = models.PositiveIntegerField("核定人数", default=0)
    settled_revision = models.PositiveIntegerField("结清版次", null=True)
    visits_version = models.BigIntegerField(default=0)
    published_at = models.DateTimeField("核定时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "月度"
        ordering = ("-month", "county_code")
        constraints = (models.UniqueConstraint(fields=("county_code", "month"), name="month_once"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class Chunk(models.Model):
    """One township's share of a month; written whole in one transaction, so that a run resumes where it stopped.

    decided_revision: the last revision that decided it. facts_version: registry version then; elders above it have
    changed since. township: 9-digit prefix, '' for elders registered outside the county.
    """

    month = models.ForeignKey(Month, on_delete=models.CASCADE, related_name="chunks")
    township = models.CharField(max_length=9, blank=True)
    decided_revision = models.PositiveIntegerField(default=0)
    facts_version = models.BigIntegerField(default=0)
    policy = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "月度分片"
        constraints = (models.UniqueConstraint(fields=("month", "township"), name="chunk_once"),)

    def __str__(self) -> str:
        return f"{self.month} {self.township}"
