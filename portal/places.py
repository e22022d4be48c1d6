"""Names of areas for lists: township and village, one query for a page of rows."""

from collections.abc import Iterable, Mapping

from organization.areas import county_code, is_county, township_code
from organization.models import Area


def place_names(codes: Iterable[str]) -> dict[str, str]:
    """Return code → '青山镇 石桥村'; a code that is not registered stands for itself."""
    wanted = {code for code in codes if code}
    above = {township_code(code) for code in wanted} | {county_code(code) for code in wanted}
    names = dict(Area.objects.filter(code__in=wanted | above).values_list("code", "name"))
    return {code: place_name(code, names) for code in wanted}


def place_name(code: str, names: Mapping[str, str]) -> str:
    """Name of one area with its township; a county alone by its own name."""
    if code not in names:
        return code
    township = township_code(code)
    if is_county(code) or township == code or township not in names:
        return names[code]
    return f"{names[township]} {names[code]}"
