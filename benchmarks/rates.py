"""Opening a month for a whole county, and the page of its rate, beside the ORM elder by elder and area by area."""

import statistics
import time
from typing import Any, Final

from django.test import Client, override_settings
from django.urls import reverse

from benchmarks.county import MONTH
from benchmarks.database import bench_database
from benchmarks.month import DisagreementError
from benchmarks.pages import BACKEND, LIKE_PRODUCTION
from benchmarks.report import figures, introduce, median, say
from benchmarks.rivals import visits_per_elder
from organization.models import User
from portal.demo.areas import COUNTY
from visits.models import Obligation
from visits.rate import Division, rate_lines

STEPS: Final = "benchmarks.visit_county"
RIVAL: Final = "benchmarks.rivals.visits_per_elder"
#: The rival's seconds are measured on this many elders and multiplied.
RIVAL_ELDERS: Final = 2_000
REQUESTS: Final = 60
WARM_UP: Final = 5


def opening_benchmark(*, elders: int, rounds: int) -> dict[str, Any]:
    """Measure opening a month, assignment included, and counting it; the rival's seconds are scaled to all elders."""
    with bench_database() as database:
        introduce(database)
        say(f"preparing {elders:,} elders: {database.step(f'{STEPS}:prepare', elders=elders).result}")
        persons = int(database.step(f"{STEPS}:freeze").result)
        ours, rival, peak = [], [], 0.0
        some = min(RIVAL_ELDERS, persons)
        for number in range(rounds):
            database.step(f"{STEPS}:clear")
            taken = database.step(f"{STEPS}:open_month")
            beside = database.step(f"{RIVAL}:open_month", elders=some)
            ours.append(taken.seconds)
            rival.append(beside.seconds / some * persons)
            peak = max(peak, taken.peak_mb)
            say(
                f"round {number + 1}: ours {taken.seconds:.2f} s, rival {rival[-1]:.0f} s (scaled), {taken.result}"
            )
            if database.step(f"{STEPS}:opened").result[: len(beside.result)] != beside.result:
                raise DisagreementError("the month was opened differently")
        counted = database.step(f"{STEPS}:refresh")
    size = {"elders": persons, "obligations": int(taken.result["opened"])}
    result = figures("opening", size, median(ours), {"per_elder": median(rival)}, peak)
    return result | {"rival_elders": some, "count_seconds": round(counted.seconds, 3)}


def rates_benchmark(*, obligations: int) -> dict[str, Any]:
    """Measure the rate page through its view; the rival counts the same rows area by area, without a page."""
    with bench_database() as database:
        introduce(database)
        say(
            f"preparing {obligations:,} obligations: {database.step(f'{STEPS}:prepare', elders=obligations).result}"
        )
        database.step(f"{STEPS}:freeze")
        database.step(f"{STEPS}:open_month")
        prepared = database.step(f"{STEPS}:visit_people").result
        measured = database.step(f"{__name__}:run")
    found: dict[str, Any] = measured.result
    size = {"obligations": int(prepared["obligations"])}
    rivals = {"orm_per_area": found.pop("rival")}
    return figures("rate", size, found["rates"]["p95"], rivals, measured.peak_mb) | {"pages": found}


@override_settings(**LIKE_PRODUCTION)
def run() -> dict[str, Any]:
    """Look at the pages as the county's chief, and count by hand in between."""
    client = Client()
    client.force_login(User.objects.get(username="chief"), backend=BACKEND)
    rates, trend = (reverse(f"portal:{name}", args=[MONTH]) for name in ("visit-rates", "visit-trend"))
    pages = {
        "rates": rates,
        "by_worker": f"{rates}?by=worker",
        "as_of": f"{rates}?as_of={MONTH:%Y-%m}-15T12:00:00",
        "trend": trend,
        "report": reverse("portal:visit-month", args=[MONTH]),
    }
    agree()
    taken: dict[str, list[float]] = {name: [] for name in (*pages, "rival")}
    for _ in range(WARM_UP + REQUESTS):
        for name, address in pages.items():
            taken[name].append(_seconds(lambda address=address: client.get(address)))
        taken["rival"].append(_seconds(visits_per_elder.rate_by_township))
    figures = {name: _of(seconds[WARM_UP:]) for name, seconds in taken.items()}
    return figures | {"rival": figures["rival"]["p95"]}


def _seconds(call: Any) -> float:
    started = time.perf_counter()
    response = call()
    taken = time.perf_counter() - started
    if getattr(response, "status_code", 200) != 200:
        raise RuntimeError(f"answered {response.status_code}")
    return taken


def _of(seconds: list[float]) -> dict[str, float]:
    return {
        "p95": round(statistics.quantiles(seconds, n=20)[-1], 4),
        "median": round(statistics.median(seconds), 4),
    }


def agree() -> None:
    """What the page counts is what the rival counts, township by township; who lives elsewhere only the page has."""
    obligations = Obligation.objects.filter(county_code=COUNTY)
    lines = rate_lines(obligations=obligations, month=MONTH, by=Division.AREA)
    ours = {line.name: line.figure for line in lines}
    for name, obliged, met, unmet, exempt, late in visits_per_elder.rate_by_township():
        figure = ours[name]
        found = (figure.obliged, figure.met, figure.unmet, figure.exempt, figure.late)
        if found != (obliged, met, unmet, exempt, late):
            raise DisagreementError(f"{name}: {found} beside {obliged}, {met}, {unmet}, {exempt}, {late}")
