"""Migrations: applied before anything runs, at the price of one small query when there is nothing to do."""

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from devkit.folders import locked
from devkit.lease import Lease
from devkit.servers import DATABASE, Postgres, ServerFailed


class MigrationFailed(Exception):
    """The database could not be reached or changed; the text says why."""


def explain_failure(words: str, log: Path) -> str:
    """Keep all of Django's words in LOG and say the first line of what went wrong."""
    log.write_text(words, encoding="utf-8")
    errors = [line for line in words.splitlines() if line and not line[0].isspace() and ": " in line]
    reason = errors[-1] if errors else "原因见日志"
    return f"数据库不可用或结构更新失败 (database unavailable or migration failed)：{reason}（详见 {log}）"


def shipped_migrations(repo: Path) -> set[str]:
    """The portal's own migrations as `app.name`."""
    return {f"{path.parent.parent.name}.{path.stem}" for path in repo.glob("*/migrations/[0-9]*.py")}


def applied_migrations(lease: Lease) -> set[str]:
    """What the embedded database says has been applied, as `app.name`; nothing in an empty one."""
    server = Postgres(folder=lease.folder, sockets=lease.sockets, durable=True)
    try:
        return set(server.query(DATABASE, "SELECT app || '.' || name FROM django_migrations"))
    except ServerFailed:
        return set()


def up_to_date(repo: Path, stamp: Path, packages: str, leases: Iterable[Lease]) -> bool:
    """Tell whether migrating would do nothing: own migrations applied, packages those of the last time.

    PACKAGES identifies the installed packages, STAMP the file that remembers them. A database that the
    user brings is always asked by Django itself.
    """
    lease = next((lease for lease in leases if lease.folder.name == "postgres"), None)
    if lease is None or not stamp.exists() or stamp.read_text(encoding="ascii") != packages:
        return False
    return shipped_migrations(repo) <= applied_migrations(lease)


def ensure_migrated(
    repo: Path, data: Path, packages: str, leases: Iterable[Lease], environment: Mapping[str, str]
) -> None:
    """Apply what is missing, one launcher at a time; MigrationFailed when Django could not."""
    stamp = data / "migrated"
    with locked(data / "migrate.lock"):
        if up_to_date(repo, stamp, packages, leases):
            return
        command = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
        print("正在更新数据库结构 …", file=sys.stderr, flush=True)
        done = subprocess.run(
            command, cwd=repo, env=dict(environment), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise MigrationFailed(explain_failure(done.stderr, data / "migrate.log"))
        stamp.write_text(packages, encoding="ascii")
