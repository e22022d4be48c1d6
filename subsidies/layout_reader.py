"""Taking a layout of a bank file apart: every key checked, every fault a Chinese sentence that names its key."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

FORMATS: Final = {"xlsx": "Excel 工作簿", "csv": "分隔符文本", "fixed": "定长文本"}
ENCODINGS: Final = ("utf-8", "utf-8-sig", "gbk", "gb18030")
CONTROLS: Final = {"none": "没有", "first": "首行", "last": "末行"}
UNITS: Final = ("元", "分")


class LayoutError(ValueError):
    """A layout cannot be used; `faults`: Chinese sentences that each name a key."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("；".join(faults))
        self.faults = faults


class LayoutReader:
    """Takes keys out of a JSON object and collects what is wrong with them."""

    def __init__(self, data: object, allowed: Iterable[str], place: str = "") -> None:
        self.faults: list[str] = []
        self.place = place
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self.fault("", "应是一个 JSON 对象，即 {…}")
        known = tuple(allowed)
        for key in self.data:
            if key not in known:
                self.fault(key, f"不认识的键；可用的键：{'、'.join(known)}")

    def fault(self, key: str, message: str) -> None:
        name = f"{self.place}.{key}".strip(".") or "整个格式"
        self.faults.append(f"{name}：{message}")

    def choice(self, key: str, options: Iterable[str], default: str | None = None) -> str:
        values, value = tuple(options), self.data.get(key, default)
        if value not in values:
            self.fault(key, f"应是 {'、'.join(values)} 之一")
            return values[0]
        return str(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            self.fault(key, "应是 true 或 false")
            return default
        return value

    def text(self, key: str, default: str, *, longest: int = 60) -> str:
        value = self.data.get(key, default)
        if not isinstance(value, str) or len(value) > longest or not value.isprintable():
            self.fault(key, f"应是不超过 {longest} 个字的文字")
            return default
        return value

    def pattern(self, key: str, default: str, letters: str) -> str:
        """A date pattern in which each of the letters stands once: %Y%m%d; '' if that is the default."""
        value = self.text(key, default, longest=20)
        parts = [part[:1] for part in value.split("%")[1:]]
        if value and sorted(parts) != sorted(letters):
            sample = "-".join(f"%{letter}" for letter in letters)
            self.fault(key, f"应各含一个 {'、'.join(f'%{letter}' for letter in letters)}，如 {sample}")
        return value

    def delimiter(self, kind: str) -> str:
        value = self.data.get("delimiter", ",")
        if kind == "csv" and (
            not isinstance(value, str)
            or len(value) != 1
            or value.isalnum()
            or (value != "\t" and not value.isprintable())
            or value in "\"'. -"
        ):
            self.fault("delimiter", "应是一个分隔符，如 “,” “|” 或制表符（\\t）")
            return ","
        return str(value)
