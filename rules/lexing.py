"""Rule text → tokens. Chinese is written without spaces, so words are cut with the vocabulary at hand."""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import NoReturn

from lark import Token

from rules.errors import RuleError
from rules.tree import Condition, Constant, FactReference, Node, Parameter
from rules.vocabulary import KEYWORDS, MAX_WORD, WORD_PATTERN, Vocabulary

MAX_LENGTH = 4_000
MAX_NESTING = 50
MAX_INTEGER_DIGITS = 15
MAX_DECIMALS = 6
MAX_RUN = 2 * MAX_WORD

# Full-width signs are what a Chinese keyboard types; they mean the same.
_LEXEME = re.compile(
    r"(?P<DATE>[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9]))"
    r"|(?P<NUMBER>[0-9０-９]+(?:[.．][0-9０-９]+)?)"
    r"|(?P<TEXT>'(?:[^'\n]|'')*'|\"[^\"\n]*\"|[‘’][^‘’\n]*[‘’]|[“”][^“”\n]*[“”])"
    r"|(?P<COMPARE>[<＜>＞!！][=＝]|[=＝<＜>＞≤≥≠])"
    r"|(?P<PLUS>[+＋])|(?P<MINUS>[-－−])|(?P<TIMES>[*＊×])"
    r"|(?P<LPAR>[(（])|(?P<RPAR>[)）])|(?P<COMMA>[,，、])"
    rf"|(?P<WORD>{WORD_PATTERN})|(?P<SPACE>\s+)"
)
_HALF_WIDTH = str.maketrans("＜＞＝！＋－−＊×（）０１２３４５６７８９．", "<>=!+--**()0123456789.")
_OPERATORS = {"≤": "<=", "≥": ">=", "≠": "!="}
_HINTS = {
    "/": "规则里不能用除法，请改写成乘法，如 乘以 0.5",
    "÷": "规则里不能用除法，请改写成乘法，如 乘以 0.5",
    "%": "规则里不能用百分号，请写成小数，如 30% 写成 0.3",
    "％": "规则里不能用百分号，请写成小数，如 30% 写成 0.3",
    "&": "请用“且”连接条件",
    "|": "请用“或”连接条件",
    "!": "请用“非”否定条件，或用 != 表示不等于",
    "！": "请用“非”否定条件，或用 != 表示不等于",
}
# What people write out of habit, and the language's word for it.
_HABITS = {
    "并且": "且",
    "而且": "且",
    "或者": "或",
    "不等于": "!=",
    "不小于": ">=",
    "不低于": ">=",
    "不大于": "<=",
    "不超过": "<=",
    "等于": "=",
    "大于": ">",
    "小于": "<",
    "不在": "不属于",
}
_CHINESE_KEYWORDS = frozenset(word for word in KEYWORDS if not word.isascii())


def tokenize(text: str, vocabulary: Vocabulary) -> list[Token]:
    """Cut the text into tokens whose `value` is the node (operands) or the half-width sign."""
    return _Lexer(text, vocabulary).tokens()


class _Lexer:
    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.vocabulary = vocabulary

    def tokens(self) -> list[Token]:
        self._refuse_unreadable()
        found: list[Token] = []
        position = 0
        while position < len(self.text):
            match = _LEXEME.match(self.text, position)
            if match is None:
                self._refuse_sign(position)
            kind = str(match.lastgroup)
            end = self._word_end(match) if kind == "WORD" else match.end()
            if kind != "SPACE":
                found.append(self._token(kind, position, end))
            position = end
        _refuse_deep_nesting(found)
        return found

    def _token(self, kind: str, start: int, end: int) -> Token:
        written = self.text[start:end]
        kind = KEYWORDS.get(written.lower(), kind)
        line, column = self._place(start)
        token = Token(kind, written, start, line, column)
        token.value = self._meaning(token)
        return token

    def _meaning(self, token: Token) -> Node | str:
        written = str(token)
        match token.type:
            case "WORD":
                return self._named(token)
            case "NUMBER":
                return Constant(self._number(token))
            case "DATE":
                return Constant(self._date(token))
            case "TEXT":
                return Constant(_content(written))
            case "YES" | "NO":
                return Constant(token.type == "YES")
            case _:
                sign = written.translate(_HALF_WIDTH)
                return _OPERATORS.get(sign, sign)

    def _named(self, token: Token) -> Node:
        name, (line, column) = str(token), (token.line or 1, token.column or 1)
        if fact := self.vocabulary.facts.get(name):
            return FactReference(fact)
        if name in self.vocabulary.parameters:
            return Parameter(name, line, column)
        return Condition(name, None, line, column)

    def _number(self, token: Token) -> Decimal:
        digits = str(token).translate(_HALF_WIDTH)
        whole, _, decimals = digits.partition(".")
        if len(whole) > MAX_INTEGER_DIGITS or len(decimals) > MAX_DECIMALS:
            self._refuse(
                f"数字太长：整数部分不超过 {MAX_INTEGER_DIGITS} 位，小数不超过 {MAX_DECIMALS} 位",
                token.start_pos or 0,
            )
        return Decimal(digits)

    def _date(self, token: Token) -> date:
        try:
            return date.fromisoformat(str(token))
        except ValueError:
            self._refuse(f"没有“{token}”这一天", token.start_pos or 0)

    def _word_end(self, match: re.Match[str]) -> int:
        """End of the first word in an unbroken run such as 低保且年龄; RuleError if it cannot be read."""
        run = match.group()
        if len(run) > MAX_RUN:
            self._refuse("这一串文字太长，请用空格把词分开", match.start())
        pieces = self._pieces(run)
        if pieces is None:
            self._refuse_word(run, match.start())
        return match.start() + len(pieces[0])

    def _pieces(self, run: str) -> list[str] | None:
        """Cut the run into known words and keywords, longest first; None if that fails.

        Cuts are made only beside a keyword: a typing error like 低保人 must not be read as 低保 + 人.
        """
        if run in self.vocabulary.words or run.lower() in KEYWORDS or not run or run[0].isdigit():
            return [run]
        for end in range(len(run) - 1, 0, -1):
            piece, rest = run[:end], run[end:]
            before_keyword = piece in self.vocabulary.words and _begins_with_keyword(rest)
            if piece in _CHINESE_KEYWORDS or before_keyword:
                tail = self._pieces(rest)
                if tail is not None:
                    return [piece, *tail]
        return None

    def _place(self, position: int) -> tuple[int, int]:
        before = self.text[:position]
        return before.count("\n") + 1, position - before.rfind("\n")

    def _refuse_unreadable(self) -> None:
        if len(self.text) > MAX_LENGTH:
            self._refuse(f"规则太长：{len(self.text)} 个字，不能超过 {MAX_LENGTH} 个字", MAX_LENGTH)
        if not self.text.strip():
            self._refuse("规则是空的，请写出条件，如 年龄 >= 80", 0)
        for position, character in enumerate(self.text):
            # NUL and lone surrogates cannot be stored; other control characters cannot be seen
            if unicodedata.category(character) in {"Cc", "Cs"} and character not in "\t\n\r":
                self._refuse(f"有看不见的控制字符 U+{ord(character):04X}，请删除", position)

    def _refuse_sign(self, position: int) -> NoReturn:
        sign = self.text[position]
        if sign in "'\"‘’“”":
            self._refuse("文字缺少右引号，应写成 '…'，且不能换行", position, ("'",))
        shown = f"“{sign}”" if sign.isprintable() else f"U+{ord(sign):04X}"
        self._refuse(_HINTS.get(sign, f"不认识的符号 {shown}"), position)

    def _refuse_word(self, run: str, start: int) -> NoReturn:
        if start and self.text[start - 1].isdigit():
            self._refuse(f"数字后面不能写“{run[:MAX_WORD]}”，只写数字，不带单位", start)
        for habit, word in _HABITS.items():
            if habit in run:
                self._refuse(f"“{habit}”请写成“{word}”", start + run.index(habit), (word,))
        # a keyword at the front is not what is wrong: in 非低宝 the unknown word is 低宝
        lead = next((word for word in _CHINESE_KEYWORDS if run.startswith(word)), "")
        if lead and self._nearest(run[len(lead) :]):
            run, start = run[len(lead) :], start + len(lead)
        nearest = self._nearest(run)
        advice = f"，是不是“{nearest[0]}”？" if nearest else "，请用事实、参数或条件的名称"
        self._refuse(f"不认识的词“{run[:MAX_WORD]}”{advice}", start, tuple(nearest))

    def _nearest(self, word: str) -> list[str]:
        return get_close_matches(word, sorted(self.vocabulary.words), 1, 0.4)

    def _refuse(self, message: str, position: int, expected: tuple[str, ...] = ()) -> NoReturn:
        raise RuleError(message, *self._place(position), expected)


def _begins_with_keyword(text: str) -> bool:
    return text.startswith(tuple(_CHINESE_KEYWORDS))


def _content(written: str) -> str:
    inner = written[1:-1]
    return inner.replace("''", "'") if written[0] == "'" else inner


def _refuse_deep_nesting(tokens: list[Token]) -> None:
    """Count brackets that are open and prefixes (非, −) that wait for their operand."""
    prefixes = [0]
    for token in tokens:
        if token.type == "LPAR":
            prefixes.append(0)
        elif token.type in {"NOT", "MINUS"}:
            prefixes[-1] += 1
        else:
            if token.type == "RPAR" and len(prefixes) > 1:
                prefixes.pop()
            prefixes[-1] = 0
        if len(prefixes) - 1 + sum(prefixes) > MAX_NESTING:
            raise RuleError(
                f"嵌套太深：括号和“非”不能超过 {MAX_NESTING} 层", token.line or 1, token.column or 1
            )
