"""Users of the demonstration, one per role, with passwords made for this installation."""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from organization.backends import ADMIN_MODELS
from organization.choices import Role
from organization.models import Area, Assignment, Bureau, User

FILE_NAME: Final = "demo-accounts.json"
READABLE: Final = "abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"
IN_TOWNSHIP: Final = (Role.TOWNSHIP_CLERK, Role.TOWNSHIP_LEAD)
# Role, sign-in name and the person's name, most useful first.
CAST: Final = (
    (Role.BUREAU_CLERK, "demo-xian-jingban", "程晓禾"),
    (Role.BUREAU_CHIEF, "demo-xian-lingdao", "沈望峰"),
    (Role.TOWNSHIP_CLERK, "demo-zhen-jingban", "柳青崖"),
    (Role.TOWNSHIP_LEAD, "demo-zhen-fuze", "桑明溪"),
    (Role.VILLAGE_WORKER, "demo-cun-xieguan", "杨小穗"),
    (Role.FINANCE, "demo-caiwu", "钱如衡"),
    (Role.DEPARTMENT, "demo-danwei", "白芷宁"),
    (Role.DATA_ADMIN, "demo-shuju", "舒可依"),
    (Role.SUPERVISOR, "demo-jiandu", "严守正"),
    (Role.SYSTEM_ADMIN, "demo-xitong", "石筑"),
    (Role.SECURITY_ADMIN, "demo-anquan", "关牧"),
    (Role.AUDIT_ADMIN, "demo-shenji", "纪明"),
)
# The other townships have one lead together, so that a batch can be checked by two accounts.
OTHER_LEAD: Final = ("demo-qita-zhen", "秦远山")
OTHER_PLACES: Final = "其余乡镇（街道）"
DEPARTMENT_BUREAU: Final = "县残联"


@dataclass(frozen=True)
class DemoAccount:
    """What someone who tries the portal needs to sign in."""

    username: str
    password: str
    role: str
    area: str


def accounts_create(*, county: Area, township: Area, village: Area) -> list[DemoAccount]:
    """Make or renew the demonstration users and note their passwords in a file that only its owner reads."""
    with transaction.atomic():
        accounts = [
            _create(role, username, full_name, _area_of(role, county, township, village))
            for role, username, full_name in CAST
        ]
        accounts.append(_other_lead(county, township))
        _write(accounts)
    return accounts


def accounts_read() -> list[DemoAccount]:
    """Return the noted accounts that exist in this database; none on a system without a demonstration."""
    try:
        noted = [DemoAccount(**each) for each in json.loads(_path().read_text())]
    except (OSError, ValueError, TypeError):
        return []
    names = [account.username for account in noted]
    present = set(User.objects.filter(username__in=names, is_active=True).values_list("username", flat=True))
    return [account for account in noted if account.username in present]


def username_of(role: Role) -> str:
    """Return the sign-in name of the demonstration's user in a role."""
    return next(username for each, username, _ in CAST if each is role)


def person(role: Role) -> User:
    """Return the demonstration's user in a role."""
    return User.objects.get(username=username_of(role))


def password_make() -> str:
    """Return a random password of three groups that can be read aloud: small and capital letters and digits."""
    groups = ["".join(secrets.choice(pool) for _ in range(4)) for pool in READABLE]
    return "-".join(groups)


def _create(role: Role, username: str, full_name: str, area: Area) -> DemoAccount:
    user, password = _sign_up(username, full_name, is_staff=role in ADMIN_MODELS)
    Assignment.objects.get_or_create(user=user, role=role, area=area, bureau=_bureau_of(role, area))
    return DemoAccount(username, password, role.label, area.name)


def _other_lead(county: Area, township: Area) -> DemoAccount:
    role = Role.TOWNSHIP_LEAD
    user, password = _sign_up(*OTHER_LEAD, is_staff=False)
    for other in Area.objects.filter(parent=county).exclude(pk=township.pk):
        Assignment.objects.get_or_create(user=user, role=role, area=other, bureau=None)
    return DemoAccount(OTHER_LEAD[0], password, role.label, OTHER_PLACES)


def _sign_up(username: str, full_name: str, *, is_staff: bool) -> tuple[User, str]:
    password = password_make()
    user, _ = User.objects.get_or_create(username=username)
    user.full_name = full_name
    user.is_staff = is_staff
    user.set_password(password)
    user.save()
    return user, password


def _area_of(role: Role, county: Area, township: Area, village: Area) -> Area:
    if role is Role.VILLAGE_WORKER:
        return village
    return township if role in IN_TOWNSHIP else county


def _bureau_of(role: Role, area: Area) -> Bureau | None:
    if role is not Role.DEPARTMENT:
        return None
    return Bureau.objects.filter(area=area, name=DEPARTMENT_BUREAU).first()


def _path() -> Path:
    return Path(settings.DATA_DIR) / FILE_NAME


def _write(accounts: Sequence[DemoAccount]) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as stream:
        json.dump([vars(account) for account in accounts], stream, ensure_ascii=False, indent=1)
    fresh.replace(path)
