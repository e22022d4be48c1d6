"""Finding an area by what people write: a 12-digit code, or names with or without what stands above them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from organization.areas import CODE_LENGTH, area_prefix, county_code, township_code

UNKNOWN_CODE: Final = "区划代码不在区划表中；请核对 12 位代码，或先导入最新区划"
UNKNOWN_NAME: Final = "区划表中没有这个名称；请填写 12 位区划代码，或写成“镇（街）/村（社区）”"
SHORT_CODE: Final = "区划代码应为 12 位数字；请补全，或改写名称"
MAX_CANDIDATES: Final = 5

_SEPARATORS: Final = re.compile(r"[\s/\\>、,，|·.．。-]+")
_OFFICE: Final = re.compile(r"(?<=街道)办事处|(?<=[镇乡])人民政府")
_VILLAGE_ENDS: Final = (
    "村民委员会", "居民委员会", "社区居委会", "社区居民委员会", "村委会", "居委会", "社区", "行政村", "村",
)  # fmt: skip
_TOWNSHIP_ENDS: Final = ("街道办事处", "人民政府", "办事处", "街道", "镇", "乡")
_HOUSEHOLD: Final = re.compile(r"(.+?)第?[\d一二三四五六七八九十]+(?:村民)?(?:小?组|社|队|号)\S*")


@dataclass(frozen=True, slots=True)
class KnownArea:
    """An area as the table holds it; successor: full name and code of who took over, '' while it exists."""

    code: str
    name: str
    abolished: str = ""
    successor: str = ""


def plain(name: str) -> str:
    """Return a name without spaces, separators and the office in it («中枢街道» for «中枢街道 办事处»)."""
    return _OFFICE.sub("", _SEPARATORS.sub("", name))


def bare(name: str, ends: tuple[str, ...]) -> str:
    """Return a name without its kind («东门» for «东门村委会»), never less than two characters."""
    for end in sorted(ends, key=len, reverse=True):
        if name.endswith(end) and len(name) - len(end) >= 2:
            return name[: -len(end)]
    return name


class AreaNames:
    """Index over the areas of the table; resolves one text at a time."""

    def __init__(self, areas: Iterable[KnownArea]) -> None:
        self.areas = {area.code: area for area in areas}
        self.exact: dict[str, set[str]] = {}
        self.loose: dict[str, set[str]] = {}
        self.counties: dict[str, str] = {}
        for area in self.areas.values():
            if not area.abolished:
                self._index(area)

    def resolve(self, text: str) -> str:
        """Return the 12-digit code. Raises ValueError saying what to write; an ambiguous name lists candidates."""
        if text.isdecimal() and text.isascii():
            return self._by_code(text)
        name = plain(text)
        found = self._by_name(name)
        if not found and (match := _HOUSEHOLD.fullmatch(name)):
            found = self._by_name(match[1])
        if not found:
            raise ValueError(UNKNOWN_NAME)
        if len(found) > 1:
            raise ValueError(self._ambiguous(sorted(found)))
        return found.pop()

    def full_name(self, code: str) -> str:
        """Return township and village of a code: «中枢街道/东门社区»."""
        codes = dict.fromkeys((township_code(code), code))
        return "/".join(self.areas[one].name for one in codes if one in self.areas)

    def _index(self, area: KnownArea) -> None:
        level = len(area_prefix(area.code))
        name = plain(area.name)
        if level == 6:
            self.counties[area.code] = name
        if level == 9:
            self._note(self.exact, area.code, name)
            self._note(self.loose, area.code, bare(name, _TOWNSHIP_ENDS))
        if level == CODE_LENGTH:
            above = self.areas.get(township_code(area.code))
            township = plain(above.name) if above else ""
            short = bare(name, _VILLAGE_ENDS)
            self._note(self.exact, area.code, name, township + name)
            self._note(self.loose, area.code, short, township + short, bare(township, _TOWNSHIP_ENDS) + short)

    @staticmethod
    def _note(index: dict[str, set[str]], code: str, *keys: str) -> None:
        for key in keys:
            index.setdefault(key, set()).add(code)

    def _by_code(self, text: str) -> str:
        if len(text) != CODE_LENGTH:
            raise ValueError(SHORT_CODE)
        area = self.areas.get(text)
        if area is not None and area.abolished:
            to = f"并入{area.successor}，请改填新代码" if area.successor else "请改填现行代码"
            raise ValueError(f"该区划已于 {area.abolished} 撤销，{to}")
        if area is None and (not self.counties or county_code(text) in self.counties):
            raise ValueError(UNKNOWN_CODE)
        return text

    def is_known(self, code: str) -> bool:
        """Tell whether the table holds the code; codes of other counties need not be in it."""
        return code in self.areas

    def _by_name(self, name: str) -> set[str]:
        for county, county_name in self.counties.items():
            _, found, rest = name.partition(county_name)
            if found:
                prefix = area_prefix(county)
                return {code for code in self._look_up(rest) if code.startswith(prefix)} if rest else {county}
        return self._look_up(name)

    def _look_up(self, name: str) -> set[str]:
        for key in (name, bare(name, _VILLAGE_ENDS), bare(name, _TOWNSHIP_ENDS)):
            if codes := self.exact.get(key) or self.loose.get(key):
                return set(codes)
        return set()

    def _ambiguous(self, codes: list[str]) -> str:
        shown = "、".join(f"{self.full_name(code)}（{code}）" for code in codes[:MAX_CANDIDATES])
        more = f" 等 {len(codes)} 个" if len(codes) > MAX_CANDIDATES else ""
        return f"名称不唯一：{shown}{more}；请写明镇（街），或填写 12 位代码"
