"""import_enrolments: columns, refusals with a way out, all or nothing, the same file twice."""

import csv
import io
import json
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from openpyxl import Workbook

from eldercare.models import Elder
from operations.commands import Refused
from operations.models import AuditEntry
from subsidies.enrolment_file import parse_month_cell
from subsidies.models import Enrolment
from subsidies.services import enrolment as enrolment_service
from subsidies.services.enrolment import EnrolmentsImported, enrolments_import
from tests.races import IN_VAIN, SURELY, at_once, met_before, raised
from tests.registry import make_elder
from tests.subsidies.county import ELSEWHERE, VILLAGE, item, outcomes, publish_list, run

HEADER = ("身份证号码", "项目编码", "起始月", "终止月", "状态")
JUNE = date(2024, 6, 1)


@pytest.fixture
def elder(db: None) -> Elder:
    """One elder in a county whose list has an item to apply for, a household item and one of institutions."""
    publish_list(
        item("ASK", "年龄 >= 80", application="申请"),
        item("HOME", "年龄 >= 80", application="申请", subject="家庭"),
        item("BEDS", "年龄 >= 80", subject="机构", track="计数"),
    )
    return make_elder(date(1940, 1, 1))


def csv_bytes(*rows: list[object], header: tuple[str, ...] = HEADER, encoding: str = "utf-8-sig") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode(encoding)


def xlsx_bytes(*rows: list[Any], header: tuple[str, ...] = HEADER) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for line in (["享受登记表"], list(header), *rows):
        sheet.append(line)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def take(content: bytes) -> EnrolmentsImported:
    return enrolments_import(content=content, name="登记.csv")


def refused(content: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        take(content)
    assert not Enrolment.objects.exists()
    return caught.value


def standing() -> list[tuple[str, date, date | None, str]]:
    return list(
        Enrolment.objects.order_by("first_month").values_list(
            "item__code", "first_month", "last_month", "state"
        )
    )


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_a_csv_creates_enrolments_and_a_blank_state_means_receiving(elder: Elder, encoding: str) -> None:
    content = csv_bytes(
        [elder.id_number, "ASK", "2024-05", "", ""],
        [elder.id_number.lower(), "HOME", "2024年6月", "2024/8", "终止"],
        encoding=encoding,
    )
    assert take(content) == EnrolmentsImported(rows=2, created=2, updated=0, unchanged=0)
    assert standing() == [
        ("ASK", date(2024, 5, 1), None, "享受中"),
        ("HOME", JUNE, date(2024, 8, 1), "终止"),
    ]


@pytest.mark.django_db
def test_a_workbook_with_a_title_row_and_date_cells_is_read_too(elder: Elder) -> None:
    assert take(xlsx_bytes([elder.id_number, "ASK", JUNE, None, "暂停"])).created == 1
    assert standing() == [("ASK", JUNE, None, "暂停")]


@pytest.mark.django_db
def test_the_same_file_twice_changes_nothing(elder: Elder) -> None:
    content = csv_bytes([elder.id_number, "ASK", "2024-05", "2024-09", "终止"])
    take(content)
    version, entries = Elder.objects.get().version, AuditEntry.objects.count()
    assert take(content) == EnrolmentsImported(rows=1, created=0, updated=0, unchanged=1)
    assert (Elder.objects.get().version, AuditEntry.objects.count()) == (version, entries)


@pytest.mark.django_db
def test_a_known_enrolment_takes_the_new_end_and_state(elder: Elder) -> None:
    take(csv_bytes([elder.id_number, "ASK", "2024-05"], header=HEADER[:3]))
    assert take(csv_bytes([elder.id_number, "ASK", "2024-05", "2024-09", "终止"])).updated == 1
    assert standing() == [("ASK", date(2024, 5, 1), date(2024, 9, 1), "终止")]


@pytest.mark.django_db
def test_a_file_without_end_and_state_leaves_them_alone_and_a_blank_cell_clears_them(elder: Elder) -> None:
    take(csv_bytes([elder.id_number, "ASK", "2024-05", "2024-09", "暂停"]))
    assert take(csv_bytes([elder.id_number, "ASK", "2024-05"], header=HEADER[:3])).unchanged == 1
    assert take(csv_bytes([elder.id_number, "ASK", "2024-05", "", ""])).updated == 1
    assert standing() == [("ASK", date(2024, 5, 1), None, "享受中")]


@pytest.mark.django_db
def test_a_row_that_stands_twice_counts_once(elder: Elder) -> None:
    row: list[object] = [elder.id_number, "ASK", "2024-05", "", ""]
    assert take(csv_bytes(row, row)) == EnrolmentsImported(rows=2, created=1, updated=0, unchanged=1)


def faulty(**given: object) -> list[object]:
    """A row that is right but for what is given; 人 stands for the elder's number."""
    return list(
        (
            {"身份证号码": "人", "项目编码": "ASK", "起始月": "2024-05", "终止月": "", "状态": ""} | given
        ).values()
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"身份证号码": "990101194001010013"},
            "“身份证号码”列“990101********0013”：花名册中没有此人；请核对号码，或先导入花名册",
        ),
        (
            {"身份证号码": "12345"},
            "“身份证号码”列“12345”：不是有效的证件号码；请填写 18 位公民身份号码（末位可为 X）",
        ),
        (
            {"身份证号码": "9.90101E+17"},
            "“身份证号码”列“9.90101E+17”：是数字格式，末几位已丢失；请把该列设为文本后重新填写",
        ),
        ({"项目编码": "X99"}, "“项目编码”列“X99”：各县清单中没有这个项目编码；请核对清单，或先加载清单"),
        ({"项目编码": ""}, "“项目编码”列“”：没有填写；请填写清单中的项目编码，如 L11"),
        ({"项目编码": "BEDS"}, "“项目编码”列“BEDS”：项目的对象是机构，不按老年人登记；请删去这一行"),
        ({"起始月": ""}, "“起始月”列“”：没有填写；请写成 2026-03"),
        ({"起始月": "2024-13"}, "“起始月”列“2024-13”：不是月份；请写成 2026-03"),
        ({"起始月": "五月"}, "“起始月”列“五月”：不是月份；请写成 2026-03"),
        ({"终止月": "2024-04"}, "“终止月”列“2024-04”：早于起始月 2024-05；请核对两个月份"),
        ({"状态": "终止"}, "“终止月”列“”：状态为终止，应填写终止月（最后一个发放的月份），写成 2026-03"),
        ({"状态": "停发"}, "“状态”列“停发”：不是登记状态；请填写 享受中、暂停、终止 之一，或留空表示享受中"),
    ],
)
def test_one_faulty_row_refuses_the_file_naming_row_column_value_and_way_out(
    elder: Elder, given: dict[str, object], sentence: str
) -> None:
    row = [elder.id_number if cell == "人" else cell for cell in faulty(**given)]
    good: list[object] = [elder.id_number, "ASK", "2024-01", "", ""]
    refusal = refused(csv_bytes(good, row))
    assert refusal.details["reasons"] == [f"第 3 行{sentence}"]
    assert (refusal.details["rows"], refusal.details["errors"]) == (2, 1)


@pytest.mark.django_db
def test_two_rows_that_contradict_each_other_are_both_refused(elder: Elder) -> None:
    rows: list[list[object]] = [
        [elder.id_number, "ASK", "2024-05", "", state] for state in ("享受中", "暂停")
    ]
    refusal = refused(csv_bytes(*rows))
    assert refusal.details["errors"] == 2
    assert (
        "与第 2 行是同一人、同一项目、同一起始月，内容却不同；请只保留一行" in refusal.details["reasons"][0]
    )


@pytest.mark.django_db
def test_a_file_without_the_needed_columns_is_refused_by_name(elder: Elder) -> None:
    assert "缺少列：项目编码、起始月" in str(refused(csv_bytes(["x"], header=("身份证号码",))))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hukou", "residence", "area"),
    [
        (VILLAGE, ELSEWHERE, "530322000000"),
        (ELSEWHERE, VILLAGE, "530324000000"),
        ("530325101201", VILLAGE, "530322000000"),
    ],
)
def test_a_code_that_two_counties_share_means_the_county_of_the_elder(
    elder: Elder, hukou: str, residence: str, area: str
) -> None:
    publish_list(item("ASK", "年龄 >= 80", application="申请"), area="530324000000", code="neighbour")
    mover = make_elder(date(1940, 1, 2), hukou=hukou, residence=residence)
    take(csv_bytes([mover.id_number, "ASK", "2024-05", "", ""]))
    assert Enrolment.objects.get().item.document.area_id == area


@pytest.mark.django_db
def test_a_shared_code_for_an_elder_of_neither_county_is_refused(elder: Elder) -> None:
    publish_list(item("ASK", "年龄 >= 80", application="申请"), area="530324000000", code="neighbour")
    stranger = make_elder(date(1940, 1, 2), hukou="530325101201")
    assert "此人的户籍和居住都不在这些县" in str(
        refused(csv_bytes([stranger.id_number, "ASK", "2024-05", "", ""]))
    )


@pytest.mark.parametrize(
    "cell",
    ["2024.1", 2024.1, 202405, "2024-5-1", (2024, 5, 2), "24-05", "1899-01", "2024-00", "二〇二四年五月"],
)
def test_what_may_mean_two_months_or_none_is_no_month(cell: object) -> None:
    with pytest.raises(ValueError, match="请写成 2026-03"):
        parse_month_cell(cell)


@pytest.mark.django_db(transaction=True)
def test_the_next_run_decides_the_enrolled_again(elder: Elder) -> None:
    run(JUNE)
    assert outcomes(elder, JUNE)["ASK"] == "未申请"
    take(csv_bytes([elder.id_number, "ASK", "2024-05", "", ""]))
    assert run(JUNE).revision == 2
    assert outcomes(elder, JUNE)["ASK"] == "应发"
    take(csv_bytes([elder.id_number, "ASK", "2024-05", "2024-05", "终止"]))
    run(JUNE)
    assert outcomes(elder, JUNE)["ASK"] == "未申请"


def import_twice_at_once(elder: Elder, monkeypatch: pytest.MonkeyPatch, wait: float) -> list[Any]:
    """Two imports of one file that meet, if nothing keeps them apart, between looking and writing."""
    content = csv_bytes([elder.id_number, "ASK", "2024-05", "", ""])
    monkeypatch.setattr(enrolment_service, "_write", met_before(enrolment_service._write, wait))
    return at_once(lambda: take(content), lambda: take(content))


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_two_imports_at_once_collide(elder: Elder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment_service, "_one_import_at_a_time", nullcontext)
    results = import_twice_at_once(elder, monkeypatch, SURELY)
    assert [type(error) for error in raised(results)] == [IntegrityError]
    assert Enrolment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_create_one_enrolment(
    elder: Elder, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = import_twice_at_once(elder, monkeypatch, IN_VAIN)
    assert sorted(result.created for result in results) == [0, 1]
    assert Enrolment.objects.count() == 1


@pytest.mark.django_db
def test_the_command_prints_the_numbers_and_audits(
    elder: Elder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "登记.csv"
    file.write_bytes(csv_bytes([elder.id_number, "ASK", "2024-05", "", ""]))
    call_command("import_enrolments", str(file))
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {
        "rows": 1,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "errors": 0,
    }
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.subject, entry.data["created"]) == ("导入享受登记", "登记.csv", 1)
    assert elder.id_number not in json.dumps(entry.data)


@pytest.mark.django_db
def test_the_command_refuses_with_exit_code_1_and_the_reasons(
    elder: Elder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "登记.csv"
    file.write_bytes(csv_bytes([elder.id_number, "X99", "2024-05", "", ""]))
    with pytest.raises(SystemExit) as ended:
        call_command("import_enrolments", str(file))
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert ended.value.code == 1
    assert (said["rows"], said["created"], said["errors"]) == (1, 0, 1)
    with pytest.raises(SystemExit):
        call_command("import_enrolments", str(tmp_path / "没有.csv"))
    assert "读不了" in capsys.readouterr().out
