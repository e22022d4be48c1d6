"""Rows of a month's review: who, which item, what last month and this month, and why in a few words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from portal.places import place_names
from subsidies.change_history import DueLine, change_reasons
from subsidies.choices import Outcome
from subsidies.models import Adjustment, Entitlement, Month
from subsidies.papers.reasons import Reasons
from subsidies.review import NEW, STOPPED

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
    """Rows of new, stopped or changed lines; a fixed number of queries for a page."""
    lines = list(lines)
    other = before if kind != STOPPED else month
    elders = [line.elder_id for line in lines]
    opposite = _entitlements(other, elders) if other else {}
    reasons = Reasons(month, before, elders) if before else None
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
                why=_why(kind, past, now, reasons) if reasons else "没有上月核定可比",
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


def _drawn(line: Entitlement | None) -> Decimal | None:
    return line.amount if line is not None and line.outcome == Outcome.DUE else None


def _instead(line: Entitlement | None) -> str:
    """What a month says where it pays nothing."""
    if line is None:
        return "无"
    return "待定标准" if line.outcome == Outcome.DUE else Outcome(line.outcome).label


def _why(kind: str, past: Entitlement | None, now: Entitlement | None, reasons: Reasons) -> str:
    if kind == NEW and past is not None:
        return f"上月发放的是{past.winner}" if past.outcome in DROPPED else BEGUN[Outcome(past.outcome)]
    if kind == STOPPED and now is not None:
        return f"改发{now.winner}" if now.outcome in DROPPED else ENDED[Outcome(now.outcome)]
    if past is None or now is None:
        return reasons.new(now) if now is not None else reasons.stopped(past).text if past is not None else ""
    return reasons.changed(past, now)
