"""A worker's own people: the same at the desk, in the list and on the phone, wherever they live."""

import pytest
from django.utils import timezone

from organization.choices import Role
from organization.models import Area, User
from tests.conftest import TOWN_A, VILLAGE_A, VILLAGE_B, make_user
from tests.portal.conftest import SignIn
from tests.portal.test_follow_ups import matter
from tests.portal.test_visit_queues import Oblige, shown
from tests.portal.test_visit_queues import oblige as oblige  # the fixture
from visits.choices import FollowUpKind
from visits.models import FollowUp, Obligation
from visits.phone_list import phone_figures


@pytest.fixture
def cast(county: Area) -> dict[str, User]:
    """The worker of a village and a clerk of its township."""
    return {
        "worker": make_user("m_worker", Role.VILLAGE_WORKER, VILLAGE_A),
        "clerk": make_user("m_clerk", Role.TOWNSHIP_CLERK, TOWN_A),
    }


def test_a_worker_counts_his_own_and_nobodys_the_same_at_the_desk_in_the_list_and_on_the_phone(
    sign_in: SignIn, cast: dict[str, User], oblige: Oblige
) -> None:
    """Also whom he was given in another village, whose matters he handles and whom he may call."""
    month = timezone.localdate().replace(day=1)
    oblige(assignee=cast["worker"], month=month)
    oblige(assignee=cast["worker"], month=month, met=True, done=1)
    oblige(assignee=cast["clerk"], month=month)
    oblige(month=month)
    far = oblige(VILLAGE_B, assignee=cast["worker"], month=month)
    worker = User.objects.get(pk=cast["worker"].pk)
    tile = shown(worker, timezone.now())["本月待探访"]
    client = sign_in(worker)
    page = client.get(tile.url)
    counts, phone = page.context["counts"], phone_figures(user=worker, today=timezone.localdate())
    assert (tile.count, counts.open, len(page.context["rows"])) == (3, 3, 3)
    assert (counts.met, counts.obliged) == (phone["met"], phone["obliged"]) == (1, 4)
    assert "本月应访 4 人" in tile.hint
    assert client.get("/visits/")["Location"] == tile.url
    shut = {row.elder_id for row in page.context["rows"] if not row.opens}
    assert shut == {far.elder_id}
    assert client.post(f"/visits/people/{far.elder_id}/phone/", {"reason": "约定上门时间"}).status_code == 200


def test_a_matter_of_an_elder_given_to_a_worker_of_another_village_is_his(
    sign_in: SignIn, cast: dict[str, User], oblige: Oblige
) -> None:
    month = timezone.localdate().replace(day=1)
    given, other = oblige(VILLAGE_B, assignee=cast["worker"], month=month), oblige(VILLAGE_B, month=month)
    rows = [matter(FollowUpKind.HOME_VISIT), matter(FollowUpKind.HOME_VISIT)]
    for row, duty in zip(rows, (given, other), strict=True):
        FollowUp.objects.filter(pk=row.pk).update(elder=duty.elder, area_code=VILLAGE_B)
    tile = shown(cast["worker"], timezone.now())["未联系上待上门核实"]
    client = sign_in(cast["worker"])
    assert (tile.count, client.get(tile.url).context["figures"].total) == (1, 1)
    assert [client.get(f"/follow-ups/{row.pk}/").status_code for row in rows] == [200, 404]
    assert client.get(f"/follow-ups/{rows[0].pk}/").context["handles"]
    Obligation.objects.filter(pk=given.pk).update(assignee=None)
    assert client.get(f"/follow-ups/{rows[0].pk}/").status_code == 404
