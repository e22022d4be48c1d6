"""Area scope as a queryset filter, defined once."""

from collections.abc import Iterable
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


def in_areas(queryset: QuerySet[M], prefixes: Iterable[str], *fields: str) -> QuerySet[M]:
    """Keep the rows in which one of the area-code fields starts with one of the prefixes."""
    condition = Q(pk__in=[])
    for prefix in prefixes:
        for field in fields:
            condition |= Q(**{f"{field}__startswith": prefix})
    return queryset.filter(condition)
