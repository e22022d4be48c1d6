"""Encrypting and indexing many short texts: beside us, in a process of its own, while the next rows are cleaned.

The process gets the keys through its standard input, never through arguments or environment. Frames are a length and
marshalled values: a list of texts one way, ciphertext and blind index of each in turn the other way.
"""

import marshal
import queue
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Final, Self

from operations.crypto import Provider, SoftwareProvider, provider

_ROOT: Final = Path(__file__).resolve().parents[2]


def seal(texts: list[str], by: Provider) -> list[bytes]:
    """Return ciphertext and blind index of each text in turn; '' stays b''."""
    sealed: list[bytes] = []
    for text in texts:
        if text:
            plain = text.encode()
            sealed += (by.encrypt(plain), by.digest(plain))
        else:
            sealed += (b"", b"")
    return sealed


class Sealer:
    """Takes lists of texts and gives them back sealed, in order. The process starts with the second list.

    A provider that is not software (密码机) is asked from here: it works beside us anyway.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.done: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
        self.pending = 0
        self.is_first = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                with suppress(OSError):
                    _open(pipe).close()

    def submit(self, texts: list[str]) -> None:
        """Hand texts over."""
        self.pending += 1
        chosen = provider()
        if self.is_first or not isinstance(chosen, SoftwareProvider):
            self.is_first = False
            self.done.put(seal(texts, chosen))
            return
        if self.process is None:
            self.process = self._start(chosen)
        _send(_open(self.process.stdin), texts)

    def collect(self) -> list[bytes]:
        """Return the oldest list that was handed over, sealed; waits for it."""
        sealed = self.done.get()
        if sealed is None:
            raise RuntimeError("the sealing process ended early")
        self.pending -= 1
        return sealed

    def _start(self, chosen: SoftwareProvider) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", "eldercare.roster.sealing"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        _send(_open(process.stdin), chosen.configuration)
        threading.Thread(target=self._receive, args=(_open(process.stdout),), daemon=True).start()
        return process

    def _receive(self, stdout: BinaryIO) -> None:
        """Take what comes, in a thread: both sides may write at once."""
        with suppress(ValueError, OSError):
            while (sealed := _receive(stdout)) is not None:
                self.done.put(sealed)
        self.done.put(None)


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Seal what comes until the input ends; the first frame is the keys."""
    by = SoftwareProvider(**_receive(stdin))
    while (texts := _receive(stdin)) is not None:
        _send(stdout, seal(texts, by))


def _send(pipe: BinaryIO, value: Any) -> None:
    body = marshal.dumps(value)
    pipe.write(struct.pack("<I", len(body)) + body)
    pipe.flush()


def _receive(pipe: BinaryIO) -> Any:
    """Return the next value, None at the end."""
    head = pipe.read(4)
    if len(head) < 4:
        return None
    return marshal.loads(pipe.read(struct.unpack("<I", head)[0]))  # noqa: S302  # our own process wrote it


def _open(pipe: "IO[bytes] | None") -> BinaryIO:
    if pipe is None:
        raise RuntimeError("the process has no pipe")
    return pipe  # type: ignore[return-value]  # Popen's pipes are IO[bytes], which is what BinaryIO means


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
