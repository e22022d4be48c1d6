"""Names get what is in force, keep their name for display, and may not run in circles."""

from decimal import Decimal

import pytest

from rules import (
    Node,
    RuleError,
    Value,
    Vocabulary,
    bind,
    decide,
    evaluate,
    facts_used,
    parse_amount,
    parse_rule,
    to_sql,
    to_text,
)
from rules.tree import conditions_used, parameters_used
from tests.rules.words import VOCABULARY

COLUMNS = {name: f"f{number}" for number, name in enumerate(VOCABULARY.facts)}


def rule(text: str) -> Node:
    return parse_rule(text, VOCABULARY)


def test_a_parameter_gets_its_value_and_keeps_its_name() -> None:
    bound = bind(rule("能力等级 >= 失能等级下限"), {"失能等级下限": Decimal(2)}, {})
    assert to_sql(bound, COLUMNS) == "(f4 >= 2)"
    assert to_text(bound) == "能力等级 >= 失能等级下限"


def test_a_condition_gets_its_tree_and_keeps_its_name() -> None:
    bound = bind(rule("独居 且 经济困难"), {}, {"经济困难": rule("低保 或 特困供养 != '无'")})
    assert to_sql(bound, COLUMNS) == "(f2 AND (f1 OR (f5 <> '无')))"
    assert to_text(bound) == "独居 且 经济困难"


def test_conditions_may_use_conditions_and_parameters_in_any_order() -> None:
    conditions = {"经济困难": rule("低保 且 失能"), "失能": rule("能力等级 >= 失能等级下限")}
    bound = bind(rule("经济困难"), {"失能等级下限": Decimal(1)}, conditions)
    assert to_sql(bound, COLUMNS) == "(f1 AND (f4 >= 1))"


def test_a_condition_that_is_bound_already_stays_as_it_is() -> None:
    ready = bind(rule("失能"), {"失能等级下限": Decimal(1)}, {"失能": rule("能力等级 >= 失能等级下限")})
    assert bind(rule("非 经济困难"), {}, {"经济困难": ready}) == bind(
        rule("非 经济困难"), {"失能等级下限": Decimal(1)}, {"经济困难": ready}
    )


def test_an_amount_is_bound_in_the_same_way() -> None:
    bound = bind(parse_amount("1.3 * 低保标准", VOCABULARY), {"低保标准": Decimal("700.00")}, {})
    assert to_sql(bound, COLUMNS) == "(1.3::numeric * 700.00::numeric)"


def test_a_missing_parameter_is_named_with_its_place() -> None:
    with pytest.raises(RuleError, match="第 1 行第 9 列：参数“失能等级下限”在这一天没有取值"):
        bind(rule("能力等级 >= 失能等级下限"), {}, {})


def test_a_missing_condition_is_named_with_its_place() -> None:
    with pytest.raises(RuleError, match="第 2 行第 1 列：条件“失能”在这一天没有规定"):
        bind(rule("低保 且\n失能"), {}, {})


@pytest.mark.parametrize(
    ("conditions", "circle"),
    [
        ({"经济困难": "低保 或 经济困难"}, "经济困难 → 经济困难"),
        ({"经济困难": "低保 或 失能", "失能": "非 经济困难"}, "经济困难 → 失能 → 经济困难"),
    ],
)
def test_a_circle_of_conditions_is_shown(conditions: dict[str, str], circle: str) -> None:
    with pytest.raises(RuleError, match=circle):
        bind(rule("经济困难"), {}, {name: rule(text) for name, text in conditions.items()})


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1E+15", "0.0000001"])
def test_a_value_that_no_rule_could_write_is_refused(value: str) -> None:
    with pytest.raises(RuleError, match="不能使用"):
        bind(rule("年龄 > 失能等级下限"), {"失能等级下限": Decimal(value)}, {})


@pytest.mark.parametrize("value", ["-5", "0", "999999999999999.999999", "1E+3", "80.0000"])
def test_any_plain_decimal_is_a_value(value: str) -> None:
    bind(rule("年龄 > 失能等级下限"), {"失能等级下限": Decimal(value)}, {})


def ladder(steps: int, text: str) -> tuple[Vocabulary, dict[str, Node]]:
    """Conditions k1, k2, … where each is `text` over the one before."""
    vocabulary = Vocabulary(VOCABULARY.facts, conditions=frozenset(f"k{step}" for step in range(steps + 1)))
    conditions = {"k0": parse_rule("低保", vocabulary)}
    for step in range(1, steps + 1):
        conditions[f"k{step}"] = parse_rule(text.replace("上一个", f"k{step - 1}"), vocabulary)
    return vocabulary, conditions


def test_conditions_that_unfold_without_end_are_refused_at_once() -> None:
    vocabulary, conditions = ladder(19, "(上一个 或 上一个) 且 (上一个 或 上一个)")
    with pytest.raises(RuleError, match="太长或嵌套太深"):
        bind(parse_rule("k19", vocabulary), {}, conditions)


def test_a_chain_of_conditions_may_have_20_links_and_not_21() -> None:
    vocabulary, conditions = ladder(20, "非 上一个")
    bind(parse_rule("k19", vocabulary), {}, conditions)
    with pytest.raises(RuleError, match="超过 20 层"):
        bind(parse_rule("k20", vocabulary), {}, conditions)


def test_the_names_that_a_rule_uses_can_be_listed_before_and_after_binding() -> None:
    loose = rule("独居 且 经济困难 且 年龄 > 失能等级下限")
    assert facts_used(loose) == {"独居", "年龄"}
    assert (*parameters_used(loose), *conditions_used(loose)) == ("失能等级下限", "经济困难")
    bound = bind(loose, {"失能等级下限": Decimal(2)}, {"经济困难": rule("低保")})
    assert facts_used(bound) == {"独居", "年龄", "低保"}
    assert (*parameters_used(bound), *conditions_used(bound)) == ("失能等级下限", "经济困难")


def test_the_deepest_rule_that_is_accepted_can_be_used_far_down_the_stack() -> None:
    vocabulary, conditions = ladder(17, "非 (" * 9 + "上一个 且 独居" + ")" * 9)
    bound = bind(parse_rule("k17", vocabulary), {}, conditions)
    facts: dict[str, Value] = {"低保": True, "独居": True}

    def use(frames: int) -> bool | None:
        if frames:
            return use(frames - 1)
        assert to_sql(bound, COLUMNS).count("NOT") == 17 * 9
        return evaluate(bound, facts).as_json()["truth"] is decide(bound, facts)

    assert use(300)
