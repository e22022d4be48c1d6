"""Typed access to a pack's entries: what is wrong is noted and a stand-in given, so that all is seen."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from django.db.models import TextChoices

from catalog.pack.faults import Faults
from catalog.pack.source import to_day

C = TypeVar("C", bound=TextChoices)
STAND_IN_DAY: Final = date(1900, 1, 1)
MAX_FIGURE: Final = Decimal("99999999.99")
MAX_TEXT: Final = 2_000
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_KINDS = {
    bool: "是/否",
    int: "数字",
    Decimal: "数字",
    str: "文字",
    date: "日期",
    list: "列表",
    dict: "一组键和值",
}


class Fields:
    """One mapping of the pack at a place such as items[L19]."""

    def __init__(self, values: Any, where: str, faults: Faults) -> None:
        self.where = where
        self.faults = faults
        self.asked: list[str] = []
        self.values: dict[Any, Any] = values if isinstance(values, dict) else {}
        if not isinstance(values, dict):
            faults.add(where, f"应为一组“键: 值”，现为{kind_of(values)}")

    def fault(self, key: str, what: str) -> None:
        """Note a fault of one key."""
        self.faults.add(f"{self.where}.{key}" if self.where else key, what)

    def has(self, key: str) -> bool:
        """Tell whether the key stands there with a value."""
        return self.values.get(key) is not None

    def raw(self, key: str, example: str, *, required: bool = True) -> Any:
        """The value as YAML gave it; None and a fault if it is required and absent."""
        self.asked.append(key)
        value = self.values.get(key)
        if value is None and required:
            self.fault(key, f"没有写，请写上，如 {key}: {example}")
        return value

    def text(self, key: str, example: str, *, longest: int = MAX_TEXT, required: bool = True) -> str:
        """A text without control characters, trimmed, runs of blanks made one."""
        value = self.raw(key, example, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(key, f'应为文字，现为{kind_of(value)}；请加引号，如 {key}: "{example}"')
            return ""
        return self._plain(key, value, example, longest, required)

    def _plain(self, key: str, value: str, example: str, longest: int, required: bool) -> str:
        value = " ".join(value.split())
        if _CONTROL.search(value):
            self.fault(key, "含有控制字符，请删去重打")
            return ""
        if len(value) > longest:
            self.fault(key, f"有 {len(value)} 个字，最多 {longest} 个")
            return ""
        if required and not value:
            self.fault(key, f"是空的，请写上，如 {key}: {example}")
        return value

    def code(self, key: str, example: str, *, longest: int) -> str:
        """Letters, digits, - and _."""
        value = self.text(key, example, longest=longest)
        if value and not _CODE.fullmatch(value):
            self.fault(key, f"“{value}”只能由字母、数字、- 和 _ 组成，如 {example}")
        return value

    def whole(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """A whole number within bounds."""
        value = self.raw(key, str(least), required=default is None)
        if value is None:
            return least if default is None else default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fault(key, f"“{shown(value)}”应为 {least} 到 {most} 的整数")
            return least
        return value

    def figure(self, key: str, example: str, *, places: int) -> Decimal:
        """A number that is not negative, with at most so many places."""
        value = self.raw(key, example)
        if value is None:
            return Decimal(0)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.fault(key, f"“{shown(value)}”不是数字，请写成 50 或 50.00")
            return Decimal(0)
        number = Decimal(value)
        if number < 0:
            self.fault(key, f"“{shown(value)}”是负数，不能小于 0")
        elif number > MAX_FIGURE or number != round(number, places):
            self.fault(key, f"“{shown(value)}”过大，或小数超过 {places} 位")
        else:
            return number
        return Decimal(0)

    def flag(self, key: str) -> bool:
        """true or false; absent is false."""
        value = self.raw(key, "true", required=False)
        if value is not None and not isinstance(value, bool):
            self.fault(key, f"“{shown(value)}”应写成 true 或 false")
        return value is True

    def day(self, key: str) -> date:
        """A day that has to be there."""
        return self.day_or(key, None, required=True) or STAND_IN_DAY

    def day_or(self, key: str, default: date | None, *, required: bool = False) -> date | None:
        """A day, or the default where none is written."""
        value = self.raw(key, "2023-07-05", required=required)
        if value is None:
            return default
        day = to_day(value) if isinstance(value, str) else value
        if not isinstance(day, date):
            self.fault(key, f"“{shown(value)}”不是日期，请写成 2023-07-05")
            return default
        return day

    def choice(self, key: str, choices: type[C], default: C | None = None) -> C:
        """One of the words."""
        words = choices.values
        value = self.raw(key, words[0], required=default is None)
        fallback = next(iter(choices)) if default is None else default
        if value is None:
            return fallback
        if value not in words:
            self.fault(key, f"“{shown(value)}”不能用，可以写：{'、'.join(filter(None, words))}")
            return fallback
        return choices(value)

    def texts(self, key: str, example: str, *, longest: int, required: bool = False) -> tuple[str, ...]:
        """A list of different texts."""
        value = self.raw(key, f"[{example}]", required=required)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
            self.fault(key, f"应为文字列表，如 {key}: [{example}]")
            return ()
        plain = tuple([self._plain(key, each, example, longest, required=True) for each in value])
        if len(set(plain)) < len(plain):
            self.fault(key, "同一个写了两次，请删去一个")
        return plain

    def entries(self, key: str, name: str = "", *, required: bool = False) -> Iterator["Fields"]:
        """The mappings of a list, each placed by its value of `name` or else by its number."""
        value = self.raw(key, "[…]", required=required)
        place = f"{self.where}.{key}" if self.where else key
        if value is not None and not isinstance(value, list):
            self.faults.add(place, f"应为列表，每条以“- ”起头，现为{kind_of(value)}")
            return
        for number, each in enumerate(value or [], start=1):
            label = each.get(name) if isinstance(each, dict) else None
            fields = Fields(
                each, f"{place}[{label if isinstance(label, str) else f'第{number}条'}]", self.faults
            )
            if fields.values:
                yield fields

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key in self.values:
            if key in self.asked:
                continue
            near = get_close_matches(str(key), self.asked, n=1)
            hint = f"是不是“{near[0]}”？" if near else f"可以写：{'、'.join(dict.fromkeys(self.asked))}"
            self.fault(str(key)[:40], f"没有这个键，{hint}")


def kind_of(value: Any) -> str:
    """Name the kind of a YAML value in Chinese."""
    return "空的" if value is None else _KINDS.get(type(value), "别的内容")


def shown(value: Any) -> str:
    """Quote a value shortly."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return text if len(text) <= 30 else text[:30] + "…"
