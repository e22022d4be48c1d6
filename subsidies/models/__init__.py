"""Models of the month."""

from subsidies.models.enrolment import Enrolment
from subsidies.models.entitlement import Adjustment, Entitlement, ItemCount
from subsidies.models.month import Chunk, Month

__all__ = ["Adjustment", "Chunk", "Enrolment", "Entitlement", "ItemCount", "Month"]
