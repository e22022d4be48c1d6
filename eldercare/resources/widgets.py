"""One widget per kind of cell: `clean` returns the value or raises ValueError with what to write instead.

None means blank. `warning` says what looks odd about a value that is taken all the same.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from import_export.widgets import Widget

from eldercare.choices import ABILITY_NAMES, NONE, YES, Kind
from eldercare.identity import IdNumber, parse_id_number
from eldercare.reading.dates import parse_date
from eldercare.reading.text import clean_code, clean_name, clean_text, half_width, has_lost_digits
from organization.area_names import AreaNames

LOST_DIGITS = "数字单元格已丢失末几位（科学计数法），无法还原；请把该列设为文本格式后重新填写"
BLANK_WORDS: Final = frozenset(
    {"", "-", "--", "/", "\\", NONE, "没有", "暂无", "否", "不是", "未", "N", "NO", "×", "X"}
)
YES_WORDS: Final = frozenset({YES, "有", "√", "✓", "✔", "Y", "YES", "1", "TRUE", "对"})
LANDLINE: Final = re.compile(r"(0\d{2,3}-?)?[2-9]\d{6,7}(-\d{1,6})?")
MOBILE: Final = re.compile(r"(\+?86)?1[3-9]\d{9}")
ACCOUNT: Final = re.compile(r"(?=.*\d)[0-9A-Z]{6,32}")
PRIVATE_USE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")


class CellWidget(Widget):
    """A widget of the roster."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """Return the cleaned value, None for a blank cell."""
        raise NotImplementedError

    def warning(self, value: Any) -> str:
        """Say what is odd about a cleaned value, '' if nothing."""
        return ""


class TextWidget(CellWidget):
    """Free text up to a length in characters."""

    def __init__(self, max_length: int) -> None:
        super().__init__()
        self.max_length = max_length

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        text = clean_text(value)
        if len(text) > self.max_length:
            raise ValueError(f"超过 {self.max_length} 个字；请精简")
        return text or None


class NameWidget(CellWidget):
    """A person's name as printed on the card."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        name = clean_name(value)
        if len(name) > 60:
            raise ValueError("姓名超过 60 个字；请核对")
        if name and not any(character.isalpha() or PRIVATE_USE.match(character) for character in name):
            raise ValueError("不像姓名；请填写证件上的姓名")
        return name or None

    def warning(self, value: str) -> str:
        if PRIVATE_USE.search(value):
            return "姓名含有自造字，其他电脑可能显示不出；请尽量改用标准生僻字"
        return "姓名中有数字或“?”，请核对是否有字未打出" if re.search(r"[\d?？]", value) else ""


class IdNumberWidget(CellWidget):
    """An ID number; a fault that checking the card can lift stays on the value."""

    def __init__(self, today: date | None = None) -> None:
        super().__init__()
        self.today = today or date.max

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> IdNumber | None:
        if has_lost_digits(value):
            raise ValueError(LOST_DIGITS)
        text = clean_code(value)
        return parse_id_number(text, self.today) if text else None

    def warning(self, value: IdNumber) -> str:
        if value.number.endswith("000"):
            return "号码末三位是 000，可能在 Excel 中丢失过位数；请核对证件"
        return "" if value.area_is_known else f"不认识号码前两位（{value.number[:2]}）所指的省份；请核对证件"


class AreaWidget(CellWidget):
    """An area by code or name; `areas` is set by the resource."""

    areas: AreaNames | None = None

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        text = half_width(value)
        if not text:
            return None
        if self.areas is None:
            raise ValueError("还没有区划表；请先导入行政区划")
        return self.areas.resolve(text)

    def warning(self, value: str) -> str:
        if self.areas is not None and not self.areas.is_known(value):
            return "外县区划代码，区划表中没有，按代码登记"
        return "" if not value.endswith("000") else "只到镇（街），没有写明村（社区）"


class PhoneWidget(CellWidget):
    """A telephone number, several separated by 、 keep the first; numbers are shared, so never a key."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        if has_lost_digits(value):
            raise ValueError(LOST_DIGITS)
        text = re.split(r"[、,;/]", clean_code(value))[0]
        if text in BLANK_WORDS:
            return None
        if len(text) > 30 or not any(character.isdecimal() for character in text):
            raise ValueError("不是电话号码；请填写 11 位手机号或带区号的固定电话，没有请留空")
        return text

    def warning(self, value: str) -> str:
        known = MOBILE.fullmatch(value) or LANDLINE.fullmatch(value)
        return "" if known else "不像手机号或固定电话；请核对位数"


class AccountWidget(CellWidget):
    """A bank account; passbooks and credit unions do not follow Luhn, so that is a warning."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        if has_lost_digits(value):
            raise ValueError(LOST_DIGITS)
        text = clean_code(value).replace("-", "")
        if text in BLANK_WORDS:
            return None
        if not ACCOUNT.fullmatch(text):
            raise ValueError("不是银行账号；账号由 6–32 位数字组成，请核对")
        return text

    def warning(self, value: str) -> str:
        if len(value) > 15 and not value[15:].strip("0"):
            return "账号第 16 位起全是 0，可能在 Excel 中丢失过位数；请核对"
        return "" if luhn_holds(value) else "账号不符合银行卡校验规则（存折、信用社账号可能如此）；请核对"


class DisabilityCardWidget(CellWidget):
    """A disability card number: ID number, type, level, and B1 … when issued again (GB/T 26341)."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        if has_lost_digits(value):
            raise ValueError(LOST_DIGITS)
        text = clean_code(value)
        if text in BLANK_WORDS:
            return None
        if len(text) > 30:
            raise ValueError("残疾证号超过 30 位；请核对")
        return text

    def warning(self, value: str) -> str:
        well_formed = re.fullmatch(r"\d{17}[\dX][1-7][1-4](B\d)?", value)
        return "" if well_formed else "残疾证号应为证件号码加类别、等级共 20 位；请核对"


class HeadIdWidget(IdNumberWidget):
    """The household head's ID number; it only groups, so a wrong check digit is a warning."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> IdNumber | None:
        if has_lost_digits(value):
            raise ValueError(LOST_DIGITS)
        text = clean_code(value)
        return None if text in BLANK_WORDS else parse_id_number(text, self.today)

    def warning(self, value: IdNumber) -> str:
        return "户主证件号码的校验位或日期不符；请核对" if value.fault else ""


class WordWidget(TextWidget):
    """Free text in which 无 and the like are blank."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        text = super().clean(value, row, **kwargs)
        return None if text is None or text.upper() in BLANK_WORDS else text


class EthnicityWidget(WordWidget):
    """民族 by name or code (GB/T 3304), always with 族."""

    def __init__(self) -> None:
        super().__init__(20)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        text = super().clean(value, row, **kwargs)
        if text is None:
            return None
        if text.isdecimal() and 0 < int(text) <= len(ETHNICITIES):
            text = ETHNICITIES[int(text) - 1]
        text = MISSPELT.get(text.removesuffix("族"), text.removesuffix("族"))
        return f"{text}族" if text in ETHNICITIES else text

    def warning(self, value: str) -> str:
        return "" if value.removesuffix("族") in ETHNICITIES else "不在 56 个民族名称中；请核对"


class SexWidget(CellWidget):
    """男 or 女 beside the ID number; anything else is passed over."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        text = half_width(value).removesuffix("性")
        return {"1": "男", "2": "女"}.get(text, text if text in {"男", "女"} else None)


class YesWidget(CellWidget):
    """是, or blank for no."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool | None:
        text = half_width(value).upper()
        if text in YES_WORDS:
            return True
        if text in BLANK_WORDS or text in {"0", "FALSE"}:
            return None
        raise ValueError("应填“是”，不是的留空")


class ChoiceWidget(CellWidget):
    """One of several words, each with the other ways in which it is written."""

    def __init__(self, words: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__()
        self.choices = tuple(words)
        self.by_word = {way: word for word, ways in words.items() for way in (word, *ways)}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        text = half_width(value).replace(" ", "").upper()
        if word := self.by_word.get(text):
            return word
        if text in BLANK_WORDS:
            return None
        raise ValueError(f"应填 {'、'.join(self.choices)} 之一，没有的留空")


class LivingWidget(CellWidget):
    """独居, 空巢, 留守, several with 、; the value is the set of circumstances."""

    kinds: Final = {kind.label: kind for kind in (Kind.LIVES_ALONE, Kind.EMPTY_NEST, Kind.LEFT_BEHIND)}
    together: Final = frozenset(
        {"与子女同住", "与子女居住", "与家人同住", "与配偶同住", "同住", "正常", "其他"}
    )

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> frozenset[Kind] | None:
        words = [word.removesuffix("老人") for word in re.split(r"[、,;/+\s]+", half_width(value)) if word]
        kinds = set()
        for word in words:
            if word in self.kinds:
                kinds.add(self.kinds[word])
            elif word not in self.together and word.upper() not in BLANK_WORDS:
                raise ValueError("应填 独居、空巢、留守（可填几项，用“、”分开），都不是的留空")
        return frozenset(kinds) or None


class DateWidget(CellWidget):
    """A day."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> date | None:
        if isinstance(value, str) and half_width(value).upper() in BLANK_WORDS:
            return None
        return parse_date(value)


class LongTermDateWidget(DateWidget):
    """The last day of a card; 长期 is blank: no end."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> date | None:
        if isinstance(value, str) and half_width(value) in {"长期", "永久", "长期有效", "永久有效"}:
            return None
        return super().clean(value, row, **kwargs)


class BirthDateWidget(CellWidget):
    """A birth date beside the ID number: only needed where the number holds none, so never an error by itself."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> date | str | None:
        try:
            return parse_date(value)
        except ValueError as error:
            return str(error)


ABILITY: Final = {
    str(level): (name, name.removesuffix("失能"), f"{level}级", f"{level}级失能")
    for level, name in enumerate(ABILITY_NAMES)
} | {"0": ("能力完好", "完好", "0级", "正常")}
LEVELS: Final = {
    str(level): (f"{level}级", f"{han}级", han, formal, f"{formal}级", roman, f"{roman}级")
    for level, han, formal, roman in (
        (1, "一", "壹", "Ⅰ"),
        (2, "二", "贰", "Ⅱ"),
        (3, "三", "叁", "Ⅲ"),
        (4, "四", "肆", "Ⅳ"),
    )
}
DISABILITIES: Final = {
    word: (f"{word}残疾", f"{word}残", str(number))
    for number, word in enumerate(("视力", "听力", "言语", "肢体", "智力", "精神", "多重"), start=1)
}


# GB/T 3304-1991 in the order of its codes 01 to 56.
_ETHNICITIES: Final = """
汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇
柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京
塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺
"""
ETHNICITIES: Final = tuple(_ETHNICITIES.split())
MISSPELT: Final = {
    "毛难": "毛南",
    "僳僳": "傈僳",
    "栗僳": "傈僳",
    "仡老": "仡佬",
    "土家家": "土家",
    "维族": "维吾尔",
}


# A digit doubled, and the two digits of the result added up.
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")


def luhn_holds(number: str) -> bool:
    """Check digit of bank cards (ISO/IEC 7812).

    >>> luhn_holds("6228480012345678903")
    True
    """
    if not number.isdecimal() or not 12 <= len(number) <= 19:
        return False
    return sum(map(int, number[-1::-2] + number[-2::-2].translate(_DOUBLED))) % 10 == 0
