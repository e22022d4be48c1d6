"""Models of the list."""

from catalog.models.dated import DatedValue, ExclusionGroup, FindingKind, Target, VisitTier
from catalog.models.document import Document
from catalog.models.item import Item, ItemVersion

__all__ = [
    "DatedValue",
    "Document",
    "ExclusionGroup",
    "FindingKind",
    "Item",
    "ItemVersion",
    "Target",
    "VisitTier",
]
