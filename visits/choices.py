"""Words of a visit, as the printed forms have them."""

from typing import Final

from django.db.models import TextChoices

# A pack writes these two, a visit records them: `as` makes them words of a visit too.
from catalog.choices import FindingGroup as FindingGroup
from catalog.choices import Risk as Risk


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
    MOVED_OUT = "已迁出", "已迁出"


EFFECTIVE = (Result.SEEN, Result.REACHED)
#: Whose visits end, as far as the visitor could tell; of the dated ones the record may name the day.
DEPARTURE_RESULTS: Final = (Result.DECEASED, Result.MOVED_OUT, Result.INSTITUTION)
DATED_DEPARTURES: Final = (Result.DECEASED, Result.MOVED_OUT)
# Values of 入住机构 in which the institution, not the visitor, looks after the elder; a hospital is not one.
INSTITUTIONS = ("特困供养机构", "养老机构")


class ExemptReason(TextChoices):
    """Why an obligation left numerator and denominator."""

    DEATH = "死亡", "死亡"
    MOVED_OUT = "迁出", "迁出"
    INSTITUTION = "入住机构", "入住机构"


class Channel(TextChoices):
    """How a visit reached the portal."""

    FILE = "文件", "文件导入"
    PHONE = "手机", "手机"
    DESK = "补录", "纸质补录"


class FollowUpKind(TextChoices):
    """What a visit leaves to be done; all but a referral stand at most once open per elder."""

    REFERRAL = "转介", "转介"
    HOME_VISIT = "上门核实", "上门核实"
    RED_RISK = "风险复访", "风险复访"
    DEATH = "死亡核实", "死亡核实"
    MOVED_OUT = "迁出核实", "迁出核实"


#: What a departure leaves to be checked: by whoever may stop payments.
DEPARTURE_KINDS: Final = (FollowUpKind.DEATH, FollowUpKind.MOVED_OUT)


class FollowUpState(TextChoices):
    """Where a follow-up stands; the first two are open."""

    WAITING = "待办理", "待办理"
    WORKING = "办理中", "办理中"
    DONE = "已办结", "已办结"
    DROPPED = "不需办理", "不需办理"


OPEN_FOLLOW_UP: Final = (FollowUpState.WAITING, FollowUpState.WORKING)


class MonthState(TextChoices):
    """Where a township's visit month stands; from 已提交 on its figure is locked."""

    OPEN = "进行中", "进行中"
    SUBMITTED = "已提交", "已提交"
    ACCEPTED = "已接收", "已接收"


LOCKED: Final = (MonthState.SUBMITTED, MonthState.ACCEPTED)


class MonthAction(TextChoices):
    """What is done with a township's visit month."""

    SUBMIT = "提交", "提交"
    WITHDRAW = "撤回", "撤回"
    ACCEPT = "接收", "接收"
    SEND_BACK = "退回", "退回"


class SignalKind(TextChoices):
    """What makes a record worth a call back; none of them ever refuses one."""

    FAR_APART = "相距过远", "5 分钟内两户相距 1 公里以上"
    SAME_PHOTO = "照片相同", "照片与其他记录相同"
    SAME_TEXT = "文字雷同", "十条以上文字相同"
    LAST_DAY = "月末集中", "集中在当月最后一天"
    MOCK_PLACE = "模拟定位", "定位精度为 0"
    CLOCK = "时钟偏差", "手机时钟与服务器相差 10 分钟以上"


class RecordMark(TextChoices):
    """What is noted about a record, so that nobody is surprised by how it counts; it is stored all the same."""

    HANDED_OVER = "已移交", "已移交"
    LATE = "补录", "补录"
    CLOCK_OFF = "时钟偏差", "时钟偏差"
    TWICE = "疑似重复", "疑似重复"


class CallBackResult(TextChoices):
    """What the call back found."""

    CONFIRMED = "属实", "属实"
    REFUTED = "不属实", "不属实"
    UNREACHED = "未接通", "未接通"
