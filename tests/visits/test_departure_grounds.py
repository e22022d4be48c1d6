"""Which reported deaths and moves wait for somebody: the graver report, and what came in after a decision."""

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.visits.test_grounds import DONE, DROPPED, RESULTS, START, event, line, of_kind
from visits.choices import FollowUpKind, FollowUpState, Result
from visits.grounds import Event, Known, grounds

#: (mode, result, hour at which it was stored, after the visit)
SAID = st.tuples(st.sampled_from("上电"), st.sampled_from("故迁机见无"), st.integers(0, 12))
KINDS = (FollowUpKind.DEATH, FollowUpKind.MOVED_OUT)


def hour(number: float) -> datetime:
    """The hour of the event of this number."""
    return START + timedelta(hours=number)


@pytest.mark.parametrize(
    ("said", "known", "expected"),
    [
        ("电机 电迁", Known(), [(2, None)]),
        ("电迁 电机", Known(), [(1, None)]),
        ("电机 电机", Known(), [(1, None)]),
        ("电机 电迁 电迁", Known(), [(2, None)]),
        ("电机 电迁 上见", Known(), [(2, DROPPED)]),
        ("电机 上见 电迁", Known(), [(1, DROPPED), (3, None)]),
        ("电机 电迁", Known(in_institution=True), [(2, None)]),
        ("电机 电迁", Known(moved=True), [(2, DONE)]),
        ("电机 电迁", Known(dead=True), [(2, DROPPED)]),
    ],
)
def test_moving_out_replaces_an_institution_that_nobody_has_checked(
    said: str, known: Known, expected: list[tuple[int, FollowUpState | None]]
) -> None:
    events = line(said)
    for order in itertools.permutations(events):
        assert of_kind(grounds(order, known, {}), FollowUpKind.MOVED_OUT) == expected


@pytest.mark.parametrize(
    ("moved_in", "closed", "expected"),
    [
        (2, 3, [(2, DONE)]),
        (2, 2, [(2, DONE)]),
        (3, 2.5, [(1, DONE), (2, None)]),
        (2, 1.5, [(1, DONE), (2, None)]),
    ],
)
def test_who_checked_the_institution_has_decided_a_move_that_was_in_by_then(
    moved_in: int, closed: float, expected: list[tuple[int, FollowUpState | None]]
) -> None:
    events = [event(1, "电机"), event(2, "电迁", received=moved_in)]
    found = grounds(events, Known(), {FollowUpKind.MOVED_OUT: [hour(closed)]})
    assert of_kind(found, FollowUpKind.MOVED_OUT) == expected


def test_an_institution_that_nobody_could_know_of_stays_open_beside_a_decided_move() -> None:
    events = [event(1, "电机", received=5), event(2, "电迁", received=2)]
    found = grounds(events, Known(), {FollowUpKind.MOVED_OUT: [hour(3)]})
    assert of_kind(found, FollowUpKind.MOVED_OUT) == [(1, None)]


@pytest.mark.parametrize(("word", "kind"), [("电故", KINDS[0]), ("电迁", KINDS[1]), ("电机", KINDS[1])])
@pytest.mark.parametrize(("received", "is_open"), [(2, False), (3, False), (4, True)])
def test_a_closing_settles_only_reports_that_had_come_in(
    word: str, kind: FollowUpKind, received: int, is_open: bool
) -> None:
    for late in ([], [event(1, word)]):
        events = [*late, event(2, word, received=received)]
        found = [each for each in grounds(events, Known(), {kind: [hour(3)]}) if each.settled is None]
        assert [each.visit_id.int for each in found] == ([2] if is_open else [])


def test_a_second_closing_settles_the_report_that_came_in_between() -> None:
    events = [event(1, "电故"), event(2, "电故", received=4)]
    found = grounds(events, Known(), {FollowUpKind.DEATH: [hour(3), hour(5)]})
    assert [(each.visit_id.int, each.settled_at) for each in found] == [(1, hour(3)), (2, hour(5))]


def test_a_meeting_at_home_settles_an_earlier_report_whenever_it_came_in() -> None:
    events = [event(1, "电故", received=9), event(2, "上见", received=2)]
    assert of_kind(grounds(events, Known(), {}), FollowUpKind.DEATH) == [(1, DROPPED)]


def test_of_other_matters_a_closing_settles_what_happened_before_whenever_it_came_in() -> None:
    events = [event(1, "电无", received=9), event(2, "电无", received=9)]
    found = grounds(events, Known(), {FollowUpKind.HOME_VISIT: [hour(3)]})
    assert [each.by_hand for each in found] == [True]


def heard(said: list[tuple[str, str, int]]) -> list[Event]:
    """Events hour by hour that came in some hours after they happened."""
    return [
        event(number, mode + word, received=number + late)
        for number, (mode, word, late) in enumerate(said, start=1)
    ]


def undecided(events: list[Event], closings: list[datetime], *results: Result) -> bool:
    """Tell whether such a report came in after the last decision, and nobody has met the elder at home since."""
    return any(
        each.result in results
        and all(closed < each.recorded_at for closed in closings)
        and not any(later.met_at_home and later.at > each.at for later in events)
        for each in events
    )


@given(st.lists(SAID, max_size=7), st.lists(st.integers(0, 20).map(hour), max_size=3), st.data())
def test_what_came_in_after_the_last_decision_is_open_whatever_came_first(
    said: list[tuple[str, str, int]], closings: list[datetime], data: st.DataObject
) -> None:
    events = heard(said)
    found = grounds(events, Known(), dict.fromkeys(KINDS, closings))
    assert grounds(data.draw(st.permutations(events)), Known(), dict.fromkeys(KINDS, closings)) == found
    waiting = [(each.kind, each.result) for each in found if each.settled is None and each.kind in KINDS]
    assert len({kind for kind, _ in waiting}) == len(waiting)
    kinds = {kind for kind, _ in waiting}
    if undecided(events, closings, RESULTS["故"]):
        assert FollowUpKind.DEATH in kinds
    if undecided(events, closings, RESULTS["迁"], RESULTS["机"]):
        assert FollowUpKind.MOVED_OUT in kinds
    if undecided(events, closings, RESULTS["迁"]):
        assert (FollowUpKind.MOVED_OUT, RESULTS["迁"]) in waiting
