"""The keeper: a background process that is parent to one embedded server while anyone uses it.

Users hold a shared lock on `users.lock`; the kernel drops it however they end. The keeper stops its server
and goes once it can take that lock for itself, and holds it until it is gone, so that a newcomer waits and
then starts a keeper of its own. `keeper.lock` is held as long as a keeper lives. Started by devkit.lease:
`python -m devkit.keeper KIND FOLDER durable|volatile`; prints `ready`, or why not, as its only line.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from devkit.folders import (
    State,
    clear_state,
    default_socket_folder,
    locked,
    private_folder,
    read_state,
    try_lock,
    write_state,
)
from devkit.processes import birth, command_line, stop_child, stop_stranger
from devkit.servers import KINDS, Server, ServerFailed, tool_environment

POLL_SECONDS = 0.1
LONGEST_DELAY = 30.0
STEADY_SECONDS = 60.0


def detach() -> None:
    """Leave the starter's terminal and process group, so that its Ctrl-C does not reach the server."""
    if os.fork():
        os._exit(0)
    os.setsid()


def sweep(folder: Path, server: Server) -> None:
    """Stop the server that a killed keeper left behind; drop its sockets, and a lock file of nobody."""
    state = read_state(folder)
    if state and state["birth"]:
        _stop(state["pid"], state["birth"], server)
    lock = folder / "data" / "postmaster.pid"
    if lock.exists():
        _clear_lock(lock, server)
    clear_state(folder, server.sockets)


def _clear_lock(lock: Path, server: Server) -> None:
    # PostgreSQL sees through a number that is free, but not through a zombie's or one in use for something
    # else; should its children still be at work, it refuses by their shared memory even without this file
    pid = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
    born = birth(pid)
    if born and str(lock.parent) in command_line(pid):
        _stop(pid, born, server)
    lock.unlink(missing_ok=True)


def _stop(pid: int, born: str, server: Server) -> None:
    if not stop_stranger(pid, born, server.stop_steps):
        raise ServerFailed(f"上次留下的进程 {pid} 无法停止，请手工结束它")


def spawn(server: Server) -> subprocess.Popen[bytes]:
    """Start the server as our direct child; its words go where ours go, to the log."""
    return subprocess.Popen(
        [*server.command()],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        env=tool_environment(),
        cwd=server.folder / "data",
        **server.account.popen,
    )


def start(server: Server) -> subprocess.Popen[bytes]:
    """Prepare, start and wait until the server answers; crash recovery may take its time."""
    server.prepare()
    process = spawn(server)
    record(server, process, ready=False)
    try:
        while not server.ready():
            if process.poll() is not None:
                raise ServerFailed(f"启动后退出，退出码 {process.returncode}")
            time.sleep(0.03)
        server.complete()
    except BaseException:
        stop_child(process, server.stop_steps)
        raise
    record(server, process, ready=True)
    return process


def record(server: Server, process: subprocess.Popen[bytes], ready: bool) -> None:
    """Write down which process serves this folder, for users and for a later sweep."""
    state = State(pid=process.pid, birth=birth(process.pid), sockets=str(server.sockets), ready=ready)
    write_state(server.folder, state)


class Watch:
    """Keeps one server up until nobody uses it or the keeper is told to stop."""

    def __init__(self, server: Server, process: subprocess.Popen[bytes]) -> None:
        self.server = server
        self.process = process
        self.told_to_stop = False
        self.delay = 0.5
        self.started = time.monotonic()

    def on_signal(self, *_: object) -> None:
        self.told_to_stop = True

    def until_unused(self, users: int) -> None:
        """Return with USERS locked for ourselves, or on a signal."""
        while not self.told_to_stop and not try_lock(users, fcntl.LOCK_EX):
            if self.process.poll() is not None:
                self.revive()
            time.sleep(POLL_SECONDS)

    def revive(self) -> None:
        """Start a server that died again, waiting longer each time it does not last."""
        lasted = time.monotonic() - self.started
        self.delay = 0.5 if lasted > STEADY_SECONDS else min(self.delay * 2, LONGEST_DELAY)
        print(f"server exited with {self.process.returncode}, starting it again", file=sys.stderr, flush=True)
        time.sleep(self.delay)
        self.process = spawn(self.server)
        self.started = time.monotonic()
        record(self.server, self.process, ready=True)


def keep(server: Server) -> None:
    """Bring the server up, report, and stay with it to its end."""
    try:
        watch = Watch(server, start(server))
    except BaseException:
        clear_state(server.folder, server.sockets)
        raise
    signal.signal(signal.SIGTERM, watch.on_signal)
    signal.signal(signal.SIGINT, watch.on_signal)
    report("ready")
    with locked(server.folder / "users.lock", fcntl.LOCK_SH) as users:
        fcntl.flock(users, fcntl.LOCK_UN)
        watch.until_unused(users)
        if stop_child(watch.process, server.stop_steps):
            clear_state(server.folder, server.sockets)


def report(line: str) -> None:
    """Tell the starter, who reads one line, and let go of its pipe."""
    with contextlib.suppress(BrokenPipeError):  # the starter may have been killed; others can still come
        os.write(1, f"{line}\n".encode())
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def main(kind: str, folder: Path, durable: bool) -> int:
    """Keep one server of KIND in FOLDER; 1 when it does not come up."""
    detach()
    os.umask(0o077)
    with locked(folder / "keeper.lock"):
        server = KINDS[kind](folder=folder, sockets=default_socket_folder(folder), durable=durable)
        try:
            sweep(folder, server)
            private_folder(server.sockets, {os.geteuid(), server.account.owner or os.geteuid()})
            keep(server)
        except (ServerFailed, OSError) as error:
            report(" ".join(str(error).split()))
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "durable"))
