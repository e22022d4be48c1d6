"""The cash items of 陆良 and 陈仓 once more, as plain functions over plain values.

Written from the printed lists (宝陈政办发〔2024〕20号, 陆办发〔2023〕14号) and from the readings noted in the packs:
失能 = 中度以上, 困难残疾 = 持证且低保或低保边缘. Nothing here calls the rule language, the packs or SQL: two
independent writings of the same documents must agree.
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from eldercare.choices import Kind
from tests.subsidies.random_registry import Person

ASSESSMENT_MONTHS = 12
ALLOWANCE = Decimal(700)


@dataclass(frozen=True)
class Facts:
    """What is known of a person on a day, in one county."""

    age: int
    hukou_here: bool
    destitute: str
    poor: bool
    marginal: bool
    level: int | None
    disability: int | None
    needs_care: bool
    lost_child: str
    institution: str


@dataclass(frozen=True)
class Benefit:
    """A cash item: who, how much (None: no figure in the document) and whether by the opening facts alone."""

    entitled: Callable[[Facts], bool]
    amount: Callable[[Facts], Decimal | None]
    next_month: bool


def fixed(yuan: int | str) -> Callable[[Facts], Decimal | None]:
    return lambda facts: Decimal(yuan)


def pending(facts: Facts) -> Decimal | None:
    return None


def by_level(facts: Facts) -> Decimal | None:
    return {1: Decimal(100), 2: Decimal(90)}.get(facts.disability or 0)


LULIANG_BENEFITS: dict[str, Benefit] = {
    "L03a": Benefit(lambda f: f.hukou_here and 80 <= f.age <= 99, fixed(50), True),
    "L03b": Benefit(lambda f: f.hukou_here and f.age >= 100, fixed(300), True),
    "L16": Benefit(lambda f: f.age >= 60 and f.destitute == "分散", fixed("910.00"), True),
    "L17": Benefit(lambda f: f.age >= 60 and f.destitute == "集中", fixed("910.00"), True),
    "L19": Benefit(lambda f: f.age >= 80 and (f.poor or f.destitute == "分散"), fixed(50), True),
    "L20": Benefit(
        lambda f: f.age >= 60 and f.destitute != "无" and f.level is not None and f.level >= 2, pending, True
    ),
    "L21": Benefit(
        lambda f: f.age >= 60 and f.destitute == "无" and f.disability in (1, 2) and f.needs_care,
        by_level,
        False,
    ),
    "L22": Benefit(
        lambda f: f.age >= 60 and f.destitute == "无" and f.disability is not None and (f.poor or f.marginal),
        fixed(90),
        False,
    ),
    "L23a": Benefit(lambda f: f.age >= 60 and f.lost_child == "独生子女死亡", fixed(590), True),
    "L23b": Benefit(lambda f: f.age >= 60 and f.lost_child == "独生子女伤残", fixed(460), True),
}
CHENCANG_BENEFITS: dict[str, Benefit] = {
    "C04": Benefit(lambda f: f.hukou_here and f.age >= 70, pending, True),
    "C05": Benefit(lambda f: f.age >= 60 and f.poor and f.level is not None and f.level >= 3, pending, True),
    "C07": Benefit(
        lambda f: f.age >= 60 and f.destitute != "无" and f.institution != "特困供养机构", pending, True
    ),
    "C09": Benefit(lambda f: f.age >= 70 and f.poor, fixed("210.00"), True),
    "C10": Benefit(lambda f: f.age >= 60 and f.destitute == "分散", fixed("910.00"), True),
    "C11": Benefit(lambda f: f.age >= 60 and f.destitute == "集中", fixed("910.00"), True),
    "C15a": Benefit(lambda f: f.age >= 60 and f.poor and f.disability is not None, pending, False),
    "C15b": Benefit(lambda f: f.age >= 60 and f.disability in (1, 2) and f.needs_care, pending, False),
}
#: 护理类补贴 are drawn once (择高); without figures the first named stays.
CHENCANG_HIGHEST = ("C07", "C15b")


def age_on(birth: date, day: date) -> int:
    """Completed years; who was born on 29 February has the birthday on the last of February."""
    last_of_february = monthrange(day.year, 2)[1]
    birthday = date(
        day.year, birth.month, min(birth.day, last_of_february) if birth.month == 2 else birth.day
    )
    return day.year - birth.year - (0 if day >= birthday else 1)


def a_year_later(day: date) -> date:
    year, month = day.year + ASSESSMENT_MONTHS // 12, day.month
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def last_of(month: date) -> date:
    return month.replace(day=monthrange(month.year, month.month)[1])


def facts_on(person: Person, day: date, age_day: date, county: str) -> Facts | None:
    """Facts on a day, None for who is not of the county then."""
    hukou = person.value(Kind.HUKOU, day)
    residence = person.value(Kind.RESIDENCE, day) or hukou
    hukou_here = (hukou or "").startswith(county[:6])
    if not hukou_here and not (residence or "").startswith(county[:6]):
        return None
    assessed = person.at(Kind.ABILITY_LEVEL, day)
    level = int(assessed.value) if assessed and day < a_year_later(assessed.first) else None
    disability = person.value(Kind.DISABILITY_LEVEL, day)
    return Facts(
        age=age_on(person.birth, age_day),
        hukou_here=hukou_here,
        destitute=person.value(Kind.DESTITUTE, day) or "无",
        poor=person.value(Kind.LOW_INCOME_ALLOWANCE, day) is not None,
        marginal=person.value(Kind.LOW_INCOME_MARGINAL, day) is not None,
        level=level,
        disability=None if disability is None else int(disability),
        needs_care=person.value(Kind.LONG_TERM_CARE, day) is not None,
        lost_child=person.value(Kind.FAMILY_PLANNING, day) or "无",
        institution=person.value(Kind.INSTITUTION, day) or "无",
    )


def opening_facts(person: Person, month: date, county: str) -> Facts | None:
    """As of the 1st, age as of the day before; nobody who had died or moved out before the 1st."""
    for kind in (Kind.DEATH, Kind.MOVED_OUT):
        gone = person.at(kind, month)
        if gone and gone.first < month:
            return None
    return facts_on(person, month, month - timedelta(days=1), county)


def closing_facts(person: Person, month: date, county: str) -> Facts | None:
    """As of the last day, of who is alive and has not moved out that day."""
    last = last_of(month)
    if person.at(Kind.DEATH, last) or person.at(Kind.MOVED_OUT, last):
        return None
    return facts_on(person, last, last, county)


def outcomes_of(
    person: Person, month: date, county: str, benefits: dict[str, Benefit], highest: tuple[str, ...] = ()
) -> dict[str, tuple[str, Decimal | None]]:
    """Item → (outcome, 元) of one person in one month; every item comes by itself unless an enrolment says not."""
    opening, closing = opening_facts(person, month, county), closing_facts(person, month, county)
    entitled: dict[str, Decimal | None] = {}
    for code, benefit in benefits.items():
        for facts in (opening,) if benefit.next_month else (closing, opening):
            if facts is not None and benefit.entitled(facts):
                entitled[code] = benefit.amount(facts)
                break
    standing = {code: standing_of(person, code, month) for code in entitled}
    rivals = sorted(
        (code for code in highest if standing.get(code) == "应发"), key=lambda c: -(entitled[c] or 0)
    )
    dropped = set(rivals[1:])
    return {
        code: ("择高未发" if code in dropped else standing[code], amount) for code, amount in entitled.items()
    }


def standing_of(person: Person, code: str, month: date) -> str:
    """暂停 while an enrolment that reaches the month is held; 未申请 once those that began are over; else 应发."""
    begun = [row for row in person.enrolments if row.code == code and row.first <= month]
    open_ones = []
    for row in begun:
        over = row.last is not None and row.last < month
        if row.state == "终止" and row.held_from is not None and row.held_from <= month:
            over = True
        if not over:
            open_ones.append(row)
    for row in open_ones:
        if row.state == "暂停" and (row.held_from is None or row.held_from <= month):
            return "暂停"
    return "未申请" if begun and not open_ones else "应发"
