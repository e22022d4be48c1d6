"""The rival's table: a roster as django-import-export keeps it when nothing more is asked of it."""

from django.db import models


class RivalPerson(models.Model):
    """One row of a roster with the same 25 columns, as they stand in the file; the benchmark makes the table."""

    name = models.CharField("姓名", max_length=60)
    id_number = models.CharField("身份证号码", max_length=40, unique=True)
    hukou = models.CharField("户籍区划", max_length=80)
    residence = models.CharField("居住区划", max_length=80, blank=True)
    ethnicity = models.CharField("民族", max_length=20, blank=True)
    address = models.CharField("住址", max_length=200, blank=True)
    phone = models.CharField("联系电话", max_length=40, blank=True)
    head = models.CharField("户主身份证号码", max_length=40, blank=True)
    relation = models.CharField("与户主关系", max_length=20, blank=True)
    destitute = models.CharField("特困供养", max_length=20, blank=True)
    self_care = models.CharField("自理能力", max_length=20, blank=True)
    allowance = models.CharField("低保", max_length=20, blank=True)
    marginal = models.CharField("低保边缘", max_length=20, blank=True)
    living = models.CharField("居住状况", max_length=20, blank=True)
    family_planning = models.CharField("计生特殊", max_length=20, blank=True)
    veteran = models.CharField("优抚类别", max_length=20, blank=True)
    disability = models.CharField("残疾类别", max_length=20, blank=True)
    disability_level = models.CharField("残疾等级", max_length=20, blank=True)
    disability_card = models.CharField("残疾证号", max_length=40, blank=True)
    card_until = models.CharField("残疾证有效期至", max_length=20, blank=True)
    long_term_care = models.CharField("需长期照护", max_length=20, blank=True)
    ability = models.CharField("能力等级", max_length=20, blank=True)
    assessed = models.CharField("评估日期", max_length=20, blank=True)
    pension = models.CharField("养老保险", max_length=20, blank=True)
    care_insurance = models.CharField("长护险", max_length=20, blank=True)

    class Meta:
        managed = False
        db_table = "rival_person"
        verbose_name = verbose_name_plural = "对照花名册"

    def __str__(self) -> str:
        return self.name


COLUMNS: dict[str, str] = {
    str(field.verbose_name): field.name
    for field in RivalPerson._meta.concrete_fields
    if not field.primary_key
}
