"""Loading a policy pack: one transaction, idempotent, and never a rewritten published day."""

import dataclasses
import re
from typing import Final

from django.db import connection, transaction

from catalog.models import Document
from catalog.pack import Pack, PackBureau, PackDocument, PackError, check_pack
from catalog.pack.content import Dated
from catalog.selectors import counties_applied, policy_faults, surroundings_get
from catalog.services.publication import PackResult, rows_publish
from operations.services.audit import audit_record
from organization.areas import area_prefix, parent_code
from organization.models import Area, Bureau, User

#: One load at a time in the whole database; the number only has to be ours.
LOAD_LOCK: Final = 7_310_442_019
COUNTRY: Final = "000000000000"
MAX_AREA_NAME: Final = 60
_TITLE_AREA = re.compile(r"^(?:关于)?(?:印发)?《?(.+?)(?:基本)?养老服务")


def pack_load(
    *, pack: Pack, area_override: str | None = None, area_name: str = "", actor: User | None = None
) -> PackResult:
    """Publish a pack, or apply it to another county as <code>@<county>.

    PackError names every fault; then nothing is written.
    """
    if area_override is not None:
        pack = applied_to(pack, area_override)
    with transaction.atomic():
        _one_load_at_a_time()
        _refuse(check_pack(pack, surroundings_get(pack.document)))
        result = _publish(pack, area_name)
        _refuse(result.refused)
        _refuse(_unbound(pack))
        if result.created or result.ended:
            audit_record(
                action="pack_load",
                subject=pack.document.code,
                actor=actor,
                data={"created": result.created, "ended": result.ended, "unchanged": result.unchanged},
            )
    return result


def applied_to(pack: Pack, area: str) -> Pack:
    """Give the same list for another area."""
    document = dataclasses.replace(pack.document, code=f"{pack.document.code}@{area[:6]}", area=area)
    return dataclasses.replace(pack, document=document)


def area_name_in(title: str) -> str | None:
    """Read the area's name off a list's title.

    >>> area_name_in("宝鸡市陈仓区基本养老服务清单")
    '宝鸡市陈仓区'
    """
    match = _TITLE_AREA.match(title)
    return match.group(1) if match else None


def _one_load_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])


def _refuse(faults: tuple[str, ...] | list[str]) -> None:
    if faults:
        raise PackError(faults)


def _publish(pack: Pack, area_name: str) -> PackResult:
    area = _area_get_or_create(pack.document, area_name)
    document = _document_write(pack.document, area)
    bureaus = {name: bureau for each in pack.bureaus for name, bureau in _bureau_write(each, area)}
    return rows_publish(pack=pack, document=document, bureaus=bureaus)


def _area_get_or_create(document: PackDocument, name: str) -> Area:
    title_name = "全国" if document.area == COUNTRY else area_name_in(document.title)
    area, _ = Area.objects.get_or_create(
        code=document.area,
        defaults={
            "name": (name or title_name or document.area)[:MAX_AREA_NAME],
            "parent": _nearest_area_above(document.area),
        },
    )
    return area


def _nearest_area_above(code: str) -> Area | None:
    above = parent_code(code)
    while above is not None:
        area = Area.objects.filter(code=above).first()
        if area is not None:
            return area
        above = parent_code(above)
    return None


def _document_write(wanted: PackDocument, area: Area) -> Document:
    document, _ = Document.objects.update_or_create(
        code=wanted.code,
        defaults={
            "title": wanted.title,
            "number": wanted.number,
            "issued": wanted.issued,
            "area": area,
            "parent_code": wanted.parent,
            "note": wanted.note,
        },
    )
    return document


def _bureau_write(wanted: PackBureau, area: Area) -> list[tuple[str, Bureau]]:
    """Find the bureau by code, else by name, else found it; former names stay as aliases."""
    here = Bureau.objects.filter(area=area)
    bureau = here.filter(code=wanted.code).first() or here.filter(name=wanted.name).first()
    if bureau is None:
        bureau = Bureau(area=area, code=wanted.code, name=wanted.name)
    names = dict.fromkeys([*bureau.aliases, bureau.name, *wanted.aliases])
    bureau.name = wanted.name
    bureau.aliases = [name for name in names if name != wanted.name]
    bureau.save()
    return [(name, bureau) for name in (wanted.name, *wanted.aliases)]


def _unbound(pack: Pack) -> list[str]:
    """Rules that lack a value on a day on which this load changes something, here or in a county below."""
    dated: tuple[Dated, ...] = (*pack.items, *pack.values, *pack.tiers)
    days = {each.valid_from for each in dated} | {each.until for each in dated if each.until is not None}
    below = [code for code in counties_applied() if code.startswith(area_prefix(pack.document.area))]
    areas = dict.fromkeys([pack.document.area, *below])
    faults = [
        f"自 {day} 起，{fault}"
        for area in areas
        for day in sorted(days)
        for fault in policy_faults(area_code=area, day=day)
    ]
    return list(dict.fromkeys(faults))
