"""A batch from due lines to the bank and back, beside openpyxl and the ORM row by row; and the pages on it."""

import statistics
import time
from typing import Any, Final

from django.test import Client, override_settings
from django.urls import reverse

from benchmarks.county import MONTH
from benchmarks.database import BenchDatabase, Measured, bench_database
from benchmarks.pages import BACKEND, LIKE_PRODUCTION
from benchmarks.report import introduce, say
from organization.models import User
from subsidies.models import Batch
from subsidies.services.bank_profile import shipped_profiles

STEPS: Final = "benchmarks.payment_county"
RIVAL: Final = "benchmarks.rivals.payments_row_by_row"
#: The rival's seconds are measured on this many lines and multiplied.
RIVAL_LINES: Final = 5_000
REQUESTS: Final = 30
FORMATS: Final = {"xlsx": 0, "delimited": 1, "fixed": 2}


def payments_benchmark(*, lines: int) -> dict[str, Any]:
    """Measure building, the file in three formats, the return and the pages; ratios are ours ÷ rival, per line."""
    with bench_database() as database:
        introduce(database, ("openpyxl", "python-calamine"))
        say(f"preparing {lines:,} elders")
        say(f"prepared: {database.step(f'{STEPS}:prepare', lines=lines)}")
        taken = {"build": _step(database, "build")}
        built = int(taken["build"].result["lines"])
        review = _step(database, "page", module=__name__, name="month-review")
        database.step(f"{STEPS}:confirm")
        names = [profile["name"] for profile in shipped_profiles()]
        for kind, place in FORMATS.items():
            database.step(f"{STEPS}:give_up_file")
            taken[f"file_{kind}"] = _step(database, "write_file", profile=names[place])
        database.step(f"{STEPS}:give_up_file")
        database.step(f"{STEPS}:write_file", profile=names[0])
        database.step(f"{STEPS}:send")
        rivals = _rivals(database, min(RIVAL_LINES, built))
        path = str(database.folder / "return.xlsx")
        database.step(f"{STEPS}:write_return", path=path)
        taken["return"] = _step(database, "import_return", path=path)
        reconciliation = _step(database, "page", module=__name__, name="reconciliation")
        tied = database.step(f"{STEPS}:tied").result
    pages = {"month-review": review.result, "reconciliation": reconciliation.result}
    return _figures(built, taken, rivals, pages) | {"tied": tied}


def _figures(
    lines: int, taken: dict[str, Measured], rivals: dict[str, float], pages: dict[str, Any]
) -> dict[str, Any]:
    seconds = {name: round(step.seconds, 3) for name, step in taken.items()}
    scaled = {name: round(per_line * lines, 3) for name, per_line in rivals.items()}
    ours = {"file": seconds["file_xlsx"], "return": seconds["return"]}
    return {
        "name": "payments",
        "lines": lines,
        "seconds": seconds,
        "rivals": scaled,
        "ratios": {name: round(ours[name] / scaled[name], 3) for name in scaled},
        "rival_lines": min(RIVAL_LINES, lines),
        "peak_mb": {name: step.peak_mb for name, step in taken.items()},
        "pages": pages,
    }


def _step(database: BenchDatabase, function: str, *, module: str = STEPS, **arguments: Any) -> Measured:
    measured = database.step(f"{module}:{function}", **arguments)
    say(f"{function} {arguments}: {measured.seconds:.2f} s, {measured.peak_mb} MB, {measured.result}")
    return measured


def _rivals(database: BenchDatabase, lines: int) -> dict[str, float]:
    """Seconds per line of the rival's file and return."""
    path = str(database.folder / "rival.xlsx")
    database.step(f"{STEPS}:write_return", path=path, rows=lines)
    file = _step(database, "write_file", module=RIVAL, rows=lines)
    taken = _step(database, "import_return", module=RIVAL, path=path)
    return {"file": file.seconds / lines, "return": taken.seconds / lines}


@override_settings(**LIKE_PRODUCTION)
def page(name: str) -> dict[str, Any]:
    """Server time of a page of the month, as finance or the clerk sees it."""
    client = Client()
    client.force_login(User.objects.get(username="maker"), backend=BACKEND)
    if name == "month-review":
        address = reverse("portal:month-review", args=[MONTH])
    else:
        address = f"{reverse(f'portal:{name}')}?batch={Batch.objects.get().pk}&month={MONTH:%Y-%m}"
    seconds = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        response = client.get(address)
        seconds.append(time.perf_counter() - started)
        if response.status_code != 200:
            raise RuntimeError(f"{address}: {response.status_code}")
    return {
        "p95": round(statistics.quantiles(seconds[2:], n=20)[-1], 4),
        "median": round(statistics.median(seconds), 4),
        "first": round(seconds[0], 4),
    }
