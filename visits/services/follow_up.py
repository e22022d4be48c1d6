"""Keeping follow-ups in step with the records behind them, and the steps that people take."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q

from catalog.finding_list import FindingList
from catalog.policy import PolicyFinding
from catalog.selectors import finding_list
from eldercare.choices import Kind
from eldercare.models import Circumstance
from operations.services.audit import audit_record
from organization.areas import county_code
from visits.cells import ZONE
from visits.choices import (
    DEPARTURE_RESULTS,
    INSTITUTIONS,
    OPEN_FOLLOW_UP,
    FollowUpKind,
    FollowUpState,
    Result,
    Risk,
)
from visits.grounds import RED, YELLOW, Event, Ground, Known, Noted, grounds
from visits.models import Finding, FollowUp, FollowUpStep, Visit

#: More elders than this are locked all together: the database keeps room for so many single locks only.
LOCKED_SINGLY: Final = 500
NAMED_IN_AUDIT: Final = 50
GONE: Final = "相关探访记录已更正、退回或不再成立"
AGAIN: Final = "相关探访记录有变，重新办理"
#: Results that may leave something to be done, with or without a finding or a risk.
TELLING: Final = (Result.NO_CONTACT, *DEPARTURE_RESULTS)

Root = Callable[[UUID], UUID]


def follow_ups_refresh(*, elder_ids: Sequence[int], now: datetime) -> None:
    """Bring the follow-ups of these elders in line with their standing records and with the registry.

    Recomputed from nothing, so that any order of arrival and any repetition ends the same; what somebody closed by
    hand stays closed for what happened until then. Runs in the caller's transaction, after the records are written:
    refreshes of one elder wait for one another, so that the later one sees what the earlier one saw. Needs READ
    COMMITTED.
    """
    if not elder_ids:
        return
    follow_ups_hold(elder_ids)
    concerned = _concerned(elder_ids)
    if not concerned:
        return
    rows = _rows(concerned)
    events = _events(concerned, rows)
    known = _known(concerned, now.astimezone(ZONE).date())
    root = _roots(concerned)
    change = _Change(now)
    for elder_id, area_code in concerned.items():
        mine = rows.get(elder_id, [])
        closings = _closings(mine)
        found = grounds(events.get(elder_id, []), known.get(elder_id, Known()), closings)
        _match(change, elder_id, area_code, mine, found, root)
    change.write()


@dataclass(slots=True)
class _Row:
    """A stored follow-up. by_hand: somebody closed it; code: of its finding, '' without."""

    follow_up: FollowUp
    by_hand: bool
    code: str


@dataclass(slots=True)
class _Change:
    """What is to be written, collected over all elders."""

    now: datetime
    created: list[tuple[FollowUp, str]] = field(default_factory=list)
    closed: list[tuple[FollowUp, str]] = field(default_factory=list)
    opened: list[FollowUp] = field(default_factory=list)
    moved: list[FollowUp] = field(default_factory=list)

    def create(self, elder_id: int, area_code: str, ground: Ground) -> None:
        """A new follow-up, closed already where its ground is settled."""
        row = FollowUp(
            kind=ground.kind,
            elder_id=elder_id,
            visit_id=ground.visit_id,
            finding_id=ground.finding_id,
            area_code=area_code,
            bureau_id=ground.bureau_id,
            risk=ground.risk,
            title=ground.title,
            due_at=ground.due_at,
            state=ground.settled or FollowUpState.WAITING,
            closed_at=(ground.settled_at or self.now) if ground.settled else None,
        )
        self.created.append((row, ground.note))

    def close(self, row: FollowUp, state: FollowUpState, note: str, at: datetime | None) -> None:
        """The follow-up ends by itself."""
        row.state, row.closed_at = state, at or self.now
        self.closed.append((row, note))

    def follow(self, row: _Row, area_code: str, ground: Ground) -> None:
        """Bring a stored follow-up in line with its ground."""
        stored, said = row.follow_up, _said(row.follow_up)
        stored.visit_id, stored.finding_id = ground.visit_id, ground.finding_id
        stored.title, stored.due_at, stored.risk = ground.title, ground.due_at, ground.risk
        is_open = stored.state in OPEN_FOLLOW_UP
        if not row.by_hand:
            stored.area_code = area_code
            if ground.settled is None and not is_open:
                stored.state, stored.closed_at = FollowUpState.WAITING, None
                self.opened.append(stored)
            elif ground.settled is not None and (is_open or stored.state != ground.settled):
                self.close(stored, ground.settled, ground.note, ground.settled_at)
        if said != _said(stored):
            self.moved.append(stored)

    def write(self) -> None:
        """Write everything; what closes first, since of a kind only one may be open."""
        fields = ["visit", "finding", "title", "due_at", "risk", "area_code", "state", "closed_at"]
        closing = [row for row, _ in self.closed]
        FollowUp.objects.bulk_update(closing, ["state", "closed_at"], batch_size=500)
        FollowUp.objects.bulk_update(self.moved, fields, batch_size=500)
        FollowUp.objects.bulk_update(self.opened, fields, batch_size=500)
        FollowUp.objects.bulk_create([row for row, _ in self.created], batch_size=1000)
        ended = [(row, note) for row, note in self.created if row.state not in OPEN_FOLLOW_UP]
        FollowUpStep.objects.bulk_create(
            [
                FollowUpStep(follow_up=row, state=row.state, note=note[:300])
                for row, note in (*self.closed, *((row, AGAIN) for row in self.opened), *ended)
            ],
            batch_size=1000,
        )
        self._audit()

    def _audit(self) -> None:
        acts = {
            "产生": [row.pk for row, _ in self.created],
            "自动办结": [row.pk for row, _ in self.closed],
            "重新办理": [row.pk for row in self.opened],
        }
        if any(acts.values()):
            audit_record(
                action="跟进事项随探访更新",
                subject="follow_ups",
                data={
                    act: {"n": len(keys), "ids": keys[:NAMED_IN_AUDIT]} for act, keys in acts.items() if keys
                },
            )


def _said(row: FollowUp) -> tuple[object, ...]:
    return row.visit_id, row.finding_id, row.title, row.due_at, row.risk, row.area_code


def _match(
    change: _Change, elder_id: int, area_code: str, rows: list[_Row], found: list[Ground], root: Root
) -> None:
    """Find for each ground the follow-up that stands for it: the same record, else the same matter."""
    left = list(rows)
    waiting: list[Ground] = []
    for ground in found:
        same = next((row for row in left if _is_of(row, ground)), None)
        if same is None:
            waiting.append(ground)
            continue
        left.remove(same)
        change.follow(same, area_code, ground)
    for ground in waiting:
        like = next((row for row in left if _is_like(row, ground, root)), None)
        if like is not None:
            left.remove(like)
            change.follow(like, area_code, ground)
        elif not ground.by_hand:
            change.create(elder_id, area_code, ground)
    for row in left:
        if row.follow_up.state in OPEN_FOLLOW_UP:
            change.close(row.follow_up, FollowUpState.DROPPED, GONE, None)


def _is_of(row: _Row, ground: Ground) -> bool:
    stored = row.follow_up
    return (stored.kind, stored.visit_id, stored.finding_id) == (
        ground.kind,
        ground.visit_id,
        ground.finding_id,
    )


def _is_like(row: _Row, ground: Ground, root: Root) -> bool:
    """A correction says the same again; of the other kinds an open matter follows the records as they now stand."""
    stored = row.follow_up
    if stored.kind != ground.kind:
        return False
    if ground.kind == FollowUpKind.REFERRAL:
        return row.code == ground.code and root(stored.visit_id) == root(ground.visit_id)
    if row.by_hand != ground.by_hand:
        return False
    return row.by_hand or stored.state in OPEN_FOLLOW_UP or ground.settled is None


def follow_ups_hold(elder_ids: Iterable[int]) -> None:
    """Let whoever changes follow-ups of the same elders wait to the end of the transaction.

    Comes after the months (`visits.months`) and before any obligation's row, so that no two wait in a circle.
    """
    held = sorted(set(elder_ids))
    key = "hashtext('visits_follow_up')"
    with connection.cursor() as cursor:
        if len(held) > LOCKED_SINGLY:
            cursor.execute(f"SELECT pg_advisory_xact_lock({key}, 0)")
            return
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({key}, 0)")
        one_by_one = "SELECT pg_advisory_xact_lock({key}, elder::integer) FROM unnest(%s::bigint[]) elder"
        cursor.execute(one_by_one.format(key=key), [held])


def _concerned(elder_ids: Iterable[int]) -> dict[int, str]:
    """Elder → area of those whose records may leave something to be done, or did once; one query.

    The area is where the elder lives; where nobody works with this portal there, or no residence is known, that of the
    户籍: somebody has to be able to decide what is to be done, above all what holds a payment.
    """
    ids = list(elder_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT e.id, CASE
                WHEN EXISTS (SELECT FROM organization_area a WHERE a.code = left(e.residence_code, 6) || '000000')
                THEN e.residence_code ELSE e.hukou_code END
            FROM eldercare_elder e
            WHERE e.id = ANY (%(ids)s) AND (
                EXISTS (SELECT FROM visits_followup f WHERE f.elder_id = e.id)
                OR EXISTS (
                    SELECT FROM visits_visit v WHERE v.elder_id = e.id
                    AND (v.result = ANY (%(telling)s) OR v.risk <> ''
                         OR EXISTS (SELECT FROM visits_finding n WHERE n.visit_id = v.id))))
            ORDER BY e.id""",
            {"ids": ids, "telling": [str(result) for result in TELLING]},
        )
        return dict(cursor.fetchall())


def _rows(elder_ids: Iterable[int]) -> dict[int, list[_Row]]:
    """Follow-ups of the elders, the open ones first; by whom they were closed is what the last step says."""
    stored = list(
        FollowUp.objects.filter(elder_id__in=elder_ids).select_related("finding").order_by("closed_at", "id")
    )
    closing = FollowUpStep.objects.filter(follow_up__in=[row.pk for row in stored if row.closed_at])
    last = closing.order_by("follow_up_id", "-at", "-id").distinct("follow_up_id")
    by_hand = {key for key, actor in last.values_list("follow_up_id", "actor") if actor is not None}
    rows: dict[int, list[_Row]] = defaultdict(list)
    for row in sorted(
        stored, key=lambda row: (row.closed_at is not None, row.closed_at or row.due_at, row.pk)
    ):
        rows[row.elder_id].append(_Row(row, row.pk in by_hand, row.finding.code if row.finding else ""))
    return rows


def _closings(rows: Iterable[_Row]) -> dict[str, list[datetime]]:
    closings: dict[str, list[datetime]] = defaultdict(list)
    for row in rows:
        if row.by_hand and row.follow_up.closed_at is not None:
            closings[row.follow_up.kind].append(row.follow_up.closed_at)
    return closings


def _events(concerned: Mapping[int, str], rows: Mapping[int, list[_Row]]) -> dict[int, list[Event]]:
    """Standing records of the elders with their findings."""
    handled = {row.follow_up.finding_id: row.follow_up for each in rows.values() for row in each}
    visits = Visit.objects.standing().filter(elder_id__in=concerned).order_by()
    told = list(visits.values_list("elder_id", "id", "at", "recorded_at", "mode", "result", "risk"))
    at = {key: (concerned[elder_id], moment) for elder_id, key, moment, *_ in told}
    noted: dict[UUID, list[Noted]] = defaultdict(list)
    words = _Words()
    for finding in Finding.objects.filter(visit__elder_id__in=concerned).order_by("id"):
        if finding.visit_id in at:
            area_code, moment = at[finding.visit_id]
            noted[finding.visit_id].append(words.noted(finding, handled.get(finding.pk), area_code, moment))
    events: dict[int, list[Event]] = defaultdict(list)
    for elder_id, key, moment, recorded_at, mode, result, risk in told:
        event = Event(key, moment, recorded_at, mode, result, risk, tuple(noted.get(key, ())))
        events[elder_id].append(event)
    return events


class _Words:
    """Who has to see to a finding, by the county's list of the day of the visit; each list is read once."""

    def __init__(self) -> None:
        self.lists: dict[str, FindingList] = {}
        self.days: dict[tuple[str, date], dict[str, PolicyFinding]] = {}

    def noted(self, finding: Finding, handled: FollowUp | None, area_code: str, at: datetime) -> Noted:
        """A finding that has its follow-up keeps what that says; one that no list names has the usual time."""
        word = None
        if handled is None:
            word = self._of(area_code, at.astimezone(ZONE).date()).get(finding.code)
        if handled is not None:
            within, bureau_id = handled.due_at - at, handled.bureau_id
        elif word is not None:
            within, bureau_id = timedelta(hours=word.hours), word.bureau_id
        else:
            within, bureau_id = RED if finding.risk == Risk.RED else YELLOW, None
        return Noted(finding.pk, finding.code, finding.name, finding.risk, within, bureau_id)

    def _of(self, area_code: str, day: date) -> dict[str, PolicyFinding]:
        county = county_code(area_code)
        if county not in self.lists:
            self.lists[county] = finding_list(county)
        if (county, day) not in self.days:
            self.days[county, day] = {kind.code: kind for kind in self.lists[county].on(day)}
        return self.days[county, day]


def _known(elder_ids: Iterable[int], today: date) -> dict[int, Known]:
    """What the registry says of death, moving out and institution; one query."""
    gone = Q(kind__in=(Kind.DEATH, Kind.MOVED_OUT), valid__upper_inf=True)
    lives = Q(kind=Kind.INSTITUTION, value__in=INSTITUTIONS, valid__contains=today)
    kinds: dict[int, set[str]] = defaultdict(set)
    for elder_id, kind in Circumstance.objects.filter(gone | lives, elder_id__in=elder_ids).values_list(
        "elder_id", "kind"
    ):
        kinds[elder_id].add(kind)
    return {
        elder_id: Known(Kind.DEATH in found, Kind.MOVED_OUT in found, Kind.INSTITUTION in found)
        for elder_id, found in kinds.items()
    }


def _roots(elder_ids: Iterable[int]) -> Root:
    """The record with which a line of corrections begins."""
    rows = Visit.objects.filter(elder_id__in=elder_ids, corrects__isnull=False)
    before = dict(rows.order_by().values_list("id", "corrects"))

    def root(visit_id: UUID) -> UUID:
        seen = {visit_id}
        while (earlier := before.get(visit_id)) is not None and earlier not in seen:
            seen.add(earlier)
            visit_id = earlier
        return visit_id

    return root
