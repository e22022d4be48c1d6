"""What is in force in a county on a day."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import DatedValue
from catalog.pack import read_pack
from catalog.policy import Policy, PolicyError
from catalog.selectors import counties_applied, item_list_for, policy_get
from catalog.services.pack import pack_load
from rules import amount, decide, to_text
from tests.catalog.packs import COUNTY, pack

pytestmark = pytest.mark.django_db

Y25 = date(2025, 1, 1)
DAY = date(2024, 6, 30)


def load(*changes: tuple[str, Any]) -> None:
    """Load the small list with changes."""
    pack_load(pack=pack(*changes))


def policy(day: date = DAY) -> Policy:
    """The policy of the small county."""
    found = policy_get(county_code=COUNTY, day=day)
    assert found is not None
    return found


def figures(code: str, area: str, name: str, value: int, issued: str = "2023-01-01") -> None:
    """Load a document that only says a parameter."""
    pack_load(
        pack=read_pack(
            f'document: {{code: {code}, title: 通知, issued: {issued}, area: "{area}"}}\n'
            f"parameters: [{{name: {name}, values: [{{from: 2023-01-01, value: {value}}}]}}]"
        )
    )


def test_a_rule_is_bound_to_the_values_of_the_day() -> None:
    load()
    rule = policy().items[0].rule
    assert rule is not None
    assert (decide(rule, {"年龄": 80}), decide(rule, {"年龄": 79})) == (True, False)


def test_the_day_before_a_change_still_has_the_former_version() -> None:
    load()
    load(("items.0.from", Y25), ("items.0.amount", 60))
    paid = [amount(policy(day).items[0].amounts[0].pay, {}) for day in (date(2024, 12, 31), Y25)]
    assert paid == [Decimal(50), Decimal(60)]


def test_a_new_rate_is_seen_from_its_day_on() -> None:
    load()
    load(("rates.0.values", [{"from": date(2024, 1, 1), "amount": 700}, {"from": Y25, "amount": 750}]))
    paid = [amount(policy(day).items[1].amounts[0].pay, {}) for day in (date(2024, 12, 31), Y25)]
    assert paid == [Decimal(350), Decimal(375)]


def test_a_repealed_item_is_gone_after_its_last_day() -> None:
    load()
    load(("items.0.to", date(2024, 12, 31)))
    codes = [[item.code for item in policy(day).items] for day in (date(2024, 12, 31), Y25)]
    assert codes == [["A1", "A2"], ["A2"]]


def test_before_its_first_day_no_list_is_in_force() -> None:
    load()
    assert policy_get(county_code=COUNTY, day=date(2023, 12, 31)) is None


def test_a_list_of_a_higher_area_is_applied_to_nobody() -> None:
    load(("document.area", "990200000000"))
    assert policy_get(county_code="990200000000", day=DAY) is None
    assert policy_get(county_code=COUNTY, day=DAY) is None
    assert counties_applied() == []


def test_counties_with_a_list_are_named_with_or_without_a_day() -> None:
    load()
    assert (counties_applied(), counties_applied(DAY)) == ([COUNTY], [COUNTY])
    assert counties_applied(date(2023, 12, 31)) == []


@pytest.mark.parametrize(
    ("areas", "expected"),
    [
        (["000000000000"], 60),
        (["000000000000", "990000000000"], 61),
        (["000000000000", "990000000000", "990200000000"], 62),
        (["990200000000", "000000000000"], 60),
        (["000000000000", "990300000000"], 60),
    ],
)
def test_the_nearest_parameter_wins(areas: list[str], expected: int) -> None:
    value = {"000000000000": 60, "990000000000": 61, "990200000000": 62, "990300000000": 63}
    for area in areas:
        figures(f"f-{area}", area, "老年人年龄", value[area])
    load(("items.0.rule", "年龄 >= 老年人年龄"))
    nearest = {"990200000000": 62} if "990200000000" in areas else {}
    assert policy().parameters["老年人年龄"] == nearest.get("990200000000", expected)


def test_the_own_parameter_wins_over_every_area_above() -> None:
    figures("f-city", "990200000000", "高龄", 90)
    load()
    assert policy().parameters["高龄"] == 80


def test_of_two_documents_of_the_county_the_later_issued_wins() -> None:
    load()
    figures("f-new", COUNTY, "高龄", 85, issued="2024-03-01")
    assert policy().parameters["高龄"] == 85


def test_a_neighbour_county_does_not_count() -> None:
    figures("f-neighbour", "990202000000", "高龄", 90)
    load(("document.issued", date(2020, 1, 1)))
    assert policy().parameters["高龄"] == 80


@pytest.mark.parametrize(("value", "months"), [(None, 12), (6, 6)])
def test_an_assessment_counts_twelve_months_unless_a_list_says_otherwise(
    value: int | None, months: int
) -> None:
    load()
    if value is not None:
        figures("f-months", COUNTY, "评估有效月数", value)
    assert policy().valid_months == months


@pytest.mark.parametrize(("value", "next_day"), [(None, False), (0, False), (1, True)])
def test_the_birthday_counts_at_once_unless_a_list_takes_the_legal_reading(
    value: int | None, next_day: bool
) -> None:
    load()
    if value is not None:
        figures("f-birthday", COUNTY, "周岁次日计", value)
    assert policy().age_from_next_day is next_day


def test_an_item_tells_its_document_clause_and_lead() -> None:
    load()
    item = policy().items[0]
    assert (item.document_number, item.clause, item.lead, item.rule_text) == (
        "测办发〔2024〕1号",
        "清单第1项",
        "县民政局",
        "年龄 >= 高龄",
    )


def test_exclusions_and_tiers_come_with_the_list() -> None:
    load()
    assert [(g.strategy, g.item_codes) for g in policy().exclusions] == [("择高", ("A1", "A2"))]
    assert [(tier.code, to_text(tier.rule), tier.modes) for tier in policy().tiers] == [
        ("month", "独居", ("上门", "电话"))
    ]


def test_an_item_for_institutions_may_do_without_a_rule() -> None:
    load(("items.1.subject", "机构"), ("items.1.rule", None))
    assert policy().items[1].rule is None


def test_a_rule_without_a_value_is_named() -> None:
    load()
    DatedValue.objects.filter(name="低保标准").delete()
    DatedValue.objects.filter(name="高龄").update(valid=(date(2024, 1, 1), date(2024, 2, 1)))
    with pytest.raises(PolicyError) as error:
        policy()
    assert [fault.split("：")[0] for fault in error.value.faults] == ["items[A1].rule", "items[A2].amount"]


def test_the_digest_is_the_same_for_two_days_of_one_policy() -> None:
    load()
    assert policy().digest == policy(date(2024, 7, 31)).digest


@pytest.mark.parametrize(
    "changes",
    [
        (("items.0.from", Y25), ("items.0.amount", 60)),
        (("items.0.from", Y25), ("items.0.rule", "年龄 >= 90")),
        (("parameters.0.values.0.from", Y25), ("parameters.0.values.0.value", 81)),
        (("rates.0.values.0.from", Y25), ("rates.0.values.0.amount", 701)),
        (("conditions.0.from", Y25), ("conditions.0.rule", "低保")),
        (("exclusions.0.from", Y25), ("exclusions.0.items", ["A2", "A1"])),
        (("visit_tiers.0.from", Y25), ("visit_tiers.0.times", 2)),
        (("items.0.to", date(2024, 12, 31)),),
    ],
)
def test_the_digest_feels_every_change_of_policy(changes: tuple[tuple[str, Any], ...]) -> None:
    load()
    load(*changes)
    assert policy(Y25).digest != policy(date(2024, 12, 31)).digest


def test_the_digest_does_not_feel_figures_that_no_rule_uses() -> None:
    load()
    before = policy().digest
    figures("f-unused", "000000000000", "别的参数", 7)
    assert policy().digest == before


def test_the_digest_is_the_same_in_another_process() -> None:
    """Sets and dictionaries of texts come in another order under another hash seed."""
    code = (
        "import django; django.setup()\n"
        "from catalog.policy import policy_digest\n"
        "from eldercare.vocabulary import FACTS\n"
        "from rules import Vocabulary, bind, parse_rule\n"
        "from catalog.policy import PolicyTier\n"
        "from decimal import Decimal\n"
        "words = Vocabulary(FACTS, frozenset({'甲', '乙', '丙'}))\n"
        "values = {'甲': Decimal(1), '乙': Decimal(2), '丙': Decimal(3)}\n"
        "rule = bind(parse_rule('年龄 > 甲 或 年龄 > 乙 或 年龄 > 丙', words), values, {})\n"
        "tier = PolicyTier(1, 'a', 'a', rule, 1, '月', ('上门',), 0, 1, 0, '')\n"
        "print(policy_digest((), (), (tier,), values, {}, (12, False)))\n"
    )
    root = Path(__file__).resolve().parents[2]
    digests = {
        subprocess.run(  # noqa: S603 - our own interpreter and text
            [sys.executable, "-c", code],
            cwd=root,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_a_policy_takes_at_most_eight_queries() -> None:
    load()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        policy()
    assert len(queries) <= 8


def test_two_readings_of_a_day_are_equal() -> None:
    load()
    assert policy() == policy()
    assert policy() != replace(policy(), county_code="990202000000")


def test_the_items_of_a_day_are_listed_in_printed_order_with_few_queries() -> None:
    load()
    with CaptureQueriesContext(connection) as queries:
        listed = [
            (v.item.number, v.lead.name, v.item.document.title, [bureau.name for bureau in v.joined.all()])
            for v in item_list_for(county_code=COUNTY, day=DAY)
        ]
    assert [number for number, *_ in listed] == [1, 2]
    assert len(queries) == 2
