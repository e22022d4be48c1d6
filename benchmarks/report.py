"""What a benchmark prints: machine and versions first, the figures as JSON on the last line."""

import os
import platform
import statistics
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.database import BenchDatabase


def say(text: str) -> None:
    """Progress goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def introduce(database: BenchDatabase, rivals: tuple[str, ...] = ()) -> None:
    """Print machine and versions above the figures."""
    print("\n".join(environment_lines(database, rivals)), flush=True)


def median(seconds: list[float]) -> float:
    """Median, in milliseconds' precision."""
    return round(statistics.median(seconds), 3)


def environment_lines(database: BenchDatabase, rivals: tuple[str, ...] = ()) -> list[str]:
    """Machine, database with the settings that decide speed, Python, and the rival packages' versions."""
    with database.connect() as connection:
        names = ("server_version", "shared_buffers", "work_mem", "fsync", "synchronous_commit", "jit")
        values = [connection.execute(f"SHOW {name}").fetchone() for name in names]
    server = ", ".join(
        f"{name}={value[0] if value else '?'}" for name, value in zip(names, values, strict=True)
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    packages = ("Django", "psycopg", *rivals)
    return [
        f"machine: {_processor()}, {cpu_count()} CPUs, {memory / 1e9:.0f} GB, {platform.platform()}",
        f"PostgreSQL: {server}",
        f"Python {platform.python_version()}, " + ", ".join(f"{p} {metadata.version(p)}" for p in packages),
    ]


def cpu_count() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def figures(
    name: str, size: dict[str, int], seconds: float, rivals: dict[str, float], peak_mb: float
) -> dict[str, Any]:
    """The last line of a benchmark. size: {"elders": n} or {"rows": n}; ratios are ours ÷ rival."""
    ratios = {rival: round(seconds / value, 3) for rival, value in rivals.items()}
    return {"name": name, **size, "seconds": seconds, "rivals": rivals, "ratios": ratios, "peak_mb": peak_mb}
