"""PostgreSQL and the evaluator give the same answer to random rules over random facts, unknowns included."""

import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import (
    FactType,
    Node,
    Value,
    amount,
    bind,
    decide,
    evaluate,
    facts_used,
    parse_amount,
    parse_rule,
    to_sql,
    to_text,
)
from rules.tree import (
    And,
    Comparison,
    Condition,
    Constant,
    FactReference,
    IsUnknown,
    Membership,
    Not,
    Or,
    Parameter,
    Product,
    Sum,
    negative,
)
from tests.rules.words import FACTS, VOCABULARY

ELDERS = 60
FIRST_DAY = date(1944, 6, 13)
SQL_TYPES = {
    FactType.BOOLEAN: "boolean",
    FactType.NUMBER: "integer",
    FactType.TEXT: "text",
    FactType.DATE: "date",
}
COLUMNS = {fact.name: f"f.c{number}" for number, fact in enumerate(FACTS)}
TEXTS = ["无", "烈属", "烈'属", "100%", "\\", ""]

# Values come from small pools, so that random rules meet random facts at their boundaries.
whole = st.integers(-3, 6).map(Decimal)
numbers = st.one_of(
    whole, st.sampled_from([Decimal("0.50"), Decimal("2.5"), Decimal("999999999999999.999999")])
)
days = st.integers(0, 4).map(lambda offset: FIRST_DAY + timedelta(days=offset))


def references(kind: FactType) -> st.SearchStrategy[FactReference]:
    return st.sampled_from([FactReference(fact) for fact in FACTS if fact.type is kind])


def total(terms: list[Node]) -> Node:
    return Sum(tuple(terms))


def product(factors: list[Node]) -> Node:
    return Product(tuple(factors))


named_numbers = st.one_of(
    references(FactType.NUMBER), st.sampled_from([Parameter(n) for n in sorted(VOCABULARY.parameters)])
)
amounts: st.SearchStrategy[Node] = st.recursive(
    st.one_of(named_numbers, numbers.map(Constant)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(total),
        st.lists(inner, min_size=2, max_size=3).map(product),
        inner.map(negative),
    ),
    max_leaves=5,
)


def compared(left: Node, operator: str, right: Node, swapped: bool) -> Node:
    return Comparison(right, operator, left) if swapped else Comparison(left, operator, right)


@st.composite
def memberships(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Node:
    kind = draw(st.sampled_from([FactType.NUMBER, FactType.TEXT, FactType.DATE]))
    operand = draw(references(kind))
    pool: st.SearchStrategy[Any] = {
        FactType.NUMBER: numbers,
        FactType.TEXT: texts_of(operand),
        FactType.DATE: days,
    }[kind]
    values = draw(st.lists(pool, min_size=1, max_size=3))
    return Membership(operand, tuple([Constant(value) for value in values]), draw(st.booleans()))


def texts_of(reference: FactReference) -> st.SearchStrategy[str]:
    return st.sampled_from(list(reference.fact.choices) or TEXTS)


any_sign = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
equality = st.sampled_from(["=", "!="])
leaves: st.SearchStrategy[Node] = st.one_of(
    references(FactType.BOOLEAN),
    st.sampled_from([Condition(name) for name in sorted(VOCABULARY.conditions)]),
    st.builds(compared, named_numbers, any_sign, amounts, st.booleans()),
    st.builds(compared, references(FactType.DATE), any_sign, days.map(Constant), st.booleans()),
    st.builds(
        compared,
        references(FactType.BOOLEAN),
        equality,
        st.one_of(references(FactType.BOOLEAN), st.booleans().map(Constant)),
        st.booleans(),
    ),
    references(FactType.TEXT).flatmap(
        lambda fact: st.builds(compared, st.just(fact), equality, texts_of(fact).map(Constant), st.booleans())
    ),
    memberships(),
    st.builds(IsUnknown, st.sampled_from([FactReference(fact) for fact in FACTS]), st.booleans()),
)
rules: st.SearchStrategy[Node] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: And(tuple(nodes))),
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: Or(tuple(nodes))),
    ),
    max_leaves=8,
)
parameters = st.fixed_dictionaries(dict.fromkeys(sorted(VOCABULARY.parameters), numbers))
# two bodies for the named conditions, themselves free of names, so that no circle can arise
conditions = st.tuples(leaves, leaves).filter(
    lambda pair: not any(isinstance(each, Condition) for each in pair)
)


def random_elders() -> list[dict[str, Value]]:
    """Facts of fictional elders; a fifth of everything is unknown, of the first one all."""
    random = Random(20241101)  # noqa: S311 - test facts, not secrets
    pools: dict[FactType, list[Value]] = {
        FactType.BOOLEAN: [True, False],
        FactType.NUMBER: [*range(-3, 7), 2_147_483_647],
        FactType.DATE: [FIRST_DAY + timedelta(days=offset) for offset in range(5)],
    }
    elders: list[dict[str, Value]] = [{fact.name: None for fact in FACTS}]
    while len(elders) < ELDERS:
        elder: dict[str, Value] = {}
        for fact in FACTS:
            pool = pools.get(fact.type) or [*(fact.choices or TEXTS)]
            elder[fact.name] = None if random.random() < 0.2 else random.choice(pool)
        elders.append(elder)
    return elders


ELDER_FACTS = random_elders()


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    columns = ", ".join(f"c{number} {SQL_TYPES[fact.type]}" for number, fact in enumerate(FACTS))
    marks = ", ".join(["%s"] * (len(FACTS) + 1))
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE TEMP TABLE elder_facts (row integer, {columns})")
        with connection.cursor() as cursor:
            rows = [(row, *elder.values()) for row, elder in enumerate(ELDER_FACTS)]
            cursor.executemany(f"INSERT INTO elder_facts VALUES ({marks})", rows)
        yield connection


def answers(connection: psycopg.Connection[Any], nodes: list[Node]) -> list[tuple[Any, ...]]:
    selected = ", ".join(to_sql(node, COLUMNS) for node in nodes)
    return connection.execute(f"SELECT {selected} FROM elder_facts f ORDER BY row").fetchall()


many = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@many
@given(st.lists(rules, min_size=1, max_size=6), parameters, conditions)
def test_postgresql_and_the_evaluator_decide_alike(
    connection: psycopg.Connection[Any],
    nodes: list[Node],
    values: dict[str, Decimal],
    pair: tuple[Node, Node],
) -> None:
    named = {"经济困难": pair[0], "失能": Or((pair[1], Condition("经济困难")))}
    bound = [bind(node, values, named) for node in nodes]
    expected = [tuple(decide(node, elder) for node in bound) for elder in ELDER_FACTS]
    assert answers(connection, bound) == expected


@many
@given(st.lists(amounts, min_size=1, max_size=6), parameters)
def test_postgresql_and_the_evaluator_calculate_alike(
    connection: psycopg.Connection[Any], nodes: list[Node], values: dict[str, Decimal]
) -> None:
    bound = [bind(node, values, {}) for node in nodes]
    expected = [tuple(amount(node, elder) for node in bound) for elder in ELDER_FACTS]
    assert answers(connection, bound) == expected


@many
@given(rules)
def test_the_text_of_a_tree_parses_back_to_it(node: Node) -> None:
    # 条件 = 是 and folded signs have one tree only, so the first reading settles the form
    read = parse_rule(to_text(node), VOCABULARY)
    assert parse_rule(to_text(read), VOCABULARY) == read
    assert to_text(read) == to_text(node)


@many
@given(amounts)
def test_the_text_of_an_amount_parses_back_to_it(node: Node) -> None:
    assert parse_amount(to_text(node), VOCABULARY) == node


@many
@given(rules, parameters, conditions, st.integers(0, ELDERS - 1))
def test_the_explanation_agrees_with_the_decision(
    node: Node, values: dict[str, Decimal], pair: tuple[Node, Node], row: int
) -> None:
    bound = bind(node, values, {"经济困难": pair[0], "失能": pair[1]})
    trace = evaluate(bound, ELDER_FACTS[row])
    assert trace.truth is decide(bound, ELDER_FACTS[row])
    assert (trace.truth is None) == bool(trace.unknown())
    assert set(trace.unknown()) <= {name for name in facts_used(bound) if ELDER_FACTS[row][name] is None}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            [
                *"且或非()（）=<>!+-*,、%'‘ 1.９\n",
                "低保",
                "年龄",
                "特困供养",
                "属于",
                "未知",
                "是",
                "'无'",
                "x",
            ]
        )
    )
)
def test_any_text_is_either_read_or_refused_with_its_place(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        parse_rule(text, VOCABULARY)
    except ValueError as error:
        line, column = getattr(error, "line", 0), getattr(error, "column", 0)
        lines = text.split("\n")
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
