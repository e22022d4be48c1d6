"""Folders and locks that launchers and keepers of one data folder agree on."""

import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

LONGEST_SOCKET = 107  # bytes of a Unix socket's path, without the final NUL
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")


class State(TypedDict):
    """What a keeper writes down about the server it keeps."""

    pid: int
    birth: str | None
    sockets: str
    ready: bool


def data_folder(option: str | None, environment: dict[str, str], repo: Path) -> Path:
    """Where everything that must survive is kept: --data, else PORTAL_DATA, else .data beside the program."""
    return Path(option or environment.get("PORTAL_DATA") or repo / ".data").expanduser().resolve()


def socket_folder(folder: Path, temporary: str) -> Path:
    """Short folder for the sockets of the server in FOLDER; always the same one for the same folder and user.

    TEMPORARY is preferred; where it is too deep for a socket's path, /tmp takes its place.
    """
    name = f"portal-{os.geteuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    chosen = Path(temporary) / name
    if len(os.fsencode(chosen)) + LONGEST_SOCKET_NAME > LONGEST_SOCKET:
        chosen = Path("/tmp") / name  # noqa: S108 - private_folder checks the owner of what it finds there
    return chosen


def private_folder(folder: Path, owners: set[int]) -> Path:
    """Make FOLDER for ourselves alone; refuse one that somebody else has put there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o077:
        raise PermissionError(f"{folder} 不是本程序建立的文件夹，请先移走")
    return folder


def default_socket_folder(folder: Path) -> Path:
    """socket_folder under the system's temporary folder."""
    return socket_folder(folder, tempfile.gettempdir())


@contextmanager
def locked(path: Path, kind: int = fcntl.LOCK_EX) -> Iterator[int]:
    """Hold the file lock PATH, waiting for it; the descriptor is not inherited by children."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int, kind: int) -> bool:
    """Take (or convert to) a file lock without waiting; False when somebody else's stands against it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_state(folder: Path, state: State) -> None:
    """Record the state in one step: readers see the old or the new one."""
    partial = folder / "state.json.partial"
    partial.write_text(json.dumps(state), encoding="utf-8")
    partial.rename(folder / "state.json")


def read_state(folder: Path) -> State | None:
    """The recorded state; None when no keeper has one or it is unreadable."""
    try:
        state: State = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state


def clear_state(folder: Path, sockets: Path) -> None:
    """Forget the state and remove the socket folder of a server that is gone."""
    (folder / "state.json").unlink(missing_ok=True)
    shutil.rmtree(sockets, ignore_errors=True)
