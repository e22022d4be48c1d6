"""The shipped packs as data: complete, referring only to what exists, and readable as rules.

Sources: 国家基本养老服务清单; 宝陈政办发〔2024〕20号 附件 (26 项); 陆办发〔2023〕14号 附件 (28 项).
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from eldercare.vocabulary import FACTS
from rules import Vocabulary, parse_amount, parse_rule

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
NAMES = ("national", "chencang", "luliang")
COUNTIES = ("chencang", "luliang")
PACKS: dict[str, dict[str, Any]] = {
    name: yaml.safe_load((FIXTURES / f"{name}.yaml").read_text(encoding="utf-8")) for name in NAMES
}
CHOICES = {
    "type": {"物质帮助", "照护服务", "关爱服务", "政策扶持"},
    "form": {"现金", "服务", "优先", "减免", "实物", "政策"},
    "subject": {"个人", "家庭", "家庭成员", "机构"},
    "application": {"免申即享", "申请"},
    "start": {"次月", "当月"},
    "track": {"逐人", "计数"},
}


def item(pack: str, code: str) -> dict[str, Any]:
    """One item of a pack by its code."""
    return next(one for one in PACKS[pack]["items"] if one["code"] == code)


def vocabulary(pack: dict[str, Any]) -> Vocabulary:
    """Every word that a rule of this pack may use."""
    numbers = {value["name"] for value in pack["parameters"] + pack["rates"]}
    return Vocabulary(FACTS, frozenset(numbers), frozenset(one["name"] for one in pack["conditions"]))


def amount_tiers(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The tiers of an item's amount; a single figure or formula is one tier without a condition."""
    amount = one.get("amount")
    if amount is None:
        return []
    return amount if isinstance(amount, list) else [{"pay": amount}]


def rules_of(pack: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every rule text of a pack with the place where it stands."""
    for key in ("conditions", "items", "visit_tiers"):
        yield from (
            (f"{key} {one.get('code', one['name'])}", one["rule"]) for one in pack[key] if "rule" in one
        )
    for one in pack["items"]:
        yield from ((f"amount of {one['code']}", tier["if"]) for tier in amount_tiers(one) if "if" in tier)


@pytest.mark.parametrize(
    ("name", "rows", "numbers"), [("national", 16, 16), ("chencang", 27, 26), ("luliang", 30, 28)]
)
def test_a_pack_holds_every_number_of_its_printed_list(name: str, rows: int, numbers: int) -> None:
    items = PACKS[name]["items"]
    assert len(items) == rows
    assert sorted({one["number"] for one in items}) == list(range(1, numbers + 1))


@pytest.mark.parametrize(
    ("name", "split"),
    [("national", []), ("chencang", ["C15a", "C15b"]), ("luliang", ["L03a", "L03b", "L23a", "L23b"])],
)
def test_only_the_numbers_that_print_two_entitlements_are_split(name: str, split: list[str]) -> None:
    codes = [one["code"] for one in PACKS[name]["items"]]
    assert [code for code in codes if code[-1] in "ab"] == split
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("name", NAMES)
def test_the_code_of_an_item_bears_its_number(name: str) -> None:
    for one in PACKS[name]["items"]:
        assert int(one["code"][1:].rstrip("ab")) == one["number"], one["code"]


@pytest.mark.parametrize(
    ("name", "area", "issued"),
    [
        ("national", "000000000000", date(2023, 5, 21)),
        ("chencang", "610304000000", date(2024, 4, 22)),
        ("luliang", "530322000000", date(2023, 7, 5)),
    ],
)
def test_a_pack_names_its_area_and_its_day_of_issue(name: str, area: str, issued: date) -> None:
    document = PACKS[name]["document"]
    assert (document["area"], document["issued"]) == (area, issued)


@pytest.mark.parametrize("name", COUNTIES)
def test_a_county_list_names_the_national_list_as_its_parent(name: str) -> None:
    assert PACKS[name]["document"]["parent"] == PACKS["national"]["document"]["code"]


@pytest.mark.parametrize("name", NAMES)
def test_every_item_uses_the_words_of_the_pack_format(name: str) -> None:
    for one in PACKS[name]["items"]:
        assert {key: one[key] for key in CHOICES if one[key] not in CHOICES[key]} == {}, one["code"]


@pytest.mark.parametrize("name", NAMES)
def test_every_item_tells_its_clause_and_what_it_gives(name: str) -> None:
    for one in PACKS[name]["items"]:
        assert one["clause"] == f"清单第{one['number']}项"
        assert 8 <= len(one["summary"]) <= 80, one["code"]


@pytest.mark.parametrize("name", NAMES)
def test_every_bureau_named_by_an_item_is_listed(name: str) -> None:
    known = {
        word for bureau in PACKS[name]["bureaus"] for word in (bureau["name"], *bureau.get("aliases", []))
    }
    named = {word for one in PACKS[name]["items"] for word in (one["lead"], *one.get("with", []))}
    assert named <= known


@pytest.mark.parametrize("name", NAMES)
def test_a_name_or_alias_means_one_bureau(name: str) -> None:
    bureaus = PACKS[name]["bureaus"]
    words = [word for bureau in bureaus for word in (bureau["name"], *bureau.get("aliases", []))]
    assert len(words) == len(set(words))
    assert len({bureau["code"] for bureau in bureaus}) == len(bureaus)


@pytest.mark.parametrize("name", COUNTIES)
def test_a_county_list_answers_every_national_item_and_no_other(name: str) -> None:
    covered = {code for one in PACKS[name]["items"] for code in one.get("covers", [])}
    assert covered == {one["code"] for one in PACKS["national"]["items"]}


@pytest.mark.parametrize("name", NAMES)
def test_a_cash_item_has_an_amount_or_awaits_one(name: str) -> None:
    for one in PACKS[name]["items"]:
        if one["form"] == "现金":
            assert ("amount" in one) != one.get("pending", False), one["code"]


@pytest.mark.parametrize("name", NAMES)
def test_a_floor_stands_only_beside_an_amount(name: str) -> None:
    assert [one["code"] for one in PACKS[name]["items"] if one.get("minimum") and "amount" not in one] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_item_decided_per_elder_or_household_has_a_rule(name: str) -> None:
    undecided = [one["code"] for one in PACKS[name]["items"] if "rule" not in one]
    assert undecided == [one["code"] for one in PACKS[name]["items"] if one["subject"] == "机构"]


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_is_read_without_fault(name: str) -> None:
    words = vocabulary(PACKS[name])
    for _, text in rules_of(PACKS[name]):
        parse_rule(text, words)


@pytest.mark.parametrize("name", NAMES)
def test_every_amount_is_read_without_fault(name: str) -> None:
    words = vocabulary(PACKS[name])
    for one in PACKS[name]["items"]:
        for tier in amount_tiers(one):
            parse_amount(str(tier["pay"]), words)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_rate_and_condition_is_used(name: str) -> None:
    texts = [text for _, text in rules_of(PACKS[name])]
    texts += [str(tier["pay"]) for one in PACKS[name]["items"] for tier in amount_tiers(one)]
    named = {one["name"] for key in ("parameters", "rates", "conditions") for one in PACKS[name][key]}
    # the validity of an assessment is applied when facts are drawn up, not inside a rule
    assert {word for word in named if not any(word in text for text in texts)} <= {"评估有效月数"}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_in_force_before_the_document_was_issued(name: str) -> None:
    pack = PACKS[name]
    for one in pack["items"] + pack["conditions"] + pack["exclusions"]:
        assert one["from"] >= pack["document"]["issued"]
        assert one.get("to") is None or one["to"] >= one["from"]


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_in_force_when_the_document_is_issued(name: str) -> None:
    pack = PACKS[name]
    for one in pack["parameters"] + pack["rates"]:
        days = [value["from"] for value in one["values"]]
        assert days == sorted(set(days))
        assert days[0] <= pack["document"]["issued"]


@pytest.mark.parametrize("name", NAMES)
def test_an_exclusion_group_names_items_of_its_list(name: str) -> None:
    codes = {one["code"] for one in PACKS[name]["items"]}
    for group in PACKS[name]["exclusions"]:
        assert group["strategy"] in {"择高", "互斥"}
        assert len(group["items"]) >= 2
        assert set(group["items"]) <= codes


def test_chencang_keeps_the_higher_of_the_two_care_allowances() -> None:
    assert [(group["strategy"], group["items"]) for group in PACKS["chencang"]["exclusions"]] == [
        ("择高", ["C07", "C15b"])
    ]


@pytest.mark.parametrize("name", COUNTIES)
def test_special_hardship_elders_are_visited_once_a_month(name: str) -> None:
    (tier,) = PACKS[name]["visit_tiers"]
    assert (tier["code"], tier["times"], tier["per"], tier["in_person"], tier["order"]) == (
        "month",
        1,
        "月",
        0,
        2,
    )
    assert tier["modes"] == ["上门", "电话", "视频"]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("chencang", {f"T{number:02}" for number in range(1, 11)}),
        ("luliang", {"T02", "T04", "T42", "T46", "T47", "T48", "T49"}),
    ],
)
def test_a_county_pack_holds_the_targets_of_its_plan(name: str, codes: set[str]) -> None:
    targets = PACKS[name]["targets"]
    assert {target["code"].rstrip("abcdefgh") for target in targets} == codes
    assert len({target["code"] for target in targets}) == len(targets)
    assert {target["comparator"] for target in targets} <= {">=", "<=", ">", "<", "="}


@pytest.mark.parametrize(
    ("code", "amount"),
    [
        ("L03a", 50),
        ("L03b", 300),
        ("L16", "1.3 * 城市低保标准"),
        ("L17", "1.3 * 城市低保标准"),
        ("L19", 50),
        ("L21", [{"if": "残疾等级 = 1", "pay": 100}, {"if": "残疾等级 = 2", "pay": 90}]),
        ("L22", 90),
        ("L23a", 590),
        ("L23b", 460),
    ],
)
def test_luliang_pays_the_printed_figures(code: str, amount: Any) -> None:
    assert item("luliang", code)["amount"] == amount


@pytest.mark.parametrize(
    ("code", "amount"), [("C09", "0.3 * 低保标准"), ("C10", "1.3 * 低保标准"), ("C11", "1.3 * 低保标准")]
)
def test_chencang_ties_the_printed_figures_to_the_subsistence_standard(code: str, amount: str) -> None:
    assert (item("chencang", code)["amount"], item("chencang", code)["minimum"]) == (amount, True)


@pytest.mark.parametrize(
    ("pack", "codes"),
    [
        ("chencang", {"C01", "C02", "C04", "C05", "C07", "C08", "C15a", "C15b", "C25"}),
        ("luliang", {"L01", "L02", "L18", "L20", "L25"}),
    ],
)
def test_exactly_the_items_without_a_printed_figure_are_pending(pack: str, codes: set[str]) -> None:
    assert {one["code"] for one in PACKS[pack]["items"] if one.get("pending")} == codes


def test_only_the_figures_of_the_family_planning_aid_are_exact() -> None:
    """清单第23项 prints 590 and 460 without 不低于; every other figure of the 陆良 list is a floor."""
    exact = [one["code"] for one in PACKS["luliang"]["items"] if "amount" in one and not one.get("minimum")]
    assert exact == ["L23a", "L23b"]


@pytest.mark.parametrize("name", COUNTIES)
def test_money_for_elders_comes_without_an_application_unless_a_case_must_be_decided(name: str) -> None:
    """仍有困难 (陆良清单第18项) cannot be told from registered facts."""
    on_request = [
        one["code"]
        for one in PACKS[name]["items"]
        if one["form"] == "现金" and one["subject"] == "个人" and one["application"] == "申请"
    ]
    assert on_request == {"chencang": [], "luliang": ["L18"]}[name]
