"""Words of the month, of enrolment and of money; the stored value is the printed word."""

from typing import Final

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


class EnrolmentAction(TextChoices):
    """What was done to an enrolment."""

    START = "登记", "登记"
    SUSPEND = "暂停", "暂停"
    RESUME = "恢复", "恢复"
    STOP = "停发", "停发"


class StopReason(TextChoices):
    """Why an enrolment is stopped or suspended (domain §2.5, forms of 林口县)."""

    DEATH = "去世", "去世"
    MOVED = "户籍迁出", "户籍迁出"
    STATUS_LOST = "资格取消", "低保、低保边缘、特困资格取消"
    UNCERTIFIED = "未认证", "不符合每月认证要求"
    DOUBLE = "重复享受", "重复享受"
    RENOUNCED = "自愿放弃", "自愿放弃"
    NOT_FOUND = "查找不到本人", "查找不到本人"
    CORRECTED = "信息更正", "信息更正后不符合"
    POLICY = "政策调整", "政策调整"
    RECLASSIFIED = "类别调整", "类别复核调整"  # set by the system, left out of stop statistics
    OTHER = "其他", "其他"


class ResumeReason(TextChoices):
    """Why an enrolment starts late or again (domain §2.5)."""

    LATE = "未及时登记", "未及时登记"
    NOT_FOUND = "查找不到本人", "查找不到本人"
    LOST_CONTACT = "短暂失联", "短暂失联"
    CERTIFIED = "已认证", "已完成认证"
    OTHER = "其他", "其他"


class ApplicationState(TextChoices):
    """Where an application stands; each word names what is waited for, the last three are ends."""

    CHECKING = "待审核", "待镇街审核"
    APPROVING = "待审批", "待县局审批"
    NOTICE = "公示中", "公示中"
    APPROVED = "已批准", "已批准"
    REJECTED = "不予批准", "不予批准"
    WITHDRAWN = "已撤回", "已撤回"


class Channel(TextChoices):
    """How an application came in."""

    SELF = "本人", "本人申请"
    AGENT = "代办", "他人代办"
    FOUND = "主动发现", "工作人员主动发现"


class FirstMonth(TextChoices):
    """The first month paid after an application (domain §2.2)."""

    APPLIED = "申请当月", "申请当月"
    AFTER_APPLIED = "申请次月", "申请次月"
    AFTER_APPROVED = "审批次月", "审批次月"
    THIS_YEAR = "本年符合起", "符合条件起，不早于申请当年1月"
    ELIGIBLE = "符合条件起", "符合条件起，以可补发月数为限"


class CertificationMode(TextChoices):
    """How it was found that an elder lives and is the person (domain §2.6)."""

    DATA = "数据比对", "数据比对"
    ONSITE = "上门", "村（社区）上门"
    VISIT = "探访", "本月探访"
    VIDEO = "视频", "视频"
    FACE = "刷脸", "手机刷脸"
    OTHER = "其他", "其他"


class BatchKind(TextChoices):
    """What a batch pays: what is due by the newest facts, or again what the bank could not pay in."""

    REGULAR = "发放", "发放"
    REISSUE = "重发", "失败重发"


class BatchState(TextChoices):
    """Where a batch stands (design §2, Money); each word names what is waited for or what has been reached."""

    DRAFT = "草稿", "草稿"
    TOWNSHIP = "镇街核实", "镇街核实"
    APPROVAL = "县局审批", "县局审批"
    NOTICE = "公示", "公示"
    FINANCE = "财政确认", "财政确认"
    CONFIRMED = "待报银行", "待报银行"
    SENT = "已报银行", "已报银行"
    RETURNED = "回盘", "回盘"
    CLOSED = "关闭", "关闭"
    VOID = "作废", "作废"


class BatchAction(TextChoices):
    """Steps of a batch as its history shows them."""

    BUILD = "生成", "生成草稿"
    SUBMIT = "提交", "提交核实"
    CHECK = "核实", "镇街核实"
    CHECKED = "核实完毕", "镇街全部核实"
    APPROVE = "审批", "县局审批"
    NOTICE_END = "公示期满", "公示期满"
    CONFIRM = "财政确认", "财政确认"
    FILE = "生成银行文件", "生成银行文件"
    SEND = "报送银行", "报送银行"
    RETURN = "回盘", "导入回盘"
    CLOSE = "关闭", "关闭"
    REJECT = "退回", "退回作废"
    DISCARD = "删除草稿", "删除草稿"


class PaymentState(TextChoices):
    """Where one line stands."""

    PENDING = "待发", "待发"
    HELD = "暂缓", "暂缓"
    PROCESSING = "处理中", "银行处理中"
    PAID = "已发", "已发"
    FAILED = "失败", "应付未付"
    VOID = "作废", "作废"


#: Lines that count as settled: paid, or on their way; what failed is owed still, what is void never was.
SETTLED: Final = (PaymentState.PENDING, PaymentState.HELD, PaymentState.PROCESSING, PaymentState.PAID)


class ReturnReason(TextChoices):
    """Why a bank could not pay in, normalised (domain §2.7)."""

    NAME = "户名不符", "户名与账号不符"
    IDENTITY = "证件不符", "证件号码不符或姓名与证件不匹配"
    NO_ACCOUNT = "账号不存在", "账号或卡号不存在"
    DIGITS = "位数不符", "账号位数不符"
    CLOSED = "已销户", "已销户"
    LOST = "挂失", "挂失"
    FROZEN = "冻结止付", "冻结或止付"
    DORMANT = "睡眠户", "睡眠户、不动户（久悬）"
    INACTIVE = "未激活", "未激活"
    ABNORMAL = "状态异常", "账户状态异常"
    CLASS_LIMIT = "二三类户限额", "Ⅱ、Ⅲ类户限额"
    LINE_LIMIT = "超单笔限额", "超单笔限额"
    CURRENCY = "币种卡种不支持", "币种或卡种不支持"
    BANK_NAME = "开户行错误", "开户行错误"
    RETRY = "银行原因", "银行原因，请重发"
    OTHER = "其他", "其他"


class Verdict(TextChoices):
    """What a row of a return file did to our lines."""

    PAID = "成功", "成功入账"
    FAILED = "失败", "发放失败"
    PROCESSING = "处理中", "银行处理中"
    REPEATED = "重复", "与已有结果相同"
    UNKNOWN = "未知", "对不上本批次的行"
    AMOUNT = "金额不符", "金额与本批次不符"
    ACCOUNT = "账号不符", "账号与本批次不符"
    CONFLICT = "矛盾", "与已有结果矛盾"
    UNREADABLE = "无法识别", "状态或数字无法识别"


class FundSource(TextChoices):
    """Where the money comes from."""

    FISCAL = "财政", "财政资金"
    LOTTERY = "彩票公益金", "福利彩票公益金"


class Account(TextChoices):
    """Accounts of the ledger."""

    EXPENSE = "补贴支出", "补贴支出"
    PAYABLE = "应付补贴", "应付补贴"
    IN_TRANSIT = "银行在途", "银行在途"
    UNPAID = "应付未付", "应付未付（发放失败）"
    CASH = "财政拨款", "财政拨款（已入账）"
    RECEIVABLE = "应收追缴", "应收追缴"
    OFFSET = "抵扣往来", "抵扣往来（从补贴抵扣追缴）"
    REFUND = "追缴收回", "追缴收回（缴回财政专户）"
    WRITTEN_OFF = "追缴核销", "追缴核销"


class AnomalyKind(TextChoices):
    """What makes a due line worth a look before it is paid (issue: monthly review by exception)."""

    NO_ACCOUNT = "没有账户", "没有可用的银行账户"
    SHARED_ACCOUNT = "同一账户", "同一账户收多人补贴"
    ACCOUNT_CHANGED = "账户变更", "上次发放后账户有变更"
    HOLDER = "户名不符", "账户户名不是本人"
    JUMP = "金额突变", "金额比上月变化大"
    AFTER_DEATH = "死后发放", "去世后仍有发放"
    IDENTITY = "证件不符", "证件号码与出生日期、性别不符"
    REPORTED_DEATH = "报告死亡", "探访报告死亡待核实"
    REPORTED_MOVE = "报告迁出", "探访报告迁出待核实"


class AnomalyState(TextChoices):
    """What a clerk decided about an anomaly."""

    OPEN = "待核", "待核"
    CLEARED = "放行", "核实无误，放行"
    HELD = "暂缓", "暂缓发放"


class RecoveryState(TextChoices):
    """Where a recovery case stands (domain §2.5)."""

    PROPOSED = "拟追缴", "拟追缴"
    NOTIFIED = "已通知", "已通知"
    PARTLY = "部分退回", "部分退回"
    SETTLED = "结清", "结清"
    WRITTEN_OFF = "核销", "核销"
    CANCELLED = "撤销", "撤销"


class RecoveryEntryKind(TextChoices):
    """What lowers what is still to be recovered; a counter-entry raises it again."""

    REPAID = "退回", "退回"
    OFFSET = "抵扣", "经同意从后续补贴抵扣"
    WRITE_OFF = "核销", "核销"
    CANCEL = "撤销", "撤销"
    REVERSAL = "冲正", "冲正"


class ObjectionState(TextChoices):
    """What became of an objection raised while a list was on public notice."""

    OPEN = "待处理", "待处理"
    UPHELD = "成立", "成立，本批不发"
    DISMISSED = "不成立", "不成立，照发"
