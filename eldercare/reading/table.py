"""Sheets of a file, read by a process of its own that may not hurt us."""

import contextlib
import marshal
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from eldercare.reading.gate import BOMB, BROKEN, MB, FileKind, FileRefused, file_kind

MEMORY: Final = 768 * MB
SECONDS: Final = 120
MAX_FRAME: Final = 256 * MB
TOO_SLOW: Final = "文件读取超过两分钟，已停止；请删去多余的格式与工作表，或拆成几个文件后再上传"
_ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sheet:
    """A sheet of the file; hidden ones come without rows."""

    name: str
    visible: bool


@dataclass(frozen=True)
class Rows:
    """Consecutive rows of the sheet before; `first`: the first one's number as the spreadsheet shows it."""

    first: int
    rows: list[list[Any]]


def read_table(content: bytes, *, memory: int = MEMORY, seconds: int = SECONDS) -> Iterator[Sheet | Rows]:
    """Yield each sheet and then its rows. Raises FileRefused with a sentence for the sender.

    Cells are str, int, float, bool, None or (year, month, day).
    """
    kind = file_kind(content)
    with _reader(content, kind, memory, seconds) as process:
        yield from _frames(process)


@contextlib.contextmanager
def _reader(content: bytes, kind: FileKind, memory: int, seconds: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the worker with an environment that holds no secrets, feed it the file, end it on leaving."""
    process = subprocess.Popen(  # our own module under our own interpreter
        [sys.executable, "-m", "eldercare.reading.worker"],
        cwd=_ROOT,
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    late = threading.Timer(seconds, process.kill)
    late.daemon = True
    late.start()
    try:
        stdin = _pipe(process.stdin)
        with contextlib.suppress(BrokenPipeError):
            stdin.write(f"{kind} {memory} {seconds}\n".encode())
            stdin.write(content)
        with contextlib.suppress(BrokenPipeError):
            stdin.close()
        yield process
    finally:
        late.cancel()
        process.kill()
        process.wait()
        _pipe(process.stdout).close()


def _pipe(stream: "BinaryIO | Any") -> BinaryIO:
    if stream is None:
        raise RuntimeError("the worker has no pipe")
    return stream


def _frames(process: "subprocess.Popen[bytes]") -> Iterator[Sheet | Rows]:
    stdout = _pipe(process.stdout)
    while True:
        frame = _receive(stdout)
        match frame:
            case ("sheet", str(name), bool(visible)):
                yield Sheet(name, visible)
            case ("rows", int(first), list(rows)):
                yield Rows(first, rows)
            case ("refused", str(sentence)):
                raise FileRefused(sentence)
            case ("end",):
                return
            case _:
                raise FileRefused(_why(process.wait()))


def _receive(stdout: BinaryIO) -> object:
    """Return the next frame, None where the stream ends early."""
    head = stdout.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack("<I", head)
    if length > MAX_FRAME:
        return None
    body = stdout.read(length)
    try:
        return marshal.loads(body)  # noqa: S302  # written by our worker; marshal holds values only, no code is run
    except (ValueError, EOFError, TypeError):
        return None


def _why(status: int) -> str:
    """Say why the worker ended: minus the signal (9: our timer, 24: processor time), 1 mostly memory."""
    if status in (-9, -24):
        return TOO_SLOW
    return BOMB if status in (1, -6, -11, -7) else BROKEN


__all__ = ["FileRefused", "Rows", "Sheet", "read_table"]
