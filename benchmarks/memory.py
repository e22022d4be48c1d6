"""Largest resident size of a process and of those that it starts, read from Linux's /proc; kB as there."""

import threading
from pathlib import Path
from typing import Final

EVERY: Final = 0.05
SELF: Final = Path("/proc/self")


class MemoryWatch:
    """Looks at the children now and then; what the kernel sums up for ended ones includes the parent's own size."""

    def __init__(self) -> None:
        self._children = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def peak_mb(self) -> float:
        """Stop watching; own peak plus that of the largest child, in MB of 1,000,000 bytes."""
        self._done.set()
        self._thread.join()
        return round((_high_water(SELF) + self._children) * 1024 / 1e6, 1)

    def _look(self) -> None:
        while not self._done.wait(EVERY):
            for listing in (SELF / "task").glob("*/children"):
                for child in _read(listing).split():
                    self._children = max(self._children, _high_water(Path("/proc") / child))


def _high_water(process: Path) -> int:
    """VmHWM; 0 for a process that has ended."""
    lines = _read(process / "status").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
