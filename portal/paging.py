"""Pages by key: as fast at the end of 100,000 rows as at the start."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

SIZES: Final = (20, 50, 100)
DEFAULT_SIZE: Final = 50
LARGEST: Final = 2**62
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Position:
    """Where a page starts: after or before a key, or at the end; `number` is the first row's ordinal."""

    size: int = DEFAULT_SIZE
    after: int | None = None
    before: int | None = None
    last: bool = False
    number: int = 1


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows of one page with the ordinals of the first and last of them."""

    rows: list[M]
    total: int
    size: int
    first: int

    @property
    def final(self) -> int:
        """Ordinal of the last row."""
        return self.first + len(self.rows) - 1

    @property
    def has_previous(self) -> bool:
        """Rows come before this page."""
        return self.first > 1

    @property
    def has_next(self) -> bool:
        """Rows come after this page."""
        return self.final < self.total

    @property
    def previous_number(self) -> int:
        """Ordinal at which the page before starts."""
        return max(1, self.first - self.size)


def position_of(params: QueryDict) -> Position:
    """Read a position from the query; nonsense means the first page."""
    size = _whole(params.get("size"))
    return Position(
        size=size if size in SIZES else DEFAULT_SIZE,
        after=_whole(params.get("after")),
        before=_whole(params.get("before")),
        last=params.get("page") == "last",
        number=_whole(params.get("from")) or 1,
    )


def page_of(queryset: QuerySet[M], total: int, position: Position) -> Page[M]:
    """Cut the page at the position out of a queryset, in order of its primary key."""
    size = position.size
    if position.last and total:
        rows = list(queryset.order_by("-pk")[: total % size or size])[::-1]
        return Page(rows, total, size, total - len(rows) + 1)
    if position.before is not None:
        rows = list(queryset.filter(pk__lt=position.before).order_by("-pk")[:size])[::-1]
        return Page(rows, total, size, max(1, min(position.number, total - len(rows) + 1)))
    if position.after is not None:
        queryset = queryset.filter(pk__gt=position.after)
    rows = list(queryset.order_by("pk")[:size])
    number = position.number if position.after is not None else 1
    return Page(rows, total, size, max(1, min(number, total - len(rows) + 1)))


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and int(text) < LARGEST else None
