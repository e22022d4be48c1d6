"""The words that a rule may use: facts, parameters, named conditions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from rules.errors import RuleError

#: Words of the language itself and the terminals of grammar.lark that they stand for.
KEYWORDS: Mapping[str, str] = {
    "且": "AND",
    "and": "AND",
    "或": "OR",
    "or": "OR",
    "非": "NOT",
    "not": "NOT",
    "属于": "IN",
    "in": "IN",
    "不属于": "NOT_IN",
    "未知": "UNKNOWN",
    "是": "YES",
    "否": "NO",
}
WORD_PATTERN = r"[^\W\d]\w*"
MAX_WORD = 60


class FactType(Enum):
    """What kind of value a word stands for; the value is how a clerk reads it."""

    BOOLEAN = "是/否"
    NUMBER = "数字"
    TEXT = "文字"
    DATE = "日期"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known about an elder; `choices` lists the texts it may hold (empty: any)."""

    name: str
    type: FactType
    choices: tuple[str, ...] = ()


# eq=False: hashed by identity, so that a caller may cache parsed rules per vocabulary
@dataclass(frozen=True, eq=False)
class Vocabulary:
    """All words of one list at one time; a name means one thing only, or RuleError."""

    facts: Mapping[str, Fact]
    parameters: frozenset[str] = field(default_factory=frozenset)
    conditions: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        for name in self.words:
            _refuse_unusable(name)
        facts = frozenset(self.facts)
        twice = facts & self.parameters | facts & self.conditions | self.parameters & self.conditions
        if twice:
            raise RuleError(f"名称“{min(twice)}”重复：事实、参数和条件不能同名")

    @cached_property
    def words(self) -> frozenset[str]:
        """Every name that a rule may use."""
        return frozenset(self.facts) | self.parameters | self.conditions


def _refuse_unusable(name: str) -> None:
    if not re.fullmatch(WORD_PATTERN, name) or len(name) > MAX_WORD:
        raise RuleError(
            f"名称“{name[:MAX_WORD]}”不能用在规则里：只能由文字、数字和下划线组成，"
            f"不以数字开头，不超过 {MAX_WORD} 个字"
        )
    if name.lower() in KEYWORDS:
        raise RuleError(f"名称“{name}”是规则用语，不能另作名称")
