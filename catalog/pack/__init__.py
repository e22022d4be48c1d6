"""Policy packs: YAML text → checked content of one policy document. No database here."""

from catalog.pack.checking import Floor, Surroundings, check_pack
from catalog.pack.content import (
    Pack,
    PackAmount,
    PackBureau,
    PackDocument,
    PackExclusion,
    PackFinding,
    PackItem,
    PackTarget,
    PackTier,
    PackValue,
)
from catalog.pack.faults import PackError
from catalog.pack.reading import read_pack

__all__ = [
    "Floor",
    "Pack",
    "PackAmount",
    "PackBureau",
    "PackDocument",
    "PackError",
    "PackExclusion",
    "PackFinding",
    "PackItem",
    "PackTarget",
    "PackTier",
    "PackValue",
    "Surroundings",
    "check_pack",
    "read_pack",
]
