"""import_areas: parents in any order, all or nothing, errors with their rows."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from openpyxl import Workbook

from organization.models import Area
from organization.services.area import AreaImport, areas_import

pytestmark = pytest.mark.django_db

COUNTY = "区划代码,名称\n530322101201,东门村\n530322000000,测试县\n530322101000,中枢街道\n"


def load(text: str, encoding: str = "utf-8-sig") -> AreaImport:
    return areas_import(name="区划.csv", content=text.encode(encoding))


def test_parents_are_found_whatever_the_order_of_rows() -> None:
    result = load(COUNTY)
    assert (result.rows, result.created, result.errors) == (3, 3, [])
    assert dict(Area.objects.values_list("code", "parent_id")) == {
        "530322000000": None,
        "530322101000": "530322000000",
        "530322101201": "530322101000",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_usual_encodings(encoding: str) -> None:
    assert load(COUNTY, encoding).created == 3


def test_a_workbook_is_read_with_numbers_as_codes() -> None:
    book = Workbook()
    for row in (["某县区划"], ["代码", "区划名称"], [530322000000, "测试县"], ["530322101", "中枢街道"]):
        book.worksheets[0].append(row)
    stream = io.BytesIO()
    book.save(stream)
    assert areas_import(name="a.xlsx", content=stream.getvalue()).created == 2
    assert Area.objects.filter(code="530322101000").exists()


def test_a_second_load_changes_only_names() -> None:
    load(COUNTY)
    result = load(COUNTY.replace("东门村", "东门社区"))
    assert (result.created, result.updated, result.unchanged) == (0, 1, 2)


def test_a_stated_parent_wins() -> None:
    load(COUNTY)
    load("区划代码,名称,上级代码\n530322999001,飞地村,530322101000\n")
    assert Area.objects.get(code="530322999001").parent_id == "530322101000"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("区划代码,名称\n53032,甲\n", "第 2 行：区划代码“53032”应为 12 位数字"),
        ("区划代码,名称\n530322000000,\n", "第 2 行：没有名称"),
        (
            "区划代码,名称\n530322000000,甲\n530322000000,乙\n",
            "第 3 行：530322000000 与第 2 行重复而名称不同；请只保留一行",
        ),
        (
            "区划代码,名称,上级代码\n530322000000,甲,530399000000\n",
            "第 2 行：上级代码 530399000000 既不在文件中，也不在区划表中",
        ),
        ("编号,叫法\n1,甲\n", "前 10 行里找不到表头；表头应为：区划代码,名称[,上级代码]"),
    ],
)
def test_a_wrong_row_refuses_the_whole_file(text: str, sentence: str) -> None:
    assert load(text + "530323000000,好县\n").errors[0] == sentence
    assert not Area.objects.exists()


def test_what_is_no_table_is_refused() -> None:
    assert areas_import(name="a.xlsx", content=b"PK\x03\x04rubbish").errors == [
        "文件“a.xlsx”打不开；请另存为 .xlsx 或 .csv 再导入"
    ]


def test_the_command_prints_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "区划.csv"
    path.write_text(COUNTY, encoding="utf-8-sig")
    call_command("import_areas", str(path))
    assert json.loads(capsys.readouterr().out) == {"rows": 3, "created": 3, "updated": 0, "unchanged": 0}


def test_the_command_refuses_with_exit_code_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "区划.csv"
    path.write_text("区划代码,名称\n1,甲\n", encoding="utf-8-sig")
    with pytest.raises(SystemExit) as exit_:
        call_command("import_areas", str(path))
    assert exit_.value.code == 1
    assert json.loads(capsys.readouterr().out)["errors"] == ["第 2 行：区划代码“1”应为 12 位数字"]
