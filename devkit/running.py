"""`dev.py run`: everything the portal consists of, on this machine."""

import argparse
import errno
import fcntl
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devkit.environment import ANY_HOSTS, own_addresses
from devkit.folders import try_lock
from devkit.supervisor import Program, StartFailed, Supervisor, say

DEFAULT_PORT = 8000


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of `run`; argparse leaves with 2 on a wrong one."""
    parser = argparse.ArgumentParser(prog="dev.py run", description="启动整个系统")
    parser.add_argument("--host", default="127.0.0.1", help="监听地址，缺省只供本机访问")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="端口，缺省 8000")
    parser.add_argument("--no-demo", action="store_true", help="不建立演示县")
    parser.add_argument("--data", metavar="DIR", help="数据文件夹")
    return parser.parse_args(arguments)


def port_problem(host: str, port: int) -> str | None:
    """Say why HOST:PORT cannot be listened on; None when it can."""
    if not 0 < port < 65536:
        return f"端口 {port} 不在 1–65535 之间 (port out of range)"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"端口 {port} 已被占用，请用 --port 换一个 (port in use: try another --port)"
            return f"不能监听 {host}:{port} (cannot listen): {error.strerror or error}"
    return None


def bracketed(host: str) -> str:
    """HOST as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def shown_addresses(host: str, port: int) -> list[str]:
    """Where a browser finds the portal."""
    hosts = (
        [host]
        if host not in ANY_HOSTS
        else ["127.0.0.1", *sorted(a for a in own_addresses() if a[0].isdigit())]
    )
    return [f"http://{bracketed(name)}:{port}/" for name in dict.fromkeys(hosts)]


def answers(host: str, port: int) -> bool:
    """Tell whether the web server gives any answer to a request."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(target, port, timeout=20)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def programs(host: str, port: int, data: Path) -> list[Program]:
    """Web server, clock and worker, in the order in which they are stopped."""
    python = sys.executable
    # a trial by root is no occasion for Celery's half page about the superuser
    calm = ["-W", "ignore::UserWarning:celery.platforms"]
    celery = [python, *calm, "-m", "celery", "--quiet", "-A", "config"]
    gunicorn = [
        python, "-m", "gunicorn", "config.wsgi:application", "--bind", f"{bracketed(host)}:{port}",
        "--worker-class", "gthread", "--workers", "2", "--threads", "4",
        "--timeout", "120", "--graceful-timeout", "15", "--no-control-socket",
    ]  # fmt: skip
    beat = [*celery, "beat", "--loglevel", "INFO", "--pidfile=", "--schedule", str(data / "beat-schedule")]
    worker = [*celery, "worker", "--loglevel", "INFO", "--concurrency", str(os.cpu_count() or 2)]
    return [
        Program("web", "网页服务 web", gunicorn, lambda lines: not lines and answers(host, port)),
        Program("beat", "定时器 beat", beat, lambda lines: any("beat: Starting" in line for line in lines)),
        Program(
            "worker", "后台任务 worker", worker, lambda lines: any(line.endswith("ready.") for line in lines)
        ),
    ]


def manage(repo: Path, environment: Mapping[str, str], *arguments: str) -> None:
    """Run one management command for its effect, its words to stderr; CalledProcessError when it fails."""
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=repo, env=dict(environment), check=True, stdout=sys.stderr)


def demo_accounts(repo: Path, environment: Mapping[str, str]) -> list[str]:
    """The demonstration accounts as lines to show; nothing where there are none."""
    command = [sys.executable, "manage.py", "demo_accounts"]
    shown = subprocess.run(
        command, cwd=repo, env=dict(environment), capture_output=True, text=True, check=False
    ).stdout.splitlines()
    try:
        accounts = json.loads(shown[-1])["accounts"]
        return ["  ".join(str(value) for value in account.values()) for account in accounts]
    except (IndexError, KeyError, TypeError, ValueError, AttributeError):
        return []


def prepare(repo: Path, environment: Mapping[str, str], demo: bool) -> None:
    """Static files, and the demonstration county if the database is empty and it is wanted."""
    manage(repo, environment, "collectstatic", "--noinput", "--verbosity", "0")
    if demo:
        manage(repo, environment, "make_demo", "--if-empty")


def lock_run(data: Path) -> int | None:
    """Claim DATA for this `run`; None when another one has it (two clocks would ring twice)."""
    descriptor = os.open(data / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    if try_lock(descriptor, fcntl.LOCK_EX):
        return descriptor
    os.close(descriptor)
    return None


def supervise(supervisor: Supervisor, addresses: Sequence[str], accounts: Sequence[str]) -> int:
    """Start, announce, watch and stop; 1 when a program did not come up."""
    supervisor.listen()
    try:
        supervisor.start()
        if not supervisor.stops_asked:
            say("\n系统已启动 (ready)：" + "  ".join(addresses))
            if accounts:
                say("演示账号 (demo accounts)：\n" + "\n".join(f"  {line}" for line in accounts))
            say("按 Ctrl-C 停止 (Ctrl-C stops everything)\n")
        supervisor.watch()
    except StartFailed as failure:
        say(str(failure))
        return 1
    finally:
        say("正在停止 …")
        supervisor.stop()
    return 0
