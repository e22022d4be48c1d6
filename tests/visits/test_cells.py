"""What the cells of a visit file mean and what is said of bad ones."""

from datetime import UTC, datetime

import pytest

from visits import cells
from visits.cells import ZONE, parse_time, parse_uuid, parsers

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-05 09:30", "2026-03-05 01:30:00"),
        ("2026-03-05 09:30:15", "2026-03-05 01:30:15"),
        ("2026-03-05 09:30:15.250", "2026-03-05 01:30:15"),
        ("2026-03-05T09:30:15", "2026-03-05 01:30:15"),
        ("2026-03-05T09:30:15Z", "2026-03-05 09:30:15"),
        ("2026-03-05T09:30:15+08:00", "2026-03-05 01:30:15"),
        ("2026-03-05 09:30 -0500", "2026-03-05 14:30:00"),
        ("2026/3/5 9:30", "2026-03-05 01:30:00"),  # as Excel saves it again
        ("２０２６－０３－０５　０９：３０", "2026-03-05 01:30:00"),
        ("2026年3月5日 9:30", "2026-03-05 01:30:00"),
        (" 2026-03-05  09:30 ", "2026-03-05 01:30:00"),
        ("2026-03-31 12:00:00", "2026-03-31 04:00:00"),
        ("2000-01-01 00:00", "1999-12-31 16:00:00"),
    ],
)
def test_a_time_is_read(text: str, utc: str) -> None:
    assert f"{parse_time(text, NOW).astimezone(UTC):%Y-%m-%d %H:%M:%S}" == utc


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("2026-03-31 12:00:01", cells.IN_FUTURE),
        ("2026-03-31T04:00:01Z", cells.IN_FUTURE),
        ("1999-12-31 23:59:59", cells.TOO_EARLY),
        ("2026-02-29 10:00", cells.NO_SUCH_TIME),
        ("2026-03-05 24:00", cells.NO_SUCH_TIME),
        ("2026-03-05 10:00 +25:00", cells.NO_SUCH_TIME),
        ("2026-03-05", cells.NO_TIME),
        ((2026, 3, 5), cells.NO_TIME),
        ("昨天上午", cells.NOT_A_TIME),
        (46086.4, cells.NOT_A_TIME),
        ("", cells.NOT_A_TIME),
        (None, cells.NOT_A_TIME),
    ],
)
def test_a_time_that_cannot_be_taken_says_what_to_write(cell: object, message: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_time(cell, NOW)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "123e4567-e89b-12d3-a456-426614174000",
        "123E4567-E89B-12D3-A456-426614174000",
        "123e4567e89b12d3a456426614174000",
        " 123e4567-e89b-12d3-a456-426614174000　",
    ],
)
def test_a_record_number_is_read(text: str) -> None:
    assert str(parse_uuid(text)) == "123e4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize(
    "text", ["", None, "1", "123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a456-42661417400g"]
)
def test_a_bad_record_number_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="不是记录编号"):
        parse_uuid(text)


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("身份证号码", "99010119500505001x", "99010119500505001X"),
        ("身份证号码", "610304400315123", "610304194003151239"),
        ("方式", " 上门 ", "上门"),
        ("结果", "见到家属／邻居", "见到家属/邻居"),
        ("备注", None, ""),
        ("备注", "字" * 500, "字" * 500),
        ("探访人", "员" * 40, "员" * 40),
    ],
)
def test_a_cell_is_cleaned(column: str, cell: object, value: str) -> None:
    assert parsers(NOW)[column](cell) == value


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("身份证号码", 5.30322e17, "末几位已丢失"),
        ("身份证号码", "5.30322E+17", "末几位已丢失"),
        ("身份证号码", "身份证丢失", "不是有效的证件号码"),
        ("身份证号码", "", "不是有效的证件号码"),
        ("方式", "打电话", "不是探访方式；请填写 上门、电话、视频、智能设备 之一"),
        ("结果", "", "不是探访结果"),
        ("探访人", " ", "请填写探访人姓名"),
        ("探访人", "员" * 41, "超过 40 个字"),
        ("备注", "字" * 501, "超过 500 个字"),
        ("备注", "\ufffd", "含有无法识别的字符"),
    ],
)
def test_a_bad_cell_says_what_to_write(column: str, cell: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parsers(NOW)[column](cell)
