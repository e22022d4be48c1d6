"""Reads over the organisation."""

from organization.area_names import AreaNames, KnownArea
from organization.models import Area


def area_names_get() -> AreaNames:
    """Return the index of all areas, abolished ones with their successor."""
    fields = ("code", "name", "valid_to", "successor__name", "successor__code")
    return AreaNames(
        KnownArea(code, name, str(end or ""), f"{new_name}（{new_code}）" if new_code else "")
        for code, name, end, new_name, new_code in Area.objects.values_list(*fields)
    )
