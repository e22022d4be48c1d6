"""Papers by typst: texts print as typed, fonts are inside, characters without a glyph stay readable."""

import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from operations import fonts, papers
from operations.long_table import Column, Layout, Row, pages_of, wrapped
from operations.papers import PaperError, pdf
from tests.pdf import embedded, page_count, text_of

MADE = {"maker": "张三", "unit": "云岭县民政局", "at": "2024-11-21 10:05", "mark": "A1B2C3D4"}
COLUMNS = (Column("序号", 12, "center"), Column("姓名", 30), Column("金额（元）", 24, "right"))
LAYOUT = Layout(size=9, line=4.2, gap=2.3, room=26)


def table(*rows: Row, title: str = "测试清册") -> dict[str, Any]:
    """Data of the long table."""
    return {
        "title": title,
        "made": MADE,
        "head": ["批次号：1", "单位：元", "统计时点", ""],
        "columns": [vars(column) for column in COLUMNS],
        "pages": (pages := pages_of(COLUMNS, rows, LAYOUT)),
        "first": 1,
        "count": len(pages),
        "layout": {"size": 9, "line": 4.2, "padding": 1.2},
        "total": "合计 1 笔",
        "signatures": ["制表人：张三"],
    }


@pytest.fixture
def _wheel_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> None:
    """A machine that has no fonts but those of the wheel."""
    monkeypatch.setattr(fonts, "SYSTEM", ())
    settings.DATA_DIR = tmp_path


@pytest.mark.parametrize(
    "typed",
    [
        "*赵*",
        "#panic(1)",
        "_a_",
        "$x$",
        "[欧阳]",
        "\\u{20}",
        '"引号"',
        "<b>&amp;",
        "//注",
        "@甲",
        "=1+1",
        "`码`",
    ],
)
def test_signs_of_the_template_language_print_as_typed(typed: str) -> None:
    assert typed in text_of(pdf(template="long.typ", data=table(Row(["1", typed, "50.00"]))))


def test_the_fonts_are_inside_and_come_from_the_wheel() -> None:
    assert embedded(pdf(template="long.typ", data=table(Row(["1", "赵春梅", "50.00"])))) == {
        "NotoSerifSC-Regular",
        "NotoSansSC-Regular",
    }


@pytest.mark.parametrize("name", ["龘", "㐂", "䶮", "𬱖", "㛃", "古力·买买提"])
def test_a_rare_character_of_the_wheels_fonts_prints_as_it_is(name: str) -> None:
    assert name in text_of(pdf(template="long.typ", data=table(Row(["1", name, "50.00"]))))


@pytest.mark.usefixtures("_wheel_only")
@pytest.mark.parametrize(
    ("name", "printed"),
    [("赵𠮷", "赵〓[U+20BB7]"), ("\ue863明", "〓[U+E863]明"), ("李😀", "李〓[U+1F600]")],
)
def test_a_character_without_a_glyph_prints_as_a_mark_that_names_it_and_is_logged(
    name: str, printed: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = text_of(pdf(template="long.typ", data=table(Row(["1", name, "50.00"]), title=name)))
    assert text.replace("\n", "").count(printed) == 2
    assert printed.strip("赵明李") in caplog.text


@pytest.mark.usefixtures("_wheel_only")
def test_a_font_in_the_countys_own_folder_prints_what_the_wheel_lacks(settings: Any) -> None:
    folder = Path(settings.DATA_DIR) / "fonts"
    folder.mkdir()
    (folder / "own.ttf").write_bytes(_font_with(0x20BB7))
    lettering = fonts.lettering_for("赵𠮷")
    assert (lettering.marks, lettering.folders[1:]) == ({}, (folder,))


def test_a_turn_of_the_writing_direction_cannot_hide_in_a_name() -> None:
    assert fonts.lettering_for("a\u202eb").readable("a\u202eb") == "a〓[U+202E]b"


def test_joiners_and_variants_are_left_alone() -> None:
    assert fonts.lettering_for("葛\U000e0100\u200b").marks == {}


def test_a_file_that_is_no_font_covers_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"\0")
    assert fonts._covered((tmp_path / "broken.ttf", tmp_path / "none.ttf"), {65}) == set()


def test_pages_are_as_many_as_were_laid_out() -> None:
    rows = [Row([str(number), "赵春梅", "50.00"]) for number in range(1, 12)]
    data = table(*rows)
    assert [len(page) for page in data["pages"]] == [4, 4, 3]
    written = pdf(template="long.typ", data=data, tagged=False)
    assert page_count(written) == 3
    assert "第 3 页\u3000共 3 页" in text_of(written)


def test_a_long_name_grows_its_row_and_moves_to_the_next_page_whole() -> None:
    rows = [Row(["1", "甲", "1.00"]), Row(["2", "阿卜杜热合曼" * 7, "1.00"]), Row(["3", "乙", "1.00"])]
    pages = pages_of(COLUMNS, rows, LAYOUT)
    assert [[row["cells"][0] for row in page] for page in pages] == [["1"], ["2"], ["3"]]
    assert pages[1][0]["cells"][1].replace("\n", "") == "阿卜杜热合曼" * 7


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("四个汉字", 4, ["四个汉字"]),
        ("五个汉字了", 4, ["五个汉字", "了"]),
        ("WWWWW", 4, ["WWWW", "W"]),
        ("1234567", 4.3, ["1234567"]),
        ("12345678", 4.3, ["1234567", "8"]),
        ("甲\n乙", 4, ["甲 乙"]),
    ],
)
def test_a_cell_breaks_where_its_column_ends(text: str, width: float, lines: list[str]) -> None:
    assert wrapped(text, width).split("\n") == lines


def test_money_and_days_are_written_as_papers_write_them() -> None:
    assert papers._plain(Decimal("1234.5")) == "1,234.50"


def test_a_fault_of_the_template_says_where_it_is() -> None:
    with pytest.raises(PaperError, match=r"long\.typ"):
        pdf(template="long.typ", data={"title": "缺数据"})


def _font_with(code: int) -> bytes:
    """The least font file that has a glyph for one code point: a table directory and a cmap of format 12."""
    subtable = struct.pack(">HHIIIIII", 12, 0, 28, 0, 1, code, code, 1)
    cmap = struct.pack(">HHHHI", 0, 1, 3, 10, 12) + subtable
    return struct.pack(">IHHHH4sIII", 0x10000, 1, 16, 0, 0, b"cmap", 0, 28, len(cmap)) + cmap
