"""The left menu: two levels at most, each entry shown to whom it is open, the second under the current entry."""

import re
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils import timezone

from organization.choices import Permission

_MONTH: Final = re.compile(r"\d{4}-\d{2}/")


@dataclass(frozen=True)
class MenuEntry:
    """One line of the menu; current: the page shown lies under it; below: its second level, while it is current."""

    label: str
    icon: str
    url: str
    current: bool
    below: tuple["MenuEntry", ...] = ()


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
    ("探访", "walk", "portal:visit-home", Permission.VISIT_VIEW),
    ("跟进", "tasks", "portal:follow-up-list", Permission.FOLLOW_UP),
    ("生存认证", "certify", "portal:certification-list", Permission.CERTIFY),
    ("发放", "card", "portal:batch-list", Permission.PAYMENT_VIEW),
    ("追缴", "undo", "portal:recovery-list", Permission.PAYMENT_VIEW),
    ("服务清单", "list", "portal:item-list", Permission.CATALOG_VIEW),
    ("帮助", "help", "portal:guide", Permission.SIGNED_IN),
)
#: Second level: name of the route, whether it takes this month, and for whom.
VISITS: Final[tuple[tuple[str, str, bool, Permission], ...]] = (
    ("探访名单", "portal:visit-people", True, Permission.VISIT_VIEW),
    ("探访率", "portal:visit-rates-newest", False, Permission.VISIT_VIEW),
    ("探访月报", "portal:visit-month-list", False, Permission.VISIT_VIEW),
    ("探访记录", "portal:visit-record-list", False, Permission.VISIT_VIEW),
    ("回访抽查", "portal:call-back-list", False, Permission.CALL_BACK),
    ("探访分工", "portal:visit-workers", False, Permission.VISIT_ASSIGN),
    ("纸质登记", "portal:visit-entry", True, Permission.VISIT_IMPORT),
    ("探访层级", "portal:tier-list", False, Permission.TIER_MANAGE),
)
ADMIN: Final = ("配置管理", "settings", "/admin/")


def menu_for(granted: frozenset[Permission], path: str, *, keeps_settings: bool) -> list[MenuEntry]:
    """Entries open to a user with these permissions; the one that the path lies under is current."""
    entries = [
        MenuEntry(label, icon, url, (here := _covers(url, path)), _below(name, granted, path) if here else ())
        for label, icon, name, permission in ENTRIES
        if _open(permission, granted) and (url := reverse(name))
    ]
    if keeps_settings:
        entries.append(MenuEntry(*ADMIN, current=False))
    return entries


def _below(name: str, granted: frozenset[Permission], path: str) -> tuple[MenuEntry, ...]:
    """The second level of the current entry; of 探访 the pages of this month, whichever month is looked at."""
    if name != "portal:visit-home":
        return ()
    month = f"{timezone.localdate():%Y-%m}"
    return tuple(
        [
            MenuEntry(label, "", url, _same_page(url, path))
            for label, route, monthly, permission in VISITS
            if permission in granted and (url := reverse(route, args=[month] if monthly else []))
        ]
    )


def _same_page(url: str, path: str) -> bool:
    """Tell whether the path lies under the page, of this or another month."""
    return _MONTH.sub("", path).startswith(_MONTH.sub("", url))


def _open(asked: Permission | frozenset[Permission], granted: frozenset[Permission]) -> bool:
    return asked in granted if isinstance(asked, Permission) else bool(asked & granted)


def _covers(url: str, path: str) -> bool:
    return path == url if url == "/" else path.startswith(url)
