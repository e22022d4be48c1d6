"""Words of the list; the stored value is the printed word."""

from typing import Final

from django.db.models import TextChoices


class ItemType(TextChoices):
    """服务类型."""

    MATERIAL = "物质帮助", "物质帮助"
    CARE = "照护服务", "照护服务"
    CONCERN = "关爱服务", "关爱服务"
    SUPPORT = "政策扶持", "政策扶持"


class Form(TextChoices):
    """What the elder gets."""

    CASH = "现金", "现金"
    SERVICE = "服务", "服务"
    PRIORITY = "优先", "优先"
    PRICE = "减免", "减免"
    KIND = "实物", "实物"
    POLICY = "政策", "政策"


class Subject(TextChoices):
    """Who is decided: persons and households are, family members and institutions are only shown."""

    PERSON = "个人", "个人"
    HOUSEHOLD = "家庭", "家庭"
    FAMILY = "家庭成员", "家庭成员"
    INSTITUTION = "机构", "机构"


class Application(TextChoices):
    """How an entitled elder comes to receive."""

    AUTOMATIC = "免申即享", "免申即享"
    ON_REQUEST = "申请", "申请"


class Start(TextChoices):
    """From which month a condition met inside month M counts (domain §2.2)."""

    NEXT_MONTH = "次月", "次月"
    SAME_MONTH = "当月", "当月"


class Track(TextChoices):
    """Whether the month keeps a row per person or only counts per area."""

    PERSON = "逐人", "逐人"
    COUNT = "计数", "计数"


class Strategy(TextChoices):
    """What happens among the items of an exclusion group."""

    HIGHEST = "择高", "择高"
    FIRST = "互斥", "互斥"


class ValueKind(TextChoices):
    """A dated figure or a dated condition, referred to by name."""

    PARAMETER = "parameter", "参数"
    RATE = "rate", "标准"
    CONDITION = "condition", "情形"


class Per(TextChoices):
    """The period in which a visit tier's times are counted."""

    MONTH = "月", "每月"
    WEEK = "周", "每周"
    QUARTER = "季", "每季"


class VisitMode(TextChoices):
    """Ways of visiting that a tier may allow."""

    HOME = "上门", "上门"
    PHONE = "电话", "电话"
    VIDEO = "视频", "视频"
    DEVICE = "智能设备", "智能设备"


class Risk(TextChoices):
    """风险等级 (domain §3.4): yellow is settled in the village, red at once and told to the county."""

    NONE = "", "无"
    YELLOW = "黄", "黄色"
    RED = "红", "红色"


#: Hours within which a risk is dealt with: red is told to the county and visited again, yellow settled in the village.
RED_HOURS: Final = 24
YELLOW_HOURS: Final = 72


class FindingGroup(TextChoices):
    """What a visit looks at (domain §3.3)."""

    HEALTH = "健康", "健康"
    ECONOMY = "经济", "经济"
    SAFETY = "安全", "安全"
    NEED = "需求", "需求"


class Comparator(TextChoices):
    """How a target compares the figure with its value."""

    AT_LEAST = ">=", "不低于"
    AT_MOST = "<=", "不高于"
    MORE = ">", "高于"
    LESS = "<", "低于"
    EQUAL = "=", "等于"
