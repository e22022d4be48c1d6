"""Taking in enrolments: all of a file or nothing, the same file twice changes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from catalog.choices import Subject
from catalog.models import Item
from eldercare.reading.gate import FileRefused
from eldercare.selectors import KnownElder, elders_by_number
from eldercare.services.monthly_facts import elders_touch
from operations.commands import Refused
from operations.masking import mask_id_number
from operations.services.audit import audit_record
from organization.areas import area_prefix, is_county
from organization.models import User
from subsidies.choices import EnrolmentState
from subsidies.enrolment_file import CODE, LAST, NUMBER, EnrolmentRow, Fault, Records, read_enrolments
from subsidies.models import Enrolment

REASONS_SHOWN: Final = 100
LOOK_UP: Final = 5_000
NOT_REGISTERED: Final = "花名册中没有此人；请核对号码，或先导入花名册"
NO_ITEM: Final = "各县清单中没有这个项目编码；请核对清单，或先加载清单"
FOREIGN_ITEM: Final = "几个县的清单都有这个编码，而此人的户籍和居住都不在这些县；请核对号码和编码"
NOT_PERSONAL: Final = "项目的对象是{subject}，不按老年人登记；请删去这一行"
NO_LAST: Final = "状态为终止，应填写终止月（最后一个发放的月份），写成 2026-03"
LAST_BEFORE_FIRST: Final = "早于起始月 {first:%Y-%m}；请核对两个月份"
TWO_CONTENTS: Final = "与{place}是同一人、同一项目、同一起始月，内容却不同；请只保留一行"

#: Elder, item and first month: what an enrolment is known by.
Key = tuple[int, int, date]


@dataclass(frozen=True)
class EnrolmentsImported:
    """What became of a file's rows."""

    rows: int
    created: int
    updated: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The end of an enrolment as it shall stand."""

    last_month: date | None
    state: EnrolmentState


def enrolments_import(*, content: bytes, name: str, actor: User | None = None) -> EnrolmentsImported:
    """Take in a CSV or workbook of enrolments; the elders concerned are decided again by the next run.

    An enrolment is known by elder, item and 起始月; 终止月 and 状态 of a known one are brought in line. A column that
    the file lacks leaves them alone, a blank cell means none or 享受中. actor: only elders whom this user may see are
    known. Raises Refused, nothing written, if a row cannot be taken.
    """
    records, rows = _read(content)
    with transaction.atomic():
        _one_import_at_a_time()
        keyed, faults = _identify(rows, actor)
        stored = _stored({key[0] for _, key in keyed})
        wanted, more = _plan(keyed, stored)
        faults = records.faults + faults + more
        if faults:
            raise _refusal(records, faults)
        created, updated = _write(wanted, stored)
        result = EnrolmentsImported(
            records.total, len(created), len(updated), records.total - len(created) - len(updated)
        )
        if created or updated:
            elders_touch(elder_ids=sorted({elder for elder, _, _ in [*created, *updated]}))
            audit_record(
                action="导入享受登记",
                subject=Path(name).name[-80:],
                actor=actor,
                data={"sha256": sha256(content).hexdigest(), "rows": result.rows}
                | {"created": result.created, "updated": result.updated},
            )
    return result


def _read(content: bytes) -> tuple[Records, list[EnrolmentRow]]:
    try:
        return read_enrolments(content, timezone.localdate())
    except (FileRefused, ValueError) as error:
        raise Refused(str(error)) from None


def _one_import_at_a_time() -> None:
    """Two files at once would both find an enrolment missing and both create it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('enrolments_import'))")


def _refusal(records: Records, faults: Sequence[Fault]) -> Refused:
    """Say how many rows are wrong and why, nothing being written."""
    rows = len({fault.place for fault in faults})
    reasons = [str(fault) for fault in faults[:REASONS_SHOWN]]
    more = [f"……共 {len(faults)} 处"] if len(faults) > REASONS_SHOWN else []
    return Refused(
        "\n".join([f"{rows} 行不能导入，全部未写入，请改正后重新导入：", *reasons, *more]),
        rows=records.total,
        created=0,
        updated=0,
        unchanged=0,
        errors=rows,
        reasons=reasons,
    )


def _identify(
    rows: Iterable[EnrolmentRow], actor: User | None
) -> tuple[list[tuple[EnrolmentRow, Key]], list[Fault]]:
    """Find the elder and the item of each row."""
    rows = list(rows)
    elders = elders_by_number({row.number for row in rows}, actor)
    items = _items({row.code for row in rows})
    keyed, faults = [], []
    for row in rows:
        elder = elders.get(row.number)
        if elder is None:
            faults.append(Fault(row.place, NUMBER, mask_id_number(row.number), NOT_REGISTERED))
            continue
        try:
            keyed.append((row, (elder.pk, _item_for(elder, items.get(row.code, ())).pk, row.first_month)))
        except LookupError as error:
            faults.append(Fault(row.place, CODE, row.code, str(error)))
    return keyed, faults


def _items(codes: set[str]) -> dict[str, list[Item]]:
    """Code → the items of that code in the lists of counties."""
    found: dict[str, list[Item]] = defaultdict(list)
    for item in Item.objects.filter(code__in=codes).select_related("document").order_by("document_id"):
        if is_county(item.document.area_id):
            found[item.code].append(item)
    return found


def _item_for(elder: KnownElder, items: Sequence[Item]) -> Item:
    """The item of the elder's county, of the 户籍 before the 居住; LookupError says what is wrong."""
    if not items:
        raise LookupError(NO_ITEM)
    if len(items) > 1:
        items = [
            item
            for code in (elder.hukou_code, elder.residence_code)
            for item in items
            if code.startswith(area_prefix(item.document.area_id))
        ]
        if not items:
            raise LookupError(FOREIGN_ITEM)
    if items[0].subject not in {Subject.PERSON, Subject.HOUSEHOLD}:
        raise LookupError(NOT_PERSONAL.format(subject=items[0].subject))
    return items[0]


def _stored(elder_ids: set[int]) -> dict[Key, Enrolment]:
    """The enrolments of these elders as they stand."""
    found: dict[Key, Enrolment] = {}
    ids = sorted(elder_ids)
    for start in range(0, len(ids), LOOK_UP):
        for row in Enrolment.objects.filter(elder_id__in=ids[start : start + LOOK_UP]):
            found[(row.elder_id, row.item_id, row.first_month)] = row
    return found


def _plan(
    keyed: Iterable[tuple[EnrolmentRow, Key]], stored: dict[Key, Enrolment]
) -> tuple[dict[Key, _Wanted], list[Fault]]:
    """What each enrolment shall be, and the rows that contradict themselves or each other."""
    wanted: dict[Key, _Wanted] = {}
    first: dict[Key, EnrolmentRow] = {}
    faults = []
    for row, key in keyed:
        target = _target(row, stored.get(key))
        if target.last_month is not None and target.last_month < row.first_month:
            message = LAST_BEFORE_FIRST.format(first=row.first_month)
            faults.append(Fault(row.place, LAST, f"{target.last_month:%Y-%m}", message))
        elif target.state == EnrolmentState.ENDED and target.last_month is None:
            faults.append(Fault(row.place, LAST, "", NO_LAST))
        elif wanted.setdefault(key, target) != target:
            other = first[key]
            faults.append(
                Fault(row.place, NUMBER, mask_id_number(row.number), TWO_CONTENTS.format(place=other.place))
            )
            faults.append(
                Fault(other.place, NUMBER, mask_id_number(row.number), TWO_CONTENTS.format(place=row.place))
            )
        first.setdefault(key, row)
    return wanted, faults


def _target(row: EnrolmentRow, known: Enrolment | None) -> _Wanted:
    """What the row says, completed by what stands where the file has no such column."""
    last_month = row.last_month if row.says_last or known is None else known.last_month
    state = row.state or (EnrolmentState(known.state) if known else EnrolmentState.RECEIVING)
    return _Wanted(last_month, state)


def _write(wanted: dict[Key, _Wanted], stored: dict[Key, Enrolment]) -> tuple[list[Key], list[Key]]:
    """Create and change enrolments; return the keys of those created and those changed."""
    created = [key for key in wanted if key not in stored]
    updated = [
        key
        for key, target in wanted.items()
        if key in stored and (stored[key].last_month, stored[key].state) != (target.last_month, target.state)
    ]
    Enrolment.objects.bulk_create(
        [
            Enrolment(
                elder_id=elder,
                item_id=item,
                first_month=month,
                last_month=wanted[elder, item, month].last_month,
                state=wanted[elder, item, month].state,
            )
            for elder, item, month in created
        ],
        batch_size=LOOK_UP,
    )
    for key in updated:
        stored[key].last_month, stored[key].state = wanted[key].last_month, wanted[key].state
        stored[key].suspended_from = None  # the file's 暂停 holds back the whole enrolment
    Enrolment.objects.bulk_update(
        [stored[key] for key in updated], ["last_month", "state", "suspended_from"], batch_size=1000
    )
    return created, updated
