"""A share in one embedded server: it runs as long as anyone holds one."""

import fcntl
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from devkit.folders import locked, read_state, try_lock
from devkit.servers import KINDS, ServerFailed

REPO = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 120.0
LOG_LIMIT = 10 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class Lease:
    """Pass DESCRIPTOR to child processes that must keep the server when we are killed."""

    folder: Path
    sockets: Path
    descriptor: int

    def release(self) -> None:
        """Give the share back; if it was the last one, return when the server has stopped."""
        os.close(self.descriptor)
        wait_unless_used(self.folder)


def acquire(kind: str, folder: Path, durable: bool = True) -> Lease:
    """Take a share in the server of KIND in FOLDER, starting it if need be; ServerFailed says why not."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # waits here while a keeper that found itself unused is stopping its server
        fcntl.flock(users, fcntl.LOCK_SH)
        with locked(folder / "start.lock"):
            sockets = running_sockets(kind, folder) or start_keeper(kind, folder, durable)
    except BaseException:
        os.close(users)
        raise
    return Lease(folder, sockets, users)


def keeper_lives(folder: Path) -> bool:
    """Tell whether a keeper holds its lock on FOLDER."""
    lock = folder / "keeper.lock"
    if not lock.exists():
        return False
    descriptor = os.open(lock, os.O_RDWR)
    try:
        return not try_lock(
            descriptor, fcntl.LOCK_SH
        )  # shared, so that two who ask do not mistake each other
    finally:
        os.close(descriptor)


def running_sockets(kind: str, folder: Path) -> Path | None:
    """Socket folder of the server that a living keeper has answering; waits for one that is coming up."""
    while keeper_lives(folder):
        state = read_state(folder)
        if state and state["ready"]:
            sockets = Path(state["sockets"])
            if KINDS[kind](folder=folder, sockets=sockets, durable=True).ready():
                return sockets
        time.sleep(0.05)
    return None


def start_keeper(kind: str, folder: Path, durable: bool) -> Path:
    """Start a keeper and return the socket folder once its server answers."""
    log = folder / "server.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.rename(log.with_suffix(".log.1"))
    mode = "durable" if durable else "volatile"
    with log.open("ab") as errors:
        command = [sys.executable, "-m", "devkit.keeper", kind, str(folder), mode]
        keeper = subprocess.run(
            command, cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, check=False
        )
    report = keeper.stdout.decode(errors="replace").strip()
    state = read_state(folder)
    if report != "ready" or state is None:
        raise ServerFailed(f"{kind} 没有启动：{report or '原因见日志'}（日志 {log}）")
    return Path(state["sockets"])


def wait_unless_used(folder: Path) -> None:
    """Return when the keeper of FOLDER is gone, or at once when others still use its server."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while keeper_lives(folder) and time.monotonic() < deadline:
        if used_by_others(folder):
            return
        time.sleep(0.05)


def used_by_others(folder: Path) -> bool:
    """Tell shared users from nobody and from a keeper that is stopping (which holds the lock alone)."""
    descriptor = os.open(folder / "users.lock", os.O_RDWR)
    try:
        alone = try_lock(descriptor, fcntl.LOCK_EX)
        return not alone and try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)
