"""The cash rules of the 陆良 list as OpenFisca variables, written from the printed list."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from openfisca_core.entities import build_entity
from openfisca_core.periods import MONTH
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

Array: TypeAlias = Any  # numpy publishes types, but not to this project's checker
Formula: TypeAlias = Callable[[Any, Any], Array]
PERSON: Final = build_entity("person", "persons", "", is_person=True)
STANDARD: Final = 700  # 城市低保标准, 元 per month
NUMBERS: Final = ("age", "destitute", "ability_level", "disability_level", "family_planning")
FLAGS: Final = ("present", "hukou_here", "low_income_allowance", "low_income_marginal", "long_term_care")
READINGS: Final = ("opening", "closing")
FACT_COLUMNS: Final = tuple(f"{name}_{reading}" for reading in READINGS for name in (*NUMBERS, *FLAGS))
PENDING: Final = ("L18", "L20")


def fact(name: str, value_type: type) -> type[Variable]:
    """An input of the simulation. Numbers: -1 unknown; destitute 1 分散, 2 集中; family_planning 1 死亡, 2 伤残."""
    attributes = {"value_type": value_type, "entity": PERSON, "definition_period": MONTH, "label": name}
    return type(name, (Variable,), attributes)


def cash(code: str, label: str, formula: Formula) -> type[Variable]:
    """元 per month of one item; 0: not entitled. Of items without a standard 1: entitled."""
    attributes = {
        "value_type": float,
        "entity": PERSON,
        "definition_period": MONTH,
        "label": label,
        "formula": formula,
    }
    return type(code, (Variable,), attributes)


def l03a(persons: Any, period: Any) -> Array:
    """高龄津贴（保健补助）."""
    age = persons("age_opening", period)
    entitled = persons("present_opening", period) * persons("hukou_here_opening", period)
    return entitled * (age >= 80) * (age <= 99) * 50


def l03b(persons: Any, period: Any) -> Array:
    """高龄津贴（长寿补助）."""
    entitled = persons("present_opening", period) * persons("hukou_here_opening", period)
    return entitled * (persons("age_opening", period) >= 100) * 300


def l16(persons: Any, period: Any) -> Array:
    """分散特困供养."""
    entitled = persons("present_opening", period) * (persons("age_opening", period) >= 60)
    return entitled * (persons("destitute_opening", period) == 1) * (STANDARD * 13 // 10)


def l18(persons: Any, period: Any) -> Array:
    """最低生活保障."""
    entitled = persons("present_opening", period) * (persons("age_opening", period) >= 60)
    return entitled * persons("low_income_allowance_opening", period)


def l19(persons: Any, period: Any) -> Array:
    """养老服务补贴."""
    entitled = persons("present_opening", period) * (persons("age_opening", period) >= 80)
    is_poor = persons("low_income_allowance_opening", period) + (persons("destitute_opening", period) == 1)
    return entitled * is_poor * 50


def l20(persons: Any, period: Any) -> Array:
    """养老护理补贴."""
    entitled = persons("present_opening", period) * (persons("age_opening", period) >= 60)
    return (
        entitled
        * (persons("destitute_opening", period) > 0)
        * (persons("ability_level_opening", period) >= 2)
    )


def care(persons: Any, period: Any, reading: str) -> Array:
    """重度残疾人护理补贴 by one reading of the facts."""
    entitled = persons(f"present_{reading}", period) * (persons(f"age_{reading}", period) >= 60)
    entitled = (
        entitled
        * (persons(f"destitute_{reading}", period) == 0)
        * persons(f"long_term_care_{reading}", period)
    )
    level = persons(f"disability_level_{reading}", period)
    return entitled * ((level == 1) * 100 + (level == 2) * 90)


def l21(persons: Any, period: Any) -> Array:
    """重度残疾人护理补贴."""
    closing = care(persons, period, "closing")
    return closing + (closing == 0) * care(persons, period, "opening")


def living(persons: Any, period: Any, reading: str) -> Array:
    """困难残疾人生活补贴 by one reading of the facts."""
    entitled = persons(f"present_{reading}", period) * (persons(f"age_{reading}", period) >= 60)
    is_poor = persons(f"low_income_allowance_{reading}", period) + persons(
        f"low_income_marginal_{reading}", period
    )
    is_disabled = persons(f"disability_level_{reading}", period) >= 1
    return entitled * (persons(f"destitute_{reading}", period) == 0) * is_poor * is_disabled * 90


def l22(persons: Any, period: Any) -> Array:
    """困难残疾人生活补贴."""
    closing = living(persons, period, "closing")
    return closing + (closing == 0) * living(persons, period, "opening")


def l23a(persons: Any, period: Any) -> Array:
    """计划生育特别扶助金（独生子女死亡）."""
    entitled = persons("present_opening", period) * (persons("age_opening", period) >= 60)
    return entitled * (persons("family_planning_opening", period) == 1) * 590


def l23b(persons: Any, period: Any) -> Array:
    """计划生育特别扶助金（独生子女伤残）."""
    entitled = persons("present_opening", period) * (persons("age_opening", period) >= 60)
    return entitled * (persons("family_planning_opening", period) == 2) * 460


ITEMS: Final[dict[str, Formula]] = {
    "L03a": l03a,
    "L03b": l03b,
    "L16": l16,
    "L18": l18,
    "L19": l19,
    "L20": l20,
    "L21": l21,
    "L22": l22,
    "L23a": l23a,
    "L23b": l23b,
}


def cash_list() -> Any:
    """The list's cash items over two readings of the facts, as a TaxBenefitSystem."""
    system = TaxBenefitSystem([PERSON])
    for name in FACT_COLUMNS:
        system.add_variable(fact(name, bool if name.rsplit("_", 1)[0] in FLAGS else int))
    for code, formula in ITEMS.items():
        system.add_variable(cash(code, formula.__doc__ or code, formula))
    return system
