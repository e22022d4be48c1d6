"""Embedded servers and children under the launcher: shared, killed, started again; all real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from devkit import environment, supervisor
from devkit.folders import State, default_socket_folder, read_state
from devkit.lease import REPO, Lease, acquire, keeper_lives
from devkit.processes import birth
from devkit.servers import DATABASE, Postgres, ServerFailed

SECONDS = 30.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A fresh server folder; no keeper may outlive its users."""
    chosen = tmp_path / "postgres"
    yield chosen
    eventually(lambda: not keeper_lives(chosen))


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def server_of(lease: Lease) -> Postgres:
    return Postgres(folder=lease.folder, sockets=lease.sockets, durable=True)


def state_of(lease: Lease) -> State:
    state = read_state(lease.folder)
    assert state is not None
    return state


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])


def kill_keeper(lease: Lease) -> None:
    os.kill(parent_of(state_of(lease)["pid"]), signal.SIGKILL)
    eventually(lambda: not keeper_lives(lease.folder))


def test_a_committed_row_survives_killing_keeper_and_server(folder: Path) -> None:
    lease = acquire("postgres", folder)
    server_of(lease).query(DATABASE, "CREATE TABLE paid AS SELECT 290.00 AS amount")
    server = state_of(lease)["pid"]
    kill_keeper(lease)
    os.kill(server, signal.SIGKILL)
    os.close(lease.descriptor)

    again = acquire("postgres", folder)
    assert server_of(again).query(DATABASE, "SELECT amount FROM paid") == ["290.00"]
    assert state_of(again)["pid"] != server
    again.release()


def test_a_server_whose_keeper_was_killed_is_stopped_before_a_new_one_starts(folder: Path) -> None:
    lease = acquire("postgres", folder)
    orphan = state_of(lease)
    kill_keeper(lease)
    os.close(lease.descriptor)
    assert birth(orphan["pid"]) == orphan["birth"]

    again = acquire("postgres", folder)
    assert birth(orphan["pid"]) != orphan["birth"]
    assert server_of(again).query(DATABASE, "SELECT 1") == ["1"]
    again.release()


def test_the_first_to_leave_does_not_stop_the_server_of_the_second(folder: Path) -> None:
    first = acquire("postgres", folder)
    second = acquire("postgres", folder)
    assert first.sockets == second.sockets
    first.release()
    assert server_of(second).query(DATABASE, "SELECT 1") == ["1"]
    second.release()
    assert not keeper_lives(folder)


def test_a_user_that_is_killed_gives_its_share_back(folder: Path) -> None:
    words = (
        f"from devkit.lease import *; acquire('postgres', Path({str(folder)!r})); print(flush=True); input()"
    )
    command = [sys.executable, "-c", words]
    with subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:
        assert user.stdout is not None
        user.stdout.readline()
        assert keeper_lives(folder)
        user.kill()
    eventually(lambda: not keeper_lives(folder))


def test_a_server_that_dies_under_its_keeper_is_started_again(folder: Path) -> None:
    lease = acquire("postgres", folder)
    dead = state_of(lease)["pid"]
    os.kill(dead, signal.SIGKILL)
    eventually(lambda: state_of(lease)["pid"] != dead and server_of(lease).ready())
    lease.release()


def test_an_initialisation_that_was_cut_off_is_done_again(folder: Path) -> None:
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("18\n", encoding="ascii")
    lease = acquire("postgres", folder)
    assert server_of(lease).query(DATABASE, "SHOW data_checksums") == ["on"]
    lease.release()


def test_the_database_sorts_by_code_point_whatever_the_machines_language(folder: Path) -> None:
    lease = acquire("postgres", folder)
    facts = server_of(lease).query(
        DATABASE, "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
    )
    assert facts == ["b|C.UTF-8"]
    lease.release()


def test_a_server_that_cannot_start_says_where_its_log_is(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    with pytest.raises(ServerFailed, match=r"server\.log"):
        acquire("postgres", folder)
    assert not default_socket_folder(folder).exists()


def test_a_key_in_valkey_survives_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "valkey"
    lease = acquire("valkey", folder)
    with closing(redis.Redis.from_url(environment.redis_url(lease.sockets))) as client:
        client.set("bell", "rung")
    server = state_of(lease)["pid"]
    kill_keeper(lease)
    os.kill(server, signal.SIGKILL)
    os.close(lease.descriptor)

    again = acquire("valkey", folder)
    with closing(redis.Redis.from_url(environment.redis_url(again.sockets))) as client:
        assert client.get("bell") == b"rung"
    again.release()


SLEEPER = "import time; print('up'); time.sleep(60)"


def program(name: str, words: str) -> supervisor.Program:
    command = [sys.executable, "-u", "-c", words]
    return supervisor.Program(name, name, command, lambda lines: any("up" in line for line in lines))


def supervise(tmp_path: Path, *programs: supervisor.Program) -> supervisor.Supervisor:
    return supervisor.Supervisor(programs, tmp_path, os.environ, [])


def test_a_program_that_ends_while_starting_is_named_with_its_last_words(tmp_path: Path) -> None:
    faulty = supervise(tmp_path, program("worker", "raise SystemExit('no such queue')"))
    with pytest.raises(supervisor.StartFailed, match=r"(?s)worker .*no such queue"):
        faulty.start()
    faulty.stop()


def test_a_program_that_dies_later_is_started_again(tmp_path: Path) -> None:
    running = supervise(tmp_path, program("web", SLEEPER))
    running.start()
    child = running.children[0]
    first = child.process
    first.kill()
    first.wait()
    now = time.monotonic()
    running.tend(child, now)
    assert child.process is first
    running.tend(child, now + supervisor.LONGEST_DELAY)
    assert child.process.poll() is None
    running.stop()


def test_programs_stop_in_their_order(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    goodbye = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: (print('bye'), sys.exit(0)))"
    words = f"{goodbye}; {SLEEPER}"
    running = supervise(tmp_path, *(program(name, words) for name in ("web", "beat", "worker")))
    running.start()
    running.stop()
    said = [line.split("|")[0].strip() for line in capfd.readouterr().out.splitlines() if "bye" in line]
    assert said == ["web", "beat", "worker"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux announces the parent's death")
def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    words = (
        "import os, pathlib\nfrom devkit.supervisor import *\n"
        f"p = Program('web', 'web', [sys.executable, '-uc', {SLEEPER!r}], lambda lines: 'up' in lines)\n"
        f"s = Supervisor([p], pathlib.Path({str(tmp_path)!r}), os.environ, [])\n"
        "s.start(); print('pid', s.children[0].process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", words], cwd=REPO, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = next(int(line.split()[1]) for line in parent.stdout if line.startswith("pid"))
        assert birth(child) is not None
        parent.kill()
    eventually(lambda: birth(child) is None)
