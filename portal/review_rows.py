"""Rows of a month's review: who, which item, what last month and this month, and why in a few words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from catalog.models import ItemVersion
from eldercare.models import MonthlyFacts
from eldercare.vocabulary import FACT_COLUMNS
from portal.places import place_names
from portal.proofs import value_words
from subsidies.change_history import DueLine, change_reasons
from subsidies.choices import Outcome
from subsidies.models import Adjustment, Entitlement, Month
from subsidies.review import NEW, STOPPED

FACTS_SAID: Final = 2
AGE: Final = "年龄"
#: facts that follow from others or are no reason by themselves
SILENT: Final = frozenset({AGE, "出生日期"})
BEGUN: Final = {
    Outcome.NOT_APPLIED: "本月起登记享受",
    Outcome.SUSPENDED: "暂停后恢复发放",
    Outcome.DUE: "户籍由其他镇（街）转来",
}
ENDED: Final = {
    Outcome.NOT_APPLIED: "享受登记已终止",
    Outcome.SUSPENDED: "享受登记已暂停",
    Outcome.DUE: "户籍转往其他镇（街）",
}
DROPPED: Final = frozenset({Outcome.NOT_HIGHEST, Outcome.NOT_FIRST})
Pair = tuple[int, int]


@dataclass(frozen=True)
class ReviewRow:
    """One exception. month: 所属月 of a line for an earlier month, else None.

    before, now: 元, None where there is nothing; before_word, now_word say what was instead.
    """

    elder_id: int
    name: str
    place: str
    item: str
    why: str
    month: date | None = None
    before: Decimal | None = None
    now: Decimal | None = None
    before_word: str = "无"
    now_word: str = "无"


def change_rows(
    lines: Iterable[Entitlement], kind: str, month: Month, before: Month | None
) -> list[ReviewRow]:
    """Rows of new, stopped or changed lines; 3 queries for a page."""
    lines = list(lines)
    other = before if kind != STOPPED else month
    elders = [line.elder_id for line in lines]
    opposite = _entitlements(other, elders) if other else {}
    facts = _facts([each for each in (before, month) if each is not None], elders)
    places = place_names(line.area_code for line in lines)
    rows = []
    for line in lines:
        counterpart = opposite.get((line.elder_id, line.item_id))
        past, now = (line, counterpart) if kind == STOPPED else (counterpart, line)
        rows.append(
            ReviewRow(
                elder_id=line.elder_id,
                name=line.elder.name,
                place=places.get(line.area_code, ""),
                item=f"{line.item.code} {line.item.name}",
                why=_why(kind, past, now, *_known(facts, line.elder_id, before, month))
                if before
                else "没有上月核定可比",
                before=_drawn(past),
                now=_drawn(now),
                before_word=_instead(past),
                now_word=_instead(now),
            )
        )
    return rows


def adjustment_review_rows(adjustments: Iterable[Adjustment], county_code: str) -> list[ReviewRow]:
    """Rows of due lines of earlier months, with what changed and since when."""
    adjustments = list(adjustments)
    places = place_names(each.area_code for each in adjustments)
    lines = [DueLine(each.elder_id, each.item_id, each.month, each.amount) for each in adjustments]
    reasons = change_reasons(county_code=county_code, lines=lines)
    return [
        ReviewRow(
            elder_id=each.elder_id,
            name=each.elder.name,
            place=places.get(each.area_code, ""),
            item=f"{each.item.code} {each.item.name}",
            why=reasons[line.key].text if line.key in reasons else "",
            month=each.month,
            now=each.amount,
        )
        for each, line in zip(adjustments, lines, strict=True)
    ]


def _entitlements(month: Month, elders: Sequence[int]) -> dict[Pair, Entitlement]:
    rows = Entitlement.objects.of(month).filter(elder__in=elders).select_related("winner", "item_version")
    return {(row.elder_id, row.item_id): row for row in rows}


def _facts(months: Sequence[Month], elders: Sequence[int]) -> dict[tuple[date, int], MonthlyFacts]:
    """One row of frozen facts per month and elder: the closing one, else the opening one."""
    rows = MonthlyFacts.objects.filter(
        month__in=[each.month for each in months], county_code=months[0].county_code, elder__in=elders
    )
    revisions = {each.month: each.revision for each in months}
    found: dict[tuple[date, int], MonthlyFacts] = {}
    for row in rows:
        at, key = revisions[row.month], (row.month, row.elder_id)
        valid = row.rev_from <= at and (row.rev_to is None or row.rev_to > at)
        if valid and (row.closing or key not in found):
            found[key] = row
    return found


def _known(
    facts: Mapping[tuple[date, int], MonthlyFacts], elder_id: int, before: Month, month: Month
) -> tuple[MonthlyFacts | None, MonthlyFacts | None]:
    return facts.get((before.month, elder_id)), facts.get((month.month, elder_id))


def _drawn(line: Entitlement | None) -> Decimal | None:
    return line.amount if line is not None and line.outcome == Outcome.DUE else None


def _instead(line: Entitlement | None) -> str:
    """What a month says where it pays nothing."""
    if line is None:
        return "无"
    return "待定标准" if line.outcome == Outcome.DUE else Outcome(line.outcome).label


def _why(
    kind: str,
    past: Entitlement | None,
    now: Entitlement | None,
    before: MonthlyFacts | None,
    after: MonthlyFacts | None,
) -> str:
    if kind == NEW and past is not None:
        return f"上月发放的是{past.winner}" if past.outcome in DROPPED else BEGUN[Outcome(past.outcome)]
    if kind == STOPPED and now is not None:
        return f"改发{now.winner}" if now.outcome in DROPPED else ENDED[Outcome(now.outcome)]
    if after is None:
        return _gone(before)
    if before is None:
        return "本月起列入核定（新登记或迁入）"
    version = next(line.item_version for line in (now, past) if line is not None)
    said = _facts_changed(version, before, after)
    if said:
        return "；".join(said)
    if past is not None and now is not None and past.item_version_id != now.item_version_id:
        return f"规定自 {now.item_version.valid.lower} 起调整"
    return {NEW: "规定调整，本月起纳入", STOPPED: "享受登记已终止，或规定已调整"}.get(kind, "标准已调整")


def _gone(facts: MonthlyFacts | None) -> str:
    if facts is not None and facts.death_date is not None:
        return f"{facts.death_date} 去世"
    if facts is not None and facts.moved_out_date is not None:
        return f"{facts.moved_out_date} 迁出"
    return "本月不在核定人员之列"


def _facts_changed(version: ItemVersion, before: MonthlyFacts, after: MonthlyFacts) -> list[str]:
    """Facts that differ: those that the item's text names, else any that is no mere consequence of time."""
    text = " ".join([version.rule, *(f"{tier['if'] or ''} {tier['pay']}" for tier in version.amounts)])
    changed: Mapping[str, str] = {
        column.fact.name: _said(
            column.fact.name, getattr(before, column.column), getattr(after, column.column)
        )
        for column in FACT_COLUMNS
        if getattr(before, column.column) != getattr(after, column.column)
    }
    named = [said for name, said in changed.items() if name in text]
    others = [said for name, said in changed.items() if name not in SILENT]
    return (named or others)[:FACTS_SAID]


def _said(name: str, old: object, new: object) -> str:
    if name == AGE:
        return f"满 {new} 岁"
    return f"{name}：{_words(name, old)} → {_words(name, new)}"


def _words(name: str, value: object) -> str:
    return (
        value_words(name, value)
        if isinstance(value, bool | int | Decimal | str | date | None)
        else str(value)
    )
