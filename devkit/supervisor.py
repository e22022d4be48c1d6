"""Parent of the portal's long-running processes: streams their words, revives them, stops them in order."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BOUND = Path(__file__).with_name("bound.py")
FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
STEADY_SECONDS = 60.0
START_SECONDS = 90.0
STOP_STEPS = ((signal.SIGTERM, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
KEPT_LINES = 15

_terminal = threading.Lock()


@dataclass(frozen=True)
class Program:
    """A long-running process; READY is asked with each line it says, and without any, whether it is up."""

    name: str
    title: str
    command: Sequence[str]
    ready: Callable[[Sequence[str]], bool]


class StartFailed(Exception):
    """A program ended while starting; the text says which, how and its last words."""


@dataclass
class Child:
    """One program's running process, its latest lines and when it may be started again."""

    program: Program
    process: subprocess.Popen[bytes]
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    has_been_ready: bool = False
    started: float = field(default_factory=time.monotonic)
    delay: float = FIRST_DELAY
    restart_at: float | None = None
    reader: threading.Thread | None = None

    def read(self) -> None:
        """Start to copy the process's output to ours, each line under its name."""
        self.reader = threading.Thread(target=self._copy, args=(self.process,), daemon=True)
        self.reader.start()

    def _copy(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        with process.stdout as output:
            for raw in output:
                line = raw.decode(errors="replace").rstrip()
                self.lines.append(line)
                if not self.has_been_ready and self.program.ready([line]):
                    self.has_been_ready = True
                with _terminal:
                    print(f"{self.program.name:<6} | {line}", flush=True)

    def last_words(self) -> str:
        """What the process said before it ended."""
        if self.reader:
            self.reader.join(2)
        return "\n".join(f"  {line}" for line in self.lines)


def next_delay(delay: float, lasted: float) -> float:
    """Seconds to wait before the next restart: doubled up to a limit, forgotten after a steady minute."""
    return FIRST_DELAY if lasted > STEADY_SECONDS else min(delay * 2, LONGEST_DELAY)


class Supervisor:
    """Runs PROGRAMS until told to stop; DESCRIPTORS are the leases that each child shares with us."""

    def __init__(
        self,
        programs: Sequence[Program],
        cwd: Path,
        environment: Mapping[str, str],
        descriptors: Sequence[int],
    ) -> None:
        self.cwd = cwd
        self.environment = {"TZ": "Asia/Shanghai", **environment, "PYTHONUNBUFFERED": "1"}
        self.descriptors = tuple(descriptors)
        self.stops_asked = 0
        self.programs = programs
        self.children: list[Child] = []

    def listen(self) -> None:
        """Take Ctrl-C, termination and a closed terminal as the wish to stop; a second one hurries."""
        for wish in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(wish, self._on_wish)

    def _on_wish(self, *_: object) -> None:
        self.stops_asked += 1

    def spawn(self, program: Program) -> subprocess.Popen[bytes]:
        """Start one program in a session of its own, so that the terminal's Ctrl-C comes to us alone."""
        return subprocess.Popen(
            [sys.executable, str(BOUND), *program.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.cwd,
            env=self.environment,
            pass_fds=self.descriptors,
            start_new_session=True,
        )

    def start(self) -> None:
        """Start every program and wait until each is ready; StartFailed when one ends instead."""
        for program in self.programs:
            child = Child(program, self.spawn(program))
            self.children.append(child)
            child.read()
        deadline = time.monotonic() + START_SECONDS
        while not self.stops_asked and not all(self._is_ready(child) for child in self.children):
            for child in self.children:
                self._refuse_ended(child)
            if time.monotonic() > deadline:
                waiting = "、".join(c.program.title for c in self.children if not c.has_been_ready)
                raise StartFailed(f"{waiting} 在 {START_SECONDS:.0f} 秒内没有就绪 (not ready in time)")
            time.sleep(0.1)

    def _is_ready(self, child: Child) -> bool:
        child.has_been_ready = child.has_been_ready or child.program.ready([])
        return child.has_been_ready

    def _refuse_ended(self, child: Child) -> None:
        code = child.process.poll()
        if code is not None:
            raise StartFailed(
                f"{child.program.title} 启动失败，退出码 {code} (failed to start)，最后的输出：\n"
                f"{child.last_words()}"
            )

    def watch(self) -> None:
        """Revive whoever ends, until a stop is asked."""
        while not self.stops_asked:
            for child in self.children:
                self.tend(child, time.monotonic())
            time.sleep(0.2)

    def tend(self, child: Child, now: float) -> None:
        """Announce a child that has ended, and start it again when its delay is over."""
        if child.process.poll() is None:
            return
        if child.restart_at is None:
            child.delay = next_delay(child.delay, now - child.started)
            child.restart_at = now + child.delay
            say(f"{child.program.title} 已退出（{child.process.returncode}），{child.delay:.0f} 秒后重新启动")
        elif now >= child.restart_at:
            child.process = self.spawn(child.program)
            child.started, child.restart_at = now, None
            child.read()

    def stop(self) -> None:
        """Stop the programs one after the other, in their order; at once if asked twice."""
        for child in self.children:
            self._stop_child(child)
        for child in self.children:
            child.last_words()

    def _stop_child(self, child: Child) -> None:
        for step, seconds in STOP_STEPS:
            if child.process.poll() is None:
                if step == signal.SIGKILL or self.stops_asked > 1:
                    # a whole session: a killed worker cannot take its own children along
                    os.killpg(child.process.pid, signal.SIGKILL)
                else:
                    child.process.send_signal(step)
                self._wait(child, seconds)

    def _wait(self, child: Child, seconds: float) -> None:
        asked, deadline = self.stops_asked, time.monotonic() + seconds
        while child.process.poll() is None and time.monotonic() < deadline and self.stops_asked == asked:
            time.sleep(0.05)


def say(message: str) -> None:
    """Print the launcher's own words, kept apart from the children's."""
    with _terminal:
        print(message, file=sys.stderr, flush=True)
