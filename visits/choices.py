"""Words of a visit (domain §3)."""

from django.db.models import TextChoices


class Result(TextChoices):
    """探访结果; the first two are effective."""

    SEEN = "见到本人", "见到本人"
    REACHED = "联系到本人", "联系到本人"
    OTHERS = "见到家属/邻居", "见到家属/邻居"
    NO_CONTACT = "未联系上", "未联系上"
    REFUSED = "拒绝", "拒绝"
    AWAY = "外出", "外出"
    HOSPITAL = "住院", "住院"
    INSTITUTION = "入机构", "入机构"
    DECEASED = "已故", "已故"


EFFECTIVE = (Result.SEEN, Result.REACHED)
# Values of 入住机构 in which the institution, not the visitor, looks after the elder; a hospital is not one.
INSTITUTIONS = ("特困供养机构", "养老机构")


class ExemptReason(TextChoices):
    """Why an obligation left numerator and denominator."""

    DEATH = "死亡", "死亡"
    MOVED_OUT = "迁出", "迁出"
    INSTITUTION = "入住机构", "入住机构"
