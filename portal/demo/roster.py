"""The roster as a county would send it: every column of the contract, and cells as people really write them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from random import Random
from typing import Any, Final

from eldercare.choices import ABILITY_NAMES, YES
from operations.spreadsheets import xlsx_bytes
from organization.areas import township_code
from portal.demo.areas import COUNTY_NAME, NEIGHBOUR_VILLAGE, AreaRow
from portal.demo.numbers import disability_card
from portal.demo.people import Person

SHARE_MESSY: Final = 0.03
FULL_WIDTH: Final = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
HAN_LEVELS: Final = ("一级", "二级", "三级", "四级")
DATE_FORMS: Final = ("%Y年%-m月%-d日", "%Y.%-m.%-d", "%Y/%m/%d", "%Y%m%d")


class RosterWriter:
    """Turns persons into rows; `areas` gives names to codes."""

    def __init__(self, random: Random, areas: Iterable[AreaRow]) -> None:
        self.random = random
        self.names = {area.code: area.name for area in areas}

    def xlsx(self, people: Iterable[Person]) -> bytes:
        """Return a workbook with one row per person."""
        return xlsx_bytes("花名册", tuple(COLUMNS), (self.row(person) for person in people))

    def row(self, person: Person) -> list[Any]:
        """Return the cells of one person in the order of COLUMNS."""
        return [cell(self, person) for cell in COLUMNS.values()]

    def area(self, code: str) -> str:
        """Write an area as a code, as 镇/村, or with the county before it."""
        luck = self.random.random()
        if not code or code == NEIGHBOUR_VILLAGE or luck < 0.6:
            return code
        township, village = self.names[township_code(code)], self.names[code]
        return f"{township}/{village}" if luck < 0.85 else f"{COUNTY_NAME}{township}{village}"

    def code(self, text: str) -> str:
        """Write a number, now and then in full width, with a space behind it or a small x."""
        if not text or not self._is_messy():
            return text
        return self.random.choice((text.translate(FULL_WIDTH), f"{text} ", text.lower()))

    def ethnicity(self, text: str) -> str:
        """Write 汉 or 汉族."""
        return text.removesuffix("族") if self.random.random() < 0.2 else text

    def name(self, text: str) -> str:
        """Write a short name with a space inside now and then."""
        return f"{text[0]}\u3000{text[1]}" if len(text) == 2 and self._is_messy() else text

    def day(self, day: date | None) -> str:
        """Write a date in one of the usual ways."""
        if day is None:
            return ""
        return day.strftime(self.random.choice(DATE_FORMS)) if self._is_messy() else day.isoformat()

    def ability(self, level: int | None) -> str:
        """Write a level as its name or its digit."""
        if level is None:
            return ""
        return ABILITY_NAMES[level] if self.random.random() < 0.5 else str(level)

    def disability_level(self, level: int | None) -> str:
        """Write a level as 一级 or 1."""
        if level is None:
            return ""
        return HAN_LEVELS[level - 1] if self.random.random() < 0.5 else str(level)

    def _is_messy(self) -> bool:
        return self.random.random() < SHARE_MESSY


def _yes(is_so: bool) -> str:
    return YES if is_so else ""


def _card(person: Person) -> str:
    if person.disability_level is None:
        return ""
    return disability_card(person.number, person.disability, person.disability_level)


Cell = Callable[[RosterWriter, Person], Any]
COLUMNS: Final[Mapping[str, Cell]] = {
    "姓名": lambda w, p: w.name(p.name),
    "身份证号码": lambda w, p: w.code(p.number),
    "户籍区划": lambda w, p: w.area(p.hukou),
    "居住区划": lambda w, p: w.area(p.residence),
    "民族": lambda w, p: w.ethnicity(p.ethnicity),
    "住址": lambda w, p: f"{w.names[p.residence or p.hukou]}{p.group}组",
    "联系电话": lambda w, p: w.code(p.phone),
    "户主身份证号码": lambda w, p: p.head,
    "与户主关系": lambda w, p: p.relation,
    "特困供养": lambda w, p: p.destitute,
    "自理能力": lambda w, p: p.self_care,
    "低保": lambda w, p: _yes(p.allowance),
    "低保边缘": lambda w, p: _yes(p.marginal),
    "居住状况": lambda w, p: "、".join(p.living),
    "计生特殊": lambda w, p: p.family_planning,
    "优抚类别": lambda w, p: p.veteran,
    "无赡养人": lambda w, p: _yes(p.no_supporter),
    "定期抚恤": lambda w, p: _yes(p.regular_pension),
    "残疾类别": lambda w, p: p.disability,
    "残疾等级": lambda w, p: w.disability_level(p.disability_level),
    "残疾证号": lambda w, p: _card(p),
    "残疾证有效期至": lambda w, p: w.day(p.card_until),
    "需长期照护": lambda w, p: _yes(p.long_term_care),
    "失智": lambda w, p: _yes(p.dementia),
    "能力等级": lambda w, p: w.ability(p.ability),
    "评估日期": lambda w, p: w.day(p.assessed),
    "入住机构": lambda w, p: p.institution,
    "养老保险": lambda w, p: p.pension,
    "领取养老金": lambda w, p: _yes(p.pension_in_pay),
    "长护险": lambda w, p: _yes(p.care_insurance),
    "死亡日期": lambda w, p: w.day(p.death),
    "迁出日期": lambda w, p: w.day(p.moved_out),
    "证件核实": lambda w, p: _yes(p.stated_birth),
    "出生日期": lambda w, p: p.birth.isoformat() if p.stated_birth else "",
    "起始日期": lambda w, p: w.day(p.since),
    "开户行": lambda w, p: p.bank,
    "银行账号": lambda w, p: p.account,
    "账户户名": lambda w, p: p.name if p.account else "",
    "联系人": lambda w, p: p.contact,
    "联系人电话": lambda w, p: w.code(p.contact_phone),
    "备注": lambda w, p: p.note,
}
