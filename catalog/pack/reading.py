"""Sections of a pack → frozen content, every fault of form noted on the way."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from catalog.choices import (
    RED_HOURS,
    Application,
    Comparator,
    FindingGroup,
    Form,
    ItemType,
    Per,
    Risk,
    Start,
    Strategy,
    Subject,
    Track,
    ValueKind,
    VisitMode,
)
from catalog.pack.content import (
    Pack,
    PackAmount,
    PackBureau,
    PackDocument,
    PackExclusion,
    PackFinding,
    PackItem,
    PackTarget,
    PackTier,
    PackValue,
)
from catalog.pack.fields import Fields
from catalog.pack.source import load_source

T = TypeVar("T")
MAX_RULE: Final = 4_000
MAX_HOURS: Final = 2_160  # 90 days
_AREA = re.compile(r"\d{12}")


def read_pack(source: bytes | str) -> Pack:
    """Read a pack and note every fault of form in `Pack.faults`; PackError if it is no readable YAML."""
    values, faults = load_source(source)
    top = Fields(values, "", faults)
    document = _document(Fields(top.raw("document", "{code: …}"), "document", faults))
    pack = Pack(
        document=document,
        bureaus=tuple([_bureau(each) for each in top.entries("bureaus", "name")]),
        values=tuple(_values(top)),
        items=tuple([_item(each) for each in top.entries("items", "code")]),
        exclusions=tuple([_exclusion(each) for each in top.entries("exclusions", "code")]),
        tiers=tuple([_tier(each, document.issued) for each in top.entries("visit_tiers", "code")]),
        findings=tuple([_finding(each, document.issued) for each in top.entries("visit_findings", "code")]),
        targets=tuple([_target(each) for each in top.entries("targets", "code")]),
    )
    top.close()
    for where, what in _repeated(pack):
        faults.add(where, what)
    return Pack(**{name: getattr(pack, name) for name in pack.__slots__} | {"faults": tuple(faults)})


def _document(fields: Fields) -> PackDocument:
    document = PackDocument(
        code=fields.code("code", "luliang-2023", longest=50),
        title=fields.text("title", "某县基本养老服务清单", longest=120),
        number=fields.text("number", "某办发〔2023〕1号", longest=60, required=False),
        issued=fields.day("issued"),
        area=fields.text("area", "530322000000"),
        parent=fields.text("parent", "national-2023", longest=60, required=False),
        note=fields.text("note", "", required=False),
    )
    if document.area and not _AREA.fullmatch(document.area):
        fields.fault("area", f'“{document.area}”应为加引号的 12 位区划代码，如 "530322000000"')
    fields.close()
    return document


def _bureau(fields: Fields) -> PackBureau:
    bureau = PackBureau(
        code=fields.code("code", "mzj", longest=40),
        name=fields.text("name", "县民政局", longest=60),
        aliases=fields.texts("aliases", "县民政", longest=60),
    )
    fields.text("note", "", required=False)
    fields.close()
    return bureau


def _values(top: Fields) -> Iterator[PackValue]:
    for entry in top.entries("parameters", "name"):
        yield from _figures(entry, ValueKind.PARAMETER, "value", places=6)
    for entry in top.entries("rates", "name"):
        yield from _figures(entry, ValueKind.RATE, "amount", places=2)
    for entry in top.entries("conditions", "name"):
        yield _condition(entry)


def _figures(entry: Fields, kind: ValueKind, key: str, *, places: int) -> Iterator[PackValue]:
    name = entry.text("name", "低保标准", longest=40)
    note = entry.text("note", "", required=False)
    for each in entry.entries("values", required=True):
        first, last = _days(each)
        own_note = each.text("note", "", required=False)
        number = plain(each.figure(key, "700", places=places))
        yield PackValue(first, last, kind, name, number, own_note or note, each.where)
        each.close()
    entry.close()


def _condition(entry: Fields) -> PackValue:
    name = entry.text("name", "经济困难", longest=40)
    rule = entry.text("rule", '"低保 或 低保边缘"', longest=MAX_RULE)
    first, last = _days(entry)
    note = entry.text("note", "", required=False)
    entry.close()
    return PackValue(first, last, ValueKind.CONDITION, name, rule, note, entry.where)


def _item(fields: Fields) -> PackItem:
    first, last = _days(fields)
    subject = fields.choice("subject", Subject)
    item = PackItem(
        valid_from=first,
        valid_to=last,
        code=fields.code("code", "L19", longest=20),
        number=fields.whole("number", least=1, most=999),
        name=fields.text("name", "养老服务补贴", longest=60),
        type=fields.choice("type", ItemType),
        form=fields.choice("form", Form),
        subject=subject,
        covers=fields.texts("covers", "N5", longest=20),
        printed=fields.text("printed", "", required=False),
        note=fields.text("note", "", required=False),
        lead=fields.text("lead", "县民政局", longest=60),
        joined=fields.texts("with", "县财政局", longest=60),
        clause=fields.text("clause", "清单第19项", longest=60),
        summary=fields.text("summary", "满 80 岁的老人每月领 50 元。"),
        rule=fields.text("rule", '"年龄 >= 80"', longest=MAX_RULE, required=subject != Subject.INSTITUTION),
        amounts=tuple(_amounts(fields)),
        minimum=fields.flag("minimum"),
        pending=fields.flag("pending"),
        application=fields.choice("application", Application),
        start=fields.choice("start", Start),
        lookback=fields.whole("lookback", least=0, most=120, default=0),
        track=fields.choice("track", Track),
    )
    _refuse_unclear_money(fields, item)
    fields.close()
    return item


def _amounts(fields: Fields) -> Iterator[PackAmount]:
    """`amount` is one figure, one formula, or a list of {if, pay} of which the first that matches pays."""
    value = fields.raw("amount", "50", required=False)
    if not isinstance(value, list):
        if value is not None:
            yield PackAmount(None, _pay(fields, "amount"))
        return
    for tier in fields.entries("amount"):
        condition = tier.text("if", "残疾等级 = 1", longest=MAX_RULE, required=False)
        yield PackAmount(condition or None, _pay(tier, "pay"))
        tier.close()


def _pay(fields: Fields, key: str) -> str:
    if isinstance(fields.values.get(key), str):
        return fields.text(key, "1.3 * 低保标准", longest=MAX_RULE)
    return plain(fields.figure(key, "50", places=2))


def _refuse_unclear_money(fields: Fields, item: PackItem) -> None:
    if item.pending and item.amounts:
        fields.fault("pending", "已写 amount，就不能再写待定标准 pending")
    if item.form == Form.CASH and not item.amounts and not item.pending and not fields.has("amount"):
        fields.fault("amount", "现金项目没有写金额；文件没有给出标准的请写 pending: true（待定标准）")
    if item.minimum and not item.amounts:
        fields.fault("minimum", "写了“不低于”却没有 amount")
    if any(amount.condition is None for amount in item.amounts[:-1]):
        fields.fault("amount", "没有 if 的一档对谁都适用，只能放在最后")


def _exclusion(fields: Fields) -> PackExclusion:
    first, last = _days(fields)
    exclusion = PackExclusion(
        valid_from=first,
        valid_to=last,
        code=fields.code("code", "care", longest=40),
        name=fields.text("name", "护理类补贴", longest=60, required=False),
        strategy=fields.choice("strategy", Strategy),
        items=fields.texts("items", "C07, C15b", longest=20, required=True),
        note=fields.text("note", "", required=False),
    )
    if len(exclusion.items) == 1:
        fields.fault("items", "至少要有两个项目")
    fields.close()
    return exclusion


def _tier(fields: Fields, issued: date) -> PackTier:
    first, last = _days(fields, issued)
    tier = PackTier(
        valid_from=first,
        valid_to=last,
        code=fields.code("code", "month", longest=40),
        name=fields.text("name", "每月探访", longest=40),
        rule=fields.text("rule", '"独居 或 空巢"', longest=MAX_RULE),
        times=fields.whole("times", least=1, most=31),
        per=fields.choice("per", Per),
        modes=fields.texts("modes", "上门, 电话, 视频", longest=10, required=True),
        in_person=fields.whole("in_person", least=0, most=31, default=0),
        grace_days=fields.whole("grace", least=0, most=31, default=0),
        order=fields.whole("order", least=0, most=999),
        clause=fields.text("clause", "方案第5条", longest=60, required=False),
        note=fields.text("note", "", required=False),
    )
    foreign = [mode for mode in tier.modes if mode not in VisitMode.values]
    if foreign:
        fields.fault("modes", f"“{foreign[0]}”不能用，可以写：{'、'.join(VisitMode.values)}")
    if tier.in_person and VisitMode.HOME not in tier.modes:
        fields.fault("in_person", "要求上门，modes 里就要有上门")
    fields.close()
    return tier


def _finding(fields: Fields, issued: date) -> PackFinding:
    first, last = _days(fields, issued)
    finding = PackFinding(
        valid_from=first,
        valid_to=last,
        code=fields.code("code", "fall", longest=40),
        name=fields.text("name", "独自在家摔倒", longest=40),
        group=fields.choice("group", FindingGroup),
        risk=fields.choice("risk", Risk, Risk.NONE),
        bureau=fields.text("bureau", "县民政局", longest=60, required=False),
        hours=fields.whole("hours", least=1, most=MAX_HOURS),
        order=fields.whole("order", least=0, most=999, default=0),
    )
    if finding.risk == Risk.RED and finding.hours > RED_HOURS:
        fields.fault("hours", f"红色风险须在 {RED_HOURS} 小时内办理，现为 {finding.hours}")
    fields.close()
    return finding


def _target(fields: Fields) -> PackTarget:
    target = PackTarget(
        code=fields.code("code", "T01", longest=20),
        name=fields.text("name", "月探访率", longest=80),
        comparator=fields.choice("comparator", Comparator),
        value=fields.figure("value", "100", places=2),
        unit=fields.text("unit", "%", longest=12, required=False),
        due=fields.day_or("due", None),
        indicator=fields.text("indicator", "visit_rate", longest=40, required=False),
        clause=fields.text("clause", "方案第5条", longest=60, required=False),
        note=fields.text("note", "", required=False),
    )
    fields.close()
    return target


def _days(fields: Fields, default: date | None = None) -> tuple[date, date | None]:
    first = fields.day("from") if default is None else fields.day_or("from", default) or default
    last = fields.day_or("to", None)
    if last is not None and last < first:
        fields.fault("to", f"最后一天 {last} 早于 from {first}")
        last = None
    return first, last


def _repeated(pack: Pack) -> Iterator[tuple[str, str]]:
    """Codes that stand twice, and names that stand twice from one day on."""
    advice = "写了两次；新版本请改 from 后再次载入，另一个项目请换编码"
    for key, codes in (
        ("items", [each.code for each in pack.items]),
        ("exclusions", [each.code for each in pack.exclusions]),
        ("visit_tiers", [each.code for each in pack.tiers]),
        ("visit_findings", [each.code for each in pack.findings]),
        ("targets", [each.code for each in pack.targets]),
        ("bureaus", [each.code for each in pack.bureaus]),
    ):
        yield from ((f"{key}[{code}]", f"编码“{code}”{advice}") for code in _twice(codes) if code)
    words = [word for bureau in pack.bureaus for word in {bureau.name, *bureau.aliases} if word]
    yield from ((f"bureaus[{word}]", f"名称“{word}”指了两个单位，请删去一个") for word in _twice(words))
    named = [(each.name, each.valid_from) for each in pack.values if each.name]
    yield from ((name, f"从 {day} 起写了两次，请删去一个") for name, day in _twice(named))


def _twice(values: Iterable[T]) -> list[T]:
    return [value for value, times in Counter(values).items() if times > 1]


def plain(number: Decimal) -> str:
    """Write a number without exponent and trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
