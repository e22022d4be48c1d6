"""The demonstration for a module of tests, built through the services and taken away afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from portal.demo.county import demo_build
from subsidies.models import Month

MD5 = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@contextmanager
def demo_county(blocker: DjangoDbBlocker, folder: Path, *, elders: int, seed: int) -> Iterator[None]:
    """One county of so many elders, its files in the folder."""
    with (
        blocker.unblock(),
        override_settings(DATA_DIR=folder, MEDIA_ROOT=folder / "media", PASSWORD_HASHERS=MD5),
    ):
        demo_build(elders=elders, seed=seed, report=lambda step: None)
        yield
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE eldercare_monthlyfacts, subsidies_entitlement")
        call_command("flush", verbosity=0, interactive=False)


def demo_months() -> list[date]:
    """Its decided months, the oldest first."""
    return list(Month.objects.order_by("month").values_list("month", flat=True))
