"""The environment in which Django runs: where its servers, data and keys are."""

import json
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from devkit.lease import Lease, acquire
from devkit.servers import DATABASE

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
ANY_HOSTS = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound here
# name of a setting → what makes a new value of it
KEY_MAKERS: dict[str, Callable[[], str]] = {
    "PORTAL_SECRET_KEY": lambda: secrets.token_urlsafe(64),
    "PORTAL_FIELD_KEYS": lambda: new_field_keys(),
}


def new_field_keys() -> str:
    """JSON of fresh keys: SM4 (16 bytes) for fields, HMAC-SM3 (32 bytes) for the blind index, in hex."""
    keys = {"current": "k1", "keys": {"k1": secrets.token_hex(16)}, "index": secrets.token_hex(32)}
    return json.dumps(keys)


def database_url(sockets: Path) -> str:
    """URL of the embedded PostgreSQL."""
    return f"postgresql://postgres@/{DATABASE}?host={quote(str(sockets))}"


def redis_url(sockets: Path) -> str:
    """URL of the embedded Valkey."""
    return f"unix://{sockets}/valkey.sock"


def is_set(name: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a setting is given, by value or by file."""
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))


def key_file(path: Path, make: Callable[[], str]) -> Path:
    """Return a key file (0600), made once: of two makers at once the first wins, and it reaches the disk."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(partial, path)
        Path(partial).unlink()
    return path


def allowed_hosts(host: str) -> list[str]:
    """Names under which a server listening on HOST may be called."""
    if host in ANY_HOSTS:
        return [*LOOPBACK_HOSTS, *sorted(own_addresses())]
    shown = f"[{host}]" if ":" in host else host
    return list(dict.fromkeys([*LOOPBACK_HOSTS, shown]))


def own_addresses() -> set[str]:
    """This machine's names and addresses as far as it knows them without asking anybody."""
    name = socket.gethostname()
    found = {name.lower()}
    with suppress(OSError):  # a name that does not resolve is no fault
        found |= {str(entry[4][0]) for entry in socket.getaddrinfo(name, None, socket.AF_INET)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):  # nor is no route
        probe.connect(("192.0.2.1", 9))  # documentation address; a datagram socket sends nothing here
        found.add(str(probe.getsockname()[0]))
    return found


def acquire_services(data: Path, environment: dict[str, str], durable: bool = True) -> list[Lease]:
    """Take the embedded servers that the environment does not name itself, and name them there."""
    leases = []
    for setting, kind, url in (
        ("DATABASE_URL", "postgres", database_url),
        ("REDIS_URL", "valkey", redis_url),
    ):
        if not is_set(setting, environment):
            lease = acquire(kind, data / kind, durable)
            leases.append(lease)
            environment[setting] = url(lease.sockets)
    return leases


def portal_environment(data: Path, base: Mapping[str, str], host: str = "127.0.0.1") -> dict[str, str]:
    """Settings for Django on this machine: BASE, completed where it says nothing."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = {
        "PORTAL_STATIC_ROOT": str(data / "static"),
        "PORTAL_HTTPS": "0",
        "PORTAL_ALLOWED_HOSTS": ",".join(allowed_hosts(host)),
        **base,
        "PORTAL_DATA": str(data),
    }
    for name, make in KEY_MAKERS.items():
        if not is_set(name, base):
            environment[f"{name}_FILE"] = str(key_file(data / "keys" / name.lower(), make))
    return environment
