"""Health answers."""

import json

import pytest
from django.test import Client


def test_healthz_answers_without_the_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_readyz_shows_details_to_this_machine(client: Client) -> None:
    body = json.loads(client.get("/readyz", REMOTE_ADDR="127.0.0.1").content)
    assert body["ready"] is True
    assert body["checks"]["database"] is True
    assert body["checks"]["redis"] is True


@pytest.mark.django_db
@pytest.mark.parametrize(
    "caller", [{"REMOTE_ADDR": "10.1.2.3"}, {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "10.1.2.3"}]
)
def test_readyz_hides_details_from_others(client: Client, caller: dict[str, str]) -> None:
    client.defaults.update(caller)
    assert json.loads(client.get("/readyz").content) == {"ready": True}


@pytest.mark.django_db
def test_readyz_is_503_while_the_queue_is_away(client: Client, settings: object) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]  # pytest-django's wrapper
    response = client.get("/readyz", REMOTE_ADDR="10.1.2.3")
    assert (response.status_code, json.loads(response.content)) == (503, {"ready": False})
