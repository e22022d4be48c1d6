"""The portal's launcher, standard library only: `python3 dev.py run | test [ARGS] | manage ARGS…`.

It makes .venv, installs the locked packages there and starts itself again inside; `devkit` does the rest.
This file must parse on Python 3.8, so that an old interpreter is answered with a sentence, not a traceback.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

REPO = Path(__file__).resolve().parent
VENV = REPO / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "portal-packages.json"
OLDEST = (3, 11)
USAGE = """用法 (usage):
  python3 dev.py run [--host H] [--port P] [--no-demo] [--data DIR]   启动整个系统
  python3 dev.py test [pytest 参数]                                   全部检查与测试
  python3 dev.py manage ARGS…                                         Django 管理命令
环境变量 PORTAL_DATA=DIR：数据放在 DIR（空文件夹即全新系统）；DATABASE_URL、REDIS_URL：使用自备的服务。"""


def refuse(chinese: str, english: str) -> NoReturn:
    """Print one sentence in both languages and leave with the code for wrong usage."""
    print(f"{chinese} ({english})", file=sys.stderr)
    raise SystemExit(2)


def check_interpreter(version: tuple[int, ...], platform: str) -> None:
    """Refuse an interpreter that is too old, or a system without Unix sockets and file locks."""
    if platform != "posix":
        refuse("本程序只能在 Linux 或 macOS 上运行", "only Linux and macOS are supported")
    if version[:2] < OLDEST:
        refuse(
            f"需要 Python 3.11 以上，现为 {version[0]}.{version[1]}；请先 apt install python3.11-venv",
            f"Python {version[0]}.{version[1]} is too old: install 3.11 or newer and run dev.py with it",
        )


def check_venv_modules(modules: tuple[str, ...] = ("venv", "ensurepip")) -> None:
    """Refuse a Python whose distribution left out what a virtual environment needs (as Debian does)."""
    if not all(importlib.util.find_spec(module) for module in modules):
        refuse(
            "这个 Python 缺少 venv，请先安装：apt install python3-venv",
            "install python3-venv, then try again",
        )


def lock_for(command: str, arguments: list[str]) -> Path:
    """Name the hashed lock file whose packages this command needs."""
    if command == "test":
        return REPO / "requirements-test.txt"
    if command == "manage" and arguments[:1] == ["benchmark"]:
        return REPO / "requirements-bench.txt"
    return REPO / "requirements-run.txt"


def digest(lock: Path) -> str:
    """SHA-256 of a lock file, hex."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def pins(lock: Path) -> set[str]:
    """The `name==version` pins of a lock file, markers included."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {line.rstrip("\\ ") for line in lines if "==" in line and not line.startswith((" ", "#"))}


def satisfied_locks(lock: Path) -> dict[str, str]:
    """Lock file name → digest for LOCK and every smaller one whose pins it contains."""
    others = sorted(lock.parent.glob("requirements*.txt"))
    return {other.name: digest(other) for other in others if other == lock or pins(other) <= pins(lock)}


def installed_locks() -> dict[str, str]:
    """Lock file name → digest of what .venv holds completely; empty after an interrupted installation."""
    try:
        found: dict[str, str] = json.loads(INSTALLED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def usable(python: Path) -> bool:
    """Tell whether the environment's interpreter runs, is new enough and has pip."""
    probe = f"import sys, pip; sys.exit(sys.version_info[:2] < {OLDEST})"
    try:
        return subprocess.run([str(python), "-c", probe], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install(lock: Path) -> None:
    """Bring .venv to LOCK with pip, hashes required; pip's own settings come from the environment."""
    if not usable(VENV_PYTHON):
        check_venv_modules()
        print("正在建立 Python 环境 .venv …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True, stdout=sys.stderr)
    INSTALLED.unlink(missing_ok=True)
    print(f"正在安装 {lock.name} 中的软件包 …", file=sys.stderr)
    pip = [str(VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True, stdout=sys.stderr)
    INSTALLED.write_text(json.dumps(satisfied_locks(lock), indent=1), encoding="utf-8")


def ensure_packages(lock: Path) -> None:
    """Install LOCK unless .venv already holds exactly it; two launchers at once wait for each other."""
    import fcntl  # absent on Windows, which check_interpreter has refused by now

    if installed_locks().get(lock.name) == digest(lock):
        return
    with Path(__file__).open("rb") as this_file:
        fcntl.flock(this_file, fcntl.LOCK_EX)
        if installed_locks().get(lock.name) == digest(lock):
            return
        try:
            install(lock)
        except (subprocess.CalledProcessError, OSError) as error:
            print(
                f"软件包没有装成，改正后再运行一次即可 (packages could not be installed): {error}",
                file=sys.stderr,
            )
            raise SystemExit(1) from None


def main(arguments: list[str]) -> int:
    """Check the interpreter, bring up .venv, go there, and do the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Chinese shows question marks instead
    check_interpreter(sys.version_info[:2], os.name)
    if not arguments or arguments[0] not in {"run", "test", "manage"}:
        print(USAGE, file=sys.stderr)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    ensure_packages(lock_for(arguments[0], arguments[1:]))
    if Path(sys.prefix).resolve() != VENV.resolve():
        sys.stdout.flush()
        os.execv(str(VENV_PYTHON), [str(VENV_PYTHON), str(REPO / "dev.py"), *arguments])
    from devkit import commands  # needs the newer Python that check_interpreter has made sure of

    return commands.dispatch(arguments[0], arguments[1:])


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("已中断 (interrupted)", file=sys.stderr)
        raise SystemExit(130) from None
