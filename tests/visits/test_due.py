"""When a next visit is due, and what state that is."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.choices import Per
from visits.due import DueState, due_state, next_due
from visits.slots import counted_days, next_month, slot_count

# November 2026 begins on a Sunday; its weeks begin on the 2nd, 9th, 16th, 23rd and 30th.
NOVEMBER = date(2026, 11, 1)
HOME, CALL = True, False


def day(number: int, month: int = 11) -> date:
    return date(2026, month, number)


@pytest.mark.parametrize(
    ("sentence", "per", "times", "in_person", "visited", "today", "due"),
    [
        ("a month's visit is due on its last day", Per.MONTH, 1, 0, [], day(5), day(30)),
        ("one visit fills the month", Per.MONTH, 1, 0, [(day(3), CALL)], day(5), None),
        ("two on one day are one", Per.MONTH, 2, 0, [(day(3), CALL), (day(3), HOME)], day(5), day(30)),
        ("two on two days are two", Per.MONTH, 2, 0, [(day(3), CALL), (day(4), HOME)], day(5), None),
        (
            "a visit of the month before fills nothing",
            Per.MONTH,
            1,
            0,
            [(day(31, 10), HOME)],
            day(5),
            day(30),
        ),
        ("a visit of the month after fills nothing", Per.MONTH, 1, 0, [(day(1, 12), HOME)], day(5), day(30)),
        ("a call does not replace a home visit", Per.MONTH, 1, 1, [(day(3), CALL)], day(5), day(30)),
        ("a home visit is both", Per.MONTH, 1, 1, [(day(3), HOME)], day(5), None),
        ("the first week is due on its Sunday", Per.WEEK, 1, 0, [], day(2), day(8)),
        ("so it is on the days before the first Monday", Per.WEEK, 1, 0, [], day(1), day(8)),
        ("a visit before the first Monday fills no week", Per.WEEK, 1, 0, [(day(1), HOME)], day(2), day(8)),
        ("a week visited hands on to the next", Per.WEEK, 1, 0, [(day(2), CALL)], day(3), day(15)),
        ("a Sunday belongs to the week that it ends", Per.WEEK, 1, 0, [(day(8), CALL)], day(8), day(15)),
        ("a missed week stays due", Per.WEEK, 1, 0, [], day(9), day(8)),
        ("until this week's visit", Per.WEEK, 1, 0, [(day(9), CALL)], day(9), day(22)),
        ("one of two visits does not fill a week", Per.WEEK, 2, 0, [(day(2), CALL)], day(3), day(8)),
        (
            "a missed week with nothing ahead stays due",
            Per.WEEK,
            1,
            0,
            [(day(n), CALL) for n in (9, 16, 23, 30)],
            day(30),
            day(8),
        ),
        (
            "a home visit is short on the month's last day though a week ends later",
            Per.WEEK,
            1,
            1,
            [(day(n), CALL) for n in (2, 9, 16, 23)],
            day(24),
            day(30),
        ),
        (
            "a home visit in the last week's days of next month is too late for the month",
            Per.WEEK,
            1,
            1,
            [(day(n), CALL) for n in (2, 9, 16, 23)] + [(day(1, 12), HOME)],
            day(1, 12),
            day(30),
        ),
        ("a quarter shows nothing in its second month", Per.QUARTER, 1, 0, [], day(5), None),
    ],
)
def test_the_next_visit_is_due(
    sentence: str,
    per: Per,
    times: int,
    in_person: int,
    visited: list[tuple[date, bool]],
    today: date,
    due: date | None,
) -> None:
    found = next_due(month=NOVEMBER, per=per, times=times, in_person=in_person, visited=visited, today=today)
    assert found == due, sentence


@pytest.mark.parametrize(
    ("visited", "due"),
    [
        ([], date(2026, 12, 31)),
        ([(date(2026, 10, 1), CALL)], None),
        ([(day(30, 9), CALL)], date(2026, 12, 31)),
    ],
)
def test_a_quarter_is_filled_by_a_visit_in_any_of_its_months(
    visited: list[tuple[date, bool]], due: date | None
) -> None:
    found = next_due(
        month=date(2026, 12, 1),
        per=Per.QUARTER,
        times=1,
        in_person=0,
        visited=visited,
        today=date(2026, 12, 2),
    )
    assert found == due


@pytest.mark.parametrize(
    ("due", "today", "missed", "state"),
    [
        (None, day(5), False, DueState.MET),
        (None, day(5), True, DueState.MET),
        (day(4), day(5), False, DueState.OVERDUE),
        (day(5), day(5), False, DueState.TODAY),
        (day(6), day(5), False, DueState.THIS_WEEK),
        (day(8), day(5), False, DueState.THIS_WEEK),  # the Sunday
        (day(9), day(5), False, DueState.WAITING),
        (day(15), day(9), False, DueState.THIS_WEEK),  # asked on a Monday
        (day(30), day(8), False, DueState.WAITING),  # asked on a Sunday
        (day(30), day(5), True, DueState.OVERDUE),
    ],
)
def test_a_day_due_has_a_state(due: date | None, today: date, missed: bool, state: DueState) -> None:
    assert due_state(due, today, missed) == state


months = st.dates(date(2020, 1, 1), date(2035, 12, 1)).map(lambda found: found.replace(day=1))


@given(
    month=months,
    per=st.sampled_from(Per),
    times=st.integers(1, 3),
    in_person=st.integers(0, 2),
    data=st.data(),
)
def test_nothing_is_due_exactly_when_every_slot_is_full_and_the_home_visits_are_there(
    month: date, per: Per, times: int, in_person: int, data: st.DataObject
) -> None:
    first, after = counted_days(month, per)
    near = st.dates(first - timedelta(days=3), after + timedelta(days=3))
    visited = data.draw(st.lists(st.tuples(near, st.booleans()), max_size=40))
    today = data.draw(near)
    found = next_due(month=month, per=per, times=times, in_person=in_person, visited=visited, today=today)

    days = {each for each, _ in visited if first <= each < after}
    length = timedelta(days=7) if per == Per.WEEK else after - first
    slots = [sum((each - first) // length == n for each in days) for n in range(slot_count(month, per))]
    home = {each for each, at_home in visited if at_home and month <= each < next_month(month)}
    met = all(count >= times for count in slots) and (not slots or len(home) >= in_person)
    assert (found is None) == met
