"""Models of visits."""

from visits.models.obligation import Obligation
from visits.models.visit import Visit

__all__ = ["Obligation", "Visit"]
