"""The SQL text is safe by itself: no parameters, nothing a text constant could break out of."""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from rules import RuleError, parse_rule, to_sql
from rules.tree import Comparison, Constant, FactReference
from tests.rules.words import VOCABULARY

COLUMNS = {name: f"f.c{number}" for number, name in enumerate(VOCABULARY.facts)}
VETERAN = VOCABULARY.facts["优抚类别"]

TEXTS = [
    "烈属",
    "",
    "'",
    "''",
    "' OR TRUE --",
    "'; DROP TABLE elder; --",
    "\\",
    "\\'",
    "\\' OR TRUE --",
    "\\x41\\n",
    "%",
    "%s %(a)s %%",
    "%41",
    "{} {0} {name}",
    "$$ $1 :a ?",
    "/* */",
    "“全角”‘引号’",
    "𠮷\u200b\ufeff\t",
    "E'\\\\'",
]


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        yield connection


def equality(text: str) -> str:
    node = Comparison(FactReference(VETERAN), "=", Constant(text))
    return to_sql(node, {"优抚类别": "f.text"})


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("standard", ["on", "off"])
def test_any_text_equals_itself_and_nothing_else(
    connection: psycopg.Connection[Any], text: str, standard: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL standard_conforming_strings = {standard}")
        cursor.execute("CREATE TEMP TABLE texts (text text) ON COMMIT DROP")
        cursor.executemany("INSERT INTO texts VALUES (%s)", [(each,) for each in TEXTS])
        cursor.execute(f"SELECT text FROM texts f WHERE {equality(text)}")
        found = cursor.fetchall()
        cursor.execute(f"SELECT text FROM texts f WHERE text = %s AND {equality(text)}", (text,))
        found_with_parameters = cursor.fetchall()
    connection.rollback()
    assert found == found_with_parameters == [(text,)]


@pytest.mark.parametrize("text", TEXTS)
def test_no_sign_that_a_driver_reads_remains(text: str) -> None:
    assert not set("%{}") & set(equality(text))


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(RuleError, match="NUL"):
        equality("\0")


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("低保", "f.c1"),
        ("非 低保", "(NOT f.c1)"),
        ("低保 且 独居", "(f.c1 AND f.c2)"),
        ("低保 或 独居", "(f.c1 OR f.c2)"),
        ("低保 = 否", "(f.c1 = FALSE)"),
        ("年龄 >= 80", "(f.c3 >= 80)"),
        ("年龄 != 80.5", "(f.c3 <> 80.5)"),
        ("年龄 > -1", "(f.c3 > (-1))"),
        ("年龄 + 1 > 能力等级", "((f.c3::numeric + 1::numeric) > f.c4)"),
        ("-年龄 * 2 < 0", "(((- f.c3::numeric) * 2::numeric) < 0)"),
        ("能力等级 = 未知", "(f.c4 IS NULL)"),
        ("能力等级 != 未知", "(f.c4 IS NOT NULL)"),
        ("特困供养 不属于 ('无', '集中')", "(f.c5 NOT IN ('无', '集中'))"),
        ("出生日期 < 1944-06-15", "(f.c7 < DATE '1944-06-15')"),
    ],
)
def test_a_rule_compiles_to_plain_sql(text: str, sql: str) -> None:
    assert to_sql(parse_rule(text, VOCABULARY), COLUMNS) == sql


def test_a_compound_column_expression_is_put_in_brackets() -> None:
    assert to_sql(parse_rule("年龄 = 3", VOCABULARY), {"年龄": "a + b"}) == "((a + b) = 3)"


def test_a_fact_without_a_column_is_an_error() -> None:
    with pytest.raises(KeyError, match="年龄"):
        to_sql(parse_rule("年龄 = 3", VOCABULARY), {})


@pytest.mark.parametrize("text", ["年龄 > 失能等级下限", "经济困难"])
def test_an_unbound_name_does_not_compile(text: str) -> None:
    with pytest.raises(RuleError, match="还没有"):
        to_sql(parse_rule(text, VOCABULARY), COLUMNS)
