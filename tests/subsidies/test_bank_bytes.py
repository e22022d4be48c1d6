"""The bytes of payment files: real workbooks, delimited and fixed-width texts, GBK and its limits."""

import csv
import io
from copy import deepcopy
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from subsidies.bank_file import BankLine, Control, file_bytes
from subsidies.bank_layout import file_layout
from subsidies.refusals import MoneyRefusedError
from subsidies.services.bank_profile import shipped_profiles

XLSX, PIPED, FIXED = (profile["layout"] for profile in shipped_profiles())
FIRST = BankLine(
    number=1,
    holder="张三丰",
    account="6217000000000000001",
    bank="测试农商行",
    amount=Decimal("50.00"),
    id_number="990101194001010019",
    item="高龄津贴",
    month=date(2024, 11, 1),
    kind="正常",
    village="530322101201",
    phone="13800000000",
)
SECOND = replace(FIRST, number=2, holder="李四", account="0012-34", amount=Decimal("1234.50"), kind="补发")
TOTALS = Control("530322-202411-01", 2, Decimal("1284.50"))
RARE = "𬭚"  # in GB18030 and Unicode, not in GBK


def written(layout: dict[str, Any], *lines: BankLine, totals: Control = TOTALS, **keys: Any) -> bytes:
    return file_bytes(file_layout(deepcopy(layout) | keys), totals, lines or (FIRST, SECOND), county="测试县")


def cells(content: bytes) -> list[list[Any]]:
    return list(CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).iter_rows())


def refusal(layout: dict[str, Any], *lines: BankLine, **keys: Any) -> str:
    with pytest.raises(MoneyRefusedError) as caught:
        written(layout, *lines, **keys)
    return str(caught.value)


def test_a_workbook_has_titles_texts_and_amounts() -> None:
    rows = cells(written(XLSX))
    titles = ["批次号", "序号", "户名", "账号", "开户行", "金额", "证件类型", "证件号码", "摘要"]
    assert rows[0] == [*titles, "所属期起", "所属期止", "村组代码", "备注"]
    assert rows[1][:8] == [
        "530322-202411-01", 1.0, "张三丰", "6217000000000000001", "测试农商行", 50.0, "身份证",
        "990101194001010019",
    ]  # fmt: skip
    assert rows[1][8:] == ["测试县高龄津贴2024年11月", "2024-11", "2024-11", "530322101201", "正常"]
    assert [row[5] for row in rows[1:]] == [50.0, 1234.5]


def test_account_and_identity_cells_are_text_as_it_is() -> None:
    sheet = load_workbook(io.BytesIO(written(XLSX))).worksheets[0]
    assert [(cell.value, cell.number_format) for cell in (sheet["D3"], sheet["H3"])] == [
        ("0012-34", "@"),
        ("990101194001010019", "@"),
    ]


@pytest.mark.parametrize("name", ["=1+1", "+张", "@cmd", "-2", " =1"])
def test_a_name_is_never_a_formula(name: str) -> None:
    line = replace(FIRST, holder=name)
    assert cells(written(XLSX, line))[1][2] == f"'{name}"
    assert f"|'{name}|" in written(PIPED, line).decode("gbk")


def test_a_piped_text_in_gbk_has_the_totals_first() -> None:
    assert written(PIPED).decode("gbk").split("\r\n") == [
        "530322-202411-01|2|1284.50",
        "1|6217000000000000001|张三丰|50.00|01|990101194001010019|高龄津贴2024年11月|202411|正常",
        "2|0012-34|李四|1234.50|01|990101194001010019|高龄津贴2024年11月|202411|补发",
        "",
    ]


def test_the_totals_may_stand_last_and_a_header_first() -> None:
    text = written(PIPED, header=True, control="last").decode("gbk")
    assert text.startswith("序号|账号|户名|") and text.endswith("530322-202411-01|2|1284.50\r\n")


def test_a_comma_text_in_utf_8_has_its_mark_and_quotes_what_needs_it() -> None:
    columns = [{"field": name} for name in ("number", "holder", "account", "amount")]
    content = written(
        XLSX, replace(FIRST, holder='张,"三"'), format="csv", encoding="utf-8-sig", columns=columns
    )
    assert content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1] == [
        "1", '张,"三"', "6217000000000000001", "50.00",
    ]  # fmt: skip


def test_fixed_widths_count_bytes_of_the_encoding() -> None:
    rows = written(FIXED).split(b"\r\n")
    assert {len(row) for row in rows[:2]} == {20 + 8 + 32 + 60 + 15 + 18 + 6 + 60}
    first = rows[0]
    assert first[20:28] == b"00000001"
    assert first[60:120].decode("gb18030") == "张三丰" + " " * 54
    assert first[120:135] == b"000000000050.00"
    assert rows[2] == b"530322-202411-01    " + b"00000002" + b"000000001284.50"


def test_amounts_may_be_in_fen() -> None:
    assert b"000000000005000" in written(FIXED, unit="分")
    assert written(FIXED, unit="分").rstrip().endswith(b"000000000128450")


def test_a_rare_character_goes_into_gb18030() -> None:
    line = replace(FIRST, holder=f"张{RARE}")
    assert f"|张{RARE}|" in written(PIPED, line, encoding="gb18030").decode("gb18030")


def test_strict_gbk_refuses_rare_characters_naming_lines_and_the_way_out() -> None:
    said = refusal(PIPED, FIRST, replace(SECOND, holder=f"李{RARE}"), replace(FIRST, number=7, holder=RARE))
    assert said.startswith(
        f"没有生成银行文件：序号 2、7 的“户名”有 GBK 编码没有的字（{RARE}）。请改用 GB18030"
    )


def test_only_ten_lines_are_named() -> None:
    lines = [replace(FIRST, number=n, holder=RARE) for n in range(1, 13)]
    assert "序号 1、2、3、4、5、6、7、8、9、10 等 12 笔 的" in refusal(PIPED, *lines)


def test_what_does_not_fit_a_fixed_column_is_refused_at_one_byte_too_many() -> None:
    assert written(FIXED, replace(FIRST, holder="张" * 30))
    said = refusal(FIXED, replace(FIRST, holder="张" * 30 + "a"))
    assert said.startswith("没有生成银行文件：序号 1 的“户名”超过 60 个字节。请缩短该栏")


def test_a_separator_inside_a_name_is_refused() -> None:
    assert "序号 1 的“户名”含有“|”" in refusal(PIPED, replace(FIRST, holder="张|三"))


def test_line_ends_inside_a_text_become_a_space() -> None:
    assert b"|a b|" in written(PIPED, replace(FIRST, holder="a\r\nb"))


@pytest.mark.parametrize("layout", [XLSX, PIPED, FIXED], ids=["xlsx", "csv", "fixed"])
@pytest.mark.parametrize("account", ["", "=1+1", "6217 0000", "账号"])
def test_what_is_no_account_is_refused(layout: dict[str, Any], account: str) -> None:
    assert "序号 1 的“账号”不是由数字组成的账号" in refusal(layout, replace(FIRST, account=account))


def test_memo_and_months_follow_the_layout() -> None:
    text = written(
        PIPED, SECOND, memo="{县}-{项目}-{所属月}-{类别}-{批次号}", month_format="%Y年%m月"
    ).decode("gbk")
    assert "|测试县-高龄津贴-2024年11月-补发-530322-202411-01|2024年11月|" in text
