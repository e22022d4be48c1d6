"""Who decides a reported death or move: where the elder lives, and where the 户籍 is, which pays."""

from datetime import date

import pytest
from django.utils import timezone

from catalog.models import Document
from organization.choices import Permission, Role
from organization.models import Area, User
from subsidies.reported import reports_open
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import COUNTY, TOWN_A, TOWN_B, VILLAGE_A1, VILLAGE_B1, visit
from visits.choices import FollowUpState
from visits.follow_ups import may_handle
from visits.models import FollowUp
from visits.services.arrival import visits_arrived
from visits.services.follow_up_step import follow_up_close

pytestmark = pytest.mark.django_db
OUTSIDE = "610303101201"


@pytest.fixture
def people(county: Document) -> dict[str, User]:
    """Who might decide."""
    return {
        "县": make_user("county", Role.BUREAU_CLERK, COUNTY),
        "甲镇": make_user("town_a", Role.TOWNSHIP_CLERK, TOWN_A),
        "乙镇": make_user("town_b", Role.TOWNSHIP_CLERK, TOWN_B),
        "甲一村": make_user("village", Role.VILLAGE_WORKER, VILLAGE_A1),
    }


def reported(residence: str, result: str = "已故") -> FollowUp:
    """An elder of 甲一村 by 户籍 who lives there is reported dead."""
    elder = make_elder(date(1942, 5, 17), hukou=VILLAGE_A1)
    type(elder).objects.update(residence_code=residence)
    event = visit(elder, "2026-03-10", mode="电话", result=result)
    visits_arrived(visit_ids=[event.pk], now=timezone.now())
    return FollowUp.objects.get()


def able(people: dict[str, User], row: FollowUp) -> set[str]:
    """Who may decide it."""
    return {name for name, user in people.items() if may_handle(user, row)}


@pytest.mark.parametrize(
    ("residence", "expected"),
    [
        (VILLAGE_A1, {"县", "甲镇"}),
        (VILLAGE_B1, {"县", "甲镇", "乙镇"}),
        (OUTSIDE, {"县", "甲镇"}),
        ("", {"县", "甲镇"}),
    ],
)
@pytest.mark.parametrize("result", ["已故", "已迁出", "入机构"])
def test_the_clerks_of_residence_and_hukou_may_decide(
    people: dict[str, User], residence: str, result: str, expected: set[str]
) -> None:
    assert able(people, reported(residence, result)) == expected


@pytest.mark.parametrize("name", ["县", "甲镇"])
@pytest.mark.parametrize("neighbour", [False, True])
def test_what_holds_a_payment_here_is_seen_counted_and_decided_here(
    people: dict[str, User], name: str, neighbour: bool
) -> None:
    if neighbour:
        Area.objects.create(code="610303000000", name="邻县")
    row, user = reported(OUTSIDE), people[name]
    assert row.area_code == (OUTSIDE if neighbour else VILLAGE_A1)
    assert list(FollowUp.objects.visible_to(user)) == [row]
    assert list(reports_open(user.area_prefixes(Permission.MONTH_VIEW))) == [row]
    follow_up_close(follow_up_id=row.pk, state=FollowUpState.DROPPED, note="本人健在", seen=0, actor=user)
    assert FollowUp.objects.get().state == FollowUpState.DROPPED


def test_a_neighbour_where_the_elder_lives_may_decide_it_too(people: dict[str, User]) -> None:
    Area.objects.create(code="610303000000", name="邻县")
    neighbour = make_user("neighbour", Role.BUREAU_CLERK, "610303000000")
    assert may_handle(neighbour, reported(OUTSIDE))


def test_other_matters_of_who_lives_outside_are_of_the_hukou(people: dict[str, User]) -> None:
    elder = make_elder(date(1942, 5, 17), hukou=VILLAGE_A1, residence=OUTSIDE)
    event = visit(elder, "2026-03-10", risk="红")
    visits_arrived(visit_ids=[event.pk], now=timezone.now())
    assert able(people, FollowUp.objects.get()) == {"县", "甲镇", "甲一村"}


def test_other_matters_of_who_lives_in_another_township_are_only_of_that(people: dict[str, User]) -> None:
    elder = make_elder(date(1942, 5, 17), hukou=VILLAGE_A1, residence=VILLAGE_B1)
    event = visit(elder, "2026-03-10", risk="红")
    visits_arrived(visit_ids=[event.pk], now=timezone.now())
    assert able(people, FollowUp.objects.get()) == {"县", "乙镇"}
    assert not FollowUp.objects.visible_to(people["甲镇"]).exists()
