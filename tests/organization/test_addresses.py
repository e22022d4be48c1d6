"""The caller's address: told by our own proxies, never by the caller."""

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from organization.addresses import client_address

PROXY, CALLER, OTHER = "172.18.0.1", "203.0.113.7", "198.51.100.9"


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, None, PROXY),
        (0, CALLER, PROXY),
        (1, CALLER, CALLER),
        (1, f"{OTHER}, {CALLER}", CALLER),
        (1, f"{OTHER},{CALLER} ", CALLER),
        (1, None, PROXY),
        (1, "not-an-address", PROXY),
        (1, f"{CALLER}, ", PROXY),
        (1, "2001:db8::7", "2001:db8::7"),
        (2, f"{CALLER}, {OTHER}", CALLER),
        (2, f"1.1.1.1, {CALLER}, {OTHER}", CALLER),
        (2, CALLER, PROXY),
    ],
)
def test_the_entry_that_our_outermost_proxy_wrote_counts(
    settings: Settings, proxies: int, header: str | None, address: str
) -> None:
    settings.PROXIES = proxies
    headers = {"X-Forwarded-For": header} if header is not None else {}
    request = RequestFactory(headers=headers, REMOTE_ADDR=PROXY).get("/")
    assert client_address(request) == address
