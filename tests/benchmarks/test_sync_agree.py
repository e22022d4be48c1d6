"""The view that saves one by one comes to what the portal comes to: only then do their times compare."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from benchmarks import phone_county as county
from benchmarks.sync_site import OURS, RIVAL

pytestmark = pytest.mark.django_db(transaction=True)


def post(path: str, phone: dict[str, Any]) -> set[str]:
    """Post a phone's day; the states of the answers."""
    client = Client()
    client.cookies["sessionid"] = phone["session"]
    body = {"sent_at": timezone.now().isoformat(), "records": phone["records"]}
    response = client.post(path, json.dumps(body), content_type="application/json")
    return {result["state"] for result in response.json()["results"]}


@override_settings(ROOT_URLCONF="benchmarks.sync_site")
def test_both_come_to_the_same(tmp_path: Path) -> None:
    path = tmp_path / "phones.jsonl"
    county.prepare(phones=4, records=12, path=str(path))
    phones = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    outcomes = []
    for route in (RIVAL, OURS):
        county.forget()
        assert set[str]().union(*(post(route, phone) for phone in phones)) == {"stored"}
        outcomes.append(county.outcome())
    assert outcomes[0] == outcomes[1]
    assert outcomes[0]["records"] == 48
    assert 0 < outcomes[0]["met"] < 48
