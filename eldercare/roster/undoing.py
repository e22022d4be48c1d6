"""Taking a batch back from what was remembered, and what speaks against it."""

from collections.abc import Callable, Iterator
from typing import Final

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model, QuerySet
from django.db.models.deletion import PROTECT

from eldercare.models import (
    BankAccount,
    Circumstance,
    Contact,
    Elder,
    ImportBatch,
    ImportChange,
    MonthlyFacts,
)

CREATED: Final = "SELECT elder_id FROM eldercare_importchange WHERE batch_id = {0} AND before IS NULL"

# Higher apps may add reasons of their own why a batch has to stay; each returns Chinese sentences.
RESTING: list[Callable[[ImportBatch], list[str]]] = []


def undo_obstacles(batch: ImportBatch) -> list[str]:
    """Return sentences that say what later work rests on the batch, empty if it can be taken back."""
    reasons = [*_later_changes(batch), *_months(batch), *_protected(batch)]
    for resting in RESTING:
        reasons += resting(batch)
    return reasons


def undo_apply(cursor: CursorWrapper, batch_id: int) -> None:
    """Restore every row that the batch changed and remove what it brought."""
    created = CREATED.format(batch_id)
    for table in ("circumstance", "bankaccount", "contact"):
        cursor.execute(f"DELETE FROM eldercare_{table} WHERE elder_id IN ({created})")
    for table in ("circumstance", "bankaccount"):
        cursor.execute(f"DELETE FROM eldercare_{table} WHERE batch_id = {batch_id}")
    _restore_rows(cursor, batch_id, Circumstance, "circumstances")
    _restore_rows(cursor, batch_id, BankAccount, "accounts")
    _restore_contacts(cursor, batch_id)
    _restore_elders(cursor, batch_id)
    cursor.execute(f"DELETE FROM eldercare_elder WHERE id IN ({created})")
    cursor.execute(f"DELETE FROM eldercare_importchange WHERE batch_id = {batch_id}")


def _restore_rows(cursor: CursorWrapper, batch_id: int, model: type[Model], key: str) -> None:
    table, names = model._meta.db_table, _columns(model)
    cursor.execute(
        f"""INSERT INTO {table} ({", ".join(names)})
            SELECT {", ".join(f"r.{name}" for name in names)}
            FROM eldercare_importchange ch,
                 jsonb_populate_recordset(NULL::{table}, ch.before -> '{key}') AS r
            WHERE ch.batch_id = {batch_id} AND ch.before IS NOT NULL
            ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in names)}"""
    )


def _restore_contacts(cursor: CursorWrapper, batch_id: int) -> None:
    table, names = Contact._meta.db_table, _columns(Contact)
    changed = f"""eldercare_importchange ch
        WHERE ch.batch_id = {batch_id} AND (ch.before ->> 'contact_changed')::boolean"""
    cursor.execute(f"DELETE FROM {table} WHERE elder_id IN (SELECT ch.elder_id FROM {changed})")
    cursor.execute(
        f"""INSERT INTO {table} ({", ".join(names)})
            SELECT {", ".join(f"(r).{name}" for name in names)}
            FROM (SELECT jsonb_populate_record(NULL::{table}, ch.before -> 'contact') AS r FROM {changed}
                  AND jsonb_typeof(ch.before -> 'contact') = 'object') AS remembered"""
    )


def _restore_elders(cursor: CursorWrapper, batch_id: int) -> None:
    names = [name for name in _columns(Elder) if name not in ("id", "version")]
    cursor.execute(
        f"""UPDATE eldercare_elder e SET {", ".join(f"{name} = (b.r).{name}" for name in names)}
            FROM (SELECT ch.elder_id, jsonb_populate_record(NULL::eldercare_elder, ch.before -> 'elder') AS r
                  FROM eldercare_importchange ch
                  WHERE ch.batch_id = {batch_id} AND ch.before IS NOT NULL) AS b
            WHERE e.id = b.elder_id"""
    )


def _columns(model: type[Model]) -> list[str]:
    return [str(field.column) for field in model._meta.local_concrete_fields]


def _later_changes(batch: ImportBatch) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT later.batch_id, count(DISTINCT mine.elder_id)
               FROM eldercare_importchange mine
               JOIN eldercare_importchange later ON later.elder_id = mine.elder_id AND later.id > mine.id
               WHERE mine.batch_id = %s AND later.batch_id IS DISTINCT FROM mine.batch_id
               GROUP BY later.batch_id ORDER BY later.batch_id""",
            [batch.pk],
        )
        for later, count in cursor.fetchall():
            what = f"导入批次 {later}" if later else "单独登记"
            yield f"其中 {count} 人后来又由{what}改动过"


def _months(batch: ImportBatch) -> Iterator[str]:
    """Months whose frozen facts hold persons who would no longer exist."""
    months = MonthlyFacts.objects.filter(elder__in=_created(batch)).values_list("month", flat=True)
    for month in months.distinct().order_by("month"):
        yield f"新增的人已进入 {month:%Y-%m} 的月度核定"


def _created(batch: ImportBatch) -> QuerySet[ImportChange, int]:
    """Ids of the elders whom the batch brought."""
    return ImportChange.objects.filter(batch=batch, before__isnull=True).values_list("elder_id", flat=True)


def _protected(batch: ImportBatch) -> Iterator[str]:
    """Rows of any app that refuse to lose their elder."""
    for relation in Elder._meta.related_objects:
        model = relation.related_model
        if relation.on_delete is not PROTECT or isinstance(model, str):
            continue
        count = model._base_manager.filter(**{f"{relation.field.name}__in": _created(batch)}).count()
        if count:
            yield f"新增的人已有 {count} 条{model._meta.verbose_name}"
