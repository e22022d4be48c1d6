"""What the language accepts, and that spellings of one meaning give one tree."""

import pytest

from rules import parse_amount, parse_rule, to_text
from tests.rules.words import VOCABULARY

CANONICAL = [
    "低保",
    "经济困难",
    "非 低保",
    "年龄 >= 80",
    "年龄 >= 60 且 年龄 <= 79",
    "户籍在本县 且 年龄 >= 80 且 (低保 或 特困供养 = '分散')",
    "(低保 且 独居) 或 经济困难",
    "非 (低保 或 独居)",
    "非 (年龄 >= 80)",
    "非 (非 低保)",
    "低保 = 是",
    "低保 != 否",
    "低保 = 独居",
    "特困供养 != '无'",
    "特困供养 属于 ('分散', '集中')",
    "年龄 不属于 (80, 90.5, -1, 失能等级下限)",
    "出生日期 <= 1944-06-15",
    "出生日期 属于 (1944-06-15, 1945-06-15)",
    "能力等级 = 未知",
    "能力等级 != 未知",
    "能力等级 >= 失能等级下限",
    "80 <= 年龄",
    "年龄 + 1 > -3 * (能力等级 - 2)",
    "年龄 - (能力等级 - 1) = -(年龄 + 2) * -能力等级",
    "年龄 - 5 + 3 > 0.50",
    "优抚类别 = '烈''属'",
    "优抚类别 = ''",
]

SPELLINGS = [
    ("低保且独居", "低保 且 独居"),
    ("非低保且年龄>=80或经济困难", "(非 低保 且 年龄 >= 80) 或 经济困难"),
    ("年龄>=80且低保", "年龄 >= 80 且 低保"),
    ("低保=是且独居=否", "低保 = 是 且 独居 = 否"),
    ("能力等级=未知或低保", "能力等级 = 未知 或 低保"),
    ("特困供养属于('分散')且80<=年龄", "特困供养 属于 ('分散') 且 80 <= 年龄"),
    ("特困供养不属于('无')", "特困供养 不属于 ('无')"),
    ("低保 and not 独居 OR 经济困难", "(低保 且 非 独居) 或 经济困难"),
    ("年龄 in (80, 90) or 年龄 not in (70)", "年龄 属于 (80, 90) 或 年龄 不属于 (70)"),
    ("（低保）且（年龄≥８０）", "低保 且 年龄 >= 80"),
    (
        "年龄＞＝80 且 年龄＜90 且 年龄≠85 且 年龄！＝86",
        "年龄 >= 80 且 年龄 < 90 且 年龄 != 85 且 年龄 != 86",
    ),
    ("年龄≤80 或 年龄＝90 或 年龄＞95", "年龄 <= 80 或 年龄 = 90 或 年龄 > 95"),
    ("年龄＋1－2×能力等级 > 0", "年龄 + 1 - 2 * 能力等级 > 0"),
    ('特困供养 属于 （‘分散’，“集中”、"无"）', "特困供养 属于 ('分散', '集中', '无')"),
    ("低保\n\u3000且\t独居\r\n", "低保 且 独居"),
    ("((低保))", "低保"),
    ("经济困难 = 是", "经济困难"),
    ("经济困难 = 否 且 是 != 失能", "非 经济困难 且 非 失能"),
    ("非 低保 = 是", "非 (低保 = 是)"),
    ("低保 或 独居 且 户籍在本县", "低保 或 (独居 且 户籍在本县)"),
    ("年龄 - -1 > 0", "年龄 + 1 > 0"),
    ("年龄 > 007", "年龄 > 7"),
]

AMOUNTS = [
    ("50", "50"),
    ("50.00", "50.00"),
    ("-50", "-50"),
    ("1.3*低保标准", "1.3 * 低保标准"),
    ("(年龄-79)×10+低保标准", "(年龄 - 79) * 10 + 低保标准"),
    ("低保标准 - 0.5 * 低保标准 - 1", "低保标准 - 0.5 * 低保标准 - 1"),
    ("年龄", "年龄"),
]


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical_text_stays_as_it_is(text: str) -> None:
    assert to_text(parse_rule(text, VOCABULARY)) == text


@pytest.mark.parametrize(("written", "canonical"), SPELLINGS)
def test_a_spelling_means_its_canonical_text(written: str, canonical: str) -> None:
    node = parse_rule(written, VOCABULARY)
    assert to_text(node) == canonical
    assert parse_rule(canonical, VOCABULARY) == node


@pytest.mark.parametrize(("written", "canonical"), AMOUNTS)
def test_an_amount_means_its_canonical_text(written: str, canonical: str) -> None:
    node = parse_amount(written, VOCABULARY)
    assert to_text(node) == canonical
    assert parse_amount(canonical, VOCABULARY) == node


def test_and_binds_tighter_than_or_and_not_tightest() -> None:
    assert parse_rule("非 低保 且 独居 或 失能", VOCABULARY) == parse_rule(
        "((非 低保) 且 独居) 或 失能", VOCABULARY
    )


def test_trees_that_differ_only_in_layout_are_equal_and_hash_alike() -> None:
    one, other = parse_rule("经济困难 且 失能", VOCABULARY), parse_rule("\n\n 经济困难且失能", VOCABULARY)
    assert one == other
    assert hash(one) == hash(other)
