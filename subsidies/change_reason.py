"""Why a month is paid after or taken back: what changed since it was settled, in one or two Chinese sentences.

Pure: plain values in, a sentence and a proposed cause out; `change_history` reads the values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from catalog.rule_basis import Basis
from eldercare.choices import ABILITY_NAMES, NONE, Kind
from eldercare.facts import month_last_day
from eldercare.vocabulary import FACT_COLUMNS
from subsidies.choices import EnrolmentAction, Outcome, ResumeReason, StopReason

CHANGES_SAID: Final = 2
NUMERALS: Final = "一二三四"
STATUS: Final = frozenset(
    {Kind.DESTITUTE, Kind.LOW_INCOME_ALLOWANCE, Kind.LOW_INCOME_MARGINAL, Kind.LOW_INCOME}
)
GONE: Final = ((Kind.DEATH, "去世", StopReason.DEATH), (Kind.MOVED_OUT, "户籍迁出", StopReason.MOVED))
PLACES: Final = {"户籍在本县": (Kind.HUKOU, "户籍"), "居住在本县": (Kind.RESIDENCE, "居住地")}
HELD_BACK: Final = frozenset({Outcome.SUSPENDED, Outcome.NOT_APPLIED})
DROPPED: Final = frozenset({Outcome.NOT_HIGHEST, Outcome.NOT_FIRST})


@dataclass(frozen=True)
class Stand:
    """How an elder, item and month stood at one revision.

    outcome: '' without an entitlement. amount: 元 due, 0 unless 应发. facts: by fact name, None for who was not among
    the month's persons. day: to which the facts refer.
    """

    outcome: str
    amount: Decimal
    version_id: int | None
    winner: str
    facts: Mapping[str, Any] | None


@dataclass(frozen=True)
class Held:
    """A dated circumstance; until: the day after its last."""

    kind: str
    value: str
    since: date | None
    until: date | None
    source: str
    document: str


@dataclass(frozen=True)
class Act:
    """One act upon the elder's enrolment in the item, done on a day."""

    action: str
    reason: str
    month: date
    on: date


@dataclass(frozen=True)
class Terms:
    """An item version as its document says it."""

    document: str
    clause: str
    since: date | None


@dataclass(frozen=True)
class Figure:
    """A rate or parameter that the amount rests on, as it holds in the month."""

    name: str
    value: str
    since: date | None
    document: str


@dataclass(frozen=True)
class Change:
    """Everything that the sentence rests on. settled: 元 settled for the month before; registered: day of entry."""

    month: date
    settled: Decimal
    before: Stand
    after: Stand
    basis: Basis
    held: Sequence[Held]
    acts: Sequence[Act]
    enrolled_from: date | None
    terms: Terms | None
    figures: Sequence[Figure]
    registered: date


@dataclass(frozen=True)
class Reason:
    """The sentences, and the cause that a recovery case would name."""

    text: str
    cause: StopReason


def change_reason(change: Change) -> Reason:
    """Say what changed and since when, then the price of the month against what was settled."""
    found = list(_changes(change))
    said = "；".join(text for text, _ in found[:CHANGES_SAID]) or "资料和标准没有变化，差额来自此前的发放"
    cause = found[0][1] if found else StopReason.CORRECTED
    return Reason(f"{said}。{_price(change)}", cause)


def _price(change: Change) -> str:
    when = f"{change.month.year}年{change.month.month}月"
    return f"{when}应发 {change.after.amount:,.2f} 元，已结 {change.settled:,.2f} 元。"


def _changes(change: Change) -> Iterator[tuple[str, StopReason]]:
    """What changed, the weightiest first."""
    before, after = change.before, change.after
    if after.facts is None and before.facts is not None:
        yield _left(change)
        return
    if before.facts is None and after.facts is not None:
        yield _came(change), StopReason.CORRECTED
        return
    facts = list(_fact_changes(change))
    yield from facts
    if before.outcome != after.outcome:
        yield from _outcome_changes(change, bool(facts))
    elif before.version_id != after.version_id and change.terms is not None:
        yield f"按{_terms(change.terms)}重新计算", StopReason.POLICY
    elif before.amount != after.amount and not facts:
        yield _repriced(change), StopReason.POLICY


def _left(change: Change) -> tuple[str, StopReason]:
    """Why an elder is no longer among the month's persons."""
    for kind, word, cause in GONE:
        for held in change.held:
            if held.kind == kind and held.since is not None and held.since < change.month:
                return f"{held.since} {word}{_source(held)}，次月起停发", cause
    return "按最新资料，当月不在本县核定人员之列", StopReason.MOVED


def _came(change: Change) -> str:
    if change.registered > month_last_day(change.month):
        return f"{change.registered} 才登记在册，当月按实际情形补算"
    return "去世或迁出的登记已更正，当月仍应核定"


def _fact_changes(change: Change) -> Iterator[tuple[str, StopReason]]:
    """Facts that the rule or the amount rests on and that are not what they were."""
    old, new = change.before.facts or {}, change.after.facts or {}
    for column in FACT_COLUMNS:
        name = column.fact.name
        if name not in change.basis.facts or old.get(name) == new.get(name):
            continue
        if name in PLACES:
            yield _moved(change, name, bool(new.get(name)))
        elif name == "年龄":
            yield _age_change(old, new), StopReason.CORRECTED
        elif not (name == "出生日期" and "年龄" in change.basis.facts):
            lost = column.kind in STATUS and new.get(name) in (False, NONE)
            cause = StopReason.STATUS_LOST if lost else StopReason.CORRECTED
            since = _since(change, column.kind, new.get(name))
            yield f"{name}由“{_said(name, old.get(name))}”变为“{_said(name, new.get(name))}”{since}", cause


def _moved(change: Change, name: str, here: bool) -> tuple[str, StopReason]:
    kind, word = PLACES[name]
    day = month_last_day(change.month)
    now = [held for held in change.held if held.kind == kind and _holds(held, day)]
    since = f"自 {now[0].since} 起" if now and now[0].since else ""
    text = f"{word}{since}{'在' if here else '不在'}本县{_source(now[0]) if now else ''}"
    return text, StopReason.CORRECTED if here else StopReason.MOVED


def _age_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if old.get("出生日期") != new.get("出生日期"):
        return f"出生日期由 {old.get('出生日期')} 更正为 {new.get('出生日期')}"
    return f"年龄由 {old.get('年龄')} 岁改算为 {new.get('年龄')} 岁"


def _since(change: Change, kind: Kind | None, value: Any) -> str:
    """From when the value holds, and who says so; '' where the registry no longer tells."""
    mine = [held for held in change.held if held.kind == kind]
    if value in (None, False, NONE):
        ended = [
            held for held in mine if held.until is not None and held.until <= month_last_day(change.month)
        ]
        last = max(ended, key=lambda held: held.until or date.min, default=None)
        return f"，自 {last.until} 起" if last else "（登记已更正）"
    days = (month_last_day(change.month), change.month)
    now = next((held for day in days for held in mine if _holds(held, day)), None)
    return f"，自 {now.since} 起{_source(now)}" if now and now.since else ""


def _outcome_changes(change: Change, facts_changed: bool) -> Iterator[tuple[str, StopReason]]:
    before, after = change.before.outcome, change.after.outcome
    if after in DROPPED:
        yield f"与{change.after.winner}只能享受一项，当月改发后者", StopReason.DOUBLE
    elif before in DROPPED and after == Outcome.DUE:
        yield f"当月不再享受{change.before.winner}，改发本项", StopReason.CORRECTED
    elif after in HELD_BACK or before in HELD_BACK:
        yield _enrolment_change(change)
    elif not facts_changed and change.terms is not None and after:
        yield f"按{_terms(change.terms)}纳入发放", StopReason.POLICY
    elif not facts_changed:
        yield "清单已调整，当月不再符合", StopReason.POLICY


def _enrolment_change(change: Change) -> tuple[str, StopReason]:
    """What was done to the enrolment; the last act tells, without one the enrolment itself."""
    after = change.after.outcome
    wanted = (
        (EnrolmentAction.START, EnrolmentAction.RESUME)
        if after == Outcome.DUE
        else (EnrolmentAction.STOP, EnrolmentAction.SUSPEND)
    )
    act = next((act for act in reversed(change.acts) if act.action in wanted), None)
    if act is None and after == Outcome.DUE and change.enrolled_from is not None:
        return f"享受登记自 {change.enrolled_from:%Y-%m} 起", StopReason.CORRECTED
    if act is None:
        return f"享受登记已改为{after or '终止'}", StopReason.CORRECTED
    cause = StopReason(act.reason) if act.reason in StopReason.values else StopReason.CORRECTED
    why = _reason_label(act.reason)
    if act.action == EnrolmentAction.STOP:
        return f"{act.on} 办理停发，发至 {act.month:%Y-%m}{why}", cause
    return f"{act.on} 办理{act.action}，自 {act.month:%Y-%m} 起{why}", cause


def _reason_label(reason: str) -> str:
    for choices in (StopReason, ResumeReason):
        if reason in choices.values:
            return f"（{choices(reason).label}）"
    return f"（{reason}）" if reason else ""


def _repriced(change: Change) -> str:
    figures = "、".join(
        f"{figure.name} {figure.value}（{figure.document}{f'，自 {figure.since} 起' if figure.since else ''}）"
        for figure in change.figures
    )
    return f"当月标准按{figures}重新计算" if figures else "当月标准已调整"


def _terms(terms: Terms) -> str:
    since = f"（自 {terms.since} 起）" if terms.since else ""
    return f"《{terms.document}》{terms.clause}{since}"


def _source(held: Held) -> str:
    named = held.document or held.source
    return f"（来源：{named}）" if named else ""


def _holds(held: Held, day: date) -> bool:
    return (held.since is None or held.since <= day) and (held.until is None or day < held.until)


def _said(name: str, value: Any) -> str:
    """A fact's value as people say it."""
    if value is None:
        return "不详"
    if isinstance(value, bool):
        return "是" if value else "否"
    if name == Kind.ABILITY_LEVEL.label and isinstance(value, int) and value < len(ABILITY_NAMES):
        return ABILITY_NAMES[value]
    if name == Kind.DISABILITY_LEVEL.label and value in (1, 2, 3, 4):
        return f"{NUMERALS[value - 1]}级"
    return str(value)
