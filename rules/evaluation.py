"""Tree × facts of one elder → the answer, and the explanation leaf by leaf."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from rules.errors import RuleError
from rules.text import to_text
from rules.tree import (
    And,
    Comparison,
    Condition,
    Constant,
    FactReference,
    IsUnknown,
    Membership,
    Negative,
    Node,
    Not,
    Or,
    Parameter,
    Product,
    Sum,
    Value,
    walk,
)

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
# PostgreSQL's numeric adds and multiplies without rounding; a rule of the longest length stays far below this
_EXACT = Context(prec=100_000, Emax=999_999, Emin=-999_999)


@dataclass(frozen=True, slots=True)
class Trace:
    """Why a condition is true, false or unknown (None).

    kind: 且 或 非 条件 事实 比较 属于 未知. name: the named condition, or the one fact of a leaf and then
    `value` is its value. `values`: every fact and parameter of a leaf with its value, in reading order.
    """

    kind: str
    text: str
    truth: bool | None
    value: Value
    children: tuple["Trace", ...]
    name: str | None
    values: tuple[tuple[str, Value], ...] = ()

    def unknown(self) -> tuple[str, ...]:
        """Name the facts that had to be known for an answer; empty if there is an answer."""
        if self.truth is not None:
            return ()
        names = [name for name, value in self.values if value is None]
        for child in self.children:
            names.extend(child.unknown())
        return tuple(dict.fromkeys(names))

    def as_json(self) -> dict[str, Any]:
        """Give the trace in JSON's types: dates as text, whole numbers as int, other decimals as text."""
        return {
            "kind": self.kind,
            "text": self.text,
            "truth": self.truth,
            "condition": self.name if self.kind == "条件" else None,
            "fact": self.name if self.kind != "条件" else None,
            "value": _json_value(self.value),
            "values": {name: _json_value(value) for name, value in self.values},
            "unknown": list(self.unknown()),
            "children": [child.as_json() for child in self.children],
        }


def decide(node: Node, facts: Mapping[str, Value]) -> bool | None:
    """Answer a bound rule for one elder as SQL would: None if an unknown fact leaves it open."""
    match node:
        case And(operands):
            return _all([decide(each, facts) for each in operands])
        case Or(operands):
            return _opposite(_all([_opposite(decide(each, facts)) for each in operands]))
        case Not(operand):
            return _opposite(decide(operand, facts))
        case Comparison(left, operator, right):
            first, second = _value(left, facts), _value(right, facts)
            return None if first is None or second is None else _COMPARE[operator](first, second)
        case Membership(operand, values, negated):
            value = _value(operand, facts)
            return None if value is None else (value in [_value(each, facts) for each in values]) != negated
        case IsUnknown(operand, negated):
            return (_value(operand, facts) is None) != negated
        case Condition(name, body):
            if body is None:
                raise RuleError(f"条件“{name}”还没有展开", node.line, node.column)
            return decide(body, facts)
        case _:
            truth = _value(node, facts)
            return None if truth is None else bool(truth)


def evaluate(node: Node, facts: Mapping[str, Value]) -> Trace:
    """Explain a bound rule for one elder. KeyError if a fact is missing (an unknown one is given as None)."""
    truth, text = decide(node, facts), to_text(node)
    match node:
        case And(operands):
            return Trace("且", text, truth, None, tuple([evaluate(each, facts) for each in operands]), None)
        case Or(operands):
            return Trace("或", text, truth, None, tuple([evaluate(each, facts) for each in operands]), None)
        case Not(operand):
            return Trace("非", text, truth, None, (evaluate(operand, facts),), None)
        case Condition(name, body) if body is not None:
            return Trace("条件", text, truth, None, (evaluate(body, facts),), name)
        case _:
            return _leaf(node, text, truth, facts)


def amount(node: Node, facts: Mapping[str, Value]) -> Decimal | None:
    """Calculate a bound amount without rounding; None if a fact in it is unknown."""
    value = _value(node, facts)
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise TypeError(f"not an amount: {to_text(node)}")


def _leaf(node: Node, text: str, truth: bool | None, facts: Mapping[str, Value]) -> Trace:
    kind = {Comparison: "比较", Membership: "属于", IsUnknown: "未知"}.get(type(node), "事实")
    values: dict[str, Value] = {}
    names: set[str] = set()
    for each in walk(node):
        if isinstance(each, FactReference):
            values[each.fact.name] = facts[each.fact.name]
            names.add(each.fact.name)
        elif isinstance(each, Constant) and each.name is not None:
            values[each.name] = each.value
    name = names.pop() if len(names) == 1 else None
    return Trace(kind, text, truth, values[name] if name else None, (), name, tuple(values.items()))


def _value(node: Node, facts: Mapping[str, Value]) -> Value:
    match node:
        case FactReference(fact):
            return facts[fact.name]
        case Constant(value):
            return value
        case Negative(operand):
            return _calculated(_EXACT.multiply, (Constant(Decimal(-1)), operand), facts)
        case Sum(terms):
            return _calculated(_EXACT.add, terms, facts)
        case Product(factors):
            return _calculated(_EXACT.multiply, factors, facts)
        case Parameter(name):
            raise RuleError(f"参数“{name}”还没有取值", node.line, node.column)
        case _:
            raise TypeError(f"not a value of a rule: {node!r}")


def _calculated(
    step: Callable[[Decimal, Decimal], Decimal], nodes: tuple[Node, ...], facts: Mapping[str, Value]
) -> Decimal | None:
    numbers = [amount(each, facts) for each in nodes]
    result = numbers[0]
    for number in numbers[1:]:
        result = None if result is None or number is None else step(result, number)
    return result


def _all(truths: list[bool | None]) -> bool | None:
    if False in truths:
        return False
    return None if None in truths else True


def _opposite(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _json_value(value: Value) -> bool | int | str | None:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    return value
