"""A pack against itself and the lists around it: references, rules, amounts and the parent's floors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from catalog.choices import ValueKind
from catalog.pack.content import Pack, PackAmount, PackItem
from catalog.pack.faults import Faults
from catalog.policy import AGE_FROM_NEXT_DAY, VALID_MONTHS
from eldercare.vocabulary import FACTS
from organization.areas import area_prefix
from rules import Node, RuleError, Vocabulary, amount, facts_used, parameters_used, parse_amount, parse_rule

FACT_PARAMETERS: Final[Mapping[str, tuple[int, int]]] = {VALID_MONTHS: (1, 120), AGE_FROM_NEXT_DAY: (0, 1)}


@dataclass(frozen=True, slots=True)
class Floor:
    """What a version of a parent's item demands at least, over the half-open range [since, until)."""

    item: str
    since: date
    until: date | None
    amounts: tuple[PackAmount, ...]

    def holds(self, day: date) -> bool:
        """Tell whether the version is in force on the day."""
        return self.since <= day and (self.until is None or day < self.until)

    def least(self, condition: str | None) -> Decimal | None:
        """The fixed figure for the same condition, else the lowest one; None if a formula decides."""
        for each in self.amounts:
            if condition is not None and each.condition == condition:
                return each.fixed
        figures = [each.fixed for each in self.amounts]
        return None if None in figures else min([each for each in figures if each is not None], default=None)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the published lists of the same area and of the areas above it say.

    parent_area, parent_items: area and item codes of the parent list, None and empty if it is not there.
    taken: item code → title of another list of the same area that has it. kinds, own_area: what the document
    itself published before: item code → (subject, form), and its area.
    """

    numbers: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    parent_area: str | None = None
    parent_items: frozenset[str] = frozenset()
    floors: tuple[Floor, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    own_area: str | None = None


def check_pack(pack: Pack, around: Surroundings) -> tuple[str, ...]:
    """Give every fault of the pack, those of form included, as «where：what is wrong，what to write»."""
    faults = Faults(pack.faults)
    _check_document(pack, around, faults)
    _check_references(pack, around, faults)
    vocabulary = _vocabulary(pack, around, faults)
    _check_rules(pack, vocabulary, faults)
    _check_fact_parameters(pack, faults)
    for item in pack.items:
        _check_floor(item, around, faults)
    return tuple(faults)


def _check_document(pack: Pack, around: Surroundings, faults: Faults) -> None:
    document = pack.document
    if around.own_area not in {None, document.area}:
        faults.add(
            "document.area", f"{document.code} 已用于 {around.own_area}，不能改区划；请换 document.code"
        )
    if not document.parent:
        return
    if around.parent_area is None:
        faults.add("document.parent", f"上级清单“{document.parent}”还没有载入，请先载入它，或把 parent 留空")
    elif not document.area.startswith(area_prefix(around.parent_area)):
        faults.add(
            "document.parent",
            f"上级清单“{document.parent}”属于 {around.parent_area}，不在 {document.area} 之上",
        )


def _check_references(pack: Pack, around: Surroundings, faults: Faults) -> None:
    bureaus = {word for bureau in pack.bureaus for word in (bureau.name, *bureau.aliases)}
    codes = {item.code for item in pack.items}
    for item in pack.items:
        where = f"items[{item.code}]"
        for key, name in (("lead", item.lead), *(("with", name) for name in item.joined)):
            if name and name not in bureaus:
                faults.add(
                    f"{where}.{key}", f"没有单位“{name}”，请在 bureaus 里写上它，或写成已有的名称或别名"
                )
        if around.parent_area is not None:
            for code in (code for code in item.covers if code not in around.parent_items):
                faults.add(f"{where}.covers", f"上级清单没有项目“{code}”")
        if item.code in around.taken:
            faults.add(f"{where}.code", f"《{around.taken[item.code]}》已有这个编码，请换一个")
        if around.kinds.get(item.code, (item.subject, item.form)) != (item.subject, item.form):
            faults.add(
                f"{where}.subject", "已发布项目的 subject 和 form 不能改；请写 to 结束它，用新编码另立项目"
            )
    for finding in pack.findings:
        if finding.bureau and finding.bureau not in bureaus:
            faults.add(
                f"visit_findings[{finding.code}].bureau",
                f"没有单位“{finding.bureau}”，请在 bureaus 里写上它，或写成已有的名称或别名；由村里处理的不写",
            )
    for group in pack.exclusions:
        for code in (code for code in group.items if code not in codes):
            faults.add(f"exclusions[{group.code}].items", f"本清单没有项目“{code}”")


def _vocabulary(pack: Pack, around: Surroundings, faults: Faults) -> Vocabulary:
    """Every word that the rules may use; names that cannot be words are noted and left out."""
    numbers, conditions = set(around.numbers), set(around.conditions)
    for value in pack.values:
        others, own = (numbers, conditions) if value.kind == ValueKind.CONDITION else (conditions, numbers)
        if not value.name:
            continue
        if value.name in others:
            faults.add(value.where, f"名称“{value.name}”在参数或标准、情形两处用了，请换一个名称")
        elif (wrong := _unusable(value.name)) is not None:
            faults.add(value.where, wrong)
        else:
            own.add(value.name)
    return Vocabulary(FACTS, frozenset(numbers), frozenset(conditions))


def _unusable(name: str) -> str | None:
    try:
        Vocabulary(FACTS, frozenset({name}))
    except RuleError as error:
        return error.message
    return None


def _check_rules(pack: Pack, vocabulary: Vocabulary, faults: Faults) -> None:
    for where, text in _rules(pack):
        _parsed(where, text, vocabulary, faults)
    for item in pack.items:
        for number, each in enumerate(item.amounts, start=1):
            where = f"items[{item.code}].amount" + (f"[第{number}条]" if len(item.amounts) > 1 else "")
            if each.condition is not None:
                _parsed(f"{where}.if", each.condition, vocabulary, faults)
            _check_pay(where, each.pay, vocabulary, faults)


def _rules(pack: Pack) -> Iterator[tuple[str, str]]:
    yield from (
        (f"{v.where}.rule", v.value) for v in pack.values if v.kind == ValueKind.CONDITION and v.value
    )
    yield from ((f"items[{item.code}].rule", item.rule) for item in pack.items if item.rule)
    yield from ((f"visit_tiers[{tier.code}].rule", tier.rule) for tier in pack.tiers if tier.rule)


def _parsed(where: str, text: str, vocabulary: Vocabulary, faults: Faults) -> Node | None:
    try:
        return parse_rule(text, vocabulary)
    except RuleError as error:
        faults.add(where, str(error))
        return None


def _check_pay(where: str, text: str, vocabulary: Vocabulary, faults: Faults) -> None:
    try:
        node = parse_amount(text, vocabulary)
    except RuleError as error:
        faults.add(where, str(error))
        return
    if facts_used(node) or parameters_used(node):
        return
    figure = amount(node, {})
    if figure is not None and figure < 0:
        faults.add(where, f"“{text}”是负数，不能小于 0")


def _check_fact_parameters(pack: Pack, faults: Faults) -> None:
    """The parameters that shape the facts take whole numbers within bounds."""
    for value in pack.values:
        least, most = FACT_PARAMETERS.get(value.name, (None, None))
        if least is None or most is None or value.kind == ValueKind.CONDITION:
            continue
        if not value.value.isdecimal() or not least <= int(value.value) <= most:
            faults.add(value.where, f"“{value.name}”应为 {least} 到 {most} 的整数，现为 {value.value}")


def _check_floor(item: PackItem, around: Surroundings, faults: Faults) -> None:
    """A fixed figure may not lie below the parent's fixed 不低于 figure (domain §2)."""
    floors = [each for each in around.floors if each.item in item.covers and each.holds(item.valid_from)]
    for floor in floors:
        for each in item.amounts:
            least = floor.least(each.condition)
            if least is not None and each.fixed is not None and each.fixed < least:
                faults.add(
                    f"items[{item.code}].amount",
                    f"{each.pay} 元低于上级清单 {floor.item} 的下限 {least} 元，请写不低于 {least} 的数",
                )
