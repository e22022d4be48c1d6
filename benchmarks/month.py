"""One month of a county beside a hand-written SQL script and OpenFisca-core, in interleaved rounds."""

from collections import defaultdict
from typing import Any, Final

from benchmarks.database import BenchDatabase, Measured, bench_database
from benchmarks.report import figures, introduce, median, say

OURS: Final = "ours"
CONTENDERS: Final = {
    OURS: "benchmarks.ours",
    "sql": "benchmarks.rivals.month_sql",
    "openfisca": "benchmarks.rivals.month_openfisca",
}
AGREEMENT: Final = "benchmarks.agreement"


class DisagreementError(Exception):
    """A rival's results differ from ours: their times mean nothing."""


def month_benchmark(*, elders: int, rounds: int) -> dict[str, Any]:
    """Measure full runs and re-runs after one percent of the elders changed; return the figures."""
    with bench_database() as database:
        introduce(database, ("numpy", "OpenFisca-Core"))
        say(f"preparing {elders:,} elders")
        say(f"prepared: {database.step('benchmarks.county:county_prepare', elders=elders).result}")
        database.step(f"{CONTENDERS['sql']}:prepare")
        taken: dict[str, list[Measured]] = defaultdict(list)
        for number in range(rounds):
            _round(database, number, taken)
        _agree(database, ("sql",), run_again=True)
    return _figures(elders, taken)


def _figures(elders: int, taken: dict[str, list[Measured]]) -> dict[str, Any]:
    """Medians of the rounds; ratios["rerun"] is our re-run ÷ our full run."""
    seconds = {name: median([run.seconds for run in runs]) for name, runs in taken.items()}
    full, rerun = seconds.pop(OURS), seconds.pop("rerun")
    result = figures("month", {"elders": elders}, full, seconds, max(run.peak_mb for run in taken[OURS]))
    result["ratios"]["rerun"] = round(rerun / full, 3)
    return result


def _round(database: BenchDatabase, number: int, taken: dict[str, list[Measured]]) -> None:
    """Each contender once, another one first each time; then what one percent of news costs."""
    names = list(CONTENDERS)
    for name in names[number % len(names) :] + names[: number % len(names)]:
        database.step(f"{CONTENDERS[name]}:clear")
        _take(database, number, name, f"{CONTENDERS[name]}:run", taken)
    _agree(database, ("sql", "openfisca"))
    database.step("benchmarks.county:county_change", seed=number)
    _take(database, number, "rerun", f"{CONTENDERS[OURS]}:run", taken)


def _take(
    database: BenchDatabase, number: int, name: str, function: str, taken: dict[str, list[Measured]]
) -> None:
    measured = database.step(function)
    taken[name].append(measured)
    say(f"round {number + 1} {name}: {measured.seconds:.2f} s, {measured.peak_mb} MB, {measured.result}")


def _agree(database: BenchDatabase, rivals: tuple[str, ...], *, run_again: bool = False) -> None:
    """Raise DisagreementError unless the rivals have our rows; run_again: let them decide by the newest facts first."""
    for rival in rivals:
        if run_again:
            database.step(f"{CONTENDERS[rival]}:clear")
            database.step(f"{CONTENDERS[rival]}:run")
        found = database.step(f"{AGREEMENT}:{rival}_differences").result
        for name, (differing, rows) in found.items():
            say(f"ours = {rival}: {name}: {rows:,} rows, {differing:,} differ")
        if any(differing for differing, _ in found.values()):
            raise DisagreementError(f"{rival}: {found}")
