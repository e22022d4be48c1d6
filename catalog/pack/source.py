"""YAML text → plain values, by the safe loader and without what a policy pack does not need.

Anchors, aliases and tags are refused (a few lines of them can unfold into gigabytes); a key may stand once;
numbers with a point become Decimal; what looks like a number or a date and is none stays text, for the field
to complain of.
"""

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import yaml

from catalog.pack.faults import Faults, PackError

MAX_BYTES: Final = 1_000_000
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,14})")
_DAY = re.compile(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")


def load_source(source: bytes | str) -> tuple[Any, Faults]:
    """Give the values of the YAML document and the keys written twice; PackError if unreadable."""
    text = _decoded(source)
    try:
        loader = _Loader(text)
        return loader.get_single_data(), loader.faults
    except _RefusedNotation as refusal:
        raise PackError([str(refusal)]) from refusal
    except yaml.MarkedYAMLError as error:
        raise PackError(
            [f"{_place(error.problem_mark)}YAML 写法有误，请检查缩进、冒号后的空格、引号和括号"]
        ) from error
    except yaml.YAMLError as error:
        raise PackError(["文件含有 YAML 不允许的控制字符，请用纯文本编辑器另存为 UTF-8"]) from error
    except RecursionError as error:
        raise PackError(["文件的括号或缩进嵌套过深"]) from error


def to_day(text: str) -> date | None:
    """Read YYYY-MM-DD from 1900 to 2199, else None."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _decoded(source: bytes | str) -> str:
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise PackError([f"文件超过 {MAX_BYTES // 1_000_000} MB，不是政策包"])
    if isinstance(source, str):
        return source
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PackError(["文件不是 UTF-8 编码，请另存为 UTF-8"]) from error


def _place(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f"第 {mark.line + 1} 行第 {mark.column + 1} 列附近："


class _RefusedNotation(Exception):
    """Something of YAML that packs do without."""


class _Loader(yaml.SafeLoader):
    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.faults = Faults()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call] # PyYAML's stubs leave it open
        if (
            isinstance(event, yaml.AliasEvent)
            or getattr(event, "anchor", None)
            or getattr(event, "tag", None)
        ):
            raise _RefusedNotation(
                f"{_place(event.start_mark)}政策包里不能用 &、*、! 记号；文字里有这些符号时请加引号"
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                self.faults.add(f"第 {key.start_mark.line + 1} 行", f"“{name}”写了两次，请删去一个")
            seen.add(name)
        return super().construct_mapping(node, deep)


def _whole(_loader: _Loader, node: yaml.ScalarNode) -> int | str:
    # YAML 1.1 reads 010 as eight and 1:30 as ninety
    return int(node.value) if _WHOLE.fullmatch(node.value) else str(node.value)


def _decimal(_loader: _Loader, node: yaml.ScalarNode) -> Decimal | str:
    try:
        value = Decimal(node.value)
    except InvalidOperation:
        return str(node.value)
    return value if value.is_finite() else str(node.value)


def _day(_loader: _Loader, node: yaml.ScalarNode) -> date | str:
    return to_day(node.value) or str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:int", _whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _day)
