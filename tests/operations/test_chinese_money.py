"""Amounts in Chinese capitals."""

from decimal import Decimal

import pytest

from operations.chinese_money import chinese_money


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.30", "叁角整"),
        ("0.35", "叁角伍分"),
        ("1", "壹元整"),
        ("10", "壹拾元整"),
        ("10.50", "壹拾元伍角整"),
        ("15", "壹拾伍元整"),
        ("100.01", "壹佰元零壹分"),
        ("101", "壹佰零壹元整"),
        ("110", "壹佰壹拾元整"),
        ("1001", "壹仟零壹元整"),
        ("1010", "壹仟零壹拾元整"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("12345.67", "壹万贰仟叁佰肆拾伍元陆角柒分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("20030.00", "贰万零叁拾元整"),
        ("10000", "壹万元整"),
        ("11000", "壹万壹仟元整"),
        ("107000.53", "壹拾万零柒仟元伍角叁分"),
        ("1000000", "壹佰万元整"),
        ("1000001", "壹佰万零壹元整"),
        ("100000000", "壹亿元整"),
        ("100000001.10", "壹亿零壹元壹角整"),
        ("100010000", "壹亿零壹万元整"),
        ("999999999999.99", "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        ("-50", "负伍拾元整"),
    ],
)
def test_an_amount_is_written_as_on_a_voucher(amount: str, words: str) -> None:
    assert chinese_money(Decimal(amount)) == words


@pytest.mark.parametrize("amount", ["0.001", "1000000000000", "12.345"])
def test_an_amount_that_no_voucher_can_carry_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="精确到分"):
        chinese_money(Decimal(amount))


def test_no_amount_shows_two_zeros_in_a_row_or_ends_in_a_zero() -> None:
    for yuan in range(0, 2_000_000, 997):
        words = chinese_money(Decimal(yuan))
        assert "零零" not in words, yuan
        assert "零元" not in words or yuan == 0, yuan
        assert "零万" not in words, yuan
