"""Amounts in Chinese capitals, as vouchers print them (《正确填写票据和结算凭证的基本规定》)."""

from decimal import Decimal
from typing import Final

DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
PLACES: Final = ("", "拾", "佰", "仟")
GROUPS: Final = ("", "万", "亿")
LIMIT: Final = Decimal(10) ** 12


def chinese_money(amount: Decimal) -> str:
    """元 in capitals: 12345.67 → 壹万贰仟叁佰肆拾伍元陆角柒分; 整 after 元 and 角.

    Raises ValueError beyond 分 and from 10^12 元 on.

    >>> chinese_money(Decimal("20030.00")), chinese_money(Decimal("100.01")), chinese_money(Decimal("0.05"))
    ('贰万零叁拾元整', '壹佰元零壹分', '伍分')
    """
    cents = amount * 100
    if cents != cents.to_integral_value() or abs(amount) >= LIMIT:
        raise ValueError(f"金额应精确到分且小于一万亿元，现为 {amount}")
    yuan, rest = divmod(abs(int(cents)), 100)
    jiao, fen = divmod(rest, 10)
    text = f"{_whole(yuan)}元" if yuan else ""
    text += f"{DIGITS[jiao]}角" if jiao else ""
    if fen:
        text += f"{'零' if yuan and not jiao else ''}{DIGITS[fen]}分"
    else:
        text = f"{text or '零元'}整"
    return f"负{text}" if amount < 0 else text


def _whole(number: int) -> str:
    """A whole number in groups of four digits; one 零 for zeros between, or before a group after a zero."""
    text, zero = "", False
    for index in range(len(GROUPS) - 1, -1, -1):
        group = number // 10_000**index % 10_000
        if group:
            text += ("零" if text and (zero or group < 1000) else "") + _group(group) + GROUPS[index]
        zero = bool(text) and group % 10 == 0
    return text


def _group(number: int) -> str:
    """One to four digits with their places; a run of zeros inside is one 零."""
    text, gap = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit:
            text += ("零" if text and gap else "") + DIGITS[digit] + PLACES[place]
        gap = digit == 0
    return text
