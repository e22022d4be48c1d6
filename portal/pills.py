"""Short words for an elder's present circumstances, the same in lists, records and exports."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eldercare.choices import ABILITY_NAMES, NONE, YES, Kind


@dataclass(frozen=True)
class Pill:
    """A word with a tone: '' plain, info, attention, danger."""

    text: str
    tone: str = ""


LEVELS: Final = "一二三四"
TONES: Final = {
    Kind.DESTITUTE: "info",
    Kind.LOW_INCOME_ALLOWANCE: "info",
    Kind.LOW_INCOME_MARGINAL: "info",
    Kind.LOW_INCOME: "info",
    Kind.LIVES_ALONE: "attention",
    Kind.EMPTY_NEST: "attention",
    Kind.LEFT_BEHIND: "attention",
    Kind.HOMELESS: "danger",
    Kind.DEATH: "danger",
    Kind.MOVED_OUT: "danger",
}
WORDS: Final = {
    Kind.DESTITUTE: "特困{}供养",
    Kind.SELF_CARE: "{}",
    Kind.FAMILY_PLANNING: "{}",
    Kind.VETERAN_CATEGORY: "优抚：{}",
    Kind.INSTITUTION: "入住{}",
    Kind.DISABILITY_TYPE: "{}残疾",
    Kind.DEATH: "已故",
    Kind.MOVED_OUT: "已迁出",
}
ORDER: Final = {kind: number for number, kind in enumerate(Kind)}
SILENT: Final = {Kind.HUKOU, Kind.RESIDENCE, Kind.PENSION, Kind.PENSION_IN_PAY, Kind.CARE_INSURANCE}


def pills_of(circumstances: Iterable[tuple[str, str]]) -> list[Pill]:
    """Return the pills of (kind, value) pairs in the order of the kinds."""
    held = {Kind(kind): value for kind, value in circumstances if value != NONE}
    return [
        Pill(text, TONES.get(kind, ""))
        for kind in sorted(held, key=ORDER.__getitem__)
        if kind not in SILENT and (text := _words(kind, held[kind], held))
    ]


def value_label(kind: Kind, value: str) -> str:
    """A circumstance's value as people say it: ability by name, levels in Chinese numerals."""
    if kind == Kind.ABILITY_LEVEL and value.isdigit() and int(value) < len(ABILITY_NAMES):
        return ABILITY_NAMES[int(value)]
    if kind == Kind.DISABILITY_LEVEL:
        return f"{_numeral(value)}级"
    return value


def _words(kind: Kind, value: str, held: dict[Kind, str]) -> str:
    if kind == Kind.DISABILITY_LEVEL:
        return "" if Kind.DISABILITY_TYPE in held else f"残疾{value_label(kind, value)}"
    if kind == Kind.DISABILITY_TYPE:
        level = held.get(Kind.DISABILITY_LEVEL)
        return f"{value}残疾{value_label(Kind.DISABILITY_LEVEL, level) if level else ''}"
    if kind == Kind.ABILITY_LEVEL:
        return value_label(kind, value)
    return (
        WORDS[kind].format(value)
        if kind in WORDS
        else kind.label
        if value == YES
        else f"{kind.label}：{value}"
    )


def _numeral(value: str) -> str:
    return LEVELS[int(value) - 1] if value in {"1", "2", "3", "4"} else value
