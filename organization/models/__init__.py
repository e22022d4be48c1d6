"""Models of the organisation."""

from organization.models.area import Area, AreaQuerySet
from organization.models.bureau import Bureau
from organization.models.letterhead import Letterhead
from organization.models.user import Assignment, User

__all__ = ["Area", "AreaQuerySet", "Assignment", "Bureau", "Letterhead", "User"]
