"""Encrypting and indexing rows: beside us, in a process of its own, while the next ones are cleaned.

The process gets the keys through its standard input, never through arguments or environment. Frames are a length and
marshalled values: a list of rows one way, their lines for COPY the other way.
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
from typing import IO, Any, BinaryIO, Final, NamedTuple, Self

from operations.crypto import Provider, SoftwareProvider, provider

_ROOT: Final = Path(__file__).resolve().parents[2]


PRIVATE_COLUMNS: Final = (
    "id_number_cipher",
    "id_number_index",
    "phone_cipher",
    "phone_index",
    "disability_card_cipher",
    "disability_card_index",
    "account_cipher",
    "account_index",
    "contact_phone_cipher",
    "contact_phone_index",
    "household_key",
    "head_cipher",
)


class PrivateRow(NamedTuple):
    """A row on its way into the staging table: its plain columns as COPY text, and what is stored encrypted.

    household: the ID number that names the household. head: the same where the row states it, else ''.
    """

    plain: str
    number: str
    phone: str
    disability_card: str
    account: str
    contact_phone: str
    household: str
    head: str


def seal(rows: list[PrivateRow], by: Provider) -> bytes:
    """Return the rows' COPY lines: the plain columns, then PRIVATE_COLUMNS."""
    return "".join([_line(row, by) for row in map(PrivateRow._make, rows)]).encode()


def _line(row: PrivateRow, by: Provider) -> str:
    columns = [row.plain]
    for text in row[1:6]:
        plain = text.encode()
        columns += (by.encrypt(plain).hex(), by.digest(plain).hex()) if plain else ("", "")
    columns.append(columns[2] if row.household == row.number else by.digest(row.household.encode()).hex())
    columns.append(by.encrypt(row.head.encode()).hex() if row.head else "")
    return "\t\\\\x".join(columns) + "\n"


class Sealer:
    """Takes lists of rows and gives their lines back, in order. The process starts with the second list.

    A provider that is not software (密码机) is asked from here: it works beside us anyway.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.done: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
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

    def submit(self, rows: list[PrivateRow]) -> None:
        """Hand rows over."""
        self.pending += 1
        chosen = provider()
        if self.is_first or not isinstance(chosen, SoftwareProvider):
            self.is_first = False
            self.done.put(seal(rows, chosen))
            return
        if self.process is None:
            self.process = self._start(chosen)
        _send(_open(self.process.stdin), list(map(tuple, rows)))

    def collect(self) -> bytes:
        """Return the lines of the oldest list that was handed over; waits for them."""
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
    while (rows := _receive(stdin)) is not None:
        _send(stdout, seal(rows, by))


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
