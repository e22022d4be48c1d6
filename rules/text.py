"""Tree → canonical text, which parses back to the same tree."""

from datetime import date
from decimal import Decimal

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
)

# How tightly a phrase binds; a looser phrase inside a tighter one is put in brackets.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGNED, _ATOM = range(1, 9)


def to_text(node: Node) -> str:
    """Write the node as a clerk would; named values are written by their names."""
    return _phrase(node)[0]


def value_text(value: bool | Decimal | str | date) -> str:
    """Write a value as the language writes it: 是, 80, '分散', 1944-06-15."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return value.isoformat()


def _phrase(node: Node) -> tuple[str, int]:
    match node:
        case FactReference(fact):
            return fact.name, _ATOM
        case Parameter(name) | Condition(name):
            return name, _ATOM
        case Constant(value, name):
            return _constant(value, name)
        case Or(operands):
            # a 且 inside 或 binds tighter anyway; brackets spare the reader from knowing that
            return " 或 ".join([_at_least(each, _NOT) for each in operands]), _OR
        case And(operands):
            return " 且 ".join([_at_least(each, _NOT) for each in operands]), _AND
        case Not(operand):
            return f"非 {_at_least(operand, _ATOM)}", _NOT
        case _:
            return _comparison_or_number(node)


def _comparison_or_number(node: Node) -> tuple[str, int]:
    match node:
        case Comparison(left, operator, right):
            return f"{_at_least(left, _SUM)} {operator} {_at_least(right, _SUM)}", _COMPARISON
        case Membership(operand, values, negated):
            listed = ", ".join([_at_least(each, _SUM) for each in values])
            return f"{_at_least(operand, _SUM)} {'不属于' if negated else '属于'} ({listed})", _COMPARISON
        case IsUnknown(operand, negated):
            return f"{operand.fact.name} {'!=' if negated else '='} 未知", _COMPARISON
        case Negative(operand):
            return f"-{_at_least(operand, _SIGNED)}", _SIGNED
        case Product(factors):
            return " * ".join([_at_least(each, _SIGNED) for each in factors]), _PRODUCT
        case Sum(terms):
            return _at_least(terms[0], _PRODUCT) + "".join([_added(each) for each in terms[1:]]), _SUM
        case _:
            raise TypeError(f"not a node of a rule: {node!r}")


def _added(term: Node) -> str:
    match term:
        case Negative(operand):
            return f" - {_at_least(operand, _PRODUCT)}"
        case Constant(value, None) if isinstance(value, Decimal) and value < 0:
            return f" - {value_text(value.copy_negate())}"
        case _:
            return f" + {_at_least(term, _PRODUCT)}"


def _constant(value: bool | Decimal | str | date, name: str | None) -> tuple[str, int]:
    if name is not None:
        return name, _ATOM
    return value_text(value), _SIGNED if isinstance(value, Decimal) and value < 0 else _ATOM


def _at_least(node: Node, level: int) -> str:
    text, own = _phrase(node)
    return text if own >= level else f"({text})"
