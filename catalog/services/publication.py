"""Writing the dated rows of a pack: what stands stays, what is new follows, what ends gets its end."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.db.backends.postgresql.psycopg_any import DateRange

from catalog.choices import FindingGroup, Per, Risk, Strategy, ValueKind
from catalog.models import (
    DatedValue,
    Document,
    ExclusionGroup,
    FindingKind,
    Item,
    ItemVersion,
    Target,
    VisitTier,
)
from catalog.pack import Pack, PackExclusion, PackFinding, PackItem, PackTarget, PackTier, PackValue
from catalog.pack.content import Dated
from catalog.versions import ONE_DAY, Version, plan_versions
from organization.models import Bureau

D = TypeVar("D", bound=Dated)


@dataclass(slots=True)
class PackResult:
    """What a load did, counted in dated rows: item versions, figures, conditions, exclusions, tiers, findings.

    absent: things still in force that the pack no longer mentions (a repeal has to be written as `to`).
    """

    document: str
    items: int
    created: int = 0
    ended: int = 0
    unchanged: int = 0
    absent: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def rows_publish(*, pack: Pack, document: Document, bureaus: Mapping[str, Bureau]) -> PackResult:
    """Write every dated row and the targets of the pack; reasons of refusal come back in the result."""
    result = PackResult(document.code, len(pack.items))
    items = _items_write(pack.items, document)
    _sync(
        "items",
        pack.items,
        ItemVersion.objects.filter(item__document=document).select_related("item"),
        lambda row: (row.item.code, row.digest),
        lambda wanted, valid: _version_create(wanted, valid, items[wanted.code], bureaus),
        result,
    )
    _sync(
        "values",
        pack.values,
        DatedValue.objects.filter(document=document),
        lambda row: (row.name, _value_content(row)),
        lambda wanted, valid: _value_create(wanted, valid, document),
        result,
    )
    _sync(
        "exclusions",
        pack.exclusions,
        ExclusionGroup.objects.filter(document=document),
        lambda row: (row.code, _exclusion_content(row)),
        lambda wanted, valid: _exclusion_create(wanted, valid, document),
        result,
    )
    _sync(
        "visit_tiers",
        _as_ended_here(pack.tiers, document),
        VisitTier.objects.filter(document=document),
        lambda row: (row.code, _tier_content(row)),
        lambda wanted, valid: _tier_create(wanted, valid, document),
        result,
    )
    _sync(
        "visit_findings",
        [_with_name_of_bureau(finding, bureaus) for finding in pack.findings],
        FindingKind.objects.filter(document=document).select_related("bureau"),
        lambda row: (row.code, _finding_content(row)),
        lambda wanted, valid: _finding_create(wanted, valid, document, bureaus),
        result,
    )
    _targets_write(pack.targets, document, result)
    return result


def _sync(
    section: str,
    wanted: Sequence[D],
    rows: Iterable[Any],
    key_and_content: Callable[[Any], tuple[str, str]],
    create: Callable[[D, DateRange], None],
    result: PackResult,
) -> None:
    """Bring the stored versions of one section in line with the pack, thing by thing."""
    stored = {row.pk: row for row in rows}
    published: dict[str, list[Version]] = defaultdict(list)
    for row in stored.values():
        key, content = key_and_content(row)
        published[key].append(Version(row.valid.lower, row.valid.upper, content, row.pk))
    asked: dict[str, list[D]] = defaultdict(list)
    for each in wanted:
        asked[each.key].append(each)
    for key, versions in asked.items():
        plan = plan_versions(published[key], [Version(v.valid_from, v.until, v.content) for v in versions])
        result.refused += [f"{section}[{key}].from：{reason}" for reason in plan.refused]
        if plan.refused:
            continue
        # ends first: the constraints forbid even a moment of overlap
        for pk, until in plan.ends.items():
            stored[pk].valid = DateRange(stored[pk].valid.lower, until)
            stored[pk].save(update_fields=["valid"])
        for index, end in plan.create:
            create(versions[index], DateRange(versions[index].valid_from, end))
        result.created += len(plan.create)
        result.ended += len(plan.ends)
        result.unchanged += plan.unchanged
    forgotten = [
        key for key in published.keys() - asked.keys() if any(v.until is None for v in published[key])
    ]
    result.absent += [f"{section}[{key}]" for key in sorted(forgotten)]


def _items_write(items: Iterable[PackItem], document: Document) -> dict[str, Item]:
    return {
        item.code: Item.objects.update_or_create(
            document=document,
            code=item.code,
            defaults={
                "number": item.number,
                "name": item.name,
                "type": item.type,
                "form": item.form,
                "subject": item.subject,
                "covers": list(item.covers),
                "printed": item.printed,
                "note": item.note,
            },
        )[0]
        for item in items
    }


def _version_create(wanted: PackItem, valid: DateRange, item: Item, bureaus: Mapping[str, Bureau]) -> None:
    version = ItemVersion.objects.create(
        item=item,
        valid=valid,
        summary=wanted.summary,
        clause=wanted.clause,
        lead=bureaus[wanted.lead],
        rule=wanted.rule,
        amounts=[{"if": amount.condition, "pay": amount.pay} for amount in wanted.amounts],
        minimum=wanted.minimum,
        pending=wanted.pending,
        application=wanted.application,
        start=wanted.start,
        lookback=wanted.lookback,
        track=wanted.track,
        digest=wanted.content,
    )
    version.joined.set([bureaus[name] for name in wanted.joined])


def _value_create(wanted: PackValue, valid: DateRange, document: Document) -> None:
    DatedValue.objects.create(
        document=document,
        kind=wanted.kind,
        name=wanted.name,
        value=wanted.value,
        valid=valid,
        note=wanted.note,
    )


def _value_content(row: DatedValue) -> str:
    return PackValue(row.valid.lower, None, ValueKind(row.kind), row.name, row.value, "", "").content


def _exclusion_create(wanted: PackExclusion, valid: DateRange, document: Document) -> None:
    ExclusionGroup.objects.create(
        document=document,
        code=wanted.code,
        name=wanted.name,
        strategy=wanted.strategy,
        items=list(wanted.items),
        valid=valid,
        note=wanted.note,
    )


def _exclusion_content(row: ExclusionGroup) -> str:
    group = PackExclusion(
        row.valid.lower, None, row.code, row.name, Strategy(row.strategy), tuple(row.items), ""
    )
    return group.content


def _as_ended_here(tiers: Iterable[PackTier], document: Document) -> list[PackTier]:
    """The pack's tiers, with the end that the county has set itself where the pack knows of none or a later one."""
    ended = VisitTier.objects.filter(document=document, ended_here=True)
    last = {(row.code, row.valid.lower): row.valid.upper - ONE_DAY for row in ended}
    return [
        replace(tier, valid_to=day)
        if (day := last.get((tier.code, tier.valid_from))) and (tier.valid_to is None or day < tier.valid_to)
        else tier
        for tier in tiers
    ]


def _tier_create(wanted: PackTier, valid: DateRange, document: Document) -> None:
    VisitTier.objects.create(
        document=document,
        code=wanted.code,
        name=wanted.name,
        rule=wanted.rule,
        times=wanted.times,
        per=wanted.per,
        modes=list(wanted.modes),
        in_person=wanted.in_person,
        grace_days=wanted.grace_days,
        order=wanted.order,
        clause=wanted.clause,
        valid=valid,
        note=wanted.note,
    )


def _tier_content(row: VisitTier) -> str:
    tier = PackTier(
        valid_from=row.valid.lower,
        valid_to=None,
        code=row.code,
        name=row.name,
        rule=row.rule,
        times=row.times,
        per=Per(row.per),
        modes=tuple(row.modes),
        in_person=row.in_person,
        grace_days=row.grace_days,
        order=row.order,
        clause=row.clause,
        note="",
    )
    return tier.content


def _with_name_of_bureau(finding: PackFinding, bureaus: Mapping[str, Bureau]) -> PackFinding:
    """An alias means the bureau itself, and one that got another name is still the same."""
    return replace(finding, bureau=bureaus[finding.bureau].name) if finding.bureau else finding


def _finding_create(
    wanted: PackFinding, valid: DateRange, document: Document, bureaus: Mapping[str, Bureau]
) -> None:
    FindingKind.objects.create(
        document=document,
        code=wanted.code,
        name=wanted.name,
        group=wanted.group,
        risk=wanted.risk,
        hours=wanted.hours,
        bureau=bureaus[wanted.bureau] if wanted.bureau else None,
        order=wanted.order,
        valid=valid,
    )


def _finding_content(row: FindingKind) -> str:
    finding = PackFinding(
        valid_from=row.valid.lower,
        valid_to=None,
        code=row.code,
        name=row.name,
        group=FindingGroup(row.group),
        risk=Risk(row.risk),
        bureau=row.bureau.name if row.bureau else "",
        hours=row.hours,
        order=row.order,
    )
    return finding.content


def _targets_write(targets: Iterable[PackTarget], document: Document, result: PackResult) -> None:
    """A target bears no dates: its figure is fixed with the document, only words about it may be mended."""
    stored = {target.code: target for target in Target.objects.filter(document=document)}
    for wanted in targets:
        published = stored.get(wanted.code, Target(document=document, code=wanted.code))
        figure = (wanted.comparator, wanted.value, wanted.unit, wanted.due)
        if published.pk and figure != (published.comparator, published.value, published.unit, published.due):
            result.refused.append(f"targets[{wanted.code}]：会改写已发布的目标；新的目标请用新编码")
            continue
        published.comparator, published.value, published.unit, published.due = figure
        published.name, published.indicator = wanted.name, wanted.indicator
        published.clause, published.note = wanted.clause, wanted.note
        published.save()
