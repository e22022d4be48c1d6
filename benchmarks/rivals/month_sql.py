"""Rival (a) of the month: one hand-written SQL script."""

from pathlib import Path
from typing import Final

from django.db import connection

SCRIPT: Final = Path(__file__).with_name("month.sql")


def prepare() -> None:
    """Make the one table that lives longer than a month, with the same indexes and keys as ours."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE rival_obligation (LIKE visits_obligation INCLUDING ALL)")
        cursor.execute(
            "ALTER TABLE rival_obligation ADD FOREIGN KEY (elder_id) REFERENCES eldercare_elder"
            " DEFERRABLE INITIALLY DEFERRED"
        )


def clear() -> None:
    """Forget the former run."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS rival_facts, rival_entitlement, rival_count")
        cursor.execute("TRUNCATE rival_obligation")


def run() -> None:
    """Run the script as one transaction."""
    with connection.cursor() as cursor:
        cursor.execute(SCRIPT.read_text(encoding="utf-8"))


def remove() -> None:
    """Leave nothing behind."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS rival_facts, rival_entitlement, rival_count, rival_obligation")
