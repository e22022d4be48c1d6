"""What banks write for results and causes, and the 16 normalised reasons (domain §2.7). Touches no database."""

import unicodedata
from collections.abc import Iterable
from typing import Final

from subsidies.choices import ReturnReason, Verdict

#: What counts as which result where a profile names no words of its own; compared whole, never in part.
STATES: Final[dict[str, tuple[str, ...]]] = {
    Verdict.PAID: (
        "成功",
        "交易成功",
        "入账成功",
        "发放成功",
        "处理成功",
        "代发成功",
        "已入账",
        "S",
        "SUCCESS",
    ),
    Verdict.FAILED: (
        "失败",
        "交易失败",
        "入账失败",
        "发放失败",
        "处理失败",
        "代发失败",
        "退票",
        "退汇",
        "F",
        "FAIL",
    ),
    Verdict.PROCESSING: ("处理中", "待处理", "已受理", "已收妥", "已收妥未入账", "银行处理中", "P"),
}
#: Words contained in a bank's text, the more telling reasons first: 账户状态异常（已销户） is a closed account.
WORDS: Final[tuple[tuple[ReturnReason, tuple[str, ...]], ...]] = (
    (ReturnReason.CLOSED, ("销户", "已注销")),
    (ReturnReason.LOST, ("挂失",)),
    (ReturnReason.FROZEN, ("冻结", "止付", "司法控制")),
    (ReturnReason.DORMANT, ("睡眠", "不动户", "久悬", "长期不动")),
    (ReturnReason.INACTIVE, ("未激活", "未启用")),
    (
        ReturnReason.CLASS_LIMIT,
        ("Ⅱ类", "Ⅲ类", "II类", "III类", "二类户", "三类户", "2类户", "3类户", "二三类"),
    ),
    (ReturnReason.LINE_LIMIT, ("单笔限额", "超过单笔", "超单笔", "超限额", "金额超限")),
    (ReturnReason.CURRENCY, ("币种", "卡种", "卡类型不支持")),
    (ReturnReason.IDENTITY, ("证件", "身份证", "身份信息")),
    (
        ReturnReason.NAME,
        ("户名", "姓名不符", "姓名错误", "名称不符", "姓名不一致"),
    ),
    (ReturnReason.DIGITS, ("位数", "账号长度", "卡号长度", "帐号长度")),
    (ReturnReason.BANK_NAME, ("开户行", "联行号", "行号", "行名")),
    (
        ReturnReason.NO_ACCOUNT,
        (
            "不存在",
            "无此",
            "查无",
            "账号错误",
            "帐号错误",
            "卡号错误",
            "账号有误",
            "帐号有误",
            "卡号有误",
            "账号无效",
        ),
    ),
    (ReturnReason.RETRY, ("银行原因", "重发", "超时", "系统异常", "系统错误", "系统繁忙", "通讯", "通信")),
    (ReturnReason.ABNORMAL, ("异常", "状态不正常", "状态不正确", "非正常")),
)


def fold(text: str) -> str:
    """Return a bank's word as words are compared: half width, without spaces, upper case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


_FOLDED: Final = tuple((fold(word), reason) for reason, words in WORDS for word in words)


def return_reason(code: str, text: str, table: Iterable[tuple[str, ReturnReason]] = ()) -> ReturnReason:
    """Return the normalised reason of a failure.

    table: (word or code, reason) of the bank's profile, which goes before the words that all banks use. A code is
    compared whole, a word may stand anywhere in the text. What nothing knows is 其他.

    >>> return_reason("", "账户状态异常（已销户）").value, return_reason("E99", "").value
    ('已销户', '其他')
    """
    code, text = fold(code), fold(text)
    for word, reason in table:
        if word == code or word in text:
            return reason
    return next((reason for word, reason in _FOLDED if word in text), ReturnReason.OTHER)
