"""The rate as pages show it: every division adds up, at every moment, in every zone."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eldercare.choices import YES, Kind
from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import add, make_elder
from tests.visits.conftest import (
    COUNTY,
    MARCH,
    SHANGHAI,
    TOWN_A,
    TOWN_B,
    VILLAGE_A1,
    VILLAGE_A2,
    VILLAGE_B1,
    TierMaker,
    open_month,
    refresh,
    visit,
)
from visits.choices import MonthState
from visits.models import Obligation, Visit, VisitMonth, VisitReturn
from visits.querysets import ObligationQuerySet
from visits.rate import UNASSIGNED, Division, Figure, RateLine, rate_lines, rate_trend, rate_whole

pytestmark = pytest.mark.django_db
ELSEWHERE = "530302001001"
UNKNOWN = "530322101299"
AREAS = (VILLAGE_A1, VILLAGE_A2, VILLAGE_B1, UNKNOWN, TOWN_A, COUNTY, ELSEWHERE)


def county_rows() -> ObligationQuerySet:
    return Obligation.objects.filter(county_code=COUNTY)


def lines(by: Division, as_of: datetime | None = None, *, villages: bool = False) -> dict[str, Figure]:
    found = rate_lines(obligations=county_rows(), month=MARCH, by=by, as_of=as_of, villages=villages)
    return {line.code: line.figure for line in found}


def whole(as_of: datetime | None = None) -> Figure:
    return rate_whole(rate_lines(obligations=county_rows(), month=MARCH, by=Division.TIER, as_of=as_of))


def stored(elder: Elder, at: str, recorded: str, **more: object) -> Visit:
    """A visit that reached the portal at a moment of its own."""
    row = Visit(
        id=uuid4(),
        elder=elder,
        at=moment(at),
        mode="上门",
        result=str(more.pop("result", "见到本人")),
        visitor="测试员",
        **more,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment(recorded))
        row.save(force_insert=True)
    return row


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def scatter(tier: TierMaker, split: list[tuple[int, bool, bool]]) -> None:
    """Elders over areas (index of AREAS), visited or not, dead or not."""
    tier("alone", rule="独居", order=1)
    tier("month", rule="户籍在本县 或 居住在本县")
    worker = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)
    for number, (area, visited, dead) in enumerate(split):
        alone = bool(number % 2)
        elder = make_elder(date(1950, 5, 5), hukou=VILLAGE_A1, residence=AREAS[area])
        if alone:
            add(elder, Kind.LIVES_ALONE, YES, date(2020, 1, 1))
        if visited:
            visit(elder, "2026-03-05")
        if dead:
            add(elder, Kind.DEATH, "是", date(2026, 3, 20))
    open_month()
    Obligation.objects.filter(area_code=VILLAGE_A1).update(assignee=worker)
    refresh()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(split=st.lists(st.tuples(st.integers(0, len(AREAS) - 1), st.booleans(), st.booleans()), max_size=12))
def test_every_division_adds_up_to_the_same(tier: TierMaker, split: list[tuple[int, bool, bool]]) -> None:
    with transaction.atomic():
        scatter(tier, split)
        found = whole()
        for by in Division:
            for villages in (False, True):
                assert rate_whole(_lines(by, villages)) == found
        assert found.obliged == sum(1 for _, visited, dead in split if visited or not dead)
        assert found.met == sum(1 for _, visited, _ in split if visited)
        assert found.exempted == sum(1 for _, visited, dead in split if dead and not visited)
        for township, figure in lines(Division.AREA).items():
            below = [line for line in _lines(Division.AREA, True) if line.code[:9] == township[:9]]
            assert rate_whole(below) == figure
        transaction.set_rollback(True)


def _lines(by: Division, villages: bool) -> list[RateLine]:
    return rate_lines(obligations=county_rows(), month=MARCH, by=by, villages=villages)


@pytest.fixture
def elders(tier: TierMaker) -> list[Elder]:
    """Three elders of 甲镇 who must be seen once in March."""
    tier("month", rule="户籍在本县")
    found = [make_elder(date(1950, 5, 5), hukou=VILLAGE_A1) for _ in range(3)]
    open_month()
    return found


def test_99_96_percent_is_written_as_99_9() -> None:
    assert str(Figure(obliged=2500, met=2499).rate) == "99.9"
    assert str(Figure(obliged=2500, met=2500).rate) == "100.0"
    assert Figure().rate is None


def test_who_has_nobody_assigned_stands_in_a_row_of_its_own_at_the_end(elders: list[Elder]) -> None:
    worker: User = make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)
    Obligation.objects.filter(elder=elders[0]).update(assignee=worker)
    found = rate_lines(obligations=county_rows(), month=MARCH, by=Division.WORKER)
    assert [(line.name, line.figure.obliged) for line in found] == [(str(worker), 1), (UNASSIGNED, 2)]


@pytest.mark.parametrize(
    ("as_of", "met"),
    [
        ("2026-03-11 09:59:59", 0),
        ("2026-03-11 10:00:00", 1),
        ("2026-03-12 08:00", 1),
        ("2026-03-20 08:00", 2),
    ],
)
def test_a_moment_counts_what_was_stored_by_then(elders: list[Elder], as_of: str, met: int) -> None:
    stored(elders[0], "2026-03-10 09:00", recorded="2026-03-11 10:00:00")
    stored(elders[1], "2026-03-02 09:00", recorded="2026-03-15 10:00:00")
    assert whole(moment(as_of)) == Figure(obliged=3, met=met)


def test_a_correction_and_a_return_count_from_when_they_came(elders: list[Elder], reader: User) -> None:
    first = stored(elders[0], "2026-03-10 09:00", recorded="2026-03-10 10:00")
    stored(elders[0], "2026-03-10 09:00", recorded="2026-03-12 10:00", result="未联系上", corrects=first.pk)
    second = stored(elders[1], "2026-03-10 09:00", recorded="2026-03-10 10:00")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: moment("2026-03-14 10:00"))
        VisitReturn.objects.create(visit=second, reason="照片不符", by=reader)
    met = [whole(moment(f"2026-03-{day} 12:00")).met for day in (10, 12, 14)]
    assert met == [2, 1, 0]


@pytest.fixture
def reader(county: object) -> User:
    return make_user("reader", Role.TOWNSHIP_LEAD, TOWN_A)


def test_this_moment_is_what_the_portal_keeps(elders: list[Elder]) -> None:
    visit(elders[0], "2026-03-10")
    add(elders[1], Kind.DEATH, "是", date(2026, 3, 9))
    refresh()
    assert whole(timezone.now() + timedelta(seconds=1)) == whole() == Figure(2, 1, {"死亡": 1})


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    visits=st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 31), st.integers(0, 40)), min_size=1, max_size=8
    )
)
def test_more_is_never_less_later(elders: list[Elder], visits: list[tuple[int, int, int]]) -> None:
    """Visits alone, without corrections and returns, only add to the figure as moments pass."""
    with transaction.atomic():
        for who, day, wait in visits:
            at = moment(f"2026-03-{day:02d} 09:00")
            stored(
                elders[who], f"{at:%Y-%m-%d %H:%M}", recorded=f"{at + timedelta(days=wait):%Y-%m-%d %H:%M}"
            )
        met = [whole(moment("2026-03-01 12:00") + timedelta(days=days)).met for days in range(0, 80, 8)]
        assert met == sorted(met)
        assert met[-1] == len({who for who, _, _ in visits})
        transaction.set_rollback(True)


def test_what_a_township_submitted_stands_at_every_later_moment(elders: list[Elder]) -> None:
    stored(elders[0], "2026-03-10 09:00", recorded="2026-03-10 10:00")
    refresh()
    VisitMonth.objects.create(
        month=MARCH,
        county_code=COUNTY,
        area_code=TOWN_A,
        state=MonthState.SUBMITTED,
        submitted_at=moment("2026-04-01 09:00"),
    )
    stored(elders[1], "2026-03-11 09:00", recorded="2026-04-02 10:00")
    refresh()
    assert whole() == Figure(3, 1, late=1)
    assert whole(moment("2026-04-01 12:00")) == Figure(3, 1)
    assert whole(moment("2026-04-02 12:00")) == Figure(3, 1, late=1)
    assert whole(moment("2026-03-10 09:30")) == Figure(3, 0)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    events=st.lists(
        st.tuples(
            st.sampled_from(["visit", "correct", "return", "die"]), st.integers(0, 2), st.integers(1, 31)
        ),
        max_size=8,
    )
)
def test_nothing_that_comes_in_moves_a_submitted_figure(
    elders: list[Elder], reader: User, events: list[tuple[str, int, int]]
) -> None:
    with transaction.atomic():
        visit(elders[0], "2026-03-10")
        refresh()
        VisitMonth.objects.create(
            month=MARCH,
            county_code=COUNTY,
            area_code=TOWN_A,
            state=MonthState.SUBMITTED,
            submitted_at=timezone.now(),
        )
        before = whole()
        for kind, who, day in events:
            _happen(kind, elders[who], day, reader)
            refresh(elder_ids=[elders[who].pk])
            after = whole()
            assert (after.obliged, after.met, after.exempt) == (before.obliged, before.met, before.exempt)
        refresh()
        assert (whole().obliged, whole().met, whole().exempt) == (before.obliged, before.met, before.exempt)
        transaction.set_rollback(True)


def _happen(kind: str, elder: Elder, day: int, by: User) -> None:
    last = elder.visits.order_by("-recorded_at", "pk").first()
    match kind:
        case "visit":
            visit(elder, f"2026-03-{day:02d}")
        case "correct" if last:
            visit(elder, f"2026-03-{day:02d}", result="拒绝", corrects=last.pk)
        case "return" if last and not VisitReturn.objects.filter(visit=last).exists():
            VisitReturn.objects.create(visit=last, reason="不符", by=by)
        case "die" if not elder.circumstances.filter(kind=Kind.DEATH).exists():
            add(elder, Kind.DEATH, "是", date(2026, 3, day))


def test_months_that_were_never_opened_have_no_rows(elders: list[Elder]) -> None:
    months = [date(2026, 2, 1), MARCH]
    found = rate_trend(obligations=county_rows(), months=months, digits=9)
    assert [[(line.code, line.figure.obliged) for line in found[m]] for m in months] == [[], [(TOWN_A, 3)]]


def test_a_townships_rows_are_villages_and_those_without_one(tier: TierMaker) -> None:
    tier()
    for residence in (VILLAGE_A1, VILLAGE_A1, TOWN_A, UNKNOWN):
        make_elder(date(1950, 5, 5), hukou=VILLAGE_B1, residence=residence)
    open_month()
    found = rate_lines(
        obligations=county_rows().in_area(TOWN_A), month=MARCH, by=Division.AREA, villages=True
    )
    assert [(line.code, line.name, line.figure.obliged) for line in found] == [
        (TOWN_A, "甲镇", 1),
        (VILLAGE_A1, "甲一村", 2),
        (UNKNOWN, "", 1),
    ]
    assert TOWN_B not in {line.code for line in found}
