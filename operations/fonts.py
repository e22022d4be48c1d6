"""Which characters the fonts at hand can print, and what stands in for the others (OpenType cmap, formats 4 and 12)."""

import logging
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pylopdf_fonts_zh_cn
from django.conf import settings

#: Shown as nothing: breaks, joiners, variation selectors.
SILENT: Final = frozenset(
    {*"\n\r\t\u200b\u200c\u200d\ufeff", *map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))}
)
#: Would reorder the text around them.
TURNING: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
SUFFIXES: Final = frozenset({".otf", ".ttf", ".ttc", ".otc"})
SYSTEM: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lettering:
    """How a text can be printed. folders: fonts to load; marks: character → what stands in for it."""

    folders: tuple[Path, ...]
    marks: dict[int, str]

    def readable(self, text: str) -> str:
        """The text with every character that no font has as 〓[U+20BB7], for a human to fill in."""
        return text.translate(self.marks) if self.marks else text


def lettering_for(characters: Iterable[str]) -> Lettering:
    """Fonts that print the characters: the wheel's, if these lack some also the county's own and the system's.

    The county's own fonts lie in the folder `fonts` of the data folder. What no font has is logged.
    """
    wanted = set(characters) - SILENT
    turning = wanted & TURNING
    lacking = {ord(character) for character in wanted - turning}
    folders = [wheel_folder()]
    lacking -= _covered(wheel_fonts(), lacking)
    if lacking:
        for path in _further_fonts():
            found = _covered((path,), lacking)
            lacking -= found
            if found and path.parent not in folders:
                folders.append(path.parent)
            if not lacking:
                break
    marks = {code: f"〓[U+{code:04X}]" for code in lacking | {ord(character) for character in turning}}
    if marks:
        log.warning("no font prints %s", "、".join(sorted(marks.values())))
    return Lettering(tuple(folders), marks)


def wheel_folder() -> Path:
    """Folder of the fonts that come with the portal: Noto Serif SC and Noto Sans SC."""
    return wheel_fonts()[0].parent


def wheel_fonts() -> tuple[Path, ...]:
    """Font files that come with the portal."""
    return (pylopdf_fonts_zh_cn.serif_path(), pylopdf_fonts_zh_cn.sans_path())


def _further_fonts() -> Iterator[Path]:
    """Other font files: the county's own before the system's, Chinese ones first."""
    for folder in (Path(settings.DATA_DIR) / "fonts", *SYSTEM):
        found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        yield from sorted(found, key=lambda path: "CJK" not in path.name)


def _covered(paths: Iterable[Path], codes: Iterable[int]) -> set[int]:
    """Those of the code points for which one of the fonts has a glyph."""
    codes, found = set(codes), set[int]()
    for path in paths:
        starts, ends = _ranges(path)
        for code in codes - found:
            place = bisect_right(starts, code) - 1
            if place >= 0 and code <= ends[place]:
                found.add(code)
    return found


@cache
def _ranges(path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """First and last code points of the ranges that a font file covers, ascending; empty if it cannot be read."""
    try:
        groups = sorted(_groups(path.read_bytes()))
    except (OSError, struct.error):
        return (), ()
    return tuple(first for first, _ in groups), tuple(last for _, last in groups)


def _groups(font: bytes) -> Iterator[tuple[int, int]]:
    """(first, last) of the character map of a font, or of the first font of a collection."""
    base = struct.unpack_from(">I", font, 12)[0] if font[:4] == b"ttcf" else 0
    tables = struct.unpack_from(">H", font, base + 4)[0]
    for number in range(tables):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, base + 12 + 16 * number)
        if tag == b"cmap":
            yield from _map(font, offset)


def _map(font: bytes, cmap: int) -> Iterator[tuple[int, int]]:
    maps = {}
    for number in range(struct.unpack_from(">H", font, cmap + 2)[0]):
        offset = cmap + struct.unpack_from(">I", font, cmap + 8 + 8 * number)[0]
        maps[struct.unpack_from(">H", font, offset)[0]] = offset
    if 12 in maps:
        for number in range(struct.unpack_from(">I", font, maps[12] + 12)[0]):
            yield struct.unpack_from(">II", font, maps[12] + 16 + 12 * number)
    elif 4 in maps:
        half = struct.unpack_from(">H", font, maps[4] + 6)[0] // 2
        ends = struct.unpack_from(f">{half}H", font, maps[4] + 14)
        starts = struct.unpack_from(f">{half}H", font, maps[4] + 16 + 2 * half)
        yield from zip(starts, ends, strict=True)
