"""Every messy value of domain §7 and the sentence that the user sees, or the value that is taken."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from eldercare.choices import Kind
from eldercare.reading.dates import LUNAR, NO_DAY, NO_SUCH_DAY, NOT_A_DATE, TWO_DIGIT_YEAR, parse_date
from eldercare.reading.text import clean_code, clean_name, clean_text, has_lost_digits, number_text
from eldercare.resources import widgets
from eldercare.resources.roster import RosterResource
from organization.area_names import AreaNames, KnownArea

TODAY = date(2026, 11, 21)
AREAS = AreaNames(
    [
        KnownArea("530322000000", "测试县"),
        KnownArea("530322101000", "中枢街道"),
        KnownArea("530322102000", "板桥镇"),
        KnownArea("530322101201", "东门村委会"),
        KnownArea("530322102201", "东门村委会"),
        KnownArea("530322102202", "下坝村民委员会"),
        KnownArea("530322101001", "城东社区"),
        KnownArea("530322103000", "旧乡", "2024-01-01", "板桥镇（530322102000）"),
    ]
)


def clean(column: str, value: Any) -> Any:
    return RosterResource(areas=AREAS, today=TODAY).fields[column].widget.clean(value)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("610304194003151239", "610304194003151239"),
        ("６１０３０４１９４００３１５１２３９", "610304194003151239"),
        (" 610304 19400315 1239\t", "610304194003151239"),
        ("\u200b610304194003151239\u00a0", "610304194003151239"),
        ("'610304194003151239", "610304194003151239"),
        ("610304400315123", "610304194003151239"),
        (610304400315123.0, "610304194003151239"),
        ("11010119000307001x", "11010119000307001X"),
        ("11010119000307001×", "11010119000307001X"),
        ("11010119000307001Χ", "11010119000307001X"),
        ("11010119000307001ｘ", "11010119000307001X"),
    ],
)
def test_width_case_and_space_of_an_id_number_are_mended(raw: object, number: str) -> None:
    assert clean("id_number", raw).number == number


@pytest.mark.parametrize(
    "column", ["id_number", "account", "phone", "head_id_number", "contact_phone", "disability_card"]
)
@pytest.mark.parametrize(
    "raw", [6.10304194003151e17, "6.10304E+17", "6.1E+17", 610304194003151239, "６.1Ｅ+17"]
)
def test_lost_digits_are_never_guessed(column: str, raw: object) -> None:
    with pytest.raises(ValueError, match="已丢失末几位"):
        clean(column, raw)


@pytest.mark.parametrize(
    ("value", "lost"),
    [
        (999_999_999_999_999.0, False),
        (1e15, True),
        (13_800_138_000.0, False),
        ("13800138000", False),
        (True, False),
    ],
)
def test_fifteen_digits_are_what_a_number_cell_keeps(value: object, lost: bool) -> None:
    assert has_lost_digits(value) is lost


@pytest.mark.parametrize("raw", ["身份证丢失", "无", "12345", "6103041940031512391"])
def test_no_id_number_is_said_so(raw: str) -> None:
    with pytest.raises(ValueError, match="不是有效的证件号码；请填写 18 位"):
        clean("id_number", raw)


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("1940-05-06", date(1940, 5, 6)),
        ("1940/5/6", date(1940, 5, 6)),
        ("1940.5.6", date(1940, 5, 6)),
        ("1940年5月6日", date(1940, 5, 6)),
        ("19400506", date(1940, 5, 6)),
        (19400506.0, date(1940, 5, 6)),
        ("１９４０－５－６", date(1940, 5, 6)),
        ("1940-05-06 00:00:00", date(1940, 5, 6)),
        ("一九四〇年五月六日", date(1940, 5, 6)),
        ("一九四零年十二月三十一日", date(1940, 12, 31)),
        (14732, date(1940, 5, 1)),
        ("14732", date(1940, 5, 1)),
        (45000.5, date(2023, 3, 15)),
        (datetime(1940, 5, 6, 8, 30, tzinfo=UTC), date(1940, 5, 6)),
        (date(1940, 5, 6), date(1940, 5, 6)),
        ("1944-02-29", date(1944, 2, 29)),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_read_in_every_way_it_is_written(raw: object, day: date | None) -> None:
    assert parse_date(raw) == day


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("1940.5", NO_DAY),
        (1940.5, NO_DAY),
        ("1940年5月", NO_DAY),
        ("194005", NO_DAY),
        (1940, NO_DAY),
        ("40.5.1", TWO_DIGIT_YEAR),
        ("1940-00-00", NO_SUCH_DAY),
        ("1941-02-29", NO_SUCH_DAY),
        ("农历五月初六", LUNAR),
        ("1940年腊月廿三", LUNAR),
        ("不详", NOT_A_DATE),
        (float("nan"), NOT_A_DATE),
        (float("inf"), NOT_A_DATE),
        (1e308, NOT_A_DATE),
        (True, NOT_A_DATE),
    ],
)
def test_half_a_date_is_refused_with_what_to_write(raw: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence[:8]):
        parse_date(raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("张  三", "张三"),
        (" 张\u3000三 ", "张三"),
        ("买买提•艾力", "买买提·艾力"),
        ("买买提．艾力", "买买提·艾力"),
        ("John  Smith", "John Smith"),
        ("𠮷田", "𠮷田"),
    ],
)
def test_a_name_keeps_its_characters_and_loses_stray_spaces(raw: str, name: str) -> None:
    assert clean_name(raw) == name


@pytest.mark.parametrize(
    ("column", "raw", "value"),
    [
        ("destitute", "分散供养", "分散"),
        ("destitute", "无", None),
        ("self_care", "半失能", "半护理"),
        ("low_income_allowance", "√", True),
        ("low_income_allowance", "是 ", True),
        ("low_income_allowance", "否", None),
        ("low_income_allowance", 1.0, True),
        ("living", "独居、空巢", frozenset({Kind.LIVES_ALONE, Kind.EMPTY_NEST})),
        ("living", "独居老人,留守", frozenset({Kind.LIVES_ALONE, Kind.LEFT_BEHIND})),
        ("living", "与子女同住", None),
        ("family_planning", "失独", "独生子女死亡"),
        ("disability_type", "肢体残疾", "肢体"),
        ("disability_type", "1", "视力"),
        ("disability_level", "一级", "1"),
        ("disability_level", 2.0, "2"),
        ("disability_level", "Ⅲ级", "3"),
        ("ability_level", "中度失能", "2"),
        ("ability_level", 0.0, "0"),
        ("ability_level", "能力完好", "0"),
        ("institution", "敬老院", "特困供养机构"),
        ("pension", "城镇职工", "职工"),
        ("ethnicity", "汉", "汉族"),
        ("ethnicity", "01", "汉族"),
        ("ethnicity", "毛难族", "毛南族"),
        ("ethnicity", "僳僳族", "傈僳族"),
        ("phone", "138 0013 8000", "13800138000"),
        ("phone", 13800138000.0, "13800138000"),
        ("phone", "0874-6220000", "0874-6220000"),
        ("phone", "13800138000、13900139000", "13800138000"),
        ("account", "6228 4800 1234 5678 903", "6228480012345678903"),
        ("disability_until", "长期", None),
        ("veteran_category", "无", None),
        ("address", "=1+1", "=1+1"),
        ("address", "甲\u200b村\u00a0 3 组", "甲村 3 组"),
    ],
)
def test_a_cell_is_read_in_the_ways_it_is_written(column: str, raw: object, value: object) -> None:
    assert clean(column, raw) == value


@pytest.mark.parametrize(
    ("column", "raw", "sentence"),
    [
        ("destitute", "五保", "应填 分散、集中 之一"),
        ("low_income_allowance", "可能", "应填“是”，不是的留空"),
        ("living", "其它情况", "应填 独居、空巢、留守"),
        ("ability_level", "5", "应填 0、1、2、3、4 之一"),
        ("disability_level", "0", "应填 1、2、3、4 之一"),
        ("phone", "没电话号码", "不是电话号码"),
        ("account", "未办理", "不是银行账号"),
        ("name", "123", "不像姓名"),
        ("name", "张" * 61, "姓名超过 60 个字"),
        ("address", "村" * 201, "超过 200 个字"),
    ],
)
def test_a_cell_that_means_nothing_says_what_to_write(column: str, raw: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        clean(column, raw)


@pytest.mark.parametrize(
    ("column", "raw", "warning"),
    [
        ("account", "6228480012345678903", ""),
        ("account", "6228480012345678900", "银行卡校验规则"),
        ("account", "1234567890123", "银行卡校验规则"),
        ("account", "6228480012345670000", "第 16 位起全是 0"),
        ("phone", "13800138000", ""),
        ("phone", "12345", "不像手机号"),
        ("ethnicity", "火星", "不在 56 个民族名称中"),
        ("name", "张\ue123", "自造字"),
        ("name", "张?", "请核对是否有字未打出"),
        ("disability_card", "61030419400315123941", ""),
        ("disability_card", "61030419400315123941B1", ""),
        ("disability_card", "41", "共 20 位"),
    ],
)
def test_an_odd_value_is_taken_with_a_warning(column: str, raw: object, warning: str) -> None:
    widget = RosterResource(areas=AREAS, today=TODAY).fields[column].widget
    said = widget.warning(widget.clean(raw))
    assert warning in said
    assert bool(said) is bool(warning)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("530322101201", "530322101201"),
        (530322101201.0, "530322101201"),
        ("中枢街道/东门村委会", "530322101201"),
        ("中枢街道东门村", "530322101201"),
        ("中枢街道办事处 东门村民委员会", "530322101201"),
        ("云南省曲靖市测试县板桥镇下坝村", "530322102202"),
        ("测试县/板桥镇/下坝", "530322102202"),
        ("板桥下坝村", "530322102202"),
        ("下坝村", "530322102202"),
        ("板桥镇下坝村3组", "530322102202"),
        ("板桥镇下坝村委会第五村民小组12号", "530322102202"),
        ("城东社区", "530322101001"),
        ("板桥镇", "530322102000"),
        ("330100000000", "330100000000"),
    ],
)
def test_an_area_is_found_by_code_or_name(text: object, code: str) -> None:
    assert clean("hukou", text) == code


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "东门村",
            r"名称不唯一：中枢街道/东门村委会（530322101201）、板桥镇/东门村委会（530322102201）；请写明镇",
        ),
        ("上坝村", "区划表中没有这个名称"),
        ("530322109999", "区划代码不在区划表中"),
        ("530322", "应为 12 位数字"),
        ("530322103000", r"已于 2024-01-01 撤销，并入板桥镇（530322102000），请改填新代码"),
    ],
)
def test_an_area_that_is_not_clear_says_why(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        clean("hukou", text)


def test_a_cell_shows_numbers_as_excel_does() -> None:
    assert [number_text(value) for value in (12.0, 12.5, True, None, 6.1e17)] == [
        "12",
        "12.5",
        "是",
        "",
        "6.1E+17",
    ]


def test_cleaning_twice_changes_nothing() -> None:
    for raw in ("６１０３ ０４\u200b", "'abc×", "张 \u3000三", "a\tb\r\nc"):
        assert clean_code(clean_code(raw)) == clean_code(raw)
        assert clean_text(clean_text(raw)) == clean_text(raw)
        assert clean_name(clean_name(raw)) == clean_name(raw)


def test_every_choice_is_among_its_own_words() -> None:
    for field in RosterResource.columns().values():
        if isinstance(field.widget, widgets.ChoiceWidget):
            assert [field.widget.clean(word) for word in field.widget.choices] == list(field.widget.choices)
