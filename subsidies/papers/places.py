"""Names of townships and villages for long papers, read once."""

from organization.areas import county_code, is_county, township_code
from organization.models import Area


class Places:
    """Names of a county's areas by code; a code that is not registered stands for itself."""

    def __init__(self, county: str) -> None:
        self.names = dict(Area.objects.below(county).values_list("code", "name"))

    def township(self, code: str) -> str:
        """Name of the township in which an area lies; of the county for one outside every township."""
        above = township_code(code)
        return self.names.get(above) or self.names.get(county_code(code), above)

    def village(self, code: str) -> str:
        """Township and village: 青山镇 石桥村."""
        if code == township_code(code) or is_county(code):
            return self.township(code)
        return f"{self.township(code)} {self.names.get(code, code)}"
