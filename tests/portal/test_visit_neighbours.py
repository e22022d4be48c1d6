"""Where a neighbouring county's people live in ours: they count there, so that all our pages say the same n/N."""

from datetime import date, datetime

import pytest

from organization.choices import Role
from organization.models import Area, User
from portal.visit_figures import visit_figures
from portal.visit_queues import visit_queues
from tests.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn
from tests.portal.test_visit_rates import ELSEWHERE, Oblige, oblige
from tests.visits.conftest import SHANGHAI
from visits.models import Obligation, VisitMonth
from visits.workload import workloads

__all__ = ["oblige"]
NEIGHBOUR = "530323000000"
MARCH = date(2026, 3, 1)
MARCH_10, APRIL_2 = datetime(2026, 3, 10, 9, tzinfo=SHANGHAI), datetime(2026, 4, 2, 9, tzinfo=SHANGHAI)
#: (role, area) → (met, obliged) of March.
SEEN = [
    (Role.BUREAU_CLERK, COUNTY, (1, 3)),  # with the own one who lives outside
    (Role.TOWNSHIP_LEAD, TOWN_A, (1, 2)),
]


@pytest.fixture
def lead_b(county: Area) -> User:
    """Lead of 乙镇."""
    return make_user("lead_b", Role.TOWNSHIP_LEAD, TOWN_B)


@pytest.fixture(autouse=True)
def _march(oblige: Oblige) -> None:
    """Ours: two in 甲镇, one of them met, and one outside the county. The neighbour's: one in each of our towns."""
    oblige(VILLAGE_A, met=True, done=1)
    oblige(VILLAGE_A)
    oblige(ELSEWHERE)
    theirs = [oblige(VILLAGE_A).pk, oblige(VILLAGE_B).pk]
    Obligation.objects.filter(pk__in=theirs).update(county_code=NEIGHBOUR)


@pytest.mark.parametrize(("role", "area", "counted"), SEEN)
def test_tile_rate_page_report_list_and_workbench_count_the_countys_own(
    sign_in: SignIn, role: Role, area: str, counted: tuple[int, int]
) -> None:
    user = make_user("seen", role, area)
    client = sign_in(user)
    tile = visit_figures(MARCH, user)
    assert (tile.met, tile.obliged) == counted
    rate = client.get("/visits/2026-03/rates/").context["page"].whole
    assert (rate.figure.met, rate.figure.obliged) == counted
    opened = client.get(f"/visits/2026-03/people/?{rate.people}").context["counts"]
    assert (opened.met, opened.obliged) == counted
    report = client.get("/visits/2026-03/report/").context["report"].whole
    assert (report.met, report.obliged) == counted
    (queue,) = [each for each in visit_queues(user, MARCH_10) if each.label == "本月待探访"]
    assert (queue.count, queue.hint.split("，")[0]) == (counted[1] - counted[0], f"本月应访 {counted[1]} 人")


def test_the_workers_page_counts_the_townships_own() -> None:
    clerk = make_user("clerk", Role.TOWNSHIP_CLERK, TOWN_A)
    found = workloads(clerk, MARCH)
    assert (found.villages[0].load.met, found.villages[0].load.obliged, found.unassigned) == (1, 2, 1)


def test_who_works_in_two_counties_sees_on_the_tile_what_the_page_shows(sign_in: SignIn) -> None:
    Area.objects.create(code=NEIGHBOUR, name="邻县")
    user = make_user("both", Role.SUPERVISOR, COUNTY)
    user.assignments.create(role=Role.SUPERVISOR, area_id=NEIGHBOUR)
    user = User.objects.get(pk=user.pk)
    page = sign_in(user).get("/visits/2026-03/rates/").context["page"].whole.figure
    assert visit_figures(MARCH, user) == page


def test_a_township_with_the_neighbours_people_alone_has_nothing_to_submit(
    sign_in: SignIn, lead_b: User
) -> None:
    assert "探访月报待提交" not in {queue.label for queue in visit_queues(lead_b, APRIL_2)}
    assert sign_in(lead_b).get("/visits/2026-03/report/").context["report"].rows == []


def test_a_township_that_is_not_on_the_list_of_areas_is_not_asked_for(oblige: Oblige) -> None:
    """Nobody could submit for it: it is locked with the county."""
    oblige("530322199201")
    lead = make_user("lead", Role.TOWNSHIP_LEAD, COUNTY)
    VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=TOWN_A, state="已提交")
    assert "探访月报待提交" not in {queue.label for queue in visit_queues(lead, APRIL_2)}
