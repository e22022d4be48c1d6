"""The facts that rules may name, and where each stands in the facts table (domain §0, contract «Rule words»)."""

from dataclasses import dataclass

from eldercare.choices import NONE, Kind
from rules import Fact, FactType


@dataclass(frozen=True)
class FactColumn:
    """A fact of the rule language and its column; kind None: derived from the elder's own data.

    absent: what the column holds when no circumstance says anything: False, '无', or None for unknown.
    """

    fact: Fact
    column: str
    kind: Kind | None
    absent: bool | str | None

    @property
    def sql_type(self) -> str:
        """PostgreSQL type of the column."""
        return {
            FactType.BOOLEAN: "boolean",
            FactType.NUMBER: "smallint",
            FactType.TEXT: "text",
            FactType.DATE: "date",
        }[self.fact.type]


def _derived(name: str, column: str, kind: FactType, choices: tuple[str, ...] = ()) -> FactColumn:
    return FactColumn(Fact(name, kind, choices), column, None, None)


def _yes_no(kind: Kind) -> FactColumn:
    return FactColumn(Fact(kind.label, FactType.BOOLEAN), kind.value, kind, False)


def _one_of(kind: Kind, *choices: str) -> FactColumn:
    return FactColumn(
        Fact(kind.label, FactType.TEXT, (NONE, *choices) if choices else ()), kind.value, kind, NONE
    )


def _measured(kind: Kind, fact_type: FactType, *choices: str) -> FactColumn:
    return FactColumn(Fact(kind.label, fact_type, choices), kind.value, kind, None)


FACT_COLUMNS: tuple[FactColumn, ...] = (
    _derived("年龄", "age", FactType.NUMBER),
    _derived("出生日期", "birth_date", FactType.DATE),
    _derived("性别", "sex", FactType.TEXT, ("男", "女")),
    _derived("户籍在本县", "hukou_here", FactType.BOOLEAN),
    _derived("居住在本县", "resident_here", FactType.BOOLEAN),
    _one_of(Kind.DESTITUTE, "分散", "集中"),
    _measured(Kind.SELF_CARE, FactType.TEXT, "全自理", "半护理", "全护理"),
    _yes_no(Kind.LOW_INCOME_ALLOWANCE),
    _yes_no(Kind.LOW_INCOME_MARGINAL),
    _yes_no(Kind.LOW_INCOME),
    _measured(Kind.ABILITY_LEVEL, FactType.NUMBER),
    _one_of(Kind.DISABILITY_TYPE, "视力", "听力", "言语", "肢体", "智力", "精神", "多重"),
    _measured(Kind.DISABILITY_LEVEL, FactType.NUMBER),
    _yes_no(Kind.LONG_TERM_CARE),
    _yes_no(Kind.LIVES_ALONE),
    _yes_no(Kind.EMPTY_NEST),
    _yes_no(Kind.LEFT_BEHIND),
    _one_of(Kind.FAMILY_PLANNING, "独生子女死亡", "独生子女伤残"),
    _one_of(Kind.VETERAN_CATEGORY),
    _yes_no(Kind.NO_SUPPORTER),
    _yes_no(Kind.REGULAR_PENSION),
    _one_of(Kind.INSTITUTION, "特困供养机构", "养老机构", "医院"),
    _yes_no(Kind.HOMELESS),
    _yes_no(Kind.DEMENTIA),
    _one_of(Kind.PENSION, "职工", "城乡居民"),
    _yes_no(Kind.PENSION_IN_PAY),
    _yes_no(Kind.CARE_INSURANCE),
)
FACTS: dict[str, Fact] = {column.fact.name: column.fact for column in FACT_COLUMNS}
COLUMNS: dict[str, str] = {column.fact.name: column.column for column in FACT_COLUMNS}
FROM_CIRCUMSTANCE: tuple[FactColumn, ...] = tuple(c for c in FACT_COLUMNS if c.kind is not None)
