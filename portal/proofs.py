"""Why an item is or is not open to an elder, in words: the rule's tree with each fact, since when and from where."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from eldercare.choices import Kind
from eldercare.vocabulary import FACT_COLUMNS
from portal.pills import value_label
from rules import Trace, Value
from subsidies.choices import Outcome
from subsidies.explanation import ItemExplanation

KINDS: Final = {column.fact.name: column.kind for column in FACT_COLUMNS if column.kind}
MARKS: Final = {True: "yes", False: "no", None: "unknown"}
JOINS: Final = {"且": "以下须全部符合", "或": "以下符合一项即可", "非": "以下须不成立"}


@dataclass(frozen=True)
class Source:
    """Where a circumstance comes from and from which day it holds."""

    since: date | None
    origin: str


@dataclass(frozen=True)
class ProofLine:
    """One line of the tree: mark yes/no/unknown, the condition, what was found, the lines under it."""

    mark: str
    text: str
    found: str
    children: tuple["ProofLine", ...]


@dataclass(frozen=True)
class Service:
    """One item for one elder as the record shows it; rank orders the list."""

    explained: ItemExplanation
    status: str
    tone: str
    rank: int
    proof: ProofLine | None
    missing: tuple[str, ...]
    printed: str = ""


STATUSES: Final = {
    Outcome.DUE: ("应发", "good", 0),
    Outcome.NOT_APPLIED: ("未申请", "attention", 1),
    Outcome.SUSPENDED: ("暂停", "attention", 2),
    Outcome.NOT_HIGHEST: ("择高未发", "attention", 3),
    Outcome.NOT_FIRST: ("互斥未发", "attention", 3),
    "计数": ("可享", "info", 4),
}


def service_of(explained: ItemExplanation, sources: Mapping[Kind, Source], printed: str = "") -> Service:
    """Words and proof of one explained item."""
    trace = explained.trace
    status, tone, rank = _status(explained)
    proof = proof_of(trace, sources) if trace else None
    return Service(explained, status, tone, rank, proof, trace.unknown() if trace else (), printed)


def proof_of(trace: Trace, sources: Mapping[Kind, Source]) -> ProofLine:
    """The tree of a trace; a named condition shows its name and, below, what it means."""
    children = tuple(proof_of(child, sources) for child in trace.children)
    if trace.kind in JOINS:
        return ProofLine(MARKS[trace.truth], JOINS[trace.kind], "", children)
    found = (
        ""
        if children
        else "；".join(_found(name, value, sources, trace.text) for name, value in trace.values)
    )
    return ProofLine(
        MARKS[trace.truth], trace.name or trace.text if children else trace.text, found, children
    )


def value_words(name: str, value: Value) -> str:
    """A fact's value as people say it; a day of birth only by its year, because lists mask the ID number."""
    if value is None:
        return "未知"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return f"{value.year}年"
    if isinstance(value, Decimal):
        return f"{value:f}"
    kind = KINDS.get(name)
    return value_label(kind, str(value)) if kind else str(value)


def _found(name: str, value: Value, sources: Mapping[Kind, Source], text: str) -> str:
    words = value_words(name, value) if text == name else f"{name}：{value_words(name, value)}"
    source = sources.get(KINDS[name]) if name in KINDS else None
    if source is None:
        return words
    since = f"{source.since} 起" if source.since else ""
    details = "，".join(part for part in (since, source.origin) if part)
    return f"{words}（{details}）" if details else words


def _status(explained: ItemExplanation) -> tuple[str, str, int]:
    if explained.outcome in STATUSES:
        return STATUSES[explained.outcome]
    if explained.trace is None:
        return "不按人核定", "", 8
    if explained.eligible:
        return "符合", "info", 5
    return ("资料不全", "attention", 6) if explained.trace.truth is None else ("不符合", "", 7)
