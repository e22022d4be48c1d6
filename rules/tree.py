"""The tree of a rule. Nodes are plain values: equal if they say the same, wherever they stood."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

from rules.vocabulary import Fact, FactType

Value: TypeAlias = bool | int | Decimal | str | date | None
ORDERINGS: Final = frozenset({"<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class FactReference:
    """A fact by its name."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Constant:
    """A written value, or a parameter's value that keeps the parameter's `name` for display."""

    value: bool | Decimal | str | date
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter or rate that has no value yet."""

    name: str
    line: int = field(default=1, compare=False, repr=False)
    column: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """A named condition; `body` is its tree once bound."""

    name: str
    body: "Node | None" = None
    line: int = field(default=1, compare=False, repr=False)
    column: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Node"


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is one of = != < <= > >=; both sides have one type."""

    left: "Node"
    operator: str
    right: "Node"


@dataclass(frozen=True, slots=True)
class Membership:
    """`operand` is (or, negated, is not) one of the values."""

    operand: "Node"
    values: tuple["Node", ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsUnknown:
    """The fact is (or, negated, is not) unknown."""

    operand: FactReference
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Negative:
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms added up; a subtracted one is a Negative or a negative Constant."""

    terms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Product:
    factors: tuple["Node", ...]


Node: TypeAlias = (
    FactReference
    | Constant
    | Parameter
    | Condition
    | Not
    | And
    | Or
    | Comparison
    | Membership
    | IsUnknown
    | Negative
    | Sum
    | Product
)


def type_of(node: Node) -> FactType:
    """Give the type of the value that the node stands for."""
    match node:
        case FactReference(fact):
            return fact.type
        case Constant(value):
            return _type_of_value(value)
        case Parameter() | Negative() | Sum() | Product():
            return FactType.NUMBER
        case _:
            return FactType.BOOLEAN


def _type_of_value(value: bool | Decimal | str | date) -> FactType:
    if isinstance(value, bool):
        return FactType.BOOLEAN
    if isinstance(value, Decimal):
        return FactType.NUMBER
    return FactType.TEXT if isinstance(value, str) else FactType.DATE


def children(node: Node) -> tuple[Node, ...]:
    """Give the nodes directly below; a bound condition has its body there."""
    match node:
        case And(nodes) | Or(nodes) | Sum(nodes) | Product(nodes):
            return nodes
        case Not(operand) | Negative(operand) | IsUnknown(operand):
            return (operand,)
        case Comparison(left, _, right):
            return (left, right)
        case Membership(operand, values):
            return (operand, *values)
        case Condition(body=body) if body is not None:
            return (body,)
        case _:
            return ()


def replaced(node: Node, change: Callable[[Node], Node]) -> Node:
    """Rebuild the node with each child changed; leaves and IsUnknown come back as they are."""
    match node:
        case And(nodes):
            return And(tuple([change(each) for each in nodes]))
        case Or(nodes):
            return Or(tuple([change(each) for each in nodes]))
        case Sum(nodes):
            return Sum(tuple([change(each) for each in nodes]))
        case Product(nodes):
            return Product(tuple([change(each) for each in nodes]))
        case Not(operand):
            return Not(change(operand))
        case Negative(operand):
            return Negative(change(operand))
        case Comparison(left, operator, right):
            return Comparison(change(left), operator, change(right))
        case Membership(operand, values, negated):
            return Membership(change(operand), tuple([change(each) for each in values]), negated)
        case _:
            return node


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything below it, in reading order."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def facts_used(node: Node) -> frozenset[str]:
    """Name the facts that the answer rests on; inside named conditions once they are bound."""
    return frozenset(each.fact.name for each in walk(node) if isinstance(each, FactReference))


def parameters_used(node: Node) -> frozenset[str]:
    """Name the parameters, bound or not."""
    named = [each.name for each in walk(node) if isinstance(each, Parameter | Constant)]
    return frozenset(name for name in named if name is not None)


def conditions_used(node: Node) -> frozenset[str]:
    """Name the conditions, bound or not."""
    return frozenset(each.name for each in walk(node) if isinstance(each, Condition))


def negative(node: Node) -> Node:
    """Give the node with its sign changed, in the one form that the parser and the text share."""
    match node:
        case Constant(value, None) if isinstance(value, Decimal):
            return Constant(value.copy_negate() if value else value)
        case Negative(operand):
            return operand
        case _:
            return Negative(node)
