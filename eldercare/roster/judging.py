"""What cannot be seen in one cell: rules over a whole row. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from eldercare.identity import WRONG_DATE, IdNumber
from eldercare.roster.report import Severity
from eldercare.roster.scope import Scope
from organization.area_names import AreaNames

Remark = tuple[Severity, str, str]
"""Severity, attribute of the column, message."""

BLANK: Final = "没有填写；这是必填项"
BLANK_AREA: Final = (
    "没有填写；请填 12 位区划代码，或“镇（街）/村（社区）”（合并单元格请先取消合并，逐行填写）"
)
OUT_OF_SCOPE: Final = "户籍和居住都不在您的管理范围内；请交由所属镇（街）或县级上报"
BIRTH_NEEDED: Final = "号码中没有真实的出生日期；证件已核实的，请在“出生日期”列填写实际日期"


@dataclass
class Judge:
    """Judges cleaned rows within the sender's scope."""

    areas: AreaNames
    today: date
    as_of: date
    scope: Scope = None
    pairs: dict[tuple[str, str], str | ValueError] = field(default_factory=dict)

    def judge(self, values: dict[str, Any], is_whole: bool) -> list[Remark]:
        """Complete a row in place (`hukou`, `starts`, `birth_date`) and return what is wrong or odd in it.

        is_whole: every cell could be read; where not, only what can be said without the others is.
        """
        remarks = [*self._required(values), *self._identity(values)]
        values["starts_given"] = values.get("starts") is not None
        values["starts"] = values.get("starts") or self.as_of
        remarks += self._dates(values)
        if is_whole and not any(severity is Severity.ERROR for severity, _, _ in remarks):
            remarks += self._scope(values)
        return remarks

    def _required(self, values: dict[str, Any]) -> Iterator[Remark]:
        for name in ("name", "id_number"):
            if values.get(name) is None:
                yield Severity.ERROR, name, BLANK
        if values.get("hukou") is not None:
            return
        township, village = values.get("township") or "", values.get("village") or ""
        if not (isinstance(township, str) and isinstance(village, str)):
            return
        area = self._by_pair(township, village) if township or village else ValueError(BLANK_AREA)
        if isinstance(area, ValueError):
            yield Severity.ERROR, _hukou_column(values), str(area)
        else:
            values["hukou"] = area

    def _by_pair(self, township: str, village: str) -> "str | ValueError":
        """Resolve the names of two columns, each pair once."""
        found = self.pairs.get((township, village))
        if found is None:
            try:
                found = self.areas.resolve(f"{township}/{village}".strip("/"))
            except ValueError as error:
                found = error
            self.pairs[township, village] = found
        return found

    def _identity(self, values: dict[str, Any]) -> Iterator[Remark]:
        """An odd number passes if the card was seen; where it holds no date the column must."""
        number = values.get("id_number")
        if not isinstance(number, IdNumber):
            return
        stated = values.get("birth_date")
        if number.fault and values.get("verified") is not True:
            yield Severity.ERROR, "id_number", number.fault
        elif number.fault == WRONG_DATE and not isinstance(stated, date):
            column = "birth_date" if "birth_date" in values else "id_number"
            yield Severity.ERROR, column, stated if isinstance(stated, str) else BIRTH_NEEDED
        elif isinstance(stated, date) and number.birth_date and stated != number.birth_date:
            yield Severity.WARNING, "birth_date", "与证件号码中的出生日期不同，以证件号码为准；请核对"
        if values.get("sex") not in (None, number.sex.value):
            yield Severity.WARNING, "sex", "与证件号码中的性别不同，以证件号码为准；请核对"
        values["birth_date"] = number.birth_date or stated

    def _dates(self, values: Mapping[str, Any]) -> Iterator[Remark]:
        birth = values.get("birth_date")
        for name in ("death_date", "moved_out_date", "assessed_on"):
            day = values.get(name)
            if not isinstance(day, date):
                continue
            if day > self.today:
                yield Severity.ERROR, name, "日期晚于今天；请核对"
            elif isinstance(birth, date) and day < birth:
                yield Severity.ERROR, name, "日期早于出生日期；请核对"

    def _scope(self, values: Mapping[str, Any]) -> Iterator[Remark]:
        codes = [values["hukou"], values.get("residence") or values["hukou"]]
        if self.scope is not None and not any(code.startswith(self.scope) for code in codes):
            yield Severity.ERROR, _hukou_column(values), OUT_OF_SCOPE


def oddities(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Yield warnings about columns that do not fit together, for a row without errors."""
    number: str = values["id_number"].number
    until, level = values.get("disability_until"), values.get("disability_level")
    if isinstance(until, date) and until < values["starts"] and (level or values.get("disability_type")):
        yield Severity.WARNING, "disability_until", "残疾证在起始日期前已到期，残疾情形不再登记；换证后请更新"
    if {"disability_level", "disability_type"} <= values.keys() and (level is None) != (
        values["disability_type"] is None
    ):
        yield Severity.WARNING, "disability_level", "残疾类别和残疾等级只填了一项；请补全"
    if values.get("ability_level") is None and values.get("assessed_on") is not None:
        yield Severity.WARNING, "assessed_on", "有评估日期但没有能力等级；评估日期没有登记"
    yield from _card_oddities(values.get("disability_card"), number, level)
    holder = values.get("holder")
    if holder is not None and holder != values["name"]:
        yield Severity.WARNING, "holder", "账户户名与姓名不同；请核对是否为本人账户"
    head = values.get("head_id_number")
    if values.get("relation") in ("本人", "户主") and head is not None and head.number != number:
        yield Severity.WARNING, "relation", "写的是户主本人，户主证件号码却是别人；请核对"


def _card_oddities(card: str | None, number: str, level: str | None) -> Iterator[Remark]:
    if card is None or len(card) < 20:
        return
    if not card.startswith(number):
        yield Severity.WARNING, "disability_card", "残疾证号前 18 位与证件号码不同；请核对"
    elif level is not None and card[19] != level:
        yield Severity.WARNING, "disability_card", "残疾证号末位等级与“残疾等级”不同；请核对"


def _hukou_column(values: Mapping[str, Any]) -> str:
    return next((name for name in ("hukou", "village", "township") if name in values), "hukou")
