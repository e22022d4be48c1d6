"""A faulty pack is refused with the place, what is wrong and what to write; all faults at once."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from catalog.pack import Floor, PackAmount, PackError, Surroundings, read_pack
from tests.catalog.packs import COUNTY, changed, faults, pack, pack_text

NATION = Surroundings(
    parent_area="000000000000",
    parent_items=frozenset({"N4"}),
    floors=(Floor("N4", date(2023, 1, 1), None, (PackAmount(None, "50"),)),),
)


def under_nation(*changes: tuple[str, Any]) -> tuple[str, ...]:
    """Faults of the list as a child of a national one whose item N4 gives at least 50 元."""
    return faults(("document.parent", "national"), ("items.0.covers", ["N4"]), *changes, around=NATION)


def test_a_right_pack_has_no_faults() -> None:
    assert faults() == ()


def test_a_pack_is_read_into_plain_values() -> None:
    read = pack()
    first, second = read.items
    assert (first.valid_from, first.until, first.lead, first.amounts) == (
        date(2024, 1, 1),
        None,
        "县民政",
        (PackAmount(None, "50"),),
    )
    assert second.amounts == (PackAmount("残疾等级 = 1", "0.5 * 低保标准"), PackAmount(None, "60"))
    assert [value.value for value in read.values] == ["80", "700", "低保 或 低保边缘"]
    assert read.tiers[0].valid_from == read.document.issued


def test_the_last_day_in_force_is_given_as_the_day_after_it() -> None:
    assert pack(("items.0.to", date(2024, 12, 31))).items[0].until == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("document.code", None, "document.code：没有写"),
        ("document.code", "测试", "document.code：“测试”只能由字母"),
        ("document.area", "5303", "document.area：“5303”应为加引号的 12 位区划代码"),
        ("document.area", 990201000000, "document.area：应为文字，现为数字；请加引号"),
        ("document.issued", "2024年1月1日", "document.issued：“2024年1月1日”不是日期，请写成 2023-07-05"),
        ("document.issued", "2024-02-30", "document.issued：“2024-02-30”不是日期"),
        ("items.0.rul", "年龄 >= 80", "items[A1].rul：没有这个键，是不是“rule”？"),
        ("rules", [], "rules：没有这个键，是不是“rates”？"),
        ("items.0.rule", None, "items[A1].rule：没有写"),
        ("items.0.rule", "年纪 >= 80", "items[A1].rule：第 1 行第 1 列：不认识的词“年纪”"),
        ("items.0.rule", "年龄 >= 80 且", "items[A1].rule：第 1 行第 11 列：规则没有写完"),
        ("items.0.rule", "年龄 >= '80'", "items[A1].rule：第 1 行第 7 列：“年龄”为数字，“80”为文字"),
        ("items.0.lead", "县名政局", "items[A1].lead：没有单位“县名政局”，请在 bureaus 里写上它"),
        ("items.0.with", ["县审计局"], "items[A1].with：没有单位“县审计局”"),
        ("items.1.code", "A1", "items[A1]：编码“A1”写了两次"),
        ("items.0.code", True, "items[第1条].code：应为文字，现为是/否；请加引号"),
        ("items.0.from", None, "items[A1].from：没有写"),
        ("items.0.from", "2024-1-1", "items[A1].from：“2024-1-1”不是日期"),
        ("items.0.to", date(2023, 12, 31), "items[A1].to：最后一天 2023-12-31 早于 from 2024-01-01"),
        ("items.0.amount", -50, "items[A1].amount：“-50”是负数，不能小于 0"),
        ("items.0.amount", "-50", "items[A1].amount：“-50”是负数，不能小于 0"),
        ("items.0.amount", 50.005, "items[A1].amount：“50.005”过大，或小数超过 2 位"),
        ("items.0.amount", "5 * 低宝标准", "items[A1].amount：第 1 行第 5 列：不认识的词“低宝标准”"),
        ("items.0.amount", "低保", "items[A1].amount：第 1 行第 1 列：“低保”不是数字"),
        ("items.0.amount", None, "items[A1].amount：现金项目没有写金额"),
        ("items.0.pending", True, "items[A1].pending：已写 amount"),
        ("items.1.amount", [{"pay": 60}, {"if": "低保", "pay": 70}], "items[A2].amount：没有 if 的一档"),
        ("items.1.amount.0.if", "残疾 = 1", "items[A2].amount[第1条].if：第 1 行第 1 列：不认识的词“残疾”"),
        ("items.0.form", "钱", "items[A1].form：“钱”不能用，可以写：现金、服务"),
        ("items.0.lookback", -1, "items[A1].lookback：“-1”应为 0 到 120 的整数"),
        ("items.0.minimum", "是", "items[A1].minimum：“是”应写成 true 或 false"),
        ("items.0.summary", "坏\x00字", "items[A1].summary：含有控制字符"),
        ("items", {"A1": {}}, "items：应为列表，每条以“- ”起头，现为一组键和值"),
        ("items.0", "高龄津贴", "items[第1条]：应为一组“键: 值”，现为文字"),
        ("exclusions.0.items", ["A1", "A9"], "exclusions[both].items：本清单没有项目“A9”"),
        ("exclusions.0.items", ["A1"], "exclusions[both].items：至少要有两个项目"),
        ("parameters.0.name", "年龄", "parameters[年龄].values[第1条]：名称“年龄”重复"),
        ("parameters.0.name", "低保标准", "低保标准：从 2024-01-01 起写了两次"),
        ("conditions.0.name", "高龄", "conditions[高龄]：名称“高龄”在参数或标准、情形两处用了"),
        ("rates.0.values.0.amount", "七百", "rates[低保标准].values[第1条].amount：“七百”不是数字"),
        ("bureaus.1.aliases", ["县民政"], "bureaus[县民政]：名称“县民政”指了两个单位"),
        ("visit_tiers.0.modes", ["短信"], "visit_tiers[month].modes：“短信”不能用"),
        ("visit_tiers.0.rule", "独自", "visit_tiers[month].rule：第 1 行第 1 列：不认识的词“独自”"),
        ("targets.0.comparator", "≥", "targets[T1].comparator：“≥”不能用"),
    ],
)
def test_a_fault_names_its_place_and_what_to_write(path: str, value: Any, said: str) -> None:
    found = faults((path, value))
    assert any(fault.startswith(said) for fault in found), found


def test_all_faults_are_told_at_once() -> None:
    found = faults(("items.0.rule", "年纪 > 1"), ("items.1.lead", "无此局"), ("items.1.forme", "x"))
    assert [fault.split("：")[0] for fault in found] == [
        "items[A2].forme",
        "items[A2].lead",
        "items[A1].rule",
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("document: {code: a\nitems: [", "第 2 行第 6 列附近：YAML 写法有误"),
        ("items: *all", "第 1 行第 8 列附近：政策包里不能用 &、*、! 记号"),
        ("items: &all [1]", "第 1 行第 8 列附近：政策包里不能用 &、*、! 记号"),
        ("items: !!python/object:os.system [1]", "第 1 行第 8 列附近：政策包里不能用 &、*、! 记号"),
        ("title: a\x00b", "文件含有 YAML 不允许的控制字符"),
        ("[" * 5000, "文件的括号或缩进嵌套过深"),
        ("测试".encode("gb18030"), "文件不是 UTF-8 编码"),
        ("#" * 1_000_001, "文件超过 1 MB，不是政策包"),
    ],
)
def test_what_is_no_pack_at_all_is_refused_in_one_sentence(source: bytes | str, said: str) -> None:
    with pytest.raises(PackError) as refused:
        read_pack(source)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("source", ["", "- 1", "清单", "null"])
def test_a_file_without_sections_lacks_its_document(source: str) -> None:
    assert any("document" in fault or "应为一组" in fault for fault in read_pack(source).faults)


def test_a_key_written_twice_is_a_fault() -> None:
    source = pack_text().replace("  code: test-2024\n", "  code: test-2024\n  code: test-2025\n")
    assert read_pack(source).faults == ("第 3 行：“code”写了两次，请删去一个",)


def test_a_pack_may_begin_with_a_byte_order_mark() -> None:
    assert read_pack(b"\xef\xbb\xbf" + pack_text().encode()).faults == ()


def test_octal_looking_and_huge_numbers_are_not_guessed_at() -> None:
    text = (
        pack_text()
        .replace("lookback: 24", "lookback: 024")
        .replace("amount: 50\n", "amount: 1.0e+999999999\n")
    )
    assert read_pack(text).faults == (
        "items[A1].amount：“1.0E+999999999”过大，或小数超过 2 位",
        "items[A1].lookback：“024”应为 0 到 120 的整数",
    )


def test_figures_keep_their_decimals() -> None:
    assert pack(("rates.0.values.0.amount", 0.1)).values[1].value == "0.1"


def test_blanks_in_a_rule_do_not_make_another_version() -> None:
    plain, spaced = pack(), pack(("items.0.rule", " 年龄   >=\n 高龄 "))
    assert plain.items[0].content == spaced.items[0].content


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("items.0.amount", 51),
        ("items.0.rule", "年龄 >= 81"),
        ("items.0.lookback", 12),
        ("items.0.summary", "新。"),
    ],
)
def test_whatever_is_published_makes_another_version(path: str, value: Any) -> None:
    assert pack((path, value)).items[0].content != pack().items[0].content


@pytest.mark.parametrize(("path", "value"), [("items.0.note", "说明"), ("items.0.covers", ["N4"])])
def test_our_remarks_are_no_part_of_a_version(path: str, value: Any) -> None:
    assert pack((path, value)).items[0].content == pack().items[0].content


@pytest.mark.parametrize(
    ("amount", "refused"), [(49.99, True), (50, False), (300, False), ("0.01 * 低保标准", False)]
)
def test_a_fixed_figure_below_the_floor_of_the_parent_is_refused(amount: Any, refused: bool) -> None:
    found = under_nation(("items.0.amount", amount))
    assert found == (
        (f"items[A1].amount：{amount} 元低于上级清单 N4 的下限 50 元，请写不低于 50 的数",) if refused else ()
    )


def test_a_floor_binds_only_while_the_item_of_the_parent_is_in_force() -> None:
    floor = Floor("N4", date(2023, 1, 1), date(2024, 1, 1), (PackAmount(None, "50"),))
    assert (floor.holds(date(2023, 12, 31)), floor.holds(date(2024, 1, 1))) == (True, False)


@pytest.mark.parametrize(
    ("condition", "least"),
    [("残疾等级 = 1", Decimal(100)), ("残疾等级 = 2", Decimal(90)), (None, Decimal(90))],
)
def test_a_floor_by_tiers_is_taken_for_the_same_condition_else_the_lowest(
    condition: str | None, least: Decimal
) -> None:
    tiers = (PackAmount("残疾等级 = 1", "100"), PackAmount("残疾等级 = 2", "90"))
    assert Floor("N4", date(2023, 1, 1), None, tiers).least(condition) == least


def test_a_formula_is_no_fixed_floor() -> None:
    assert Floor("N4", date(2023, 1, 1), None, (PackAmount(None, "1.3 * 低保标准"),)).least(None) is None


@pytest.mark.parametrize(
    ("around", "said"),
    [
        (Surroundings(), "document.parent：上级清单“national”还没有载入"),
        (Surroundings(parent_area="530000000000"), "document.parent：上级清单“national”属于 530000000000"),
        (NATION, "items[A1].covers：上级清单没有项目“N5”"),
        (Surroundings(taken={"A1": "别的清单"}), "items[A1].code：《别的清单》已有这个编码"),
        (
            Surroundings(kinds={"A1": ("个人", "服务")}),
            "items[A1].subject：已发布项目的 subject 和 form 不能改",
        ),
        (Surroundings(own_area="990202000000"), "document.area：test-2024 已用于 990202000000"),
        (
            Surroundings(numbers=frozenset({"经济困难"})),
            "conditions[经济困难]：名称“经济困难”在参数或标准、情形",
        ),
    ],
)
def test_a_pack_must_fit_the_lists_around_it(around: Surroundings, said: str) -> None:
    found = faults(("document.parent", "national"), ("items.0.covers", ["N5"]), around=around)
    assert any(fault.startswith(said) for fault in found), found


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("评估有效月数", 0, False),
        ("评估有效月数", 1, True),
        ("评估有效月数", 120, True),
        ("评估有效月数", 121, False),
        ("评估有效月数", 0.5, False),
        ("周岁次日计", 0, True),
        ("周岁次日计", 1, True),
        ("周岁次日计", 2, False),
    ],
)
def test_parameters_that_shape_the_facts_are_bounded(name: str, value: Any, right: bool) -> None:
    parameter = {"name": name, "values": [{"from": date(2024, 1, 1), "value": value}]}
    found = faults(("parameters", [parameter]), ("items.0.rule", "年龄 >= 80"))
    assert (found == ()) is right
    assert right or "的整数，现为" in found[0]


def test_rules_may_use_words_of_the_lists_above() -> None:
    around = Surroundings(numbers=frozenset({"老年人年龄"}))
    assert faults(("items.0.rule", "年龄 >= 老年人年龄"), around=around) == ()


def test_the_list_of_the_tests_stays_as_it_is() -> None:
    changed(("items.0.rule", "低保"))
    assert changed()["document"]["area"] == COUNTY and changed()["items"][0]["rule"] == "年龄 >= 高龄"
