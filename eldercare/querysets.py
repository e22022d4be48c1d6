"""Who may see which elder, and how one is found."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from organization.areas import area_prefix
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas

if TYPE_CHECKING:
    from eldercare.models import Elder  # noqa: F401  # named in the generic base below


class ElderQuerySet(models.QuerySet["Elder"]):
    """Scope and search over elders."""

    def visible_to(self, user: User, permission: Permission = Permission.ELDER_VIEW) -> Self:
        """Elders whose 户籍 or 居住 lies within an area in which the user has the permission."""
        return in_areas(self, user.area_prefixes(permission), "hukou_code", "residence_code")

    def in_area(self, code: str) -> Self:
        """Elders whose 户籍 or 居住 lies under the area."""
        return in_areas(self, [area_prefix(code)], "hukou_code", "residence_code")

    def search(self, text: str) -> Self:
        """Find by name, initials of the name, or the last four of ID number or phone."""
        text = text.strip()
        if not text:
            return self
        if len(text) == 4 and (text[:3] + text[3].replace("x", "0").replace("X", "0")).isdigit():
            return self.filter(Q(id_last4=text.upper()) | Q(phone_last4=text))
        if text.isascii():
            return self.filter(pinyin__contains=f" {text.lower()}")
        return self.filter(name__startswith=text) if len(text) < 3 else self.filter(name__contains=text)
