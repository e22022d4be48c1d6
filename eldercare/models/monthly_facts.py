"""The frozen facts of a month: the evidence on which it was decided."""

from django.db import models


class MonthlyFacts(models.Model):
    """One elder's facts for one month of one county; partitioned by month, created in migration 0002.

    opening, closing: for which reading the row holds (期初 / 期末); where both agree one row holds for both.
    rev_from, rev_to: half-open range of the month's revisions in which the row is the valid one; rev_to NULL: still.
    area_code: 户籍 village if in this county, else 居住 village. Fact columns: eldercare.vocabulary.FACT_COLUMNS.
    """

    pk = models.CompositePrimaryKey("month", "county_code", "elder", "rev_from", "opening")
    month = models.DateField()
    county_code = models.CharField(max_length=12)
    elder = models.ForeignKey(
        "eldercare.Elder", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    rev_from = models.PositiveIntegerField()
    rev_to = models.PositiveIntegerField(null=True)
    opening = models.BooleanField()
    closing = models.BooleanField()
    area_code = models.CharField(max_length=12)
    hukou_code = models.CharField(max_length=12, null=True)
    residence_code = models.CharField(max_length=12, null=True)
    death_date = models.DateField(null=True)
    moved_out_date = models.DateField(null=True)
    age = models.SmallIntegerField()
    birth_date = models.DateField()
    sex = models.TextField()
    hukou_here = models.BooleanField()
    resident_here = models.BooleanField()
    destitute = models.TextField()
    self_care = models.TextField(null=True)
    low_income_allowance = models.BooleanField()
    low_income_marginal = models.BooleanField()
    low_income = models.BooleanField()
    ability_level = models.SmallIntegerField(null=True)
    disability_type = models.TextField()
    disability_level = models.SmallIntegerField(null=True)
    long_term_care = models.BooleanField()
    lives_alone = models.BooleanField()
    empty_nest = models.BooleanField()
    left_behind = models.BooleanField()
    family_planning = models.TextField()
    veteran_category = models.TextField()
    no_supporter = models.BooleanField()
    regular_pension = models.BooleanField()
    institution = models.TextField()
    homeless = models.BooleanField()
    dementia = models.BooleanField()
    pension = models.TextField()
    pension_in_pay = models.BooleanField()
    care_insurance = models.BooleanField()

    class Meta:
        managed = False
        db_table = "eldercare_monthlyfacts"
        verbose_name = verbose_name_plural = "月度事实"

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.elder_id}"
