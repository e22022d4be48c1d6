"""The preview: every error at once with sheet, row, column, value and what to write."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from eldercare.models import Elder, ImportBatch, StagedRow
from eldercare.services.roster import roster_discard
from operations.services.stored_file import stored_file_read
from organization.models import User
from tests.eldercare.rosters import (
    OTHER_VILLAGE,
    checked,
    counts,
    csv_text,
    errors,
    imported,
    person,
    remarks,
    sheets,
    workbook,
)
from tests.registry import id_number

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]

GOOD = "610304194003151239"


def test_a_preview_counts_the_whole_file_and_writes_nothing() -> None:
    batch = checked(workbook([person(1), person(2), person(3, 低保="也许")]))
    assert batch.state == ImportBatch.State.READY
    assert counts(batch) == (2, 0, 0, 1)
    assert Elder.objects.count() == 0


def test_an_error_names_sheet_row_column_value_and_remedy() -> None:
    batch = checked(workbook([person(1), person(2, 低保="也许")], title="标题"))
    assert batch.report["groups"] == [
        {
            "kind": "低保",
            "message": "应填“是”，不是的留空",
            "count": 1,
            "rows": [
                {
                    "sheet": "花名册",
                    "row": 4,
                    "column": "低保",
                    "value": "也许",
                    "message": "应填“是”，不是的留空",
                }
            ],
        }
    ]


def test_every_error_of_a_row_is_reported_at_once() -> None:
    row = {"姓名": "", "身份证号码": "丢失", "户籍区划": "", "低保": "也许", "死亡日期": "1940.5"}
    found = errors(checked(workbook([row])))
    assert {column for _, column, _ in found} == {"姓名", "身份证号码", "户籍区划", "低保", "死亡日期"}


def test_equal_errors_are_one_group_that_shows_ten_rows() -> None:
    batch = checked(workbook([person(serial, 低保="也许") for serial in range(12)]))
    (group,) = batch.report["groups"]
    assert (group["count"], len(group["rows"])) == (12, 10)


def test_long_numbers_are_masked_in_the_report() -> None:
    batch = checked(workbook([person(身份证号码="610304194003151230")]))
    assert batch.report["groups"][0]["rows"][0]["value"] == "610304********1230"
    assert "610304194003151230" not in str(batch.report)


@pytest.mark.parametrize(
    ("cells", "column", "sentence"),
    [
        ({"身份证号码": "610304194003151230"}, "身份证号码", "校验位不符"),
        ({"身份证号码": "610304194002301234"}, "身份证号码", "号码中的出生日期不存在"),
        (
            {"身份证号码": "610304194002301234", "证件核实": "是"},
            "身份证号码",
            "请在“出生日期”列填写实际日期",
        ),
        ({"身份证号码": "610304194002301234", "证件核实": "是", "出生日期": "1940.2"}, "出生日期", "缺少日"),
        ({"身份证号码": 610304194003151239}, "身份证号码", "已丢失末几位"),
        ({"联系电话": "1.38E+10"}, "联系电话", "已丢失末几位"),
        ({"银行账号": 6228480012345678903}, "银行账号", "已丢失末几位"),
        ({"死亡日期": "2999-01-01"}, "死亡日期", "日期晚于今天"),
        ({"死亡日期": "1930-01-01"}, "死亡日期", "日期早于出生日期"),
        ({"评估日期": "1940.5"}, "评估日期", "缺少日"),
        (
            {"户籍区划": "东门村"},
            "户籍区划",
            "名称不唯一：甲镇/东门村委会（530322101203）、乙镇/东门村委会（530322102202）",
        ),
        ({"低保": "=1+1"}, "低保", "公式没有计算结果"),
    ],
)
def test_a_wrong_row_is_an_error(cells: dict[str, Any], column: str, sentence: str) -> None:
    batch = checked(workbook([person(**cells)]))
    assert counts(batch) == (0, 0, 0, 1)
    ((_, where, message),) = errors(batch)
    assert where == column
    assert sentence in message


@pytest.mark.parametrize(
    "cells",
    [
        {"身份证号码": "610304194003151230", "证件核实": "是"},
        {"身份证号码": "610304194002301234", "证件核实": "是", "出生日期": "1940-02-29"},
        {"身份证号码": "610304400315123"},
        {"身份证号码": "９９０１０１194005060018".replace("0018", id_number(date(1940, 5, 6), 1)[14:])},
        {"死亡日期": str(timezone.localdate())},
        {"户籍区划": "测试县 乙镇 下坝村3组"},
    ],
)
def test_an_odd_row_that_can_be_right_is_taken(cells: dict[str, Any]) -> None:
    assert counts(checked(workbook([person(**cells)]))) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("cells", "column", "sentence"),
    [
        ({"性别": "女" if int(person()["身份证号码"][16]) % 2 else "男"}, "性别", "与证件号码中的性别不同"),
        ({"出生日期": "1941-05-06"}, "出生日期", "与证件号码中的出生日期不同"),
        ({"残疾类别": "肢体", "残疾等级": ""}, "残疾等级", "只填了一项"),
        ({"残疾等级": "1", "残疾证有效期至": "2020-01-01"}, "残疾证有效期至", "已到期"),
        ({"能力等级": "", "评估日期": "2025-01-01"}, "评估日期", "没有能力等级"),
        ({"残疾证号": "61030419400315123941"}, "残疾证号", "前 18 位与证件号码不同"),
        ({"银行账号": "6228480012345678903", "账户户名": "李四"}, "账户户名", "户名与姓名不同"),
        ({"户主身份证号码": GOOD, "与户主关系": "户主"}, "与户主关系", "户主证件号码却是别人"),
        ({"户主身份证号码": "610304194003151230"}, "户主身份证号码", "户主证件号码的校验位或日期不符"),
        ({"户籍区划": "乙镇"}, "户籍区划", "没有写明村"),
        ({"居住区划": "330100000000"}, "居住区划", "外县区划代码"),
    ],
)
def test_an_odd_row_is_taken_with_a_warning(cells: dict[str, Any], column: str, sentence: str) -> None:
    batch = checked(workbook([person(**cells)]))
    assert counts(batch) == (1, 0, 0, 0)
    assert any(where == column and sentence in message for _, where, message in remarks(batch))


def test_warnings_are_counted_by_rows_not_by_remarks() -> None:
    batch = checked(workbook([person(1, 联系电话="123", 性别="女"), person(2, 联系电话="124", 性别="男")]))
    assert batch.counts["warnings"] == 2


def test_the_same_person_twice_with_different_content_is_an_error_on_both_rows() -> None:
    batch = checked(workbook([person(1, 低保="是"), person(2, 低保=""), person(1, 低保="")]))
    assert counts(batch) == (1, 0, 0, 2)
    assert [(row, message[:9]) for row, _, message in errors(batch)] == [
        (2, "与第 4 行是同一"),
        (4, "与第 2 行是同一"),
    ]


def test_the_same_person_on_two_sheets_names_the_other_sheet() -> None:
    batch = checked(sheets({"甲": [person(1)], "乙": [person(1, 姓名="张华")]}))
    assert {message.partition("是")[0] for _, _, message in errors(batch)} == {
        "与工作表“乙”第 2 行",
        "与工作表“甲”第 2 行",
    }


def test_a_row_that_is_repeated_word_for_word_is_taken_once() -> None:
    batch = checked(workbook([person(1), person(1)]))
    assert counts(batch) == (1, 0, 1, 0)
    assert any("与第 2 行完全相同，只入库一次" in message for _, _, message in remarks(batch))


def test_a_wrong_row_that_is_repeated_is_an_error_both_times() -> None:
    assert counts(checked(workbook([person(1, 低保="也许")] * 2))) == (0, 0, 0, 2)


def test_another_number_with_the_same_name_and_birthday_is_suspected() -> None:
    imported(person(1))
    batch = checked(workbook([person(2)]))
    assert batch.counts["suspected"] == 1
    ((_, _, message),) = remarks(batch, "suspected")
    assert message.startswith(f"与登记中证件号码尾号 {person(1)['身份证号码'][-4:]} 的人同名同生日")


def test_two_new_people_of_one_file_with_the_same_name_and_birthday_are_suspected() -> None:
    batch = checked(workbook([person(1), person(2), person(3, 姓名="李四")]))
    assert batch.counts["suspected"] == 2


def test_a_known_person_with_another_name_is_a_warning() -> None:
    imported(person(1))
    batch = checked(workbook([person(1, 姓名="张国花")]))
    assert counts(batch) == (0, 1, 0, 0)
    assert any("登记的姓名是“张国华”" in message for _, _, message in remarks(batch))


def test_one_account_for_two_people_is_a_warning_on_both() -> None:
    account = "6228480012345678903"
    batch = checked(workbook([person(1, 银行账号=account), person(2, 银行账号=account, 姓名="李四")]))
    assert [row for row, _, message in remarks(batch) if "同一账号用于不止一人" in message] == [2, 3]


def test_an_account_that_somebody_else_has_is_a_warning() -> None:
    account = "6228480012345678903"
    imported(person(1, 银行账号=account))
    batch = checked(workbook([person(2, 银行账号=account, 姓名="李四")]))
    assert any("同一账号用于不止一人" in message for _, _, message in remarks(batch))


def test_a_blank_death_date_that_takes_a_death_back_is_a_warning() -> None:
    imported(person(1, 死亡日期="2025-03-01"))
    batch = checked(workbook([person(1, 死亡日期="")]))
    assert any("将撤销死亡记录" in message for _, _, message in remarks(batch))


def test_a_clerk_cannot_bring_people_of_another_township(clerk_a: User) -> None:
    batch = checked(workbook([person(1), person(2, 户籍区划=OTHER_VILLAGE)]), created_by=clerk_a)
    assert counts(batch) == (1, 0, 0, 1)
    assert "不在您的管理范围内" in errors(batch)[0][2]


def test_a_clerk_may_bring_who_only_lives_in_the_township(clerk_a: User) -> None:
    row = person(1, 户籍区划=OTHER_VILLAGE, 居住区划="530322101201")
    assert counts(checked(workbook([row]), created_by=clerk_a)) == (1, 0, 0, 0)


def test_a_clerk_cannot_take_over_who_is_registered_elsewhere(clerk_a: User) -> None:
    imported(person(1, 户籍区划=OTHER_VILLAGE))
    batch = checked(workbook([person(1)]), created_by=clerk_a)
    assert counts(batch) == (0, 0, 0, 1)
    assert "已在您管理范围之外登记" in errors(batch)[0][2]


def test_a_csv_with_mixed_encodings_is_an_error_of_its_row() -> None:
    header, good, bad = csv_text([person(1), person(2)]).encode("utf-8").splitlines(keepends=True)
    batch = checked(header + good + bad.replace("张国华".encode(), b"\xff\xfe\xff"), name="名册.csv")
    assert counts(batch) == (1, 0, 0, 1)
    assert "文件编码混乱" in errors(batch)[0][2]


def test_a_refused_file_is_a_refused_batch_with_the_sentence() -> None:
    batch = checked(b"a,b\n1,2\n", name="x.csv")
    assert batch.state == ImportBatch.State.REFUSED
    assert batch.report["refusal"].startswith("前 10 行里找不到表头")


def test_checking_twice_is_checking_once() -> None:
    batch = checked(workbook([person(1)]))
    from eldercare.services.roster import roster_check

    assert roster_check(batch=batch).counts == batch.counts
    assert StagedRow.objects.filter(batch=batch).count() == 1


def test_a_discarded_batch_leaves_no_staged_rows() -> None:
    batch = roster_discard(batch=checked(workbook([person(1)])))
    assert batch.state == ImportBatch.State.REFUSED
    assert not StagedRow.objects.exists()


def test_the_same_file_again_is_mentioned() -> None:
    imported(person(1))
    first = ImportBatch.objects.get()
    batch = checked(stored_file_read(stored=first.file))
    assert f"同一文件已作为「{first.file.name}」入库（批次 {first.pk}）" in batch.report["notices"]


def test_tomorrow_is_later_than_today() -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert "日期晚于今天" in errors(checked(workbook([person(迁出日期=tomorrow)])))[0][2]
