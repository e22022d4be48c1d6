"""As whom PostgreSQL runs: it refuses root, so root needs a way round."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOBODY = 65534  # uid and gid that every Linux has; initdb refuses a uid without a passwd entry
UNSHARE = ("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@dataclass(frozen=True)
class Account:
    """How a server program is started: words before it, Popen arguments, owner of its folders (None: we)."""

    prefix: tuple[str, ...] = ()
    popen: dict[str, Any] = field(default_factory=dict)
    owner: int | None = None


OURSELVES = Account()
USER_NAMESPACE = Account(prefix=UNSHARE)
NOBODY_ACCOUNT = Account(popen={"user": NOBODY, "group": NOBODY, "extra_groups": []}, owner=NOBODY)


def choose_account(program: Path) -> Account:
    """Pick the first way that works: ourselves, root in a user namespace of its own, else the account nobody.

    A user namespace leaves files and folder permissions as they are; container engines often forbid it.
    """
    if os.geteuid() != 0:
        return OURSELVES
    if shutil.which(UNSHARE[0]) and _runs((*UNSHARE, str(program), "--version")):
        return USER_NAMESPACE
    return NOBODY_ACCOUNT


def _runs(command: tuple[str, ...]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def hand_over(folder: Path, account: Account) -> None:
    """Give a folder to the account that will write in it."""
    if account.owner is not None:
        os.chown(folder, account.owner, account.owner)


def let_pass(folders: Iterable[Path], account: Account) -> None:
    """Let another account pass through our folders to its own; what they hold stays unreadable."""
    if account.owner is not None:
        for folder in folders:
            folder.chmod(folder.stat().st_mode | 0o011)
