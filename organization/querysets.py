"""Area scope as a queryset filter, defined once."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

Rows = TypeVar("Rows", bound=QuerySet[Any])


def in_areas(queryset: Rows, prefixes: Iterable[str], *fields: str) -> Rows:
    """Keep the rows in which one of the area-code fields starts with one of the prefixes."""
    condition = Q(pk__in=[])
    for prefix in prefixes:
        for field in fields:
            condition |= Q(**{f"{field}__startswith": prefix})
    return queryset.filter(condition)
