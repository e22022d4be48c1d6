"""What a row of a filled-in paper says."""

from datetime import date

import pytest

from visits.paper_row import PaperRow, Typed, read_row

NOVEMBER, TODAY = date(2026, 11, 1), date(2026, 11, 22)


def typed(day: str = "5", mode: str = "上门", result: str = "见到本人", note: str = "") -> Typed:
    return Typed(day, mode, result, note)


@pytest.mark.parametrize(
    "day",
    [
        "5",
        "05",
        "5日",
        "11-5",
        "11-05",
        "11.5",
        "11/05",
        "11月5日",
        "2026-11-05",
        "2026年11月5日",
        "５",
        " 5 ",
    ],
)
def test_a_day_may_be_written_short(day: str) -> None:
    assert read_row(typed(day), NOVEMBER, TODAY).day == date(2026, 11, 5)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (typed(""), "没有填日期"),
        (typed("昨天"), "看不懂"),
        (typed("31"), "不存在"),
        (typed("0"), "不存在"),
        (typed("10-31"), "不在 2026年11月"),
        (typed("12-01"), "不在 2026年11月"),
        (typed("23"), "还没有到"),
        (typed(mode=""), "没有选方式"),
        (typed(mode="写信"), "没有选方式"),
        (typed(result=""), "没有选结果"),
        (typed(note="长" * 501), "超过 500 个字"),
    ],
)
def test_what_is_wrong_is_said(row: Typed, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_row(row, NOVEMBER, TODAY)


def test_today_and_a_note_of_500_characters_are_taken() -> None:
    assert read_row(typed("22", note="长" * 500), NOVEMBER, TODAY) == PaperRow(
        TODAY, "上门", "见到本人", "长" * 500
    )


def test_a_row_with_only_the_offered_mode_is_empty() -> None:
    assert Typed(mode="上门").is_empty
    assert not Typed(mode="上门", note="问过邻居").is_empty


def test_the_same_row_has_the_same_number_and_another_has_another() -> None:
    row = read_row(typed(), NOVEMBER, TODAY)
    assert row.number(1, "周访") == row.number(1, "周访")
    others = {
        read_row(typed("6"), NOVEMBER, TODAY).number(1, "周访"),
        read_row(typed(mode="电话"), NOVEMBER, TODAY).number(1, "周访"),
        read_row(typed(result="外出"), NOVEMBER, TODAY).number(1, "周访"),
        row.number(2, "周访"),
        row.number(1, "李访"),
    }
    assert len(others | {row.number(1, "周访")}) == 6
