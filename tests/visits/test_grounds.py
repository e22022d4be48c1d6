"""What records leave to be done: the rule as a table, in both directions."""

import itertools
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.choices import VisitMode
from visits.choices import FollowUpKind, FollowUpState, Result
from visits.grounds import Event, Ground, Known, Noted, grounds

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 10, 9, 0, tzinfo=SHANGHAI)
DONE, DROPPED = FollowUpState.DONE, FollowUpState.DROPPED
RESULTS = {
    "无": Result.NO_CONTACT,
    "见": Result.SEEN,
    "联": Result.REACHED,
    "邻": Result.OTHERS,
    "拒": Result.REFUSED,
    "外": Result.AWAY,
    "院": Result.HOSPITAL,
    "机": Result.INSTITUTION,
    "故": Result.DECEASED,
    "迁": Result.MOVED_OUT,
}
MODES = {"上": VisitMode.HOME, "电": VisitMode.PHONE}


def event(number: int, said: str, *, at: datetime | None = None, **more: object) -> Event:
    """«上见» is an event: at home, seen; one hour after the other unless said. received: the hour it was stored."""
    values: dict[str, object] = {"risk": "", "findings": (), "received": number} | more
    return Event(
        UUID(int=number),
        at or START + timedelta(hours=number),
        START + timedelta(hours=values["received"]),  # type: ignore[arg-type]  # a number
        MODES[said[0]],
        RESULTS[said[1]],
        str(values["risk"]),
        values["findings"],  # type: ignore[arg-type]  # a tuple of findings, or none
    )


def line(said: str) -> list[Event]:
    """Events hour by hour: «电无 上见»."""
    return [event(number, word) for number, word in enumerate(said.split(), start=1)]


def of_kind(found: list[Ground], kind: FollowUpKind) -> list[tuple[int, FollowUpState | None]]:
    """(number of the event, how it was settled) of each ground of a kind."""
    return [(each.visit_id.int, each.settled) for each in found if each.kind == kind]


def finding(number: int = 1, risk: str = "", hours: int = 240, bureau_id: int | None = None) -> Noted:
    """A finding."""
    return Noted(number, f"f{number}", "发现", risk, timedelta(hours=hours), bureau_id)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("电无", []),
        ("电无 电无", [(2, None)]),
        ("上无 电无", [(2, None)]),
        ("电无 上无", [(2, None)]),
        ("上无 上无", [(2, None)]),
        ("电无 电见 电无", []),
        ("电无 上见 电无", []),
        ("电无 电联 电无", []),
        ("电无 上邻 电无", []),
        ("电无 电拒 电无", []),
        ("电无 电外 电无", []),
        ("电无 上院 电无", []),
        ("电无 电无 电无", [(2, None)]),
        ("电无 电无 上见", [(2, DONE)]),
        ("电无 电无 上联", [(2, DONE)]),
        ("电无 电无 电联", [(2, None)]),
        ("电无 电无 电见", [(2, None)]),
        ("电无 电无 上邻", [(2, None)]),
        ("电无 电无 上无", [(2, None)]),
        ("电无 电无 上故", [(2, DROPPED)]),
        ("电无 电无 电迁", [(2, DROPPED)]),
        ("电无 电无 电机", [(2, DROPPED)]),
        ("电无 电无 上见 电无", [(2, DONE)]),
        ("电无 电无 上见 电无 电无", [(2, DONE), (5, None)]),
        ("电无 电无 电联 电无 电无", [(2, None)]),
        ("上见 电无 电无", [(3, None)]),
    ],
)
def test_two_in_a_row_with_nobody_met_between_ask_for_a_visit_at_home(
    said: str, expected: list[tuple[int, FollowUpState | None]]
) -> None:
    assert of_kind(grounds(line(said), Known(), {}), FollowUpKind.HOME_VISIT) == expected


@pytest.mark.parametrize(
    "said", ["电无 电无 上见 电无 电无", "电无 上邻 电无 电无 上无", "上故 上见 电无 电无"]
)
def test_the_order_of_arrival_does_not_matter(said: str) -> None:
    events = line(said)
    expected = grounds(events, Known(), {})
    assert all(grounds(order, Known(), {}) == expected for order in itertools.permutations(events))


@given(st.lists(st.tuples(st.sampled_from("上电"), st.sampled_from(list(RESULTS))), max_size=8), st.data())
def test_of_each_kind_at_most_one_is_open_whatever_happened(
    said: list[tuple[str, str]], data: st.DataObject
) -> None:
    events = line(" ".join("".join(word) for word in said))
    found = grounds(events, Known(), {})
    for kind in FollowUpKind:
        assert [settled for _, settled in of_kind(found, kind)].count(
            None
        ) <= 1 or kind == FollowUpKind.REFERRAL
    assert grounds(data.draw(st.permutations(events)), Known(), {}) == found


@given(st.lists(st.sampled_from(["电无", "上无", "电见", "电联", "上邻", "上拒"]), max_size=8))
def test_a_visit_at_home_is_open_exactly_if_two_stood_in_a_row_and_nobody_was_met_at_home(
    said: list[str],
) -> None:
    found = grounds(line(" ".join(said)), Known(), {})
    pairs = any(one[1] == two[1] == "无" for one, two in itertools.pairwise(said))
    assert (len(of_kind(found, FollowUpKind.HOME_VISIT)) == 1) is pairs


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (datetime(2026, 3, 10, 0, 0, tzinfo=SHANGHAI), datetime(2026, 3, 10, 23, 59, tzinfo=SHANGHAI)),
        (datetime(2026, 3, 10, 23, 58, tzinfo=SHANGHAI), datetime(2026, 3, 10, 23, 59, tzinfo=SHANGHAI)),
        (datetime(2026, 3, 9, 16, 0, tzinfo=ZoneInfo("UTC")), datetime(2026, 3, 10, 23, 59, tzinfo=SHANGHAI)),
        (datetime(2026, 3, 9, 15, 59, tzinfo=ZoneInfo("UTC")), datetime(2026, 3, 9, 23, 59, tzinfo=SHANGHAI)),
    ],
)
def test_the_visit_at_home_is_due_on_the_day_itself_in_shanghai(at: datetime, due: datetime) -> None:
    events = [event(1, "电无", at=at - timedelta(minutes=1)), event(2, "电无", at=at)]
    (ground,) = grounds(events, Known(), {})
    assert ground.due_at == due


@pytest.mark.parametrize(
    ("said", "known", "kind", "settled"),
    [
        ("上故", Known(), FollowUpKind.DEATH, None),
        ("电故", Known(dead=True), FollowUpKind.DEATH, DONE),
        ("电故 电联", Known(), FollowUpKind.DEATH, None),
        ("电故 上见", Known(), FollowUpKind.DEATH, DROPPED),
        ("上见 电故", Known(), FollowUpKind.DEATH, None),
        ("电迁", Known(), FollowUpKind.MOVED_OUT, None),
        ("电迁", Known(moved=True), FollowUpKind.MOVED_OUT, DONE),
        ("电迁", Known(in_institution=True), FollowUpKind.MOVED_OUT, None),
        ("电机", Known(in_institution=True), FollowUpKind.MOVED_OUT, DONE),
        ("电机", Known(moved=True), FollowUpKind.MOVED_OUT, DONE),
        ("电机", Known(), FollowUpKind.MOVED_OUT, None),
        ("电迁", Known(dead=True), FollowUpKind.MOVED_OUT, DROPPED),
        ("电无 电无", Known(dead=True), FollowUpKind.HOME_VISIT, DROPPED),
        ("电无 电无", Known(moved=True), FollowUpKind.HOME_VISIT, DROPPED),
        ("电无 电无", Known(in_institution=True), FollowUpKind.HOME_VISIT, None),
    ],
)
def test_what_was_reported_is_settled_by_a_visit_at_home_or_by_the_registry(
    said: str, known: Known, kind: FollowUpKind, settled: FollowUpState | None
) -> None:
    assert [each for _, each in of_kind(grounds(line(said), known, {}), kind)] == [settled]


@pytest.mark.parametrize(
    ("hours", "risk", "due"),
    [(240, "", 240), (72, "黄", 72), (24, "红", 24), (1, "红", 1), (48, "红", 24)],
)
def test_a_referral_is_due_in_its_time_and_a_red_one_within_a_day(hours: int, risk: str, due: int) -> None:
    found = grounds([event(1, "上见", findings=(finding(1, risk, hours, 7),))], Known(), {})
    referral = next(each for each in found if each.kind == FollowUpKind.REFERRAL)
    assert (referral.due_at - referral.at, referral.bureau_id) == (timedelta(hours=due), 7)


@pytest.mark.parametrize(("risk", "bureau", "refers"), [("", None, False), ("", 7, True), ("黄", None, True)])
def test_a_finding_is_referred_if_a_bureau_or_a_risk_stands_with_it(
    risk: str, bureau: int | None, refers: bool
) -> None:
    found = grounds([event(1, "上见", findings=(finding(1, risk, 72, bureau),))], Known(), {})
    assert (len(found) == 1) is refers


@pytest.mark.parametrize(
    ("risk", "findings", "kinds"),
    [
        ("黄", (), [FollowUpKind.REFERRAL]),
        ("黄", (finding(1, "黄"),), [FollowUpKind.REFERRAL]),
        ("黄", (finding(1, "", 240, 7),), [FollowUpKind.REFERRAL, FollowUpKind.REFERRAL]),
        ("红", (), [FollowUpKind.RED_RISK]),
        ("", (finding(1, "红", 24, 7),), [FollowUpKind.REFERRAL, FollowUpKind.RED_RISK]),
        ("", (), []),
    ],
)
def test_yellow_and_red_are_never_left_alone(
    risk: str, findings: tuple[Noted, ...], kinds: list[FollowUpKind]
) -> None:
    found = grounds([event(1, "上见", risk=risk, findings=findings)], Known(), {})
    assert [each.kind for each in found] == kinds


@pytest.mark.parametrize(
    ("after", "settled"),
    [("上见", DONE), ("电见", None), ("电联", None), ("上无", None), ("上故", DROPPED)],
)
def test_red_asks_for_a_visit_within_a_day_until_the_elder_is_met_at_home(
    after: str, settled: FollowUpState | None
) -> None:
    found = grounds([event(1, "上见", risk="红"), event(2, after)], Known(), {})
    assert of_kind(found, FollowUpKind.RED_RISK) == [(1, settled)]
    assert found[0].due_at - found[0].at == timedelta(hours=24)


@pytest.mark.parametrize(("minutes", "is_open"), [(-1, True), (0, False), (1, False)])
def test_what_was_closed_by_hand_stays_closed_for_what_happened_until_then(
    minutes: int, is_open: bool
) -> None:
    events = line("电无 电无")
    closed = events[1].at + timedelta(minutes=minutes)
    (ground,) = grounds(events, Known(), {FollowUpKind.HOME_VISIT: [closed]})
    assert (ground.settled is None) is is_open


def test_two_more_after_it_was_closed_by_hand_are_another_matter() -> None:
    events = line("电无 电无 上邻 电无 电无")
    closed = events[2].at
    found = grounds(events, Known(), {FollowUpKind.HOME_VISIT: [closed]})
    assert [(each.visit_id.int, each.by_hand) for each in found] == [(2, True), (5, False)]


def test_a_correction_of_an_older_visit_does_not_settle_what_was_reported_after_it() -> None:
    red = event(2, "电联", risk="红")
    corrected = event(3, "上见", at=START + timedelta(hours=1))
    for order in itertools.permutations([red, corrected]):
        assert of_kind(grounds(order, Known(), {}), FollowUpKind.RED_RISK) == [(2, None)]


@pytest.mark.parametrize(
    ("corrected_at", "settled"), [(1, None), (2, None), (3, DROPPED)], ids=["same", "moment", "later"]
)
def test_a_correction_settles_what_was_reported_since_only_as_a_later_visit(
    corrected_at: int, settled: FollowUpState | None
) -> None:
    death = event(2, "电故")
    correction = event(9, "上见", at=START + timedelta(hours=corrected_at), received=9)
    assert of_kind(grounds([death, correction], Known(), {}), FollowUpKind.DEATH) == [(2, settled)]


def test_a_visit_at_home_that_finds_red_again_ends_the_one_and_asks_for_another() -> None:
    events = [event(1, "上见", risk="红"), event(2, "上见", risk="红"), event(3, "上见")]
    assert of_kind(grounds(events[:2], Known(), {}), FollowUpKind.RED_RISK) == [(1, DONE), (2, None)]
    assert of_kind(grounds(events, Known(), {}), FollowUpKind.RED_RISK) == [(1, DONE), (2, DONE)]
