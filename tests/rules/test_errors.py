"""A faulty rule is refused with line, column, a reason and what could stand there."""

import pickle

import pytest

from rules import Fact, FactType, RuleError, Vocabulary, parse_amount, parse_rule
from tests.rules.words import VOCABULARY

# text, line, column, part of the message
FAULTS = [
    ("", 1, 1, "规则是空的"),
    (" \n ", 1, 1, "规则是空的"),
    ("年龄 >= ", 1, 6, "没有写完"),
    ("低保 且", 1, 5, "没有写完"),
    ("(年龄 > 3", 1, 8, "右括号"),
    ("年龄 > 3)", 1, 7, "“)”不应出现在这里"),
    ("低保 且\n且 独居", 2, 1, "“且”不应出现在这里"),
    ("低保 独居", 1, 4, "且"),
    ("低保 且\n 年龄 >> 3", 2, 6, "“>”不应出现在这里"),
    ("60 <= 年龄 < 80", 1, 10, "不能连着比较"),
    ("年龄 属于 ()", 1, 8, "“)”不应出现在这里"),
    ("年龄 属于 (1 2)", 1, 10, "逗号"),
    ("年龄 属于 (1,)", 1, 10, "“)”不应出现在这里"),
    ("未知 = 年龄", 1, 1, "“未知”不应出现在这里"),
    ("失能等级 >= 2", 1, 1, "是不是“失能等级下限”"),
    ("低保 且 能力等及 >= 2", 1, 6, "是不是“能力等级”"),
    ("非低宝", 1, 2, "不认识的词“低宝”，是不是“低保”"),
    ("低保人 = 是", 1, 1, "是不是“低保”"),
    ("xyz > 1", 1, 1, "不认识的词“xyz”，请用事实"),
    ("低保 并且 独居", 1, 4, "“并且”请写成“且”"),
    ("年龄 不小于 80", 1, 4, "“不小于”请写成“>=”"),
    ("年龄 >= 80岁", 1, 9, "不带单位"),
    ("年龄 / 2 > 3", 1, 4, "不能用除法"),
    ("年龄 > 30%", 1, 8, "百分号"),
    ("年龄 > 3 ; 1", 1, 8, "不认识的符号 “;”"),
    ("年龄 > 3 && 低保", 1, 8, "“且”"),
    ("!低保", 1, 1, "“非”"),
    ("低保\u200b", 1, 3, "U+200B"),
    ("低保\x00", 1, 3, "U+0000"),
    ("优抚类别 = '\ud800'", 1, 9, "U+D800"),
    ("优抚类别 = '烈属", 1, 8, "缺少右引号"),
    ("优抚类别 = '烈\n属'", 1, 8, "缺少右引号"),
    ("年龄", 1, 1, "“年龄”不能单独作条件，要写成比较，如 年龄 >= 80"),
    ("低保 且 特困供养", 1, 6, "特困供养 = '分散'"),
    ("出生日期", 1, 1, "出生日期 <= 1944-06-15"),
    ("失能等级下限", 1, 1, "不能单独作条件"),
    ("是", 1, 1, "低保 = 是"),
    ("80", 1, 1, "不能单独作条件"),
    ("非 年龄 + 1", 1, 3, "不能单独作条件"),
    ("年龄 > '80'", 1, 6, "“年龄”为数字，“80”为文字"),
    ("特困供养 = 1", 1, 8, "“特困供养”为文字，“1”为数字"),
    ("年龄 > 1944-06-15", 1, 6, "为日期"),
    ("低保 = 80", 1, 6, "“低保”为是/否"),
    ("年龄 属于 (1, '2')", 1, 11, "为文字"),
    ("年龄 属于 (能力等级)", 1, 8, "只能列固定值或参数"),
    ("低保 属于 (是)", 1, 1, "不能用“属于”"),
    ("1 属于 (1)", 1, 1, "是固定值"),
    ("特困供养 = '散居'", 1, 8, "没有“散居”这个取值，可以写：无、分散、集中"),
    ("'散居' != 特困供养", 1, 1, "可以写：无、分散、集中"),
    ("特困供养 属于 ('分散', '散居')", 1, 16, "可以写：无、分散、集中"),
    ("特困供养 < '无'", 1, 6, "文字只能用 = 或 != 比较"),
    ("低保 >= 是", 1, 4, "是/否只能用 = 或 != 比较"),
    ("1 = 1", 1, 1, "两边都是固定值"),
    ("年龄 < 未知", 1, 4, "“未知”只能用 = 或 != 比较"),
    ("失能等级下限 = 未知", 1, 1, "只有事实可以是未知"),
    ("(年龄 > 3) = 是", 1, 1, "是条件，不能再拿来比较"),
    ("经济困难 = 失能", 1, 1, "是条件，不能再拿来比较"),
    ("经济困难 = 3", 1, 8, "只能与 是 或 否 比较"),
    ("经济困难 > 是", 1, 6, "是/否只能用 = 或 != 比较"),
    ("低保 + 1 > 2", 1, 1, "“低保”不是数字"),
    ("出生日期 - 1 < 1944-06-15", 1, 1, "“出生日期”不是数字"),
    ("-特困供养 = 3", 1, 2, "“特困供养”不是数字"),
    ("出生日期 > 1944-02-30", 1, 8, "没有“1944-02-30”这一天"),
    ("年龄 > 1234567890123456", 1, 6, "数字太长"),
    ("年龄 > 0.1234567", 1, 6, "数字太长"),
]

FAULTY_AMOUNTS = [
    ("", 1, 1, "规则是空的"),
    ("低保", 1, 1, "“低保”不是数字"),
    ("年龄 > 3", 1, 1, "“年龄 > 3”不是数字"),
    ("'50'", 1, 1, "“50”不是数字"),
    ("低保标准 * 1944-06-15", 1, 8, "“1944-06-15”不是数字"),
    ("100 / 3", 1, 5, "不能用除法"),
    ("低保标准 ** 2", 1, 7, "“*”不应出现在这里"),
    ("50元", 1, 3, "不带单位"),
]


@pytest.mark.parametrize(("text", "line", "column", "reason"), FAULTS)
def test_a_faulty_rule_is_refused_where_it_is_wrong(text: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(RuleError) as refusal:
        parse_rule(text, VOCABULARY)
    assert reason in refusal.value.message
    assert (refusal.value.line, refusal.value.column) == (line, column)


@pytest.mark.parametrize(("text", "line", "column", "reason"), FAULTY_AMOUNTS)
def test_a_faulty_amount_is_refused_where_it_is_wrong(text: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(RuleError) as refusal:
        parse_amount(text, VOCABULARY)
    assert reason in refusal.value.message
    assert (refusal.value.line, refusal.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("低保 且 (独居", ("+ - *", "右括号", "且", "或")),
        ("年龄 > 3 低保", ("+ - *", "且", "或", "规则结束")),
        ("年龄 属于 3", ("左括号",)),
        ("特困供养 = '散居'", ("'无'", "'分散'", "'集中'")),
        ("能力等及 > 2", ("能力等级",)),
        ("低保 > 是", ("=", "!=")),
    ],
)
def test_the_error_lists_what_was_expected(text: str, expected: tuple[str, ...]) -> None:
    with pytest.raises(RuleError) as refusal:
        parse_rule(text, VOCABULARY)
    wanted = set(expected)
    assert wanted <= set(refusal.value.expected)


def test_the_error_reads_as_a_sentence_with_its_place() -> None:
    with pytest.raises(RuleError, match=r"^第 2 行第 1 列：不认识的词“独”"):
        parse_rule("低保 且\n独", VOCABULARY)


def test_the_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(RuleError("原因", 2, 3, ("且",))))  # noqa: S301 - our own bytes
    assert (error.message, error.line, error.column, error.expected) == ("原因", 2, 3, ("且",))


def test_a_rule_of_4000_characters_is_read_and_of_4001_refused() -> None:
    text = "低保 或 独居".ljust(4_000)
    parse_rule(text, VOCABULARY)
    with pytest.raises(RuleError, match="规则太长：4001 个字"):
        parse_rule(text + " ", VOCABULARY)


@pytest.mark.parametrize(
    ("opening", "closing"), [("(", ")"), ("非 ", ""), ("非(", ")"), ("(非 ", ")")], ids=str
)
def test_nesting_is_limited(opening: str, closing: str) -> None:
    layers = 50 // len(opening.strip())
    parse_rule(opening * layers + "低保" + closing * layers, VOCABULARY)
    with pytest.raises(RuleError, match="嵌套太深"):
        parse_rule(opening * 51 + "低保" + closing * 51, VOCABULARY)


def test_the_longest_flat_rules_are_no_trouble() -> None:
    parse_rule("或".join(["低保 "] * 1_000), VOCABULARY)
    parse_amount("+".join(["1"] * 2_000), VOCABULARY)


@pytest.mark.parametrize("text", ["非" * 4_000, "低保且" * 1_333, "是" * 119 + "x", "(" * 4_000, "'" * 3_999])
def test_hostile_repetition_is_refused_at_once(text: str) -> None:
    with pytest.raises(RuleError):
        parse_rule(text, VOCABULARY)


@pytest.mark.parametrize("name", ["", "80岁", "高 龄", "a-b", "且", "AND", "长" * 61])
def test_a_name_that_no_rule_could_use_is_refused(name: str) -> None:
    with pytest.raises(RuleError):
        Vocabulary({}, conditions=frozenset({name}))


def test_a_name_means_one_thing_only() -> None:
    with pytest.raises(RuleError, match="名称“年龄”重复"):
        Vocabulary({"年龄": Fact("年龄", FactType.NUMBER)}, parameters=frozenset({"年龄"}))
