"""Our side of the month: the service that the portal itself calls."""

from django.db import connection

from benchmarks.county import MONTH
from portal.demo.areas import COUNTY
from subsidies.services.month import month_run


def clear() -> None:
    """Forget the month, partitions included."""
    with connection.cursor() as cursor:
        for table in ("eldercare_monthlyfacts", "subsidies_entitlement"):
            cursor.execute(f"DROP TABLE IF EXISTS {table}_{MONTH:%Y%m}")
        cursor.execute(
            "TRUNCATE subsidies_adjustment, subsidies_itemcount, subsidies_chunk, visits_obligation"
        )
        cursor.execute("DELETE FROM subsidies_month")  # refused where something was paid


def run() -> dict[str, int]:
    """Decide the month."""
    month = month_run(county_code=COUNTY, month=MONTH)
    return {"persons": month.persons, "revision": month.revision}
