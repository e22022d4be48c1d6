"""Proof that two ways of deciding the month gave the same rows."""

from typing import Final

from django.db import connection

from benchmarks.county import MONTH
from eldercare.services.monthly_facts import FACT_COLUMNS

CURRENT: Final = f"month = '{MONTH}' AND rev_to IS NULL"
DECISION: Final = "elder_id, item_id, item_version_id, area_code, amount, outcome"
OBLIGATION: Final = "elder_id, tier_id, area_code, due, done, met, in_institution, exempt_from, exempt_reason"
COUNTS: Final = (
    "SELECT item_id, area_code, sum(persons) FROM subsidies_itemcount"
    " GROUP BY item_id, area_code HAVING sum(persons) <> 0"
)


def _readings(table: str) -> str:
    """Facts with a row for each reading, however the rows are stored."""
    return " UNION ALL ".join(
        f"SELECT '{reading}', {FACT_COLUMNS} FROM {table} WHERE {CURRENT} AND {reading}"
        for reading in ("opening", "closing")
    )


SQL_RIVAL: Final = {
    "facts": (_readings("eldercare_monthlyfacts"), _readings("rival_facts")),
    "entitlements": (
        f"SELECT {DECISION} FROM subsidies_entitlement WHERE {CURRENT}",
        f"SELECT {DECISION} FROM rival_entitlement",
    ),
    "counts": (COUNTS, "SELECT item_id, area_code, persons FROM rival_count"),
    "obligations": (
        f"SELECT {OBLIGATION} FROM visits_obligation",
        f"SELECT {OBLIGATION} FROM rival_obligation",
    ),
}
CASH: Final = "('L03a', 'L03b', 'L16', 'L18', 'L19', 'L20', 'L21', 'L22', 'L23a', 'L23b')"
OPENFISCA_RIVAL: Final = {
    "cash": (
        "SELECT e.elder_id, i.code, e.amount FROM subsidies_entitlement e JOIN catalog_item i ON i.id = e.item_id"
        f" WHERE {CURRENT} AND i.code IN {CASH}",
        "SELECT r.elder_id, i.code, r.amount FROM rival_cash r JOIN catalog_item i ON i.id = r.item_id",
    )
}


def differences(pairs: dict[str, tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Return by name how many rows only one side has and how many rows ours has; rows count as often as they occur."""
    found = {}
    with connection.cursor() as cursor:
        for name, (ours, theirs) in pairs.items():
            cursor.execute(
                f"SELECT (SELECT count(*) FROM (({ours}) EXCEPT ALL ({theirs})) AS more)"
                f" + (SELECT count(*) FROM (({theirs}) EXCEPT ALL ({ours})) AS less),"
                f" (SELECT count(*) FROM ({ours}) AS rows)"
            )
            found[name] = cursor.fetchone()
    return found


def sql_differences() -> dict[str, tuple[int, int]]:
    """Ours against the SQL script."""
    return differences(SQL_RIVAL)


def openfisca_differences() -> dict[str, tuple[int, int]]:
    """Ours against OpenFisca."""
    return differences(OPENFISCA_RIVAL)
