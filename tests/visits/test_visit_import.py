"""Files of visits: all or nothing, each record once, counted at once."""

import threading
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from eldercare.models import Elder
from operations.commands import Refused
from operations.masking import mask_id_number
from operations.models import AuditEntry
from organization.choices import Role
from organization.models import Assignment, User
from tests.races import IN_VAIN, at_once
from tests.registry import id_number, make_elder
from tests.visits.conftest import COUNTY, MARCH, SHANGHAI, TOWN_A, VILLAGE_B1, TierMaker, open_month, visit
from tests.visits.files import HEADER, csv_bytes, row, xlsx_file
from visits.models import Obligation, Visit, VisitMonth
from visits.services.visit import VisitsImported, visits_import

pytestmark = pytest.mark.django_db
RECORD = "123e4567-e89b-12d3-a456-426614174000"


@pytest.fixture
def elder(county: object) -> Elder:
    return make_elder(date(1950, 5, 5))


def take(content: bytes) -> VisitsImported:
    return visits_import(content=content, name="三月.csv")


def refusal(content: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        take(content)
    return refused.value


def test_a_file_is_taken_in(elder: Elder) -> None:
    result = take(csv_bytes(row(elder, 记录编号=RECORD, 备注="平安")))
    assert result == VisitsImported(rows=1, created=1, duplicates=0, warnings=())
    stored = Visit.objects.get()
    assert (stored.id, stored.elder, stored.mode, stored.result, stored.visitor, stored.note) == (
        UUID(RECORD), elder, "上门", "见到本人", "测试员", "平安",
    )  # fmt: skip
    assert stored.at == datetime(2026, 3, 10, 9, 30, tzinfo=SHANGHAI)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_are_understood(elder: Elder, encoding: str) -> None:
    take(csv_bytes(row(elder, 探访人="龦某"), encoding=encoding))
    assert Visit.objects.get().visitor == "龦某"


def test_a_workbook_is_taken_in_with_its_time_cells(elder: Elder) -> None:
    take(xlsx_file(row(elder, datetime(2026, 3, 10, 9, 30, 5)), before=("甲镇三月探访记录",)))  # noqa: DTZ001  # cells have no zone
    assert Visit.objects.get().at == datetime(2026, 3, 10, 9, 30, 5, tzinfo=SHANGHAI)


def test_the_first_column_may_name_its_kind(elder: Elder) -> None:
    header = ("记录编号（UUID）", *HEADER[1:])
    assert take(csv_bytes(row(elder), header=header)).created == 1


def test_the_remarks_column_may_be_missing(elder: Elder) -> None:
    assert take(csv_bytes(row(elder)[:-1], header=HEADER[:-1])).created == 1


def test_blank_rows_do_not_count(elder: Elder) -> None:
    assert take(csv_bytes(row(elder), [""] * 7, row(elder))).rows == 2


def test_the_obligation_is_met_at_once(tier: TierMaker, elder: Elder) -> None:
    tier()
    open_month()
    take(csv_bytes(row(elder)))
    assert Obligation.objects.get().met


def test_every_month_in_which_a_visit_counts_is_brought_in_line(tier: TierMaker, elder: Elder) -> None:
    tier("week", rule="独居", per="周", order=1)
    tier("quarter", per="季", order=2)
    alone = make_elder(date(1950, 5, 5), lives_alone=True)
    open_month()
    open_month(date(2026, 6, 1))
    take(csv_bytes(row(alone, "2026-04-05 23:59"), row(elder, "2026-04-05 23:59")))
    done = dict(Obligation.objects.filter(done=1).values_list("elder_id", "month"))
    assert done == {alone.id: MARCH, elder.id: date(2026, 6, 1)}


def test_what_comes_into_a_locked_month_is_marked_late_row_by_row(tier: TierMaker, elder: Elder) -> None:
    tier()
    here, moved = make_elder(date(1950, 5, 5), hukou=VILLAGE_B1), make_elder(date(1950, 5, 5))
    open_month()
    Elder.objects.filter(pk=moved.pk).update(residence_code=VILLAGE_B1)
    VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=TOWN_A, state="已提交")
    days = ("2026-03-31 23:59", "2026-04-01 00:00")
    take(csv_bytes(*(row(each, day) for each in (elder, here, moved) for day in days)))
    late = Visit.objects.filter(late=True).values_list("elder_id", "at__month")
    assert sorted(late) == [(elder.pk, 3), (moved.pk, 3)]
    assert set(Obligation.objects.filter(late_met=True).values_list("elder_id", flat=True)) == {
        elder.pk,
        moved.pk,
    }


@pytest.mark.parametrize(("locked", "late"), [(TOWN_A, True), (COUNTY, False)])
def test_who_owes_nothing_is_late_by_the_township_of_residence(elder: Elder, locked: str, late: bool) -> None:
    VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=locked, state="已接收")
    take(csv_bytes(row(elder)))
    assert Visit.objects.get().late == late


def test_a_long_file_costs_the_statements_of_a_short_one(tier: TierMaker, elder: Elder) -> None:
    tier()
    open_month()
    VisitMonth.objects.create(month=MARCH, county_code=COUNTY, area_code=TOWN_A, state="已提交")
    spent = []
    for count in (1, 40):
        with CaptureQueriesContext(connection) as queries:
            take(csv_bytes(*(row(elder, f"2026-03-10 09:{minute:02d}") for minute in range(count))))
        spent.append(len(queries))
    assert spent[1] <= spent[0]


def test_the_same_file_twice_changes_nothing(elder: Elder) -> None:
    content = csv_bytes(row(elder), row(elder))
    take(content)
    assert take(content) == VisitsImported(rows=2, created=0, duplicates=2, warnings=())
    assert Visit.objects.count() == 2


def test_a_record_repeated_in_a_file_is_taken_once(elder: Elder) -> None:
    same = row(elder)
    assert take(csv_bytes(same, same)) == VisitsImported(rows=2, created=1, duplicates=1, warnings=())


@pytest.mark.parametrize("earlier", [True, False], ids=["stored before", "in one file"])
def test_a_known_number_that_says_other_things_changes_nothing_and_is_named(
    elder: Elder, earlier: bool
) -> None:
    first, other = row(elder, 记录编号=RECORD), row(elder, 记录编号=RECORD, 结果="拒绝")
    if earlier:
        take(csv_bytes(first))
    result = take(csv_bytes(other) if earlier else csv_bytes(first, other))
    assert result.duplicates == 1
    assert result.warnings == (
        f"第 {2 if earlier else 3} 行：记录编号 {RECORD} 已登记过，内容不同，按重复处理，未改动原记录",
    )
    assert Visit.objects.get().result == "见到本人"


def test_the_same_moment_in_another_zone_says_the_same(elder: Elder) -> None:
    take(csv_bytes(row(elder, "2026-03-10 09:30", 记录编号=RECORD)))
    assert take(csv_bytes(row(elder, "2026-03-10T01:30:00Z", 记录编号=RECORD))).warnings == ()


def test_one_bad_row_keeps_everything_out(elder: Elder) -> None:
    refused = refusal(csv_bytes(row(elder), row(elder, 方式="打电话")))
    assert str(refused).splitlines() == [
        "1 行不能导入，全部未写入，请改正后重新导入：",
        "第 3 行“方式”列“打电话”：不是探访方式；请填写 上门、电话、视频、智能设备 之一",
    ]
    assert (refused.details["rows"], refused.details["errors"]) == (2, 1)
    assert not Visit.objects.exists()


def test_an_unknown_person_is_named_without_the_full_number(elder: Elder) -> None:
    number = id_number(date(1940, 1, 1), 999, area="999999")
    refused = refusal(csv_bytes(row(number)))
    assert f"第 2 行“身份证号码”列“{mask_id_number(number)}”：花名册中没有此人" in str(refused)


def test_faults_are_told_in_the_order_of_the_rows(elder: Elder) -> None:
    stranger = id_number(date(1940, 1, 1), 999, area="999999")
    content = csv_bytes(row(elder, 方式="打电话"), row(stranger), row(elder, 方式="打电话"))
    reasons = refusal(content).details["reasons"]
    assert [reason.split("“")[0] for reason in reasons] == ["第 2 行", "第 3 行", "第 4 行"]


def test_every_fault_of_a_row_is_told_and_the_row_counts_once(elder: Elder) -> None:
    refused = refusal(csv_bytes(row(elder, 方式="打电话", 结果="很好", 记录编号="1")))
    assert (len(refused.details["reasons"]), refused.details["errors"]) == (3, 1)


def test_many_faults_are_told_in_part(elder: Elder) -> None:
    refused = refusal(csv_bytes(*[row(elder, 方式="打电话") for _ in range(150)]))
    assert (len(refused.details["reasons"]), refused.details["errors"]) == (100, 150)
    assert str(refused).endswith("……共 150 处")


def test_a_visit_in_the_future_is_refused(elder: Elder) -> None:
    later = timezone.localtime() + timedelta(minutes=2)
    assert "晚于现在" in str(refusal(csv_bytes(row(elder, f"{later:%Y-%m-%d %H:%M}"))))


def test_a_file_without_the_header_is_refused(elder: Elder) -> None:
    header = ("编号", "身份证号码", "探访时间", "方式", "结果", "探访人", "备注")
    assert (
        str(refusal(csv_bytes(row(elder), header=header))) == "前 10 行里没有找到完整的表头，缺少列：记录编号"
    )


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"PK\x03\x04broken"])
def test_what_is_no_table_is_refused(elder: Elder, content: bytes) -> None:
    assert str(refusal(content))


def test_a_sheet_is_named_in_the_reason(elder: Elder) -> None:
    assert "工作表“Sheet”第 2 行“方式”列" in str(refusal(xlsx_file(row(elder, 方式="打电话"))))


def test_an_import_is_audited(elder: Elder) -> None:
    take(csv_bytes(row(elder)))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.data["created"]) == ("导入探访记录", "三月.csv", 1)


def test_a_user_brings_visits_of_the_own_area_only(elder: Elder) -> None:
    user = User.objects.create(username="clerk")
    Assignment.objects.create(user=user, role=Role.TOWNSHIP_CLERK, area_id=TOWN_A)
    content = csv_bytes(row(elder), row(make_elder(date(1950, 5, 5), hukou=VILLAGE_B1)))
    with pytest.raises(Refused, match="1 行不能导入"):
        visits_import(content=content, name="三月.csv", actor=user)


@pytest.mark.parametrize("statement", ["UPDATE visits_visit SET result = '拒绝'", "DELETE FROM visits_visit"])
def test_a_visit_is_never_changed(elder: Elder, statement: str) -> None:
    visit(elder, "2026-03-10")
    with pytest.raises(DatabaseError, match="只能追加"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_count_every_visit_once(tier: TierMaker, elder: Elder) -> None:
    tier(times=4)
    open_month()
    shared = row(elder, "2026-03-10 09:30")
    files = [csv_bytes(shared, row(elder, f"2026-03-{day} 09:30")) for day in (11, 12)]
    results = at_once(*(partial(take, content) for content in files))
    assert sorted(result.created for result in results) == [1, 2]
    assert Obligation.objects.get().done == 3


@pytest.mark.django_db(transaction=True)
def test_a_refresh_waits_for_a_visit_that_is_being_counted(tier: TierMaker, elder: Elder) -> None:
    """Without the lock the second count would not see the first visit and write 1 over it."""
    tier(times=4)
    open_month()
    other = threading.Thread(target=_take_and_close, args=(csv_bytes(row(elder, "2026-03-11 09:30")),))
    with transaction.atomic():
        take(csv_bytes(row(elder, "2026-03-10 09:30")))
        other.start()
        other.join(IN_VAIN)
        assert other.is_alive()
    other.join()
    assert Obligation.objects.get(county_code=COUNTY).done == 2


def _take_and_close(content: bytes) -> None:
    try:
        take(content)
    finally:
        connection.close()
