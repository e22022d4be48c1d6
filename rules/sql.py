"""Tree → one PostgreSQL expression, three-valued exactly as the evaluator is.

The text needs no parameters and holds no `%`, `{` or `}` of its own making (text constants spell them as
escapes), so it may stand inside a larger statement that is executed with parameters or formatted. What the
caller gives as column expressions is copied as it is.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from rules.errors import RuleError
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
    type_of,
)
from rules.vocabulary import FactType

_COLUMN = re.compile(r'[\w."]+')
_ESCAPED = re.compile(r"[\\%{}]")


def to_sql(node: Node, columns: Mapping[str, str]) -> str:
    """Compile a bound rule to a boolean expression, a bound amount to a numeric one.

    `columns` gives the SQL expression of each fact. KeyError if one is missing, RuleError if a name is loose.
    """
    compiler = _Compiler(columns)
    return compiler.condition(node) if type_of(node) is FactType.BOOLEAN else compiler.number(node)


class _Compiler:
    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns

    def condition(self, node: Node) -> str:
        match node:
            case And(operands):
                return "(" + " AND ".join([self.condition(each) for each in operands]) + ")"
            case Or(operands):
                return "(" + " OR ".join([self.condition(each) for each in operands]) + ")"
            case Not(operand):
                return f"(NOT {self.condition(operand)})"
            case Comparison(left, operator, right):
                sign = "<>" if operator == "!=" else operator
                return f"({self.operand(left)} {sign} {self.operand(right)})"
            case Membership(operand, values, negated):
                listed = ", ".join([self.operand(each) for each in values])
                return f"({self.operand(operand)} {'NOT IN' if negated else 'IN'} ({listed}))"
            case IsUnknown(operand, negated):
                return f"({self.operand(operand)} IS {'NOT ' if negated else ''}NULL)"
            case Condition(name, body):
                if body is None:
                    raise RuleError(f"条件“{name}”还没有展开", node.line, node.column)
                return self.condition(body)
            case _:
                return self.operand(node)

    def operand(self, node: Node) -> str:
        """One side of a comparison; columns and constants stay bare, so that statistics still serve."""
        match node:
            case FactReference(fact):
                column = self.columns[fact.name]
                return column if _COLUMN.fullmatch(column) else f"({column})"
            case Constant(value):
                return _constant(value)
            case _:
                return self.number(node)

    def number(self, node: Node) -> str:
        """A numeric expression; integers are widened first: int4 would overflow where Decimal does not."""
        match node:
            case FactReference() | Constant():
                return f"{self.operand(node)}::numeric"
            case Negative(operand):
                return f"(- {self.number(operand)})"
            case Sum(terms):
                return "(" + " + ".join([self.number(each) for each in terms]) + ")"
            case Product(factors):
                return "(" + " * ".join([self.number(each) for each in factors]) + ")"
            case Parameter(name):
                raise RuleError(f"参数“{name}”还没有取值", node.line, node.column)
            case _:
                raise TypeError(f"not a number of a rule: {node!r}")


def _constant(value: bool | Decimal | str | date) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Decimal):
        return format(value, "f") if value >= 0 else f"({value:f})"
    if isinstance(value, str):
        return _text_constant(value)
    return f"DATE '{value.isoformat()}'"


def _text_constant(value: str) -> str:
    """Quote a text; safe whatever standard_conforming_strings says, and free of signs that drivers read."""
    if "\0" in value:
        raise RuleError("文字里有 PostgreSQL 不能保存的 NUL 字符")
    quoted = value.replace("'", "''")
    escaped = _ESCAPED.sub(lambda match: f"\\x{ord(match.group()):02x}", quoted)
    return f"'{quoted}'" if escaped == quoted else f"E'{escaped}'"
