"""What a committed roster means for dated circumstances, accounts, contacts and the elder's own data."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from eldercare.models import (
    BankAccount,
    Circumstance,
    Contact,
    Elder,
    ImportBatch,
    StagedCircumstance,
    StagedRow,
)
from eldercare.services.roster import RosterRefused, roster_commit, roster_recheck
from operations.crypto import blind_index, decrypt
from operations.models import AuditEntry
from organization.models import User
from tests.eldercare.rosters import (
    OTHER_VILLAGE,
    VILLAGE,
    checked,
    counts,
    elder_of,
    held,
    imported,
    person,
    sheets,
    workbook,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("villages")]

JANUARY, MARCH, JUNE, SEPTEMBER = (date(2026, month, 1) for month in (1, 3, 6, 9))


def test_a_new_elder_has_what_the_row_says() -> None:
    row = person(民族="汉", 住址="甲一村3号", 联系电话="13800138000", 与户主关系="本人", 备注="试")
    imported(row)
    elder = elder_of(row)
    assert elder.id_number == row["身份证号码"]
    assert (elder.id_last4, elder.birth_date, elder.name) == (
        row["身份证号码"][-4:],
        date(1940, 5, 6),
        "张国华",
    )
    assert (elder.hukou_code, elder.residence_code) == (VILLAGE, VILLAGE)
    assert (elder.ethnicity, elder.address, elder.note) == ("汉族", "甲一村3号", "试")
    assert (decrypt(elder.phone_cipher), elder.phone_last4) == ("13800138000", "8000")
    assert elder.household_key == blind_index(row["身份证号码"])
    assert " zgh" in elder.pinyin


def test_sensitive_values_stand_nowhere_in_plain_text() -> None:
    row = person(联系电话="13800138000", 银行账号="6228480012345678903", 户主身份证号码="610304194003151239")
    checked(workbook([row]))
    staged = [
        bytes(value)
        for value in StagedRow.objects.values_list("phone_cipher", "account_cipher", "head_cipher")[0]
    ]
    assert not any(number in cipher for cipher in staged for number in (b"13800138000", b"622848", b"610304"))


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        ({"特困供养": "分散"}, "destitute", [("分散", "2026-01-01", "")]),
        ({"低保": "是"}, "low_income_allowance", [("是", "2026-01-01", "")]),
        ({"低保": ""}, "low_income_allowance", []),
        ({"居住状况": "独居、留守"}, "left_behind", [("是", "2026-01-01", "")]),
        ({"能力等级": "中度失能", "评估日期": "2025-08-01"}, "ability_level", [("2", "2025-08-01", "")]),
        ({"能力等级": "2", "起始日期": "2025-09-01"}, "ability_level", [("2", "2025-09-01", "")]),
        ({"能力等级": "2"}, "ability_level", [("2", "2026-01-01", "")]),
        (
            {"残疾等级": "一级", "残疾证有效期至": "2027-05-31"},
            "disability_level",
            [("1", "2026-01-01", "2027-06-01")],
        ),
        (
            {"残疾等级": "1", "残疾证有效期至": "2026-01-01"},
            "disability_level",
            [("1", "2026-01-01", "2026-01-02")],
        ),
        ({"残疾等级": "1", "残疾证有效期至": "2025-12-31"}, "disability_level", []),
        ({"残疾等级": "1", "残疾证有效期至": "长期"}, "disability_level", [("1", "2026-01-01", "")]),
        ({"死亡日期": "2025-12-05"}, "death", [("是", "2025-12-05", "")]),
        ({"迁出日期": "2025-12-06"}, "moved_out", [("是", "2025-12-06", "")]),
        ({"居住区划": VILLAGE}, "residence", []),
        ({"居住区划": OTHER_VILLAGE}, "residence", [(OTHER_VILLAGE, "2026-01-01", "")]),
        ({"起始日期": "2025-02-03"}, "hukou", [(VILLAGE, "2025-02-03", "")]),
    ],
)
def test_a_cell_becomes_a_dated_circumstance(cells: dict[str, Any], kind: str, expected: list[Any]) -> None:
    row = person(**cells)
    imported(row)
    assert held(row, kind) == expected


def test_without_a_day_the_row_holds_from_today() -> None:
    row = person()
    roster_commit(batch=checked(workbook([row]), as_of=None))  # type: ignore[arg-type]  # none given
    assert held(row, "hukou") == [(VILLAGE, str(timezone.localdate()), "")]


@pytest.mark.parametrize(
    ("first", "then", "kind", "expected"),
    [
        ({"低保": "是"}, {"低保": "是"}, "low_income_allowance", [("是", "2026-01-01", "")]),
        ({"低保": "是"}, {}, "low_income_allowance", [("是", "2026-01-01", "")]),
        ({"低保": "是"}, {"低保": ""}, "low_income_allowance", [("是", "2026-01-01", "2026-06-01")]),
        ({"低保": "是"}, {"低保": "无"}, "low_income_allowance", [("是", "2026-01-01", "2026-06-01")]),
        (
            {"特困供养": "分散"},
            {"特困供养": "集中"},
            "destitute",
            [("分散", "2026-01-01", "2026-06-01"), ("集中", "2026-06-01", "")],
        ),
        ({"居住状况": "独居"}, {"居住状况": "空巢"}, "lives_alone", [("是", "2026-01-01", "2026-06-01")]),
        (
            {"居住区划": OTHER_VILLAGE},
            {"居住区划": ""},
            "residence",
            [(OTHER_VILLAGE, "2026-01-01", "2026-06-01")],
        ),
        (
            {},
            {"户籍区划": OTHER_VILLAGE},
            "hukou",
            [(VILLAGE, "2026-01-01", "2026-06-01"), (OTHER_VILLAGE, "2026-06-01", "")],
        ),
        (
            {"能力等级": "2", "评估日期": "2025-08-01"},
            {"能力等级": "2", "评估日期": "2026-05-01"},
            "ability_level",
            [("2", "2025-08-01", "2026-05-01"), ("2", "2026-05-01", "")],
        ),
        (
            {"能力等级": "2", "评估日期": "2025-08-01"},
            {"能力等级": "2", "评估日期": "2025-08-01"},
            "ability_level",
            [("2", "2025-08-01", "")],
        ),
        ({"能力等级": "2"}, {"能力等级": "2"}, "ability_level", [("2", "2026-01-01", "")]),
        (
            {"残疾等级": "1", "残疾证有效期至": "2026-07-31"},
            {"残疾等级": "1", "残疾证有效期至": "2036-07-31"},
            "disability_level",
            [("1", "2026-01-01", "2026-06-01"), ("1", "2026-06-01", "2036-08-01")],
        ),
        (
            {"残疾等级": "1", "残疾证有效期至": "2026-07-31"},
            {"残疾等级": "1"},
            "disability_level",
            [("1", "2026-01-01", "2026-08-01")],
        ),
        ({"死亡日期": "2025-12-05"}, {"死亡日期": "2025-12-07"}, "death", [("是", "2025-12-07", "")]),
        ({"死亡日期": "2025-12-05"}, {"死亡日期": "2025-12-03"}, "death", [("是", "2025-12-03", "")]),
        ({"死亡日期": "2025-12-05"}, {"死亡日期": ""}, "death", []),
        ({"死亡日期": "2025-12-05"}, {}, "death", [("是", "2025-12-05", "")]),
        ({"迁出日期": "2026-02-01"}, {"迁出日期": ""}, "moved_out", [("是", "2026-02-01", "2026-06-01")]),
        ({"迁出日期": "2026-02-01"}, {"迁出日期": "2026-03-01"}, "moved_out", [("是", "2026-03-01", "")]),
    ],
)
def test_a_later_roster_changes_from_its_day_on(
    first: dict[str, Any], then: dict[str, Any], kind: str, expected: list[Any]
) -> None:
    imported(person(**first), as_of=JANUARY)
    imported(person(**then), as_of=JUNE)
    assert held(person(), kind) == expected


@pytest.mark.parametrize(
    ("day", "value", "expected"),
    [
        (
            date(2025, 6, 1),
            "集中",
            [("集中", "2025-06-01", "2026-03-01"), ("分散", "2026-03-01", "2026-09-01")],
        ),
        (date(2025, 6, 1), "", [("分散", "2026-03-01", "2026-09-01")]),
        (MARCH, "集中", [("集中", "2026-03-01", "2026-09-01")]),
        (MARCH, "", []),
        (JUNE, "集中", [("分散", "2026-03-01", "2026-06-01"), ("集中", "2026-06-01", "2026-09-01")]),
        (JUNE, "分散", [("分散", "2026-03-01", "2026-09-01")]),
        (JUNE, "", [("分散", "2026-03-01", "2026-06-01")]),
        (SEPTEMBER, "集中", [("分散", "2026-03-01", "2026-09-01"), ("集中", "2026-09-01", "")]),
        (SEPTEMBER, "", [("分散", "2026-03-01", "2026-09-01")]),
    ],
)
def test_an_earlier_day_never_destroys_what_is_known_of_later_ones(
    day: date, value: str, expected: list[Any]
) -> None:
    imported(person(特困供养="分散"), as_of=MARCH)
    imported(person(特困供养=""), as_of=SEPTEMBER)
    imported(person(特困供养=value), as_of=day)
    assert held(person(), "destitute") == expected


def test_a_correction_on_the_same_day_replaces_the_value() -> None:
    imported(person(特困供养="分散"))
    batch = imported(person(特困供养="集中"))
    assert counts(batch) == (0, 1, 0, 0)
    assert held(person(), "destitute") == [("集中", "2026-01-01", "")]


def test_a_sheet_without_a_column_leaves_its_facts_alone_though_another_has_it() -> None:
    imported(person(1, 低保="是"), person(2, 低保="是"))
    batch = checked(sheets({"甲": [person(1, 低保="")], "乙": [person(2)]}), as_of=JUNE)
    roster_commit(batch=batch)
    assert held(person(1), "low_income_allowance") == [("是", "2026-01-01", "2026-06-01")]
    assert held(person(2), "low_income_allowance") == [("是", "2026-01-01", "")]


def test_own_columns_are_overwritten_and_absent_ones_stay() -> None:
    imported(person(住址="旧址", 联系电话="13800138000", 备注="旧"))
    imported(person(住址="新址", 联系电话=""))
    elder = elder_of(person())
    assert (elder.address, elder.phone_last4, bytes(elder.phone_cipher), elder.note) == (
        "新址",
        "",
        b"",
        "旧",
    )


def test_a_checked_card_stays_checked() -> None:
    imported(person(证件核实="是"))
    imported(person(证件核实=""))
    assert elder_of(person()).id_verified


def test_households_share_the_key_of_their_head() -> None:
    head = person(1)
    imported(head, person(2, 户主身份证号码=head["身份证号码"], 姓名="李秀英"))
    assert Elder.objects.filter(household_key=blind_index(head["身份证号码"])).count() == 2


def test_area_codes_follow_todays_circumstances() -> None:
    imported(person(), as_of=date(2020, 1, 1))
    imported(person(户籍区划=OTHER_VILLAGE, 居住区划=VILLAGE), as_of=date(2021, 1, 1))
    elder = elder_of(person())
    assert (elder.hukou_code, elder.residence_code) == (OTHER_VILLAGE, VILLAGE)


def test_a_move_of_tomorrow_does_not_count_today() -> None:
    imported(person(), as_of=date(2020, 1, 1))
    imported(person(户籍区划=OTHER_VILLAGE), as_of=timezone.localdate() + timedelta(days=1))
    assert elder_of(person()).hukou_code == VILLAGE


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ({"银行账号": "6228480012345678903", "开户行": "甲行"}, [("甲行", "8903", "2026-01-01", "")]),
        ({"银行账号": "6228480012345678903"}, [("甲行", "8903", "2026-01-01", "")]),
        ({}, [("甲行", "8903", "2026-01-01", "")]),
        ({"银行账号": ""}, [("甲行", "8903", "2026-01-01", "2026-06-01")]),
        (
            {"银行账号": "6228480012345678903", "开户行": "乙行"},
            [("甲行", "8903", "2026-01-01", "2026-06-01"), ("乙行", "8903", "2026-06-01", "")],
        ),
        (
            {"银行账号": "6217000010001234567"},
            [("甲行", "8903", "2026-01-01", "2026-06-01"), ("", "4567", "2026-06-01", "")],
        ),
    ],
)
def test_accounts_are_dated(then: dict[str, Any], expected: list[Any]) -> None:
    imported(person(银行账号="6228480012345678903", 开户行="甲行"))
    imported(person(**then), as_of=JUNE)
    found = BankAccount.objects.filter(elder=elder_of(person())).order_by("valid")
    assert [
        (one.bank, decrypt(one.account_cipher)[-4:], str(one.valid.lower), str(one.valid.upper or ""))
        for one in found
    ] == expected


def test_the_account_is_in_the_elders_name_unless_the_row_says_otherwise() -> None:
    imported(
        person(1, 银行账号="6228480012345678903"), person(2, 银行账号="6217000010001234567", 账户户名="李四")
    )
    assert sorted(BankAccount.objects.values_list("holder", flat=True)) == ["张国华", "李四"]


def test_contacts_come_change_and_go() -> None:
    imported(person(联系人="李四", 联系人电话="13800138000"))
    imported(person(联系人="王五"))
    contact = Contact.objects.get()
    assert (contact.name, decrypt(contact.phone_cipher)) == ("王五", "13800138000")
    imported(person(联系人="", 联系人电话=""))
    assert not Contact.objects.exists()


def test_the_same_file_twice_changes_nothing() -> None:
    rows = [
        person(
            1,
            低保="是",
            特困供养="分散",
            能力等级="2",
            评估日期="2025-08-01",
            银行账号="6228480012345678903",
            联系人="李四",
        ),
        person(
            2,
            残疾等级="1",
            残疾类别="肢体",
            残疾证有效期至="2030-01-01",
            死亡日期="",
            居住区划=OTHER_VILLAGE,
            居住状况="独居",
        ),
        person(
            3,
            死亡日期="2025-12-31",
            迁出日期="2025-11-30",
            户主身份证号码=person(1)["身份证号码"],
            联系电话="13800138000",
        ),
    ]
    imported(*rows)
    before = list(Elder.objects.order_by("pk").values()), list(Circumstance.objects.order_by("pk").values())
    batch = imported(*rows)
    assert counts(batch) == (0, 0, 3, 0)
    assert before == (
        list(Elder.objects.order_by("pk").values()),
        list(Circumstance.objects.order_by("pk").values()),
    )


def test_a_batch_with_errors_is_written_whole_or_not_at_all() -> None:
    batch = checked(workbook([person(1), person(2, 低保="也许")]))
    with pytest.raises(RosterRefused, match="有 1 行没有通过核对"):
        roster_commit(batch=batch)
    assert not Elder.objects.exists()
    batch.refresh_from_db()
    assert batch.state == ImportBatch.State.READY


def test_the_good_rows_can_be_written_alone() -> None:
    batch = checked(workbook([person(1), person(2, 低保="也许")]))
    batch = roster_commit(batch=batch, mode=ImportBatch.Mode.VALID)
    assert counts(batch) == (1, 0, 0, 1)
    assert Elder.objects.count() == 1


def test_a_batch_without_a_good_row_says_so() -> None:
    batch = checked(workbook([person(2, 低保="也许")]))
    with pytest.raises(RosterRefused, match="没有一行通过核对"):
        roster_commit(batch=batch, mode=ImportBatch.Mode.VALID)


def test_committing_twice_is_committing_once() -> None:
    batch = checked(workbook([person(1)]))
    first = roster_commit(batch=batch)
    assert counts(roster_commit(batch=batch)) == counts(first)
    assert Elder.objects.count() == 1


def test_a_batch_whose_staged_rows_are_lost_is_not_half_written() -> None:
    batch = checked(workbook([person(1), person(2)]))
    StagedRow.objects.filter(batch=batch, number=2).delete()
    with pytest.raises(RosterRefused, match="请重新上传同一文件"):
        roster_commit(batch=batch)
    assert not Elder.objects.exists()


def test_a_commit_empties_the_staging_and_is_audited() -> None:
    batch = imported(person(1))
    assert not StagedRow.objects.exists()
    assert not StagedCircumstance.objects.exists()
    entry = AuditEntry.objects.get(action="花名册入库")
    assert (entry.subject, entry.data["created"]) == (f"导入批次 {batch.pk}", 1)


def test_counts_of_the_preview_are_those_of_the_commit() -> None:
    imported(person(1, 低保="是"), person(2))
    batch = checked(workbook([person(1, 低保=""), person(2, 低保=""), person(3, 低保="是")]), as_of=JUNE)
    preview = counts(batch)
    assert preview == (1, 1, 1, 0)
    assert counts(roster_commit(batch=batch)) == preview


def test_who_was_registered_elsewhere_after_the_check_is_not_taken_over(clerk_a: User) -> None:
    batch = checked(workbook([person(1)]), created_by=clerk_a)
    imported(person(1, 户籍区划=OTHER_VILLAGE))
    with pytest.raises(
        RosterRefused, match="核对之后，您的管理范围有变动，或有人已在您管理范围之外登记；请重新上传同一文件"
    ):
        roster_commit(batch=batch)
    assert counts(roster_recheck(batch=batch)) == (0, 0, 0, 1)
