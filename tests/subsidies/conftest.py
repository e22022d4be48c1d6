"""What tests of the month share."""

from collections.abc import Iterator

import pytest
from django.db import connection


@pytest.fixture(autouse=True)
def _empty_partitions(request: pytest.FixtureRequest) -> Iterator[None]:
    """Partitioned tables are not known to Django's flush: empty them after tests that commit."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if marker is not None and marker.kwargs.get("transaction"):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement")
