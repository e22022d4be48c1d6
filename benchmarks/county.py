"""The county on which benchmarks run: a fictional registry, the 陆良 list applied to it, and a month's events."""

from datetime import date
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection

from catalog.pack import read_pack
from catalog.services.pack import pack_load
from portal.demo.areas import COUNTY, COUNTY_NAME
from portal.demo.registry import registry_load_fast

MONTH: Final = date(2026, 11, 1)
AS_OF: Final = date(2026, 9, 1)
SEED: Final = 1
CHURN: Final = Path(__file__).with_name("churn.sql")
CHANGE: Final = Path(__file__).with_name("change.sql")
TABLES: Final = "eldercare_elder, eldercare_circumstance, subsidies_enrolment"


def county_prepare(elders: int) -> dict[str, int]:
    """Load the list and the registry, let the month's events happen; return the numbers of rows."""
    for name, area in (("national", None), ("luliang", COUNTY)):
        text = (settings.BASE_DIR / "fixtures" / f"{name}.yaml").read_text(encoding="utf-8")
        pack_load(pack=read_pack(text), area_override=area, area_name=COUNTY_NAME if area else "")
    counts = registry_load_fast(elders, SEED, as_of=AS_OF)
    with connection.cursor() as cursor:
        cursor.execute(CHURN.read_text(encoding="utf-8"))
        cursor.execute(f"VACUUM ANALYZE {TABLES}")
    return counts


def county_change(seed: int) -> int:
    """Change the facts of one elder in a hundred; return how many circumstances were written."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGE.read_text(encoding="utf-8"), {"seed": seed})
        written = int(cursor.rowcount)
        cursor.execute(f"ANALYZE {TABLES}")
    return written
