"""The phone's background routes: who may use them, what they refuse, what they answer."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from eldercare.models import Elder
from organization.choices import Role
from organization.models import Area, User
from tests.conftest import VILLAGE_A, make_user
from tests.portal.conftest import SignIn
from tests.visits.phones import record
from visits.models import Visit


@pytest.fixture
def worker(county: Area) -> User:
    """The worker of 甲一村."""
    return make_user("worker", Role.VILLAGE_WORKER, VILLAGE_A)


def post(client: Client, url: str, body: object) -> tuple[int, Any]:
    """Status and answer of one post."""
    response = client.post(url, json.dumps(body), content_type="application/json")
    return response.status_code, response.json()


def sync_body(*records: object) -> dict[str, Any]:
    """A body sent now."""
    return {
        "sent_at": timezone.now().isoformat(),
        "last": None,
        "waiting": len(records),
        "records": list(records),
    }


def test_a_record_sent_over_http_is_stored_and_its_receipt_taken_back(
    sign_in: SignIn, worker: User, elder_a: Elder
) -> None:
    client = sign_in(worker)
    sent = record(elder_a, worker, timezone.now() - timedelta(minutes=5))
    status, answer = post(client, "/m/sync/", sync_body(sent))
    assert status == 200
    [result] = answer["results"]
    assert (result["id"], result["state"], result["marks"]) == (sent["id"], "stored", [])
    assert answer["replay"] is False
    assert answer["figures"] == {"obliged": 0, "met": 0, "exempt": 0, "returned": 0}
    assert Visit.objects.get().recorder == worker
    assert post(client, "/m/replay/", {"receipts": [result["receipt"]]}) == (
        200,
        {"results": [{"id": sent["id"], "state": "known"}]},
    )


def test_the_list_opens(sign_in: SignIn, worker: User) -> None:
    response = sign_in(worker).get("/m/data/")
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {
        *("user", "csrf", "server_time", "month", "figures", "notices", "people", "findings", "returned"),
    }
