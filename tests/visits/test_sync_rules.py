"""What a phone's record comes to: taken or rejected, by whom, with which marks."""

from datetime import date

import pytest

from organization.choices import Role
from organization.models import User
from tests.conftest import make_user
from tests.registry import make_elder
from tests.visits.conftest import VILLAGE_A1, TierMaker, open_month
from tests.visits.phones import number, record, send
from visits.models import Obligation, Visit


@pytest.fixture
def worker(county: object) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A1)


def test_a_visit_is_stored_with_what_the_phone_said_and_counts(worker: User, tier: TierMaker) -> None:
    tier()
    elder = make_elder(date(1940, 1, 1), hukou=VILLAGE_A1)
    open_month()
    sent = record(elder, worker, note="精神好", latitude=25.03, longitude=103.66, accuracy=12.5)
    [answer] = send(worker, sent)
    assert (answer.state, answer.reason, answer.marks) == ("stored", "", [])
    kept = Visit.objects.get(pk=number(sent))
    assert (kept.elder_id, kept.recorder_id, kept.visitor, kept.note) == (
        elder.pk,
        worker.pk,
        str(worker),
        "精神好",
    )
    assert (str(kept.latitude), str(kept.longitude), kept.accuracy) == ("25.030000", "103.660000", 12.5)
    row = Obligation.objects.get(elder=elder)
    assert (row.done, row.met) == (1, True)
