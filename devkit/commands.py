"""The three commands of dev.py, each from its arguments to its exit code."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from devkit import checks, running
from devkit.environment import acquire_services, portal_environment
from devkit.folders import data_folder
from devkit.lease import Lease
from devkit.processes import exit_status
from devkit.schema import MigrationFailed, ensure_migrated
from devkit.servers import ServerFailed
from devkit.supervisor import Supervisor, say

REPO = Path(__file__).resolve().parent.parent
PACKAGES = REPO / ".venv" / "portal-packages.json"


def dispatch(command: str, arguments: Sequence[str]) -> int:
    """Do one command; a failure that the user can mend is one sentence and 1."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return {"run": run, "test": test, "manage": manage}[command](arguments)
    except (ServerFailed, MigrationFailed) as failure:
        say(str(failure))
    except subprocess.CalledProcessError as failure:
        say(f"没有完成：{' '.join(map(str, failure.cmd[1:]))}，退出码 {failure.returncode} (failed)")
    except OSError as failure:
        say(f"文件或系统出错 (file or system error)：{failure}")
    return 1


def packages() -> str:
    """Identify what is installed, to know when the packages' own migrations may have changed."""
    return PACKAGES.read_text(encoding="utf-8") if PACKAGES.exists() else ""


def take_services(
    stack: ExitStack, data: Path, environment: dict[str, str], durable: bool = True
) -> list[Lease]:
    """Have the services for as long as STACK is open."""
    leases = acquire_services(data, environment, durable)
    for lease in leases:
        stack.callback(lease.release)
    return leases


def run(arguments: Sequence[str]) -> int:
    """The whole portal until Ctrl-C."""
    options = running.parse(arguments)
    problem = running.port_problem(options.host, options.port)
    if problem:
        say(problem)
        return 1
    data = data_folder(options.data, dict(os.environ), REPO)
    environment = portal_environment(data, os.environ, options.host)
    claim = running.lock_run(data)
    if claim is None:
        say(f"{data} 的系统已在运行 (already running on this data folder)")
        return 1
    with ExitStack() as stack:
        leases = take_services(stack, data, environment)
        ensure_migrated(REPO, data, packages(), leases, environment)
        running.prepare(REPO, environment, demo=not options.no_demo)
        supervisor = Supervisor(
            running.programs(options.host, options.port, data),
            REPO,
            environment,
            [lease.descriptor for lease in leases],
        )
        accounts = running.demo_accounts(REPO, environment)
        return running.supervise(supervisor, running.shown_addresses(options.host, options.port), accounts)


def manage(arguments: Sequence[str]) -> int:
    """One management command; stdout is its own, so that the last line stays its JSON."""
    option, rest = split_data_option(arguments)
    data = data_folder(option, dict(os.environ), REPO)
    environment = portal_environment(data, os.environ)
    with ExitStack() as stack:
        leases = take_services(stack, data, environment)
        ensure_migrated(REPO, data, packages(), leases, environment)
        return run_through(
            [sys.executable, "manage.py", *rest], environment, [lease.descriptor for lease in leases]
        )


def split_data_option(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take `--data DIR` off the front; all the rest is manage.py's."""
    if arguments[:1] == ["--data"] and len(arguments) > 1:
        return arguments[1], list(arguments[2:])
    if arguments and arguments[0].startswith("--data="):
        return arguments[0].removeprefix("--data="), list(arguments[1:])
    return None, list(arguments)


def run_through(command: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int]) -> int:
    """Run a command as if it were ours: same terminal, signals handed on, exit code passed through."""
    process = subprocess.Popen(list(command), cwd=REPO, env=dict(environment), pass_fds=tuple(descriptors))
    # the terminal sends Ctrl-C to the command as well; it decides, we wait for it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    return exit_status(process.wait())


def test(arguments: Sequence[str]) -> int:
    """All checks, on services of its own that forget everything afterwards."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-test-")))
        environment = portal_environment(data, os.environ)
        take_services(stack, data, environment, durable=False)
        return checks.run_steps(REPO, checks.steps(arguments), checks.test_environment(environment))
