"""Bank file formats of a county."""

from typing import Any, Final

import yaml
from django.conf import settings

from subsidies.bank_layout import file_layout
from subsidies.models import BankProfile
from subsidies.return_layout import return_layout

SHIPPED: Final = settings.BASE_DIR / "fixtures" / "bank_profiles.yaml"


def shipped_profiles() -> list[dict[str, Any]]:
    """The formats that the portal brings along: name, layout, return_layout."""
    profiles: list[dict[str, Any]] = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    return profiles


def bank_profiles_ensure(*, county_code: str) -> int:
    """Give a county the shipped formats that it has none of by name; return how many were added."""
    added = 0
    for shipped in shipped_profiles():
        file_layout(shipped["layout"])
        return_layout(shipped["return_layout"])
        _, is_new = BankProfile.objects.get_or_create(
            county_code=county_code,
            name=shipped["name"],
            defaults={"layout": shipped["layout"], "return_layout": shipped["return_layout"]},
        )
        added += is_new
    return added
