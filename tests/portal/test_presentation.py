"""Plain values as people read them: ages, pills, proofs, charts, pages, places, search texts."""

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.sessions.backends.cache import SessionStore
from django.http import QueryDict

from eldercare.choices import Kind
from eldercare.facts import completed_years
from portal import finds
from portal.ages import latest_birth_date
from portal.charts import bar_chart
from portal.exports import over_limit
from portal.paging import Position, position_of
from portal.pills import pills_of
from portal.proofs import Source, proof_of, value_words
from portal.templatetags.portal import count, money, month_label, rule_words
from rules import Fact, FactType, Vocabulary, evaluate, parse_rule

WORDS = Vocabulary(
    {
        "年龄": Fact("年龄", FactType.NUMBER),
        "低保": Fact("低保", FactType.BOOLEAN),
        "能力等级": Fact("能力等级", FactType.NUMBER),
    }
)


@pytest.mark.parametrize(
    ("age", "day", "latest"),
    [
        (80, date(2026, 3, 1), date(1946, 3, 1)),
        (80, date(2026, 2, 28), date(1946, 2, 28)),
        (82, date(2026, 2, 28), date(1944, 2, 29)),
        (80, date(2024, 2, 28), date(1944, 2, 28)),
        (80, date(2024, 2, 29), date(1944, 2, 29)),
        (81, date(2024, 2, 29), date(1943, 2, 28)),
    ],
)
def test_the_latest_birth_date_of_an_age_is_the_last_that_has_completed_it(
    age: int, day: date, latest: date
) -> None:
    assert latest_birth_date(age, day) == latest
    assert completed_years(latest, day) == age
    assert completed_years(date.fromordinal(latest.toordinal() + 1), day) == age - 1


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ([("destitute", "分散")], ["特困分散供养"]),
        ([("destitute", "无")], []),
        ([("low_income_allowance", "是"), ("lives_alone", "是")], ["低保", "独居"]),
        ([("ability_level", "3")], ["重度失能"]),
        ([("disability_type", "肢体"), ("disability_level", "2")], ["肢体残疾二级"]),
        ([("disability_level", "1")], ["残疾一级"]),
        ([("institution", "养老机构")], ["入住养老机构"]),
        ([("hukou", "530322101201"), ("pension", "职工")], []),
        ([("death", "是")], ["已故"]),
    ],
)
def test_circumstances_become_short_words(held: list[tuple[str, str]], words: list[str]) -> None:
    assert [pill.text for pill in pills_of(held)] == words


def test_a_proof_marks_every_condition_and_names_the_source() -> None:
    rule = parse_rule("年龄 >= 80 且 (低保 或 能力等级 >= 2)", WORDS)
    trace = evaluate(rule, {"年龄": 84, "低保": True, "能力等级": None})
    sources = {Kind.LOW_INCOME_ALLOWANCE: Source(date(2024, 1, 1), "民政数据")}
    proof = proof_of(trace, sources)
    age, either = proof.children
    allowance, ability = either.children
    assert (proof.mark, proof.text) == ("yes", "以下须全部符合")
    assert (age.mark, age.found) == ("yes", "年龄：84")
    assert (either.mark, either.text) == ("yes", "以下符合一项即可")
    assert (allowance.mark, allowance.found) == ("yes", "是（2024-01-01 起，民政数据）")
    assert (ability.mark, ability.found) == ("unknown", "能力等级：未知")


def test_a_day_of_birth_is_shown_by_its_year_alone() -> None:
    assert value_words("出生日期", date(1942, 5, 17)) == "1942年"


def test_bars_stand_on_zero_and_the_largest_fills_the_height() -> None:
    chart = bar_chart([("1月", Decimal(0), "0"), ("2月", Decimal(50), "50"), ("3月", Decimal(100), "100")])
    heights = [bar.height for bar in chart.bars]
    assert heights[0] == 0
    assert heights[1] * 2 == heights[2]
    assert all(bar.y + bar.height == chart.base for bar in chart.bars)
    assert all(bar.x >= 0 and bar.x + bar.width <= chart.width for bar in chart.bars)


@pytest.mark.parametrize("points", [[], [("1月", Decimal(0), "0")]])
def test_a_chart_of_nothing_does_not_fail(points: list[tuple[str, Decimal, str]]) -> None:
    assert len(bar_chart(points).bars) == len(points)


def test_figures_are_written_as_the_field_writes_them() -> None:
    assert money(Decimal("1234567.5")) == "1,234,567.50"
    assert money(None) == "—"
    assert count(12345) == "12,345"
    assert month_label(date(2026, 3, 1)) == "2026年3月"


@pytest.mark.parametrize(
    ("query", "position"),
    [
        ("", Position()),
        ("size=100&after=7&from=101", Position(size=100, after=7, number=101)),
        ("size=33&after=x", Position()),
        ("page=last", Position(last=True)),
        (f"after={'9' * 40}", Position()),
    ],
)
def test_a_position_is_read_and_nonsense_is_the_first_page(query: str, position: Position) -> None:
    assert position_of(QueryDict(query)) == position


@pytest.mark.parametrize(
    ("kind", "total", "refused"),
    [("csv", 200_000, False), ("csv", 200_001, True), ("xlsx", 20_000, False), ("xlsx", 20_001, True)],
)
def test_a_list_becomes_a_file_up_to_the_limit(kind: str, total: int, refused: bool) -> None:
    assert bool(over_limit(kind, total)) is refused


def test_the_session_keeps_the_last_thirty_search_texts() -> None:
    session = SessionStore()
    tokens = [finds.remember(session, f"人{n}") for n in range(31)]
    assert finds.recall(session, tokens[0]) is None
    assert [finds.recall(session, token) for token in (tokens[1], tokens[30])] == ["人1", "人30"]


def test_an_empty_search_needs_no_token() -> None:
    assert finds.remember(SessionStore(), "  ") == ""


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("年龄 >= 80 且 年龄 <= 99", "年龄 ≥ 80 且 年龄 ≤ 99"),
        ("特困供养 != '无' 或 低保", "特困供养 ≠ 无 或 低保"),
        ("自理能力 属于 ('半护理', '全护理')", "自理能力 属于 (半护理, 全护理)"),
        ("年龄 > 60 且 养老保险 = '职工'", "年龄 > 60 且 养老保险 = 职工"),
        ("", ""),
    ],
)
def test_a_rule_is_shown_with_signs_that_clerks_write(stored: str, shown: str) -> None:
    assert rule_words(stored) == shown
