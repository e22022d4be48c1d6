"""Layouts of bank files: the shipped ones are good, and every fault is a sentence that names its key."""

from copy import deepcopy
from typing import Any

import pytest

from subsidies.bank_layout import file_layout
from subsidies.choices import ReturnReason, Verdict
from subsidies.layout_reader import LayoutError
from subsidies.models import BankProfile
from subsidies.return_layout import return_layout
from subsidies.return_words import return_reason
from subsidies.services.bank_profile import bank_profiles_ensure, shipped_profiles
from tests.subsidies.county import LULIANG

XLSX, PIPED, FIXED = shipped_profiles()


def changed(data: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A copy with keys set; None leaves one out."""
    return {key: value for key, value in (deepcopy(data) | keys).items() if value is not None}


def faults_of_file(**keys: Any) -> list[str]:
    with pytest.raises(LayoutError) as caught:
        file_layout(changed(keys.pop("of", XLSX["layout"]), **keys))
    return caught.value.faults


def faults_of_return(**keys: Any) -> list[str]:
    with pytest.raises(LayoutError) as caught:
        return_layout(changed(keys.pop("of", XLSX["return_layout"]), **keys))
    return caught.value.faults


@pytest.mark.parametrize("profile", [XLSX, PIPED, FIXED], ids=lambda profile: str(profile["name"]))
def test_the_shipped_formats_are_good(profile: dict[str, Any]) -> None:
    assert file_layout(profile["layout"]).columns
    assert set(return_layout(profile["return_layout"]).states.values()) >= {Verdict.PAID, Verdict.FAILED}


def test_the_name_of_a_file_ends_as_its_format_does() -> None:
    layouts = [file_layout(profile["layout"]) for profile in (XLSX, PIPED, FIXED)]
    assert [layout.suffix for layout in layouts] == ["xlsx", "txt", "txt"]
    assert file_layout(changed(PIPED["layout"], delimiter=",")).suffix == "csv"


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"format": "doc"}, "format：应是 xlsx、csv、fixed 之一"),
        ({"of": PIPED["layout"], "encoding": "big5"}, "encoding：应是 utf-8、utf-8-sig、gbk、gb18030 之一"),
        ({"of": PIPED["layout"], "delimiter": "||"}, "delimiter：应是一个分隔符，如 “,” “|” 或制表符（\\t）"),
        ({"of": PIPED["layout"], "delimiter": "1"}, "delimiter：应是一个分隔符，如 “,” “|” 或制表符（\\t）"),
        ({"header": "是"}, "header：应是 true 或 false"),
        ({"control": "middle"}, "control：应是 none、first、last 之一"),
        ({"memo": "{姓名}"}, "memo：不认识“{姓名}”；可用：{县}、{项目}、{所属月}、{类别}、{批次号}"),
        ({"memo": "{县"}, "memo：大括号不成对；请写成 {县}{项目}{所属月} 这样"),
        ({"month_format": "%Y"}, "month_format：应各含一个 %Y、%m，如 %Y-%m"),
        ({"unit": "角"}, "unit：应是 元、分 之一"),
        ({"columns": []}, "columns：应是一个列表 […]，至少有一列"),
        ({"of": FIXED["layout"], "header": True}, "header：定长文本没有表头；请写 false"),
        (
            {"of": FIXED["layout"], "control_columns": None},
            "control_columns：定长文本的控制行要写各列及宽度，可用的列：batch、lines、total",
        ),
    ],
)
def test_a_fault_names_its_key_and_what_to_write(keys: dict[str, Any], fault: str) -> None:
    assert fault in faults_of_file(**keys)


def test_a_key_that_nobody_knows_is_named() -> None:
    assert faults_of_file(colour="红")[0].startswith("colour：不认识的键")


def test_a_layout_must_be_an_object() -> None:
    with pytest.raises(LayoutError, match=r"整个格式：应是一个 JSON 对象"):
        file_layout([])


def test_columns_that_a_bank_cannot_do_without_are_asked_for() -> None:
    columns = [column for column in XLSX["layout"]["columns"] if column["field"] != "account"]
    assert faults_of_file(columns=columns) == ["columns：缺少必需的列 account（账号）"]


def test_a_column_says_which_of_them_is_wrong() -> None:
    columns = deepcopy(FIXED["layout"]["columns"])
    columns[2]["width"] = 0
    assert faults_of_file(of=FIXED["layout"], columns=columns) == [
        "columns[2].width：定长文本的列要写宽度（字节数，1–400），如 20"
    ]
    columns = deepcopy(XLSX["layout"]["columns"])
    columns[3]["field"] = "batch"
    assert "columns[3].field：“batch”已在前面的列里" in faults_of_file(columns=columns)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"columns": {"number": "序号", "amount": "金额"}}, "columns.state：缺少必需的列（状态）"),
        (
            {"of": PIPED["return_layout"], "columns": {"number": "序号", "amount": 4, "state": 5}},
            "columns.number：没有表头时应写第几列（从 1 数），如 2",
        ),
        (
            {"of": FIXED["return_layout"], "columns": {"number": 1, "amount": 2, "state": 3}},
            "columns.number：应写成 {\"start\": 起始字节（从 1 数）, \"width\": 字节数}",
        ),
        ({"columns": {"number": [], "amount": "金额", "state": "状态"}},
         "columns.number：应写表头名称，如 “序号”，有几种叫法时写成列表"),
        (
            {"states": {"成功": ["00"], "失败": ["00"]}},
            "states.失败：“00”已写在“成功”里，一种写法只能是一种结果",
        ),
        (
            {"states": {"成功": ["00"]}},
            "states.失败：没有写法；请写出银行表示它的文字或代码，如 [\"成功\", \"0000\"]",
        ),
        ({"reasons": {"已销户": "销户"}}, "reasons.已销户：应是文字的列表，如 [\"成功\", \"0000\"]"),
        ({"date_format": "%Y%m"}, "date_format：应各含一个 %Y、%m、%d，如 %Y-%m-%d"),
    ],
)  # fmt: skip
def test_a_fault_of_a_return_layout_names_its_key(keys: dict[str, Any], fault: str) -> None:
    assert fault in faults_of_return(**keys)


@pytest.mark.django_db
def test_shipped_formats_come_to_a_county_once() -> None:
    assert bank_profiles_ensure(county_code=LULIANG) == 3
    BankProfile.objects.filter(name="通用 Excel").update(active=False)
    assert bank_profiles_ensure(county_code=LULIANG) == 0
    assert BankProfile.objects.filter(active=False).count() == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("户名与账号不符", ReturnReason.NAME),
        ("账号户名不一致", ReturnReason.NAME),
        ("证件号码不符", ReturnReason.IDENTITY),
        ("姓名与证件不匹配", ReturnReason.IDENTITY),
        ("账号不存在", ReturnReason.NO_ACCOUNT),
        ("卡号位数不符", ReturnReason.DIGITS),
        ("该账户已销户", ReturnReason.CLOSED),
        ("账户状态异常（已销户）", ReturnReason.CLOSED),
        ("卡片挂失", ReturnReason.LOST),
        ("账户冻结", ReturnReason.FROZEN),
        ("账户已止付", ReturnReason.FROZEN),
        ("久悬户", ReturnReason.DORMANT),
        ("长期不动户", ReturnReason.DORMANT),
        ("社保卡金融账户未激活", ReturnReason.INACTIVE),
        ("账户状态异常", ReturnReason.ABNORMAL),
        ("超过Ⅱ类户限额", ReturnReason.CLASS_LIMIT),
        ("III类账户余额超限", ReturnReason.CLASS_LIMIT),
        ("超单笔限额", ReturnReason.LINE_LIMIT),
        ("币种不支持", ReturnReason.CURRENCY),
        ("开户行行号错误", ReturnReason.BANK_NAME),
        ("银行原因，请重发", ReturnReason.RETRY),
        ("交易超时", ReturnReason.RETRY),
        ("见附言", ReturnReason.OTHER),
        ("", ReturnReason.OTHER),
    ],
)
def test_the_words_of_banks_become_one_of_sixteen_reasons(text: str, reason: str) -> None:
    assert return_reason("", text) == reason


def test_a_profile_s_own_words_and_codes_go_first() -> None:
    table = return_layout(changed(XLSX["return_layout"], reasons={"挂失": ["E07", "卡遗失"]})).reasons
    assert return_reason("E07", "账户冻结", table) == ReturnReason.LOST
    assert return_reason("", "客户卡 遗失", table) == ReturnReason.LOST
    assert return_reason("E070", "", table) == ReturnReason.OTHER
