"""Taking in visits: all of a file or nothing, each record once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from eldercare.reading.gate import FileRefused
from eldercare.reading.records import ID_NUMBER, Fault, Records
from eldercare.selectors import elders_by_number
from operations.commands import Refused
from operations.masking import mask_id_number
from operations.services.audit import audit_record
from organization.models import User
from visits.duties import late_of, month_of
from visits.models import Visit
from visits.months import months_hold
from visits.services.arrival import visits_arrived
from visits.visit_file import VisitRow, read_visits

REASONS_SHOWN = 100
LOOK_UP = 5_000
NOT_REGISTERED = "花名册中没有此人；请核对号码，或先导入花名册"

# What two records with one number must share to be the same: elder, time, mode, result, visitor, note.
Said = tuple[int, datetime, str, str, str, str]


@dataclass(frozen=True)
class VisitsImported:
    """What became of a file. duplicates: rows whose record number is known; warnings: those that say other things."""

    rows: int
    created: int
    duplicates: int
    warnings: tuple[str, ...]


def visits_import(*, content: bytes, name: str, actor: User | None = None) -> VisitsImported:
    """Take in a CSV or workbook of visits and count them; a record number that is known changes nothing.

    actor: only elders whom this user may see are known. Raises Refused, nothing written, if a row cannot be taken.
    """
    file, rows = _read(content)
    numbers = {row.number for row in rows}
    elders = {number: elder.pk for number, elder in elders_by_number(numbers, actor).items()}
    unknown = [_not_registered(row) for row in rows if row.number not in elders]
    if file.faults or unknown:
        raise _refusal(file, sorted(file.faults + unknown, key=lambda fault: fault.order))
    with transaction.atomic():
        months_hold()  # no township submits between the judgement that a visit is late and its being counted
        first, again = _first_of_each(rows)
        created = _insert(first.values(), elders)
        visits_arrived(visit_ids=sorted(created), now=timezone.now())
        warnings = _differences([row for key, row in first.items() if key not in created] + again, elders)
        result = VisitsImported(file.total, len(created), file.total - len(created), warnings)
        audit_record(
            action="导入探访记录",
            subject=Path(name).name[-80:],
            actor=actor,
            data={
                "sha256": sha256(content).hexdigest(),
                "rows": result.rows,
                "created": result.created,
                "duplicates": result.duplicates,
            },
        )
    return result


def _read(content: bytes) -> tuple[Records, list[VisitRow]]:
    try:
        return read_visits(content, timezone.now())
    except (FileRefused, ValueError) as error:
        raise Refused(str(error)) from None


def _not_registered(row: VisitRow) -> Fault:
    return Fault(row.place, ID_NUMBER, mask_id_number(row.number), NOT_REGISTERED, row.order)


def _refusal(file: Records, faults: Sequence[Fault]) -> Refused:
    """Say how many rows are wrong and why, nothing being written."""
    rows = len({fault.order for fault in faults})
    reasons = [str(fault) for fault in faults[:REASONS_SHOWN]]
    more = [f"……共 {len(faults)} 处"] if len(faults) > REASONS_SHOWN else []
    return Refused(
        "\n".join([f"{rows} 行不能导入，全部未写入，请改正后重新导入：", *reasons, *more]),
        rows=file.total,
        created=0,
        duplicates=0,
        errors=rows,
        reasons=reasons,
    )


def _first_of_each(rows: Iterable[VisitRow]) -> tuple[dict[UUID, VisitRow], list[VisitRow]]:
    """Split rows into the first of each record number and the repetitions."""
    first: dict[UUID, VisitRow] = {}
    again = [row for row in rows if first.setdefault(row.id, row) is not row]
    return first, again


def _insert(rows: Collection[VisitRow], elders: dict[str, int]) -> set[UUID]:
    """Write the visits whose numbers are new; return those numbers. A parallel import of the same is waited for."""
    late = late_of({(elders[row.number], month_of(row.at)) for row in rows})
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE TEMP TABLE visits_incoming ON COMMIT DROP AS
            SELECT id, elder_id, at, mode, result, visitor, note, late FROM visits_visit WITH NO DATA""")
        with cursor.copy("COPY visits_incoming FROM STDIN") as copy:
            for row in rows:
                is_late = (elders[row.number], month_of(row.at)) in late
                copy.write_row((row.id, *_said(row, elders), is_late))
        # In the order of the key, so that two imports of the same records never wait for each other.
        cursor.execute("""
            INSERT INTO visits_visit (id, elder_id, at, mode, result, visitor, note, late, recorded_at)
            SELECT *, now() FROM visits_incoming ORDER BY id
            ON CONFLICT (id) DO NOTHING RETURNING id""")
        created = {row[0] for row in cursor.fetchall()}
        cursor.execute("DROP TABLE visits_incoming")
    return created


def _said(row: VisitRow, elders: dict[str, int]) -> Said:
    return elders[row.number], row.at, row.mode, row.result, row.visitor, row.note


def _differences(rows: Sequence[VisitRow], elders: dict[str, int]) -> tuple[str, ...]:
    """Name the repeated rows that do not say what the stored record of that number says."""
    stored: dict[UUID, Said] = {}
    keys = list({row.id for row in rows})
    for start in range(0, len(keys), LOOK_UP):
        some = Visit.objects.filter(id__in=keys[start : start + LOOK_UP])
        fields = ("id", "elder_id", "at", "mode", "result", "visitor", "note")
        stored.update({values[0]: values[1:] for values in some.values_list(*fields)})
    return tuple(
        [
            f"{row.place}：记录编号 {row.id} 已登记过，内容不同，按重复处理，未改动原记录"
            for row in rows
            if stored[row.id] != _said(row, elders)
        ]
    )
