"""What the standing records of one elder leave to be done (docs/guide/15), as a function of plain values.

Everything follows from the events by their own time, never from the order in which they came in; only whether
somebody who closed a matter could know of a report follows from when the report was stored.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from catalog.choices import RED_HOURS, YELLOW_HOURS, VisitMode
from visits.cells import ZONE
from visits.choices import DEPARTURE_RESULTS, EFFECTIVE, FollowUpKind, FollowUpState, Result, Risk

RED: Final = timedelta(hours=RED_HOURS)
YELLOW: Final = timedelta(hours=YELLOW_HOURS)
#: A reported death holds the elder's payments, so that it is looked into within a day; of a move there is more time.
DUE: Final = {FollowUpKind.DEATH: RED, FollowUpKind.MOVED_OUT: YELLOW, FollowUpKind.RED_RISK: RED}
LAST_MINUTE: Final = time(23, 59)


@dataclass(frozen=True, slots=True)
class Noted:
    """A finding with who has to see to it and within what time; bureau_id None: the village."""

    id: int
    code: str
    name: str
    risk: str
    within: timedelta
    bureau_id: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """A standing record of the elder. recorded_at: when the server stored it."""

    id: UUID
    at: datetime
    recorded_at: datetime
    mode: str
    result: str
    risk: str = Risk.NONE
    findings: tuple[Noted, ...] = ()

    @property
    def met_at_home(self) -> bool:
        """Somebody went there and the person was there."""
        return self.mode == VisitMode.HOME and self.result in EFFECTIVE

    @property
    def is_red(self) -> bool:
        """The record itself or one of its findings is red."""
        return self.risk == Risk.RED or any(finding.risk == Risk.RED for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry says by now, whoever wrote it."""

    dead: bool = False
    moved: bool = False
    in_institution: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a follow-up stands. settled: how it ended by itself, None while it is open; by_hand: somebody closed it.

    Of a departure also what was reported, and when the server knew of it.
    """

    kind: FollowUpKind
    visit_id: UUID
    at: datetime
    title: str
    due_at: datetime
    risk: str = Risk.NONE
    bureau_id: int | None = None
    finding_id: int | None = None
    code: str = ""
    settled: FollowUpState | None = None
    note: str = ""
    settled_at: datetime | None = None
    by_hand: bool = False
    result: str = ""
    recorded_at: datetime | None = None

    @property
    def closable_from(self) -> datetime:
        """Who closed such a matter before this moment did not mean this ground."""
        return self.at if self.recorded_at is None else max(self.at, self.recorded_at)


Closings = Mapping[str, Collection[datetime]]


def grounds(events: Sequence[Event], known: Known, closings: Closings) -> list[Ground]:
    """Give every ground of the elder's records, settled ones too; of each kind but 转介 at most one is open.

    closings: kind → when somebody closed such a follow-up by hand; what happened before is settled by that, of reported
    deaths and moves only what had come in by then: they hold payments, and nobody decides what nobody has read. A
    ground that comes while another of its kind is still open is the same matter.
    """
    line = sorted(events, key=lambda event: (event.at, event.id))
    found = [*_referrals(line)]
    for kind, raised in (
        (FollowUpKind.HOME_VISIT, _unreached(line)),
        (FollowUpKind.RED_RISK, _red(line)),
        (FollowUpKind.DEATH, _reported(line, FollowUpKind.DEATH, (Result.DECEASED,))),
        (
            FollowUpKind.MOVED_OUT,
            _reported(line, FollowUpKind.MOVED_OUT, (Result.MOVED_OUT, Result.INSTITUTION)),
        ),
    ):
        found += _one_at_a_time(raised, line, known, closings.get(kind, ()))
    return found


def _referrals(line: Sequence[Event]) -> Iterator[Ground]:
    """Each finding that somebody has to see to, and a yellow record that names none."""
    for event in line:
        for finding in event.findings:
            if finding.bureau_id is None and not finding.risk:
                continue
            yield Ground(
                kind=FollowUpKind.REFERRAL,
                visit_id=event.id,
                at=event.at,
                title=finding.name,
                due_at=event.at + (min(finding.within, RED) if finding.risk == Risk.RED else finding.within),
                risk=finding.risk,
                bureau_id=finding.bureau_id,
                finding_id=finding.id,
                code=finding.code,
            )
        if event.risk == Risk.YELLOW and not any(finding.risk for finding in event.findings):
            yield Ground(
                kind=FollowUpKind.REFERRAL,
                visit_id=event.id,
                at=event.at,
                title="黄色风险，见探访备注",
                due_at=event.at + YELLOW,
                risk=Risk.YELLOW,
            )


def _unreached(line: Sequence[Event]) -> Iterator[Ground]:
    """The second 未联系上 in a row, by phone or at the door; whoever told where the elder is ends the row."""
    row = 0
    for event in line:
        row = row + 1 if event.result == Result.NO_CONTACT else 0
        if row == 2:
            day = event.at.astimezone(ZONE).date()
            yield Ground(
                kind=FollowUpKind.HOME_VISIT,
                visit_id=event.id,
                at=event.at,
                title="连续两次未联系上，当日上门核实",
                due_at=max(datetime.combine(day, LAST_MINUTE, tzinfo=ZONE), event.at),
            )


def _red(line: Sequence[Event]) -> Iterator[Ground]:
    for event in line:
        if event.is_red and event.result != Result.DECEASED:
            names = "、".join(finding.name for finding in event.findings if finding.risk == Risk.RED)
            yield Ground(
                kind=FollowUpKind.RED_RISK,
                visit_id=event.id,
                at=event.at,
                title=f"红色风险，{RED_HOURS} 小时内复访{f'：{names}' if names else ''}"[:80],
                due_at=event.at + RED,
                risk=Risk.RED,
            )


def _reported(line: Sequence[Event], kind: FollowUpKind, results: tuple[Result, ...]) -> Iterator[Ground]:
    for event in line:
        if event.result in results:
            yield Ground(
                kind=kind,
                visit_id=event.id,
                at=event.at,
                title=f"探访报告{event.result}，核实后登记",
                due_at=event.at + DUE[kind],
                result=event.result,
                recorded_at=event.recorded_at,
            )


def _one_at_a_time(
    raised: Iterator[Ground], line: Sequence[Event], known: Known, closings: Collection[datetime]
) -> list[Ground]:
    kept: list[Ground] = []
    for raw in raised:
        last = kept[-1] if kept else None
        if last is None or not _covers(last, raw):
            kept.append(_settled(raw, line, known, closings))
        elif last.result == Result.INSTITUTION and raw.result == Result.MOVED_OUT:
            # Who moved away is not paid on, who lives in an institution is: the matter stands on the graver report.
            ground = _settled(raw, line, known, closings)
            if ground.settled is None or last.settled is not None:
                kept[-1] = ground
    return kept


def _covers(last: Ground, ground: Ground) -> bool:
    """Tell whether the later ground is the same matter: that was still open, and closed by who could know of both.

    A record that ends one matter may be the ground of another: red again.
    """
    if last.settled_at is None:
        return True
    return ground.closable_from <= last.settled_at if last.by_hand else ground.at < last.settled_at


def _settled(ground: Ground, line: Sequence[Event], known: Known, closings: Collection[datetime]) -> Ground:
    """Say how the ground ended: by the earliest of what happened since, else by what is registered."""
    closed = min((at for at in closings if at >= ground.closable_from), default=None)
    for event in line:
        if event.at <= ground.at or (closed is not None and event.at > closed):
            continue
        if (ended := _ended_by(ground.kind, event)) is not None:
            return replace(ground, settled=ended[0], note=ended[1], settled_at=event.at)
    if closed is not None:
        return replace(ground, settled=FollowUpState.DONE, settled_at=closed, by_hand=True)
    ended = _ended_by_registry(ground, known)
    return ground if ended is None else replace(ground, settled=ended[0], note=ended[1])


def _ended_by(kind: FollowUpKind, event: Event) -> tuple[FollowUpState, str] | None:
    day = f"{event.at.astimezone(ZONE):%Y-%m-%d %H:%M}"
    if event.met_at_home:
        if kind in {FollowUpKind.HOME_VISIT, FollowUpKind.RED_RISK}:
            return FollowUpState.DONE, f"{day} 已上门，{event.result}"
        return FollowUpState.DROPPED, f"{day} 上门{event.result}，报告有误"
    if kind in {FollowUpKind.HOME_VISIT, FollowUpKind.RED_RISK} and event.result in DEPARTURE_RESULTS:
        return FollowUpState.DROPPED, f"{day} 报告{event.result}，另行核实"
    return None


def _ended_by_registry(ground: Ground, known: Known) -> tuple[FollowUpState, str] | None:
    if ground.kind == FollowUpKind.DEATH:
        return (FollowUpState.DONE, "已登记去世") if known.dead else None
    if known.dead:
        return FollowUpState.DROPPED, "已登记去世"
    if ground.kind == FollowUpKind.MOVED_OUT:
        if ground.result == Result.INSTITUTION and known.in_institution:
            return FollowUpState.DONE, "已登记入住机构"
        return (FollowUpState.DONE, "已登记迁出") if known.moved else None
    return (FollowUpState.DROPPED, "已登记迁出") if known.moved else None
