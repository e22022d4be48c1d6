"""A database of the benchmark's own beside the configured one, and steps that run in processes of their own."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg

REPO: Final = Path(__file__).resolve().parent.parent
ADMIN: Final = "postgres"


@dataclass(frozen=True)
class Measured:
    """What a step took. peak_mb: largest resident size of its process, not of the database server."""

    seconds: float
    peak_mb: float
    result: Any


@dataclass(frozen=True)
class BenchDatabase:
    """A database, and a folder for files, that go when the benchmark ends."""

    url: str
    folder: Path

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection in autocommit."""
        return psycopg.connect(self.url, autocommit=True)

    def manage(self, *arguments: str) -> None:
        """Run a management command on it; its words go to stderr."""
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=REPO, env=self.environment(), stdout=sys.stderr, check=True)

    def step(self, function: str, **arguments: Any) -> Measured:
        """Call `module:function` with plain arguments in a new process, after the server has flushed its buffers."""
        with self.connect() as connection:
            connection.execute("CHECKPOINT")
        command = [sys.executable, "-m", "benchmarks.step", function, json.dumps(arguments)]
        done = subprocess.run(command, cwd=REPO, env=self.environment(), stdout=subprocess.PIPE, check=True)
        return Measured(**json.loads(done.stdout.splitlines()[-1]))

    def environment(self) -> dict[str, str]:
        """What a process needs in order to work on it."""
        return os.environ | {"DATABASE_URL": self.url, "PORTAL_DATA": str(self.folder)}


@contextmanager
def bench_database() -> Iterator[BenchDatabase]:
    """Create bench_<random> on the configured server, migrate it, and drop it at the end."""
    configured = os.environ["DATABASE_URL"]
    name = f"bench_{secrets.token_hex(4)}"
    with (
        tempfile.TemporaryDirectory(prefix=name) as folder,
        psycopg.connect(_with_name(configured, ADMIN), autocommit=True) as admin,
    ):
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            database = BenchDatabase(_with_name(configured, name), Path(folder))
            database.manage("migrate", "--verbosity", "0")
            yield database
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _with_name(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
