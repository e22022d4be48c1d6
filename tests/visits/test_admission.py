"""Whose an elder still is, and whether a month was locked: rules over plain values."""

from datetime import UTC, date, datetime

import pytest

from visits.admission import Duty, Surroundings, is_handed_over, is_late

ME, OTHER = 1, 2
MINE, NEAR, FAR = "530322101201", "530322101202", "530322102201"
COUNTY, TOWN, FAR_TOWN = "530322000000", "530322101000", "530322102000"
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def duty(area: str, assignee: int | None, county: str = COUNTY) -> Duty:
    """An obligation."""
    return Duty(area, county, assignee)


def around(prefix: str) -> Surroundings:
    """The surroundings of a user who visits under the prefix."""
    return Surroundings(
        user_id=ME,
        visitor="",
        now=datetime(2026, 3, 20, tzinfo=UTC),
        prefixes=(prefix,),
        stored={},
        people={},
        duties={},
        locked=set(),
        kinds={},
    )


@pytest.mark.parametrize(
    ("residence", "duties", "handed_over"),
    [
        (MINE, [], False),  # no month opened: the area decides
        (FAR, [], True),
        (MINE, [duty(MINE, None)], False),  # nobody's, in my village
        (MINE, [duty(MINE, ME)], False),
        (MINE, [duty(MINE, OTHER)], True),  # given to somebody else meanwhile
        (FAR, [duty(MINE, None)], True),  # moved meanwhile
        (FAR, [duty(MINE, ME)], True),  # mine, but moved out of my village
        (NEAR, [duty(NEAR, ME)], False),  # lives in another village and was given to me by hand
        (NEAR, [duty(NEAR, None)], True),
        (FAR, [duty(NEAR, ME)], True),  # given to me by hand, then moved
        (MINE, [duty(NEAR, ME)], False),  # moved into my village
        (MINE, [duty(MINE, OTHER), duty(MINE, ME)], False),  # obliged in two counties, one of them mine
        (MINE, [duty(MINE, OTHER), duty(MINE, None)], False),
    ],
)
def test_an_elder_is_handed_over_when_no_longer_the_users(
    residence: str, duties: list[Duty], handed_over: bool
) -> None:
    assert is_handed_over(residence, duties, around(MINE)) == handed_over


@pytest.mark.parametrize(
    ("residence", "duties", "locked", "late"),
    [
        (MINE, [duty(MINE, None)], {(MARCH, TOWN)}, True),
        (MINE, [duty(MINE, None)], {(APRIL, TOWN)}, False),
        (MINE, [duty(MINE, None)], {(MARCH, FAR_TOWN)}, False),
        (
            FAR,
            [duty(MINE, None)],
            {(MARCH, TOWN)},
            True,
        ),  # counted where the month began, wherever the elder lives
        (FAR, [duty(MINE, None)], {(MARCH, FAR_TOWN)}, False),
        (MINE, [], {(MARCH, TOWN)}, True),  # not obliged: where the elder lives
        (MINE, [], set(), False),
        ("530323101201", [duty("530323101201", None)], {(MARCH, COUNTY)}, True),  # lives outside the county
        ("530323101201", [duty("530323101201", None)], {(MARCH, "530323101000")}, False),
    ],
)
def test_a_record_is_late_when_the_township_in_which_it_counts_had_locked_its_month(
    residence: str, duties: list[Duty], locked: set[tuple[date, str]], late: bool
) -> None:
    assert is_late(MARCH, residence, duties, locked) == late
