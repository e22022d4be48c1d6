"""Vocabulary of the registry in the field's words."""

from django.db.models import TextChoices


class Kind(TextChoices):
    """Kinds of dated circumstance; a fact column of the same name is read from it (domain §0)."""

    HUKOU = "hukou", "户籍区划"
    RESIDENCE = "residence", "居住区划"
    DEATH = "death", "死亡"
    MOVED_OUT = "moved_out", "迁出"
    DESTITUTE = "destitute", "特困供养"
    SELF_CARE = "self_care", "自理能力"
    LOW_INCOME_ALLOWANCE = "low_income_allowance", "低保"
    LOW_INCOME_MARGINAL = "low_income_marginal", "低保边缘"
    LOW_INCOME = "low_income", "低收入"
    ABILITY_LEVEL = "ability_level", "能力等级"
    DISABILITY_TYPE = "disability_type", "残疾类别"
    DISABILITY_LEVEL = "disability_level", "残疾等级"
    LONG_TERM_CARE = "long_term_care", "需长期照护"
    LIVES_ALONE = "lives_alone", "独居"
    EMPTY_NEST = "empty_nest", "空巢"
    LEFT_BEHIND = "left_behind", "留守"
    FAMILY_PLANNING = "family_planning", "计生特殊"
    VETERAN_CATEGORY = "veteran_category", "优抚类别"
    NO_SUPPORTER = "no_supporter", "无赡养人"
    REGULAR_PENSION = "regular_pension", "定期抚恤"
    INSTITUTION = "institution", "入住机构"
    HOMELESS = "homeless", "流浪乞讨"
    DEMENTIA = "dementia", "失智"
    PENSION = "pension", "养老保险"
    PENSION_IN_PAY = "pension_in_pay", "领取养老金"
    CARE_INSURANCE = "care_insurance", "长护险"


class Sex(TextChoices):
    """As the 17th digit of the ID number says."""

    MALE = "男", "男"
    FEMALE = "女", "女"


YES = "是"
NONE = "无"
ABILITY_NAMES = ("能力完好", "轻度失能", "中度失能", "重度失能", "完全失能")
