"""Reading return files as banks give them: workbooks, texts in any encoding, fixed widths, and what cannot be read."""

import io
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from subsidies.choices import ReturnReason, Verdict
from subsidies.refusals import MoneyRefusedError
from subsidies.return_file import ReturnLine, read_return
from subsidies.return_layout import return_layout
from subsidies.services.bank_profile import shipped_profiles

XLSX, PIPED, FIXED = (profile["return_layout"] for profile in shipped_profiles())
HEADER = ["批次号", "序号", "账号", "户名", "金额", "状态", "返回码", "失败原因", "入账日期"]


def book(*rows: list[Any]) -> bytes:
    workbook = Workbook()
    for row in rows:
        workbook.worksheets[0].append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def read(content: bytes, layout: dict[str, Any] = XLSX, **keys: Any) -> list[ReturnLine]:
    return list(read_return(content, return_layout(deepcopy(layout) | keys)))


def piped(*rows: str, encoding: str = "gbk") -> bytes:
    return "".join(f"{row}\r\n" for row in ("530322-202411-01|2|100.00", *rows)).encode(encoding)


def only(content: bytes, layout: dict[str, Any] = XLSX, **keys: Any) -> ReturnLine:
    (line,) = read(content, layout, **keys)
    return line


def test_a_workbook_is_read_by_its_titles() -> None:
    row = ["530322-202411-01", 7, "6217000000000000001", "张三", 50.1, "成功", "0000", "", "2024-11-21"]
    assert only(book(["某某银行代发结果"], HEADER, row)) == ReturnLine(
        row=3,
        batch="530322-202411-01",
        line=7,
        amount=Decimal("50.10"),
        account="6217000000000000001",
        result=Verdict.PAID,
        reason="",
        text="成功 0000",
        paid_on=date(2024, 11, 21),
    )


def test_titles_may_stand_in_another_order_and_under_another_name() -> None:
    line = only(book(["处理结果", "流水号", "发生额"], ["失败", "0003", "1,050.00"]))
    assert (line.line, line.amount, line.result) == (3, Decimal("1050.00"), Verdict.FAILED)


def test_a_piped_text_in_gbk_is_read_by_position() -> None:
    line = only(piped("12|6217000000000000001|联通|50.00|9999|E01|账户已销户|20241121"), PIPED)
    assert (line.row, line.line, line.result, line.reason) == (2, 12, Verdict.FAILED, ReturnReason.CLOSED)
    assert (line.paid_on, line.text) == (date(2024, 11, 21), "9999 E01 账户已销户")


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16"])
def test_the_encoding_is_seen_from_the_file(encoding: str) -> None:
    line = only(piped("1|62|张三|50|失败|E01|账户已挂失|20241121", encoding=encoding), PIPED)
    assert (line.result, line.reason) == (Verdict.FAILED, ReturnReason.LOST)


def test_a_text_that_was_saved_as_a_workbook_is_read_too() -> None:
    rows: list[list[Any]] = [
        ["530322-202411-01", 1, 50],
        ["1", "62170", "张三", "50.00", "0000", "", "", "20241121"],
    ]
    assert only(book(*rows), PIPED).result == Verdict.PAID


def test_quotation_marks_in_a_piped_text_are_letters() -> None:
    assert only(piped('1|62|张"三|50|0000|||'), PIPED).result == Verdict.PAID


def fixed(number: str, amount: str, state: str, reason: str = "", account: str = "6217") -> bytes:
    parts = (("530322-202411-01", 20), (number, 8), (account, 32), (amount, 15), (state, 10), ("20241121", 8))
    return b"".join(text.encode("gb18030").ljust(width) for text, width in (*parts, (reason, 60)))


def test_fixed_widths_are_cut_by_bytes() -> None:
    total = fixed("合计", "50.00", "")
    content = b"\n".join([fixed("00000003", "000000000050.00", "失败", "证件号码不符"), total, b""])
    line = only(content, FIXED)
    assert (line.line, line.amount, line.result) == (3, Decimal("50.00"), Verdict.FAILED)
    assert (line.reason, line.batch, line.paid_on) == (
        ReturnReason.IDENTITY, "530322-202411-01", date(2024, 11, 21),
    )  # fmt: skip


def test_amounts_in_fen_become_yuan() -> None:
    content = fixed("1", "000000000005010", "成功") + b"\r\n"
    assert only(content, FIXED, unit="分", control="none").amount == Decimal("50.10")


def test_totals_and_blank_rows_are_no_results() -> None:
    rows: list[list[Any]] = [
        HEADER,
        ["", 1, "", "", 50, "成功"],
        [],
        ["合计", 1, "", "", 50, ""],
        ["总笔数：1"],
    ]
    assert [line.line for line in read(book(*rows))] == [1]


@pytest.mark.parametrize(
    ("number", "amount", "state", "said"),
    [
        ("一", 50, "成功", "无法识别：序号“一”"),
        (1.5, 50, "成功", "无法识别：序号“1.5”"),
        (1, "五十", "成功", "无法识别：金额“五十”"),
        (1, 50.001, "成功", "无法识别：金额“50.001”"),
        (1, "", "成功", "无法识别：金额“”"),
        (1, 50, "不成功", "无法识别：状态“不成功”"),
        (1, 50, "", "无法识别：状态“”"),
    ],
)
def test_what_cannot_be_read_is_said_and_has_no_result(
    number: Any, amount: Any, state: str, said: str
) -> None:
    line = only(book(HEADER, ["", number, "", "", amount, state]))
    assert (line.result, line.text) == (None, said)


def test_an_account_that_lost_digits_is_not_compared_but_refused() -> None:
    line = only(book(HEADER, ["", 1, 6.217e18, "", 50, "成功"]))
    assert (line.result, line.account, line.text) == (None, "", "无法识别：账号末几位已丢失")


@pytest.mark.parametrize(
    ("masked", "tail"),
    [
        ("6217****0001", "0001"),
        ("6217*************", ""),
        ("***001", ""),
        ("****12345", "2345"),
        ("＊＊＊＊0001", "0001"),
    ],
)
def test_of_a_masked_account_only_four_digits_at_the_end_count(masked: str, tail: str) -> None:
    line = only(book(HEADER, ["", 1, masked, "", 50, "成功"]))
    assert (line.account, line.tail) == ("", tail)


def named(content: bytes, layout: dict[str, Any], **keys: Any) -> set[str]:
    found: set[str] = set()
    list(read_return(content, return_layout(deepcopy(layout) | keys), found))
    return found


def test_the_batch_that_a_row_of_totals_names_is_told_wherever_it_stands() -> None:
    row = ["", 1, "", "", 50, "成功"]
    assert named(piped("1|62|张三|50|0000|||"), PIPED) == {"530322-202411-01"}
    assert named(fixed("1", "50.00", "成功") + b"\n" + fixed("合计", "50.00", ""), FIXED) == {
        "530322-202411-01"
    }
    assert named(book(["批次号：530322-202411-01"], HEADER, row), XLSX) == {"530322-202411-01"}
    assert named(book(HEADER, row, ["合计", "530322-202411-01"]), XLSX) == {"530322-202411-01"}
    assert named(book(HEADER, row), XLSX) == set()


def test_long_numbers_in_the_banks_words_are_masked() -> None:
    line = only(book(HEADER, ["", 1, "", "", 50, "失败", "", "账号6217000000000000001不存在"]))
    assert line.text == "失败 账号****0001不存在"
    assert line.reason == ReturnReason.NO_ACCOUNT


def test_a_day_that_cannot_be_read_stops_nothing() -> None:
    line = only(book(HEADER, ["", 1, "", "", 50, "成功", "", "", "昨天"]))
    assert (line.result, line.paid_on) == (Verdict.PAID, None)


def test_a_file_without_the_columns_is_refused_naming_them() -> None:
    with pytest.raises(MoneyRefusedError, match="缺少列：金额、状态；请核对是否选错文件"):
        read(book(["序号", "户名"], [1, "张三"]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "文件是空的；请检查是否选错了文件"),
        (
            b"%PDF-1.7",
            "这是PDF 文件，不是 Excel 工作簿（只改扩展名没有用）；请上传 .xlsx、.xls 或 .csv 回盘文件",
        ),
        (b"PK\x03\x04broken", "文件已损坏，无法打开；请用 Excel 或 WPS 打开后另存为 .xlsx 再上传"),
    ],
)
def test_what_is_no_return_file_is_refused_in_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(MoneyRefusedError) as caught:
        read(content)
    assert str(caught.value) == said


def test_a_workbook_for_a_bank_of_fixed_widths_is_refused() -> None:
    with pytest.raises(MoneyRefusedError, match="请上传银行给的原文件"):
        read(book(HEADER), FIXED)


@given(st.binary(max_size=300), st.sampled_from([XLSX, PIPED, FIXED]))
def test_any_bytes_are_read_or_refused(content: bytes, layout: dict[str, Any]) -> None:
    try:
        read(content, layout)
    except MoneyRefusedError as refusal:
        assert str(refusal)
