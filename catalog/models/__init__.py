"""Models of the list."""

from catalog.models.dated import DatedValue, ExclusionGroup, Target, VisitTier
from catalog.models.document import Document
from catalog.models.item import Item, ItemVersion

__all__ = ["DatedValue", "Document", "ExclusionGroup", "Item", "ItemVersion", "Target", "VisitTier"]
