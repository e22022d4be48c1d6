"""The commands of the month as scripts see them: JSON last on stdout, exit codes, files (contract.md)."""

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from eldercare.choices import Kind
from eldercare.models import Elder
from operations.models import AuditEntry
from tests.registry import add, make_elder
from tests.subsidies.county import OTHER_VILLAGE, enrol, item, load, publish_list, run, run_through

pytestmark = pytest.mark.django_db(transaction=True)
MAY, JUNE = date(2024, 5, 1), date(2024, 6, 1)
Captured = pytest.CaptureFixture[str]


def said(capsys: Captured) -> dict[str, Any]:
    """The JSON object on the last line of stdout."""
    answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return answer


def refused(capsys: Captured, *arguments: str) -> str:
    """The sentence with which a command ends in exit code 1."""
    with pytest.raises(SystemExit) as ended:
        call_command(*arguments)
    assert ended.value.code == 1
    return str(said(capsys)["error"])


@pytest.fixture
def elders(db: None) -> list[Elder]:
    """Three elders in two townships under a list with every outcome."""
    publish_list(
        item("AGE", "年龄 >= 80"),
        item("CARE", "残疾等级 = 1", amount="0.5 * 标准"),
        item("ASK", "低保", application="申请", number=2),
        item("OPEN", "低保", amount=None, pending=True, number=3),
        item("BUS", "年龄 >= 60", track="计数", form="服务", amount=None, number=4),
        rates=[{"name": "标准", "values": [{"from": date(2023, 1, 1), "amount": 33.33}]}],
        exclusions=[{"code": "one", "strategy": "择高", "items": ["AGE", "CARE"], "from": date(2023, 1, 1)}],
        visit_tiers=[
            {
                "code": "month",
                "name": "每月探访",
                "rule": "独居",
                "times": 1,
                "per": "月",
                "modes": ["上门"],
                "order": 1,
                "from": date(2023, 1, 1),
            }
        ],
    )
    return [
        make_elder(date(1940, 1, 1), disability_level=1, lives_alone=True, name="王一"),
        make_elder(date(1950, 1, 1), low_income_allowance=True, name="李二"),
        make_elder(date(1940, 1, 2), hukou=OTHER_VILLAGE, low_income_allowance=True, name="=赵三"),
    ]


def test_run_month_prints_persons_outcomes_amount_and_obligations(
    elders: list[Elder], capsys: Captured
) -> None:
    call_command("run_month", "2024-06")
    answer = said(capsys)
    assert answer.pop("seconds") >= 0
    assert answer == {
        "month": "2024-06",
        "persons": 3,
        "outcomes": {"应发": 4, "未申请": 2, "暂停": 0, "择高未发": 1, "互斥未发": 0},
        "amount": "100.00",
        "back_pay": "0.00",
        "recovery": "0.00",
        "obligations": 1,
        "revision": 1,
    }


def test_run_month_of_one_township_counts_that_township(elders: list[Elder], capsys: Captured) -> None:
    call_command("run_month", "2024-06", area="530322102000")
    answer = said(capsys)
    assert (answer["persons"], answer["outcomes"]["应发"], answer["amount"]) == (1, 2, "50.00")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run_month", "2024-06", "--area", "530322"), "区划代码应为 12 位数字，现为“530322”"),
        (("run_month", "2024-06", "--area", "５３０３２２１０１０００"), "区划代码应为 12 位数字"),
        (("run_month", "2024-06", "--area", "530399000000"), "没有适用的服务清单"),
        (
            ("run_month", "2024-06", "--area", "530322999000"),
            "区划 530322999000 没有登记的老年人，请核对区划代码",
        ),
        (("run_month", "2022-12"), "2022年12月没有适用于 530322000000 的服务清单"),
        (("explain", "2024-06", "990101194001010013"), "登记中没有证件号为 990101********0013 的老年人"),
        (
            ("export_entitlements", "2024-07", "--output", "x.csv"),
            "2024年07月还没有核定，请先运行 run_month 2024-07",
        ),
        (("export_entitlements", "2024-06", "--output", "/无/x.csv"), "文件 /无/x.csv 写不了"),
        (
            ("export_entitlements", "2024-06", "--output", "x.csv", "--area", "陆良"),
            "区划代码应为 12 位数字，现为“陆良”",
        ),
    ],
)
def test_bad_input_is_refused_in_one_chinese_sentence(
    elders: list[Elder], capsys: Captured, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    run(JUNE)
    assert sentence in refused(
        capsys, *[a.replace("x.csv", f"{tmp_path}/x.csv") if a == "x.csv" else a for a in arguments]
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("month", ["2024-13", "2024", "六月", "2024-06-01"])
@pytest.mark.parametrize("command", ["run_month", "explain", "export_entitlements"])
def test_what_is_no_month_is_wrong_usage(command: str, month: str) -> None:
    more = {"explain": ["990101194001010013"], "export_entitlements": ["--output", "x.csv"]}.get(command, [])
    with pytest.raises(CommandError):
        call_command(command, month, *more)


def test_without_any_list_the_run_says_what_to_do(db: None, capsys: Captured) -> None:
    assert "请先用 load_pack 加载本县清单" in refused(capsys, "run_month", "2024-06")


def test_a_national_list_alone_is_applied_to_nobody(db: None, capsys: Captured) -> None:
    load("national")
    assert "没有适用的服务清单" in refused(capsys, "run_month", "2024-06")


def exported(tmp_path: Path, *arguments: str) -> tuple[bytes, list[dict[str, str]]]:
    """The raw export and its rows."""
    file = tmp_path / "月度.csv"
    call_command("export_entitlements", "2024-06", "--output", str(file), *arguments)
    raw = file.read_bytes()
    return raw, list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))


def test_the_export_holds_every_line_with_header_bom_two_decimals_and_full_numbers(
    elders: list[Elder], tmp_path: Path, capsys: Captured
) -> None:
    run(MAY)
    add(elders[1], Kind.DISABILITY_LEVEL, "1", date(2024, 1, 1))
    add(elders[2], Kind.DEATH, "是", date(2024, 4, 20))
    enrol(elders[1], "ASK", MAY, state="暂停")
    run(JUNE)
    raw, rows = exported(tmp_path)
    header = "身份证号码,姓名,户籍区划,项目编码,项目名称,所属月,类别,金额,结果,说明"
    assert raw.startswith(b"\xef\xbb\xbf" + header.encode() + b"\r\n")
    one, two, three = (elder.id_number for elder in elders)
    assert [
        (r["身份证号码"], r["项目编码"], r["所属月"], r["类别"], r["金额"], r["结果"], r["说明"])
        for r in rows
    ] == [
        (one, "AGE", "2024-06", "正常", "50.00", "应发", ""),
        (one, "CARE", "2024-06", "正常", "16.67", "择高未发", "已享受 AGE 项目AGE"),
        (two, "CARE", "2024-06", "正常", "16.67", "应发", ""),
        (two, "ASK", "2024-06", "正常", "50.00", "暂停", "享受登记已暂停"),
        (two, "OPEN", "2024-06", "正常", "", "应发", "待定标准：文件未给出金额，只核定不发放"),
        (two, "CARE", "2024-05", "补发", "16.67", "应发", ""),
        (three, "AGE", "2024-05", "追缴", "-50.00", "应发", ""),
    ]
    assert rows[-1]["姓名"] == "'=赵三", "no spreadsheet reads a name as a formula"
    assert (rows[0]["户籍区划"], rows[0]["项目名称"]) == ("530322101201", "项目AGE")
    assert said(capsys)["rows"] == 7


def test_the_export_of_an_area_holds_its_lines_only_and_is_audited(
    elders: list[Elder], tmp_path: Path, capsys: Captured
) -> None:
    run(JUNE)
    _, rows = exported(tmp_path, "--area", "530322102000")
    assert {row["姓名"] for row in rows} == {"'=赵三"}
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.data) == (
        "导出月度核定",
        {"rows": len(rows), "area": "530322102000", "full_id": True},
    )


def test_a_second_export_is_the_same_to_the_byte(
    elders: list[Elder], tmp_path: Path, capsys: Captured
) -> None:
    run_through(MAY, JUNE)
    first, _ = exported(tmp_path)
    run(JUNE)
    assert exported(tmp_path)[0] == first


def test_explain_gives_the_rule_as_a_tree_with_truths_values_document_and_clause(
    db: None, capsys: Captured
) -> None:
    load("national", "luliang")
    elder = make_elder(date(1942, 1, 10), low_income_allowance=True)
    run(JUNE)
    call_command("explain", "2024-06", elder.id_number.lower())
    answer = said(capsys)
    assert (answer["id_number"], answer["month"], answer["revision"]) == (elder.id_number, "2024-06", 1)
    assert answer["facts"]["期初"]["年龄"] == 82
    items = {entry["code"]: entry for entry in answer["items"]}
    assert len(items) == 30
    subsidy, care = items["L19"], items["L20"]
    assert (subsidy["eligible"], subsidy["amount"], subsidy["outcome"]) == (True, "50.00", "应发")
    assert (subsidy["document"], subsidy["number"], subsidy["clause"]) == (
        "陆良县基本养老服务清单",
        "陆办发〔2023〕14号",
        "清单第19项",
    )
    assert [(part["kind"], part["truth"]) for part in subsidy["rule"]["children"]] == [
        ("比较", True),
        ("或", True),
    ]
    assert (subsidy["rule"]["children"][0]["fact"], subsidy["rule"]["children"][0]["value"]) == ("年龄", 82)
    assert (care["eligible"], care["amount"], care["outcome"], care["rule"]["truth"]) == (
        False,
        None,
        None,
        False,
    )
    assert items["L08"]["outcome"] == "计数"
    assert AuditEntry.objects.latest("id").action == "说明核定"


def test_explain_names_the_fact_that_is_unknown(elders: list[Elder], capsys: Captured) -> None:
    run(JUNE)
    call_command("explain", "2024-06", elders[1].id_number)
    care = next(entry for entry in said(capsys)["items"] if entry["code"] == "CARE")
    assert (care["eligible"], care["rule"]["truth"], care["rule"]["unknown"]) == (False, None, ["残疾等级"])


def test_explain_shows_what_a_household_or_an_exclusion_made_of_it(
    elders: list[Elder], capsys: Captured
) -> None:
    run(JUNE)
    call_command("explain", "2024-06", elders[0].id_number)
    care = next(entry for entry in said(capsys)["items"] if entry["code"] == "CARE")
    assert (care["eligible"], care["amount"], care["outcome"], care["winner"]) == (
        True,
        "16.67",
        "择高未发",
        "AGE",
    )
