"""Processes by an identity that survives reused numbers, and how to stop them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PROC = Path("/proc")
LINUX = sys.platform == "linux"


def birth(pid: int) -> str | None:
    """Identify the living process PID beyond its reusable number; None when it is gone or a zombie.

    Linux: boot id and start tick, which no clock change moves. Elsewhere: what `ps` calls its start.
    """
    if not LINUX:
        return _birth_by_ps(pid)
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}:{fields[19]}"


def _birth_by_ps(pid: int) -> str | None:
    shown = _ps("stat=,lstart=", pid).split(maxsplit=1)
    return shown[1].strip() if len(shown) == 2 and not shown[0].startswith("Z") else None


def _ps(columns: str, pid: int) -> str:
    return subprocess.run(
        ["ps", "-o", columns, "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()


def command_line(pid: int) -> str:
    """The words with which PID was started, separated by spaces; empty when it is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return "" if LINUX else _ps("command=", pid)


def stop_stranger(pid: int, born: str, steps: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Stop a process that is not our child, if PID still is the one BORN then.

    STEPS are signals with the seconds to wait after each. True when it is gone.
    """
    for step, seconds in steps:
        if birth(pid) != born:
            return True
        os.kill(pid, step)
        deadline = time.monotonic() + seconds
        while birth(pid) == born and time.monotonic() < deadline:
            time.sleep(0.05)
    return birth(pid) != born


def stop_child(process: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Stop our own child and reap it; STEPS as in stop_stranger. True when it is gone."""
    for step, seconds in steps:
        if process.poll() is not None:
            return True
        process.send_signal(step)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    return process.poll() is not None


def exit_status(returncode: int) -> int:
    """The shell's exit code of a child: 128 + the signal that killed it, else its own."""
    return 128 - returncode if returncode < 0 else returncode
