"""The launcher's decisions as functions of plain values."""

import ast
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import dev
from devkit import checks, commands, environment, folders, processes, running, schema, servers, supervisor

GIGABYTE = 1024**3


def test_the_launcher_parses_on_an_old_interpreter() -> None:
    source = Path(dev.__file__).read_text(encoding="utf-8")
    assert ast.parse(source, feature_version=(3, 8))


@pytest.mark.parametrize("version", [(3, 8), (3, 10)])
def test_an_old_interpreter_is_told_what_to_install(
    version: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        dev.check_interpreter(version, "posix")
    assert left.value.code == 2
    assert "apt install python3.11-venv" in capsys.readouterr().err


@pytest.mark.parametrize("version", [(3, 11), (3, 14), (4, 0)])
def test_a_new_enough_interpreter_passes(version: tuple[int, int]) -> None:
    dev.check_interpreter(version, "posix")


def test_windows_is_told_that_it_is_not_supported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        dev.check_interpreter((3, 12), "nt")
    assert "Linux" in capsys.readouterr().err


def test_a_python_without_venv_is_told_which_package_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        dev.check_venv_modules(("venv", "no_such_module"))
    assert left.value.code == 2
    assert "apt install python3-venv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "arguments", "lock"),
    [
        ("run", [], "requirements-run.txt"),
        ("manage", ["migrate"], "requirements-run.txt"),
        ("manage", ["benchmark", "month"], "requirements-bench.txt"),
        ("test", ["-k", "benchmark"], "requirements-test.txt"),
    ],
)
def test_each_command_has_its_lock(command: str, arguments: list[str], lock: str) -> None:
    assert dev.lock_for(command, arguments).name == lock


def test_a_wrong_command_shows_the_usage_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["walk"]) == 2
    assert "dev.py run" in capsys.readouterr().err


def test_a_larger_lock_satisfies_a_smaller_one_with_the_same_pins(tmp_path: Path) -> None:
    small, large = tmp_path / "requirements-run.txt", tmp_path / "requirements-test.txt"
    small.write_text("a==1 \\\n    --hash=sha256:00\n", encoding="utf-8")
    large.write_text("a==1 \\\n    --hash=sha256:00\nb==2 \\\n    --hash=sha256:11\n", encoding="utf-8")
    assert set(dev.satisfied_locks(large)) == {small.name, large.name}
    assert set(dev.satisfied_locks(small)) == {small.name}


def test_a_lock_with_another_version_is_not_satisfied(tmp_path: Path) -> None:
    (tmp_path / "requirements-run.txt").write_text("a==1\n", encoding="utf-8")
    other = tmp_path / "requirements-test.txt"
    other.write_text("a==2\nb==2\n", encoding="utf-8")
    assert set(dev.satisfied_locks(other)) == {other.name}


@pytest.mark.parametrize("content", [None, "", "{"])
def test_an_interrupted_installation_counts_as_none(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "portal-packages.json"
    if content is not None:
        marker.write_text(content, encoding="utf-8")
    monkeypatch.setattr(dev, "INSTALLED", marker)
    assert dev.installed_locks() == {}


def test_a_broken_environment_is_not_usable(tmp_path: Path) -> None:
    assert not dev.usable(tmp_path / "bin" / "python")


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("127.0.0.1", {"localhost", "127.0.0.1", "[::1]"}),
        ("10.1.2.3", {"localhost", "127.0.0.1", "[::1]", "10.1.2.3"}),
        ("fd00::5", {"localhost", "127.0.0.1", "[::1]", "[fd00::5]"}),
    ],
)
def test_the_listening_host_is_an_allowed_host(host: str, hosts: set[str]) -> None:
    assert set(environment.allowed_hosts(host)) == hosts


def test_listening_everywhere_allows_this_machines_own_names() -> None:
    assert socket.gethostname().lower() in environment.allowed_hosts("0.0.0.0")


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = environment.key_file(tmp_path / "keys" / "k", environment.new_field_keys).read_text("utf-8")
    path = environment.key_file(tmp_path / "keys" / "k", environment.new_field_keys)
    assert path.read_text("utf-8") == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_field_keys_have_the_lengths_that_sm4_and_hmac_want() -> None:
    keys = json.loads(environment.new_field_keys())
    assert len(bytes.fromhex(keys["keys"][keys["current"]])) == 16
    assert len(bytes.fromhex(keys["index"])) == 32


def test_settings_that_the_user_gives_are_left_alone(tmp_path: Path) -> None:
    given = {"PORTAL_SECRET_KEY": "s", "PORTAL_FIELD_KEYS_FILE": "/k", "PORTAL_HTTPS": "1"}
    made = environment.portal_environment(tmp_path / "data", given)
    assert {name: made.get(name) for name in given} == given
    assert "PORTAL_SECRET_KEY_FILE" not in made
    assert not (tmp_path / "data" / "keys").exists()


def test_a_fresh_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    environment.portal_environment(tmp_path / "data", {})
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_no_server_is_started_beside_the_users_own(suffix: str, tmp_path: Path) -> None:
    given = {f"DATABASE_URL{suffix}": "postgresql://db/portal", f"REDIS_URL{suffix}": "redis://cache/0"}
    made = dict(given)
    assert environment.acquire_services(tmp_path, made) == []
    assert made == given


@pytest.mark.parametrize(
    ("option", "variables", "folder"),
    [
        ("/option", {"PORTAL_DATA": "/variable"}, "/option"),
        (None, {"PORTAL_DATA": "/variable"}, "/variable"),
        (None, {"PORTAL_DATA": ""}, "/repo/.data"),
        (None, {}, "/repo/.data"),
    ],
)
def test_the_data_folder_is_the_option_then_the_variable_then_beside_the_program(
    option: str | None, variables: dict[str, str], folder: str
) -> None:
    assert folders.data_folder(option, variables, Path("/repo")) == Path(folder)


def test_a_socket_path_stays_below_its_limit_however_deep_the_temporary_folder() -> None:
    chosen = folders.socket_folder(Path("/d"), "/a" + "/deep" * 20)
    assert chosen.parent == Path("/tmp")
    assert len(os.fsencode(chosen / ".s.PGSQL.5432.lock")) < 108


def test_each_data_folder_has_a_socket_folder_of_its_own() -> None:
    first, second = (folders.socket_folder(Path(data), "/tmp") for data in ("/one", "/two"))
    assert first != second
    assert first == folders.socket_folder(Path("/one"), "/tmp")


def test_a_socket_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s").chmod(0o777)
    with pytest.raises(PermissionError):
        folders.private_folder(tmp_path / "s", {os.geteuid()})


def test_a_link_in_place_of_the_socket_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "s").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        folders.private_folder(tmp_path / "s", {os.geteuid()})


@pytest.mark.parametrize(
    ("memory", "buffers"), [(GIGABYTE // 2, "128MB"), (4 * GIGABYTE, "512MB"), (64 * GIGABYTE, "1024MB")]
)
def test_shared_buffers_follow_the_machine_within_bounds(memory: int, buffers: str) -> None:
    assert servers.memory_settings(memory, GIGABYTE)["shared_buffers"] == buffers


@pytest.mark.parametrize(
    ("size", "kind"), [(0, "mmap"), (GIGABYTE // 2 - 1, "mmap"), (GIGABYTE // 2, "posix")]
)
def test_a_small_dev_shm_is_not_used(size: int, kind: str) -> None:
    assert servers.memory_settings(GIGABYTE, size)["dynamic_shared_memory_type"] == kind


def test_only_tests_run_without_durability() -> None:
    assert set(servers.durability_settings(durable=True).values()) == {"on"}
    assert set(servers.durability_settings(durable=False).values()) == {"off"}


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        problem = running.port_problem("127.0.0.1", taken.getsockname()[1])
    assert problem is not None
    assert "已被占用" in problem
    assert "\n" not in problem


@pytest.mark.parametrize("port", [0, 65536, -1])
def test_an_impossible_port_is_refused(port: int) -> None:
    assert running.port_problem("127.0.0.1", port) is not None


def test_a_free_port_is_no_problem() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert running.port_problem("127.0.0.1", port) is None


@pytest.mark.parametrize(
    ("host", "address"), [("10.1.2.3", "http://10.1.2.3:80/"), ("::1", "http://[::1]:80/")]
)
def test_the_address_shown_can_be_opened(host: str, address: str) -> None:
    assert running.shown_addresses(host, 80) == [address]


def test_listening_everywhere_shows_the_loopback_address_first() -> None:
    assert running.shown_addresses("0.0.0.0", 80)[0] == "http://127.0.0.1:80/"


@pytest.mark.parametrize(
    ("delay", "lasted", "following"), [(1, 5, 2), (16, 5, 30), (30, 60, 30), (30, 61, 1)]
)
def test_restarts_back_off_and_a_steady_minute_forgives(
    delay: float, lasted: float, following: float
) -> None:
    assert supervisor.next_delay(delay, lasted) == following


@pytest.mark.parametrize(("returncode", "status"), [(0, 0), (7, 7), (-signal.SIGKILL, 137)])
def test_an_exit_code_is_passed_as_a_shell_would(returncode: int, status: int) -> None:
    assert processes.exit_status(returncode) == status


@pytest.mark.parametrize(
    ("arguments", "option", "rest"),
    [
        (["--data", "D", "check", "--deploy"], "D", ["check", "--deploy"]),
        (["--data=D", "check"], "D", ["check"]),
        (["check", "--data", "D"], None, ["check", "--data", "D"]),
        (["--version"], None, ["--version"]),
        ([], None, []),
    ],
)
def test_only_a_leading_data_option_is_the_launchers(
    arguments: list[str], option: str | None, rest: list[str]
) -> None:
    assert commands.split_data_option(arguments) == (option, rest)


def test_a_process_has_one_birth_and_a_zombie_none() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        born = processes.birth(process.pid)
        assert born is not None
        assert processes.birth(process.pid) == born
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert processes.birth(process.pid) is None


def test_a_number_that_went_to_another_process_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert processes.stop_stranger(process.pid, "another boot:1", [(signal.SIGKILL, 1.0)])
        assert process.poll() is None
        process.communicate(b"\n")
    assert process.returncode == 0


def test_own_migrations_are_named_by_app(tmp_path: Path) -> None:
    (tmp_path / "catalog" / "migrations").mkdir(parents=True)
    for name in ("__init__.py", "0001_initial.py", "0002_more.py"):
        (tmp_path / "catalog" / "migrations" / name).touch()
    assert schema.shipped_migrations(tmp_path) == {"catalog.0001_initial", "catalog.0002_more"}


def test_a_database_of_the_users_own_is_always_asked(tmp_path: Path) -> None:
    (tmp_path / "migrated").write_text("p", encoding="ascii")
    assert not schema.up_to_date(tmp_path, tmp_path / "migrated", "p", [])


def test_a_database_that_is_down_is_one_line_and_the_rest_is_in_the_log(tmp_path: Path) -> None:
    words = (
        "Traceback (most recent call):\n  File x\npsycopg.OperationalError: connection refused\n\tIs it up?\n"
    )
    said = schema.explain_failure(words, tmp_path / "migrate.log")
    assert "connection refused" in said
    assert "\n" not in said
    assert (tmp_path / "migrate.log").read_text("utf-8") == words


def test_a_named_browser_comes_before_the_one_on_the_path() -> None:
    assert checks.find_chromium({"PORTAL_CHROMIUM": "/opt/c"}) == "/opt/c"


def test_pytest_runs_last_with_the_users_arguments() -> None:
    assert list(checks.steps(["-k", "age"])[-1].command[1:]) == ["-m", "pytest", "-n", "2", "-k", "age"]


def test_the_checks_stop_at_the_first_that_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plan = [
        checks.Step("good", [sys.executable, "-c", ""]),
        checks.Step("bad", [sys.executable, "-c", "raise SystemExit(3)"]),
        checks.Step("never", [sys.executable, "-c", ""]),
    ]
    assert checks.run_steps(tmp_path, plan, os.environ) == 1
    said = capfd.readouterr()
    assert "never" not in said.out
    assert "bad" in said.err


def test_after_the_last_check_nothing_follows_its_own_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plan = [checks.Step("tests", [sys.executable, "-c", "print('3 passed')"])]
    assert checks.run_steps(tmp_path, plan, os.environ) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "3 passed"
