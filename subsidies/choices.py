"""Outcomes of a month's decision and kinds of due lines (design §2)."""

from django.db.models import TextChoices


class Outcome(TextChoices):
    """What became of one entitled elder and item in one month."""

    DUE = "应发", "应发"
    NOT_APPLIED = "未申请", "未申请"
    SUSPENDED = "暂停", "暂停"
    NOT_HIGHEST = "择高未发", "择高未发"
    NOT_FIRST = "互斥未发", "互斥未发"


class LineKind(TextChoices):
    """正常 for the month itself, the others for months before it."""

    REGULAR = "正常", "正常"
    BACK_PAY = "补发", "补发"
    RECOVERY = "追缴", "追缴"


class EnrolmentState(TextChoices):
    """State of an enrolment (享受登记)."""

    RECEIVING = "享受中", "享受中"
    SUSPENDED = "暂停", "暂停"
    ENDED = "终止", "终止"
