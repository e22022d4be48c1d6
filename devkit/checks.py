"""`dev.py test`: lint, types, layers, Django's own checks and the whole test suite."""

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Step:
    """One check: its name, its command, and what it needs in the environment beside the rest."""

    name: str
    command: Sequence[str]
    extra: Mapping[str, str] = field(default_factory=dict)


def find_chromium(environment: Mapping[str, str]) -> str | None:
    """Path of the browser for the browser tests: PORTAL_CHROMIUM, else what is on PATH."""
    named = environment.get("PORTAL_CHROMIUM")
    return named or next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def production() -> dict[str, str]:
    """Settings as a county server has them, for Django's deployment check."""
    return {
        "PORTAL_DEBUG": "0",
        "PORTAL_HTTPS": "1",
        "PORTAL_ALLOWED_HOSTS": "portal.example",
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(64),
        "PORTAL_SECRET_KEY_FILE": "",
    }


def steps(arguments: Sequence[str]) -> list[Step]:
    """The checks in order, quick ones first; ARGUMENTS are pytest's."""
    python = sys.executable
    tool = Path(python).parent
    django = [python, "manage.py"]
    return [
        Step("ruff check", [str(tool / "ruff"), "check", "--quiet"]),
        Step("ruff format", [str(tool / "ruff"), "format", "--check", "--quiet"]),
        Step("import contracts", [str(tool / "lint-imports")]),
        Step("compose file", [str(tool / "docker-compose"), "-f", "docker-compose.yml", "config", "-q"]),
        Step("django check", [*django, "check", "--fail-level", "WARNING"]),
        Step("deploy check", [*django, "check", "--deploy", "--fail-level", "WARNING"], production()),
        Step("migrations", [*django, "makemigrations", "--check", "--dry-run"]),
        Step("static files", [*django, "collectstatic", "--noinput", "--verbosity", "0"]),
        Step("types", [str(tool / "mypy"), "."]),
        Step("tests", [python, "-m", "pytest", "-n", "2", *arguments]),
    ]


def run_steps(repo: Path, plan: Sequence[Step], environment: Mapping[str, str]) -> int:
    """Run the checks, each under its name and with its seconds; stop at the first that fails, with 1."""
    for step in plan:
        print(f"== {step.name}", flush=True)
        began = time.monotonic()
        code = subprocess.run(
            list(step.command), cwd=repo, env={**environment, **step.extra}, check=False
        ).returncode
        seconds = time.monotonic() - began
        if code != 0:
            print(
                f"== {step.name}：未通过 (failed)，退出码 {code}，{seconds:.1f} 秒",
                file=sys.stderr,
                flush=True,
            )
            return 1
        if step is not plan[-1]:  # the last words are pytest's own summary
            print(f"   {seconds:.1f} s", flush=True)
    return 0


def test_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The portal's environment, with the browser if there is one; its absence is said aloud."""
    chromium = find_chromium(environment)
    if chromium is None:
        print("没有找到 Chromium，浏览器测试将跳过 (no Chromium: browser tests are skipped)", file=sys.stderr)
        return dict(environment)
    return {**environment, "PORTAL_CHROMIUM": chromium}
