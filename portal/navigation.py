"""The left menu: at most one level so far, each entry shown to whom it is open."""

from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from organization.choices import Permission


@dataclass(frozen=True)
class MenuEntry:
    """One line of the menu; current: the page shown lies under it."""

    label: str
    icon: str
    url: str
    current: bool


#: who has to do with applications; the page itself is open to everybody who may see the elder
APPLICATIONS: Final = frozenset(
    {Permission.APPLICATION_MAKE, Permission.APPLICATION_CHECK, Permission.APPLICATION_APPROVE}
)
ENTRIES: Final[tuple[tuple[str, str, str, Permission | frozenset[Permission]], ...]] = (
    ("工作台", "home", "portal:workbench", Permission.SIGNED_IN),
    ("老年人", "people", "portal:elder-list", Permission.ELDER_VIEW),
    ("花名册导入", "upload", "portal:import-list", Permission.ROSTER_IMPORT),
    ("月度核定", "calendar", "portal:month-list", Permission.MONTH_VIEW),
    ("申请", "apply", "portal:application-list", APPLICATIONS),
    ("生存认证", "certify", "portal:certification-list", Permission.CERTIFY),
    ("发放", "card", "portal:batch-list", Permission.PAYMENT_VIEW),
    ("追缴", "undo", "portal:recovery-list", Permission.PAYMENT_VIEW),
    ("服务清单", "list", "portal:item-list", Permission.CATALOG_VIEW),
    ("帮助", "help", "portal:guide", Permission.SIGNED_IN),
)
ADMIN: Final = ("配置管理", "settings", "/admin/")


def menu_for(granted: frozenset[Permission], path: str, *, keeps_settings: bool) -> list[MenuEntry]:
    """Entries open to a user with these permissions; the one that the path lies under is current."""
    entries = [
        MenuEntry(label, icon, url, _covers(url, path))
        for label, icon, name, permission in ENTRIES
        if _open(permission, granted) and (url := reverse(name))
    ]
    if keeps_settings:
        entries.append(MenuEntry(*ADMIN, current=False))
    return entries


def _open(asked: Permission | frozenset[Permission], granted: frozenset[Permission]) -> bool:
    return asked in granted if isinstance(asked, Permission) else bool(asked & granted)


def _covers(url: str, path: str) -> bool:
    return path == url if url == "/" else path.startswith(url)
