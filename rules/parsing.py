"""Tokens → tree, with every type error explained. LALR, built once; the text is never executed."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from lark import Lark, Token, Transformer, UnexpectedToken, v_args
from lark.lexer import Lexer

from rules.errors import RuleError
from rules.lexing import tokenize
from rules.text import to_text
from rules.tree import (
    ORDERINGS,
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
    children,
    negative,
    type_of,
)
from rules.vocabulary import FactType, Vocabulary

_EXAMPLES = {
    FactType.BOOLEAN: "低保 = 是",
    FactType.NUMBER: "年龄 >= 80",
    FactType.TEXT: "特困供养 = '分散'",
    FactType.DATE: "出生日期 <= 1944-06-15",
}
_OPERANDS = (FactReference, Constant, Parameter, Negative, Sum, Product)
_EXPECTED = {
    "WORD": "事实、参数或条件的名称",
    "NUMBER": "数字",
    "TEXT": "文字（如 '分散'）",
    "DATE": "日期（如 1944-06-15）",
    "YES": "是/否",
    "UNKNOWN": "未知",
    "COMPARE": "比较符号（= != < <= > >=）",
    "IN": "属于 (…)",
    "PLUS": "+ - *",
    "LPAR": "左括号",
    "COMMA": "逗号",
    "RPAR": "右括号",
    "AND": "且",
    "OR": "或",
    "$END": "规则结束",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the tree and the token at which to point if it does not fit."""

    node: Node
    token: Token


def parse_rule(text: str, vocabulary: Vocabulary) -> Node:
    """Read a condition. RuleError says where it is wrong and what was expected."""
    return _condition(_parse(text, vocabulary))


def parse_amount(text: str, vocabulary: Vocabulary) -> Node:
    """Read an amount: numbers, parameters and numeric facts with + - * and brackets; else RuleError."""
    return _number(_parse(text, vocabulary))


class _Builder(Transformer[Token, _Part]):
    """Called by the parser at each finished phrase, innermost first: nothing here recurses."""

    @v_args(inline=True)
    def atom(self, token: Token) -> _Part:
        return _Part(token.value, token)

    @v_args(inline=True)
    def group(self, bracket: Token, inner: _Part, _closing: Token) -> _Part:
        return _Part(inner.node, bracket)

    def either(self, items: list[_Part | Token]) -> _Part:
        parts = _parts(items)
        return _Part(Or(tuple([_condition(part) for part in parts])), parts[0].token)

    def both(self, items: list[_Part | Token]) -> _Part:
        parts = _parts(items)
        return _Part(And(tuple([_condition(part) for part in parts])), parts[0].token)

    @v_args(inline=True)
    def opposite(self, sign: Token, operand: _Part) -> _Part:
        return _Part(Not(_condition(operand)), sign)

    @v_args(inline=True)
    def comparison(self, left: _Part, sign: Token, right: _Part) -> _Part:
        return _Part(_compared(left, sign, right), left.token)

    @v_args(inline=True)
    def unknown_test(self, left: _Part, sign: Token, _unknown: Token) -> _Part:
        if sign.value not in {"=", "!="}:
            _refuse("“未知”只能用 = 或 != 比较", sign, ("=", "!="))
        if not isinstance(left.node, FactReference):
            _refuse(f"只有事实可以是未知，{_quoted(left)}不是事实", left.token)
        return _Part(IsUnknown(left.node, sign.value == "!="), left.token)

    def member(self, items: list[_Part | Token]) -> _Part:
        return _member(_parts(items), negated=False)

    def not_member(self, items: list[_Part | Token]) -> _Part:
        return _member(_parts(items), negated=True)

    @v_args(inline=True)
    def minus(self, sign: Token, operand: _Part) -> _Part:
        return _Part(negative(_number(operand)), sign)

    def product(self, items: list[_Part | Token]) -> _Part:
        parts = _parts(items)
        return _Part(Product(tuple([_number(part) for part in parts])), parts[0].token)

    def sum(self, items: list[_Part | Token]) -> _Part:
        parts = _parts(items)
        terms = [_number(parts[0])]
        for sign, part in zip(items[1::2], parts[1:], strict=True):
            minus = isinstance(sign, Token) and sign.type == "MINUS"
            terms.append(negative(_number(part)) if minus else _number(part))
        return _Part(Sum(tuple(terms)), parts[0].token)


class _NoLexer(Lexer):
    """Tokens are fed in by hand, so that words are cut by the vocabulary of the call."""

    def __init__(self, _configuration: object) -> None:
        pass

    def lex(self, lexer_state: object, parser_state: object) -> NoReturn:
        raise NotImplementedError


_PARSER = Lark(
    Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer=_NoLexer,
    transformer=_Builder(),
    keep_all_tokens=True,
)


def _parse(text: str, vocabulary: Vocabulary) -> _Part:
    tokens = tokenize(text, vocabulary)
    tokens.append(_end_of(text))
    parser = _PARSER.parse_interactive()
    part: object = None
    for position, token in enumerate(tokens):
        try:
            part = parser.feed_token(token)
        except UnexpectedToken:
            _refuse_token(tokens[: position + 1])
    assert isinstance(part, _Part)  # noqa: S101 - the parser's last answer is untyped
    return part


def _end_of(text: str) -> Token:
    text = text.rstrip()
    return Token("$END", "", len(text), text.count("\n") + 1, len(text) - text.rfind("\n"))


def _refuse_token(tokens: list[Token]) -> NoReturn:
    """Say what the last token is in the way of; the ones before it are fed anew to learn what fits."""
    *accepted, wrong = tokens
    parser = _PARSER.parse_interactive()
    for token in accepted:
        parser.feed_token(token)
    fitting: set[str] = parser.accepts()  # type: ignore[no-untyped-call] # lark leaves it unannotated
    expected = tuple(label for kind, label in _EXPECTED.items() if kind in fitting)
    if wrong.type == "COMPARE" and "AND" in fitting:
        _refuse("不能连着比较，请用“且”分成两个比较，如 60 <= 年龄 且 年龄 < 80", wrong, expected)
    met = "规则没有写完" if wrong.type == "$END" else f"“{wrong}”不应出现在这里"
    _refuse(f"{met}，此处应为：{'、'.join(expected)}", wrong, expected)


def _parts(items: list[_Part | Token]) -> list[_Part]:
    return [item for item in items if isinstance(item, _Part)]


def _condition(part: _Part) -> Node:
    """The part as a condition; RuleError if it is a bare value."""
    kind = type_of(part.node)
    if isinstance(part.node, Constant) or kind is not FactType.BOOLEAN:
        _refuse(f"{_quoted(part)}不能单独作条件，要写成比较，如 {_EXAMPLES[kind]}", part.token)
    return part.node


def _number(part: _Part) -> Node:
    """The part as a number; RuleError otherwise."""
    if type_of(part.node) is not FactType.NUMBER:
        _refuse(
            f"{_quoted(part)}不是数字；金额和加减乘只能用数字、参数和数字事实", part.token, ("数字", "参数")
        )
    return part.node


def _compared(left: _Part, sign: Token, right: _Part) -> Node:
    for part, other in ((left, right), (right, left)):
        if isinstance(part.node, Condition) and isinstance(other.node, Constant):
            return _answered(part.node, sign, other)
        if not isinstance(part.node, _OPERANDS):
            _refuse(f"{_quoted(part)}是条件，不能再拿来比较；条件之间用“且”“或”连接", part.token)
    _refuse_unlike(left, right)
    kind = type_of(left.node)
    if sign.value in ORDERINGS and kind not in {FactType.NUMBER, FactType.DATE}:
        _refuse(f"{kind.value}只能用 = 或 != 比较", sign, ("=", "!="))
    if not _has_name(left.node) and not _has_name(right.node):
        _refuse("两边都是固定值，比较没有意义；至少一边要用事实或参数", left.token)
    _refuse_foreign_choice(left.node, right)
    _refuse_foreign_choice(right.node, left)
    return Comparison(left.node, sign.value, right.node)


def _answered(condition: Condition, sign: Token, answer: _Part) -> Node:
    """条件 = 是 says the condition itself, 条件 = 否 its negation, unknowns included."""
    if not isinstance(answer.node, Constant) or not isinstance(answer.node.value, bool):
        _refuse(f"“{condition.name}”是条件，只能与 是 或 否 比较", answer.token, ("是", "否"))
    if sign.value in ORDERINGS:
        _refuse("是/否只能用 = 或 != 比较", sign, ("=", "!="))
    return condition if answer.node.value == (sign.value == "=") else Not(condition)


def _member(parts: list[_Part], *, negated: bool) -> _Part:
    operand, values = parts[0], parts[1:]
    if not isinstance(operand.node, _OPERANDS) or type_of(operand.node) is FactType.BOOLEAN:
        _refuse(f"{_quoted(operand)}不能用“属于”，只有数字、文字和日期可以", operand.token)
    if not _has_name(operand.node):
        _refuse(f"{_quoted(operand)}是固定值，“属于”前面要用事实或参数", operand.token)
    for value in values:
        if not isinstance(value.node, Constant | Parameter):
            _refuse(f"{_quoted(value)}不能列在“属于”的括号里，只能列固定值或参数", value.token)
        _refuse_unlike(operand, value)
        _refuse_foreign_choice(operand.node, value)
    return _Part(Membership(operand.node, tuple([value.node for value in values]), negated), operand.token)


def _refuse_unlike(left: _Part, right: _Part) -> None:
    kinds = type_of(left.node), type_of(right.node)
    if kinds[0] is not kinds[1]:
        _refuse(
            f"{_quoted(left)}为{kinds[0].value}，{_quoted(right)}为{kinds[1].value}，不能比较",
            right.token,
            (kinds[0].value,),
        )


def _refuse_foreign_choice(node: Node, value: _Part) -> None:
    if not isinstance(node, FactReference) or not isinstance(value.node, Constant):
        return
    choices = node.fact.choices
    if choices and value.node.value not in choices:
        _refuse(
            f"“{node.fact.name}”没有{_quoted(value)}这个取值，可以写：{'、'.join(choices)}",
            value.token,
            tuple(f"'{choice}'" for choice in choices),
        )


def _has_name(node: Node) -> bool:
    if isinstance(node, FactReference | Parameter):
        return True
    return any(_has_name(child) for child in children(node))


def _quoted(part: _Part) -> str:
    node = part.node
    text = node.value if isinstance(node, Constant) and isinstance(node.value, str) else to_text(node)
    return f"“{text if len(text) <= 30 else text[:30] + '…'}”"


def _refuse(message: str, token: Token, expected: tuple[str, ...] = ()) -> NoReturn:
    raise RuleError(message, token.line or 1, token.column or 1, expected)
