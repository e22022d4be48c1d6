"""Names → what is in force: parameters get their values, named conditions their trees."""

from collections.abc import Mapping
from decimal import Decimal

from rules.errors import RuleError
from rules.lexing import MAX_DECIMALS, MAX_INTEGER_DIGITS
from rules.tree import Condition, Constant, Node, Parameter, children, replaced

#: Conditions may use conditions, so a few short rules could unfold into millions of nodes.
MAX_NODES = 20_000
MAX_DEPTH = 200
MAX_CHAIN = 20


def bind(node: Node, parameters: Mapping[str, Decimal], conditions: Mapping[str, Node]) -> Node:
    """Fill in every name and keep it for display; RuleError if one is missing, circular or too large.

    The trees in `conditions` may themselves name parameters and conditions.
    """
    return _Binder(parameters, conditions).bound(node)


class _Binder:
    def __init__(self, parameters: Mapping[str, Decimal], conditions: Mapping[str, Node]) -> None:
        self.parameters = parameters
        self.conditions = conditions
        self.done: dict[str, Node] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self.under_way: list[str] = []

    def bound(self, node: Node) -> Node:
        filled = self._filled(node)
        self._measure(filled)
        return filled

    def _filled(self, node: Node) -> Node:
        match node:
            case Parameter():
                return Constant(self._value(node), node.name)
            case Condition(body=None):
                return Condition(node.name, self._body(node), node.line, node.column)
            case _:
                return replaced(node, self._filled)

    def _value(self, parameter: Parameter) -> Decimal:
        value = self.parameters.get(parameter.name)
        if value is None:
            raise RuleError(f"参数“{parameter.name}”在这一天没有取值", parameter.line, parameter.column)
        if not _is_plain(value):
            raise RuleError(
                f"参数“{parameter.name}”的取值 {value} 不能使用：整数部分不超过 {MAX_INTEGER_DIGITS} 位，"
                f"小数不超过 {MAX_DECIMALS} 位",
                parameter.line,
                parameter.column,
            )
        return value

    def _body(self, condition: Condition) -> Node:
        name = condition.name
        if name in self.done:
            return self.done[name]
        if name in self.under_way:
            circle = " → ".join([*self.under_way[self.under_way.index(name) :], name])
            raise RuleError(f"条件互相引用，无法判断：{circle}", condition.line, condition.column)
        if len(self.under_way) >= MAX_CHAIN:
            raise RuleError(f"条件引用条件超过 {MAX_CHAIN} 层，请简化", condition.line, condition.column)
        if name not in self.conditions:
            raise RuleError(f"条件“{name}”在这一天没有规定", condition.line, condition.column)
        self.under_way.append(name)
        body = self._filled(self.conditions[name])
        self.under_way.pop()
        self.sizes[name] = self._measure(body)
        self.done[name] = body
        return body

    def _measure(self, node: Node) -> tuple[int, int]:
        """Nodes and depth of a filled tree; bodies are measured once, however often they are used."""
        if isinstance(node, Condition) and node.name in self.sizes:
            nodes, depth = self.sizes[node.name]
        else:
            below = [self._measure(child) for child in children(node)]
            nodes = sum(count for count, _ in below)
            depth = max((depth for _, depth in below), default=0)
        if nodes >= MAX_NODES or depth >= MAX_DEPTH:
            raise RuleError("规则连同它引用的条件太长或嵌套太深，请拆开或简化")
        return nodes + 1, depth + 1


def _is_plain(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MAX_DECIMALS and value.adjusted() < MAX_INTEGER_DIGITS
