"""A roster from file to committed registry, beside plain django-import-export."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.db import connection

from benchmarks.county import AS_OF, SEED
from benchmarks.database import bench_database
from benchmarks.models import COLUMNS
from benchmarks.report import figures, introduce, median, say
from eldercare.services.roster import roster_check, roster_commit, roster_upload
from operations.spreadsheets import xlsx_bytes
from portal.demo import roster as demo
from portal.demo.areas import COUNTY, county_areas, village_codes
from portal.demo.chance import chance
from portal.demo.people import Population
from portal.demo.registry import registry_load_fast

RIVAL: Final = "benchmarks.rivals.roster_import_export"
RIVAL_ROWS: Final = 10_000


def roster_benchmark(*, rows: int, rounds: int) -> dict[str, Any]:
    """Measure our import of `rows` rows and the rival's of 10,000; ratios compare rows per second."""
    with bench_database() as database:
        introduce(database, ("django-import-export", "openpyxl", "python-calamine"))
        files = {count: str(database.folder / f"roster-{count}.xlsx") for count in {rows, RIVAL_ROWS}}
        database.step(f"{__name__}:areas_prepare")
        for count, path in files.items():
            say(f"writing a file of {count:,} rows")
            database.step(f"{__name__}:file_write", rows=count, path=path)
        ours, rival = [], []
        for number in range(rounds):
            database.step(f"{__name__}:clear")
            ours.append(database.step(f"{__name__}:run", path=files[rows]))
            say(f"round {number + 1} ours: {ours[-1]}")
            database.step(f"{RIVAL}:clear")
            rival.append(database.step(f"{RIVAL}:run", path=files[RIVAL_ROWS]))
            say(f"round {number + 1} django-import-export: {rival[-1]}")
    seconds, rivals = median([m.seconds for m in ours]), median([m.seconds for m in rival])
    result = figures(
        "import", {"rows": rows}, seconds, {"import_export": rivals}, max(m.peak_mb for m in ours)
    )
    per_second, rival_per_second = rows / seconds, RIVAL_ROWS / rivals
    result["ratios"] = {"import_export": round(per_second / rival_per_second, 2)}
    return result | {
        "rival_rows": RIVAL_ROWS,
        "rows_per_second": {"ours": round(per_second), "import_export": round(rival_per_second)},
    }


def areas_prepare() -> None:
    """The county's areas and nobody in it."""
    registry_load_fast(0, SEED, as_of=AS_OF)


def file_write(rows: int, path: str) -> None:
    """Write a roster of 25 columns with cells as people write them."""
    areas = county_areas(SEED, county=COUNTY, townships=30, villages=600)
    people = Population(seed=SEED, villages=village_codes(areas, COUNTY), as_of=AS_OF).draw(rows)
    writer = demo.RosterWriter(chance(SEED, "roster"), areas)

    def lines() -> Iterator[list[Any]]:
        for person in people:
            yield [demo.COLUMNS[heading](writer, person) for heading in COLUMNS]

    Path(path).write_bytes(xlsx_bytes("花名册", tuple(COLUMNS), lines()))


def clear() -> None:
    """An empty registry."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE eldercare_elder, eldercare_importbatch CASCADE")


def run(path: str) -> dict[str, int]:
    """Keep the file, read, check, compare and commit it."""
    batch = roster_upload(name=Path(path).name, content=Path(path).read_bytes(), as_of=AS_OF)
    batch = roster_check(batch=batch)
    batch = roster_commit(batch=batch)
    return {name: int(batch.counts[name]) for name in ("rows", "created", "errors", "warnings")}
