"""Taking a batch back: everything as it was, unless later work rests on it."""

from datetime import date
from typing import Any

import pytest
from django.db import connection

from eldercare.choices import Kind
from eldercare.models import Elder, ImportBatch, ImportChange
from eldercare.roster import undoing
from eldercare.services.circumstance import circumstance_set
from eldercare.services.roster import RosterRefused, roster_undo
from operations.models import AuditEntry
from tests.eldercare.rosters import OTHER_VILLAGE, elder_of, imported, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]

JUNE = date(2026, 6, 1)
FULL = {
    "低保": "是",
    "特困供养": "分散",
    "居住状况": "独居",
    "残疾类别": "肢体",
    "残疾等级": "1",
    "残疾证有效期至": "2030-01-01",
    "能力等级": "2",
    "评估日期": "2025-08-01",
    "居住区划": OTHER_VILLAGE,
    "银行账号": "6228480012345678903",
    "开户行": "甲行",
    "联系人": "李四",
    "联系人电话": "13800138000",
    "住址": "旧址",
    "联系电话": "13900139000",
    "死亡日期": "2025-12-31",
    "备注": "旧",
}
CHANGED = {
    "姓名": "张国花",
    "低保": "",
    "特困供养": "集中",
    "居住状况": "空巢、留守",
    "残疾类别": "视力",
    "残疾等级": "2",
    "残疾证有效期至": "2031-01-01",
    "能力等级": "3",
    "评估日期": "2026-02-01",
    "居住区划": "",
    "银行账号": "6217000010001234567",
    "开户行": "乙行",
    "联系人": "",
    "联系人电话": "",
    "住址": "新址",
    "联系电话": "",
    "死亡日期": "",
    "户籍区划": OTHER_VILLAGE,
}


def registry() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the registry, byte for byte; only the version numbers of the month's bookkeeping left out."""
    rows = {}
    with connection.cursor() as cursor:
        for table in ("elder", "circumstance", "bankaccount", "contact", "importchange"):
            cursor.execute(f"SELECT to_jsonb(t) - 'version' FROM eldercare_{table} t ORDER BY id")
            rows[table] = cursor.fetchall()
    return rows


def test_taking_back_a_first_import_leaves_an_empty_registry() -> None:
    batch = imported(person(1, **FULL), person(2))
    roster_undo(batch=batch)
    assert not any(registry().values())
    batch.refresh_from_db()
    assert batch.state == ImportBatch.State.UNDONE


@pytest.mark.parametrize(
    "as_of", [date(2026, 1, 1), JUNE, date(2024, 1, 1)], ids=["same day", "later", "earlier"]
)
def test_taking_back_a_change_restores_every_row_byte_for_byte(as_of: date) -> None:
    imported(person(1, **FULL), person(2, 低保="是"))
    before = registry()
    batch = imported(person(1, **CHANGED), person(2, 低保=""), person(3), as_of=as_of)
    assert registry() != before
    roster_undo(batch=batch)
    assert registry() == before


def test_batches_are_taken_back_last_first() -> None:
    empty = registry()
    first = imported(person(1, **FULL))
    one = registry()
    second = imported(person(1, **CHANGED), as_of=JUNE)
    with pytest.raises(RosterRefused, match=f"不能撤销：其中 1 人后来又由导入批次 {second.pk}改动过"):
        roster_undo(batch=first)
    roster_undo(batch=second)
    assert registry() == one
    roster_undo(batch=first)
    assert registry() == empty


def test_a_later_batch_that_changed_nothing_does_not_stand_in_the_way() -> None:
    first = imported(person(1))
    imported(person(1))
    assert roster_undo(batch=first).state == ImportBatch.State.UNDONE


def test_a_later_single_change_stands_in_the_way() -> None:
    batch = imported(person(1))
    circumstance_set(
        elder=elder_of(person(1)), kind=Kind.ABILITY_LEVEL, value="2", starts=JUNE, source="能力评估"
    )
    with pytest.raises(RosterRefused, match="其中 1 人后来又由单独登记改动过"):
        roster_undo(batch=batch)
    batch.refresh_from_db()
    assert batch.state == ImportBatch.State.COMMITTED


def test_frozen_facts_of_new_persons_stand_in_the_way() -> None:
    batch = imported(person(1))
    with connection.cursor() as cursor:
        cursor.execute(
            """CREATE TABLE IF NOT EXISTS eldercare_monthlyfacts_202601 PARTITION OF eldercare_monthlyfacts
               FOR VALUES IN ('2026-01-01')"""
        )
        cursor.execute(
            """INSERT INTO eldercare_monthlyfacts SELECT (jsonb_populate_record(NULL::eldercare_monthlyfacts, %s::jsonb
               || (SELECT jsonb_object_agg(attname, CASE format_type(atttypid, NULL) WHEN 'boolean' THEN 'false'
                   WHEN 'text' THEN '"无"' WHEN 'date' THEN '"1940-01-01"' ELSE '1' END::jsonb)
                   FROM pg_attribute WHERE attrelid = 'eldercare_monthlyfacts'::regclass AND attnum > 0
                   AND attname NOT IN ('month', 'elder_id')))).*""",
            [f'{{"month": "2026-01-01", "elder_id": {elder_of(person(1)).pk}}}'],
        )
    with pytest.raises(RosterRefused, match="新增的人已进入 2026-01 的月度核定"):
        roster_undo(batch=batch)


def test_rows_of_other_apps_that_need_the_elder_stand_in_the_way() -> None:
    from datetime import UTC, datetime
    from uuid import uuid4

    from visits.models import Visit

    batch = imported(person(1))
    names = {field.name for field in Visit._meta.get_fields()}
    given = {"id": uuid4(), "elder": elder_of(person(1)), "at": datetime(2026, 1, 5, tzinfo=UTC)}
    Visit.objects.create(**{name: value for name, value in given.items() if name in names})
    with pytest.raises(RosterRefused, match="新增的人已有 1 条"):
        roster_undo(batch=batch)


def test_a_higher_app_may_add_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing, "RESTING", [lambda batch: [f"批次 {batch.pk} 已发放"]])
    batch = imported(person(1))
    with pytest.raises(RosterRefused, match="已发放"):
        roster_undo(batch=batch)


def test_taking_back_twice_is_taking_back_once() -> None:
    batch = imported(person(1))
    roster_undo(batch=batch)
    imported(person(1))
    roster_undo(batch=batch)
    assert Elder.objects.count() == 1


def test_a_batch_that_was_never_written_cannot_be_taken_back() -> None:
    from tests.eldercare.rosters import checked, workbook

    with pytest.raises(RosterRefused, match="现在是“待入库”，不能撤销"):
        roster_undo(batch=checked(workbook([person(1)])))


def test_taking_back_is_audited_and_forgets_the_changes() -> None:
    batch = imported(person(1))
    roster_undo(batch=batch)
    assert AuditEntry.objects.filter(action="撤销花名册", subject=f"导入批次 {batch.pk}").count() == 1
    assert not ImportChange.objects.exists()
