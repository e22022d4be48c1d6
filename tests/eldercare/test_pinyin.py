"""Search keys of names."""

import pytest

from eldercare.pinyin import MAX_LENGTH, search_key


@pytest.mark.parametrize(
    ("name", "sought"),
    [
        ("张三", "zs"),
        ("张三", "zhangsan"),
        ("曾国藩", "zengguofan"),
        ("曾国藩", "cgf"),
        ("单雄信", "sxx"),
        ("单雄信", "danxiongxin"),
        ("仇英", "qiuying"),
        ("解缙", "xj"),
        ("买买提·艾力", "mmtal"),
    ],
)
def test_a_name_is_found_by_initials_and_spelling_in_every_reading(name: str, sought: str) -> None:
    assert f" {sought}" in search_key(name)


def test_the_key_fits_the_column_even_for_a_long_name() -> None:
    assert len(search_key("和单曾解仇" * 12)) <= MAX_LENGTH


def test_a_name_without_letters_has_an_empty_key() -> None:
    assert search_key("··") == ""
