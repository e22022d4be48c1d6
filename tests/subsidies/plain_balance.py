"""The subtraction due = entitled − settled once more, in plain Python over one elder's history of one month."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Decided:
    """What one revision of the month decided: 应发 with an amount, or 暂停, or nothing."""

    outcome: str = ""
    amount: Decimal | None = None

    @property
    def entitled(self) -> Decimal:
        """元 that it entitles to."""
        return self.amount if self.outcome == "应发" and self.amount is not None else NOTHING


@dataclass(frozen=True)
class Listed:
    """A due line of a run (its month) for the month, or a recovery opened on it."""

    run: date
    amount: Decimal


@dataclass(frozen=True)
class Line:
    """A payment; reissues: place of the failed line that it pays again."""

    run: date
    amount: Decimal
    offset: Decimal
    state: str
    reason: str
    reissues: int | None

    @property
    def settled(self) -> Decimal:
        """元 of it that count as settled."""
        if self.state in ("待发", "暂缓", "处理中", "已发"):
            return self.amount
        return self.offset if self.state == "失败" or self.reason else NOTHING


@dataclass(frozen=True)
class History:
    """Everything that happened; decided: by revision from 1 on."""

    decided: tuple[Decided, ...]
    listed: tuple[Listed, ...] = ()
    lines: tuple[Line, ...] = ()
    recovered: tuple[Listed, ...] = ()


@dataclass(frozen=True)
class Setting:
    """published, settled: revisions of the month; first: since when the portal pays the item."""

    month: date
    published: int
    settled: int | None
    first: date | None


def plain_balance(
    history: History, setting: Setting, run: date | None
) -> tuple[Decimal, Decimal, Decimal] | None:
    """(due, unpaid, line), None while the month is suspended; run: what belongs to it is still to be done."""
    now = history.decided[setting.published - 1]
    if now.outcome == "暂停":
        return None
    due, unpaid = now.entitled, NOTHING
    if setting.first is None or setting.first > setting.month:
        due -= history.decided[(setting.settled or setting.published) - 1].entitled
        due -= sum(
            (
                one.amount
                for one in history.listed
                if one.run != run and (setting.first is None or one.run < setting.first)
            ),
            NOTHING,
        )
    if setting.first is not None:
        for place, line in enumerate(history.lines):
            if line.run == run:
                continue
            due -= line.settled
            again = [
                other
                for other in history.lines
                if other.reissues == place and other.run != run and (other.state != "作废" or other.reason)
            ]
            if line.state == "失败" and not again:
                unpaid += line.amount - line.offset
        due += sum(
            (one.amount for one in history.recovered if one.run != run and one.run >= setting.first),
            NOTHING,
        )
    return due, unpaid, due - unpaid if due > unpaid else min(due, NOTHING)
