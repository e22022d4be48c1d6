"""A day's records from thousands of phones over HTTP, beside a view that saves them one by one."""

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.database import REPO, BenchDatabase, bench_database
from benchmarks.month import DisagreementError
from benchmarks.report import introduce, say
from benchmarks.sync_site import OURS, RIVAL

STEPS: Final = "benchmarks.phone_county"
#: As many phones post at the same time; the server has as many threads.
AT_ONCE: Final = 8
#: The rival is measured with this many phones, and we beside it with the same ones.
RIVAL_PHONES: Final = 100
#: As the launcher starts it.
SERVER: Final = ("--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket")


@dataclass(frozen=True)
class Posted:
    """What posting took, as the phones saw it. p95: of one post, in seconds."""

    records: int
    seconds: float
    p95: float
    median: float

    def line(self) -> dict[str, Any]:
        """For the last line."""
        return {
            "records": self.records,
            "seconds": round(self.seconds, 2),
            "records_per_second": round(self.records / self.seconds),
            "p95_ms": round(self.p95 * 1000),
            "median_ms": round(self.median * 1000),
        }


def sync_benchmark(*, phones: int, records: int) -> dict[str, Any]:
    """Records per second and p95 per post of all phones; ratios are ours ÷ rival per record, over the same phones."""
    with bench_database() as database:
        introduce(database, ("gunicorn",))
        path = database.folder / "phones.jsonl"
        say(f"preparing {phones:,} phones with {records} records each")
        say(f"prepared: {database.step(f'{STEPS}:prepare', phones=phones, records=records, path=str(path))}")
        posts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        with serving(database) as port:
            some = posts[:RIVAL_PHONES]
            _post(port, OURS, some[:AT_ONCE])  # both processes have imported everything
            rival, theirs = _measure(database, port, RIVAL, some)
            beside, ours = _measure(database, port, OURS, some)
            if theirs != ours:
                raise DisagreementError(f"{theirs} ≠ {ours}")
            whole, outcome = _measure(database, port, OURS, posts)
    if outcome["records"] != sum(len(post["records"]) for post in posts):
        raise DisagreementError(f"{outcome['records']} records are there")
    return {
        "name": "sync",
        "phones": phones,
        "at_once": AT_ONCE,
        **whole.line(),
        "met": outcome["met"],
        "beside_the_rival": {"phones": len(some), "ours": beside.line(), "rival": rival.line()},
        "ratios": {
            "seconds": round(beside.seconds / rival.seconds, 3),
            "p95": round(beside.p95 / rival.p95, 3),
        },
    }


@contextmanager
def serving(database: BenchDatabase) -> Iterator[int]:
    """Serve the portal on a free port for a while."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "benchmarks.sync_server:application",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    settings = {
        "PORTAL_DEBUG": "0",
        "PORTAL_HTTPS": "0",
        "PORTAL_SECRET_KEY": os.environ["PORTAL_SECRET_KEY"],
    }
    environment = database.environment() | settings
    server = subprocess.Popen([*command, *SERVER], cwd=REPO, env=environment, stdout=sys.stderr)
    try:
        _wait(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == http.client.OK:
                return
        time.sleep(0.2)
    raise TimeoutError("the server did not answer")


def _measure(
    database: BenchDatabase, port: int, path: str, posts: Sequence[dict[str, Any]]
) -> tuple[Posted, dict[str, Any]]:
    """Post everything to a portal that knows nothing of it yet; with what it came to."""
    database.step(f"{STEPS}:forget")
    posted = _post(port, path, posts)
    outcome: dict[str, Any] = database.step(f"{STEPS}:outcome").result
    say(f"{path} {len(posts)} phones: {posted.line()} {outcome}")
    return posted, outcome


def _post(port: int, path: str, posts: Sequence[dict[str, Any]]) -> Posted:
    """Let AT_ONCE phones post at the same time until all have."""
    waiting, lock = iter(posts), threading.Lock()
    seconds: list[float] = []
    failed: list[str] = []

    def phone() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                post = next(waiting, None)
            if post is None or failed:
                return
            taken, fault = _one(connection, path, post)
            with lock:
                seconds.append(taken)
                failed.extend(fault)

    threads = [threading.Thread(target=phone) for _ in range(AT_ONCE)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - started
    if failed:
        raise RuntimeError(failed[0])
    return Posted(
        records=sum(len(post["records"]) for post in posts),
        seconds=whole,
        p95=statistics.quantiles(seconds, n=20)[-1],
        median=statistics.median(seconds),
    )


def _one(connection: http.client.HTTPConnection, path: str, post: dict[str, Any]) -> tuple[float, list[str]]:
    """One post; its seconds, and what was wrong with the answer."""
    body = {
        "sent_at": datetime.now(UTC).isoformat(),
        "last": None,
        "waiting": len(post["records"]),
        "records": post["records"],
    }
    headers = {
        "Content-Type": "application/json",
        "Cookie": f"sessionid={post['session']}; csrftoken={post['csrf']}",
        "X-CSRFToken": post["csrf"],
    }
    content = json.dumps(body, ensure_ascii=False).encode()
    started = time.perf_counter()
    connection.request("POST", path, content, headers)
    response = connection.getresponse()
    answer = response.read()
    taken = time.perf_counter() - started
    if response.status != http.client.OK:
        return taken, [f"{response.status} {answer[:200]!r}"]
    states = {result["state"] for result in json.loads(answer)["results"]}
    return taken, [] if states == {"stored"} else [f"{states}"]
