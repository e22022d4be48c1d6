"""The answer for one elder and why, with unknown facts named."""

from datetime import date
from decimal import Decimal

import pytest

from rules import Node, RuleError, Value, amount, bind, decide, evaluate, parse_amount, parse_rule
from tests.rules.words import VOCABULARY

ELDER: dict[str, Value] = {
    "户籍在本县": True,
    "低保": False,
    "独居": True,
    "年龄": 80,
    "能力等级": None,
    "特困供养": "分散",
    "优抚类别": "无",
    "出生日期": date(1944, 6, 15),
}
PARAMETERS = {"失能等级下限": Decimal(2), "低保标准": Decimal("700.00")}


def bound(text: str) -> Node:
    conditions = {
        "经济困难": parse_rule("低保 或 特困供养 != '无'", VOCABULARY),
        "失能": parse_rule("能力等级 >= 失能等级下限", VOCABULARY),
    }
    return bind(parse_rule(text, VOCABULARY), PARAMETERS, conditions)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("独居", True),
        ("低保", False),
        ("非 低保", True),
        ("年龄 >= 80", True),
        ("年龄 > 80", False),
        ("年龄 <= 80", True),
        ("年龄 < 80", False),
        ("年龄 = 80.00", True),
        ("年龄 != 80", False),
        ("年龄 * 2 - 10 = 150", True),
        ("年龄 * -1 < -79.5", True),
        ("出生日期 <= 1944-06-15", True),
        ("出生日期 <= 1944-06-14", False),
        ("特困供养 属于 ('分散', '集中')", True),
        ("特困供养 不属于 ('分散', '集中')", False),
        ("低保 = 否", True),
        ("低保 = 独居", False),
        ("能力等级 = 未知", True),
        ("能力等级 != 未知", False),
        ("年龄 = 未知", False),
        ("能力等级 >= 2", None),
        ("能力等级 属于 (1, 2)", None),
        ("能力等级 不属于 (1, 2)", None),
        ("能力等级 + 年龄 > 0", None),
        ("非 能力等级 >= 2", None),
        ("能力等级 >= 2 且 独居", None),
        ("能力等级 >= 2 且 低保", False),
        ("能力等级 >= 2 或 独居", True),
        ("能力等级 >= 2 或 低保", None),
        ("经济困难", True),
        ("经济困难 = 否", False),
        ("失能 = 否", None),
    ],
)
def test_a_rule_has_its_answer(text: str, truth: bool | None) -> None:
    assert decide(bound(text), ELDER) is truth
    assert evaluate(bound(text), ELDER).truth is truth


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50", Decimal(50)),
        ("1.3 * 低保标准", Decimal("910")),
        ("(年龄 - 79) * 10.50", Decimal("10.50")),
        ("-年龄", Decimal(-80)),
        ("年龄", Decimal(80)),
        ("0.1 + 0.2", Decimal("0.3")),
        ("能力等级 * 0", None),
        ("100 - 能力等级", None),
    ],
)
def test_an_amount_is_calculated_without_rounding(text: str, expected: Decimal | None) -> None:
    assert amount(bind(parse_amount(text, VOCABULARY), PARAMETERS, {}), ELDER) == expected


def test_long_products_keep_every_digit() -> None:
    node = parse_amount(" * ".join(["999999999999999.999999"] * 5), VOCABULARY)
    assert str(amount(node, ELDER)).replace(".", "") == str((10**21 - 1) ** 5)


def test_every_leaf_shows_its_fact_and_value() -> None:
    trace = evaluate(bound("年龄 >= 80 且 低保"), ELDER)
    assert [(leaf.name, leaf.value, leaf.truth) for leaf in trace.children] == [
        ("年龄", 80, True),
        ("低保", False, False),
    ]


def test_a_leaf_shows_the_parameter_beside_the_fact() -> None:
    leaf = evaluate(bound("能力等级 >= 失能等级下限"), ELDER)
    assert leaf.text == "能力等级 >= 失能等级下限"
    assert leaf.values == (("能力等级", None), ("失能等级下限", Decimal(2)))


def test_a_leaf_of_two_facts_shows_both_values() -> None:
    leaf = evaluate(bound("年龄 + 能力等级 > 3"), ELDER)
    assert (leaf.name, leaf.value, leaf.values) == (None, None, (("年龄", 80), ("能力等级", None)))


def test_a_named_condition_unfolds_below_its_name() -> None:
    trace = evaluate(bound("经济困难"), ELDER)
    assert (trace.kind, trace.name, trace.text) == ("条件", "经济困难", "经济困难")
    assert [child.text for child in trace.children] == ["低保 或 特困供养 != '无'"]


def test_unknown_facts_are_named_where_they_leave_the_answer_open() -> None:
    assert evaluate(bound("独居 且 (能力等级 >= 2 或 低保)"), ELDER).unknown() == ("能力等级",)
    assert evaluate(bound("独居 或 能力等级 >= 2"), ELDER).unknown() == ()
    assert evaluate(bound("能力等级 = 未知"), ELDER).unknown() == ()


def test_the_trace_as_json_holds_plain_types() -> None:
    assert evaluate(bound("出生日期 <= 1944-06-15 且 失能"), ELDER).as_json() == {
        "kind": "且",
        "text": "出生日期 <= 1944-06-15 且 失能",
        "truth": None,
        "condition": None,
        "fact": None,
        "value": None,
        "values": {},
        "unknown": ["能力等级"],
        "children": [
            {
                "kind": "比较",
                "text": "出生日期 <= 1944-06-15",
                "truth": True,
                "condition": None,
                "fact": "出生日期",
                "value": "1944-06-15",
                "values": {"出生日期": "1944-06-15"},
                "unknown": [],
                "children": [],
            },
            {
                "kind": "条件",
                "text": "失能",
                "truth": None,
                "condition": "失能",
                "fact": None,
                "value": None,
                "values": {},
                "unknown": ["能力等级"],
                "children": [
                    {
                        "kind": "比较",
                        "text": "能力等级 >= 失能等级下限",
                        "truth": None,
                        "condition": None,
                        "fact": "能力等级",
                        "value": None,
                        "values": {"能力等级": None, "失能等级下限": 2},
                        "unknown": ["能力等级"],
                        "children": [],
                    }
                ],
            },
        ],
    }


def test_a_fact_that_was_not_given_is_an_error_and_not_an_unknown() -> None:
    with pytest.raises(KeyError, match="年龄"):
        decide(bound("年龄 > 3"), {})


@pytest.mark.parametrize("text", ["年龄 > 失能等级下限", "经济困难"])
def test_an_unbound_name_has_no_answer(text: str) -> None:
    with pytest.raises(RuleError, match="还没有"):
        evaluate(parse_rule(text, VOCABULARY), ELDER)
