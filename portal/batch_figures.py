"""A batch's figures from one count of its lines, so that every tile, row and column ties with every other.

What was counted once is kept as long as nothing happened to the batch: no step, no line held, freed, failed or void.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Final

from django.contrib.postgres.aggregates import StringAgg
from django.core.cache import cache
from django.db.models import Count, F, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Left

from catalog.models import Item
from organization.areas import CODE_LENGTH
from organization.choices import Permission
from organization.models import Area, User
from portal.batch_scope import covers, payments_of
from subsidies.choices import BatchState, LineKind, PaymentState
from subsidies.models import Batch, BatchStep, Payment, TownshipCheck

ZERO: Final = Decimal("0.00")
OUTSIDE: Final = "县外户籍"
KEPT_SECONDS: Final = 3600
#: states of lines that change one by one; what changes otherwise leaves a step
SINGLE: Final = (PaymentState.HELD, PaymentState.FAILED, PaymentState.PROCESSING)
#: lines that a batch does not pay
LEFT_OUT: Final = frozenset({PaymentState.HELD, PaymentState.VOID})


@dataclass(frozen=True)
class Figure:
    """Lines and what the bank pays for them, 元."""

    lines: int = 0
    amount: Decimal = ZERO

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(self.lines + other.lines, self.amount + other.amount)


@dataclass(frozen=True)
class Part:
    """Lines of one item, township, kind and state."""

    item_id: int
    township: str
    kind: str
    state: str
    figure: Figure
    offset: Decimal


@dataclass(frozen=True)
class ItemColumn:
    """One item of the table with its sum."""

    item: Item
    total: Figure


@dataclass(frozen=True)
class TownshipRow:
    """One township of the table: 9-digit prefix ('' for outside the county), code for filters, its check."""

    prefix: str
    code: str
    name: str
    total: Figure
    cells: list[tuple[Item, Figure]]
    check: TownshipCheck | None = None


@dataclass(frozen=True)
class BatchFigures:
    """What a user sees of a batch in figures. persons: elders with a line that is not void."""

    persons: int
    total: Figure
    regular: Figure
    back_pay: Figure
    offset: Decimal
    by_state: dict[str, Figure]
    items: list[ItemColumn] = field(default_factory=list)
    townships: list[TownshipRow] = field(default_factory=list)

    @property
    def held(self) -> Figure:
        """Lines kept back."""
        return self.by_state.get(PaymentState.HELD, Figure())

    @property
    def failed(self) -> Figure:
        """Lines that the bank could not pay in."""
        return self.by_state.get(PaymentState.FAILED, Figure())

    @property
    def paid(self) -> Figure:
        """Lines paid in."""
        return self.by_state.get(PaymentState.PAID, Figure())

    @property
    def waiting(self) -> Figure:
        """Lines without a final answer of the bank."""
        pending = self.by_state.get(PaymentState.PENDING, Figure())
        return pending + self.by_state.get(PaymentState.PROCESSING, Figure())


@dataclass(frozen=True)
class Comparison:
    """A batch beside the one before it: differences and, where there was something, percent with one decimal."""

    before: Batch
    lines: int
    amount: Decimal
    percent: Decimal | None


def figures_of(
    batch: Batch, user: User, steps: Sequence[BatchStep], checks: Iterable[TownshipCheck]
) -> BatchFigures:
    """Figures within the user's areas, in two scans of the lines whatever their number, and none the second time."""
    rows = payments_of(batch, user)
    key = _key(batch, user, steps)
    kept: tuple[list[Part], int] | None = cache.get(key)
    if kept is None:
        alive = rows if batch.state == BatchState.VOID else rows.exclude(state=PaymentState.VOID)
        kept = _parts(batch, rows), alive.values("elder_id").distinct().count()
        cache.set(key, kept, KEPT_SECONDS)
    parts, persons = kept
    void = batch.state == BatchState.VOID
    counted = [part for part in parts if void or part.state not in LEFT_OUT]
    items, townships = _table(counted, checks)
    return BatchFigures(
        persons=persons,
        total=_sum(counted),
        regular=_sum(part for part in counted if part.kind == LineKind.REGULAR),
        back_pay=_sum(part for part in counted if part.kind == LineKind.BACK_PAY),
        offset=sum((part.offset for part in counted), ZERO),
        by_state={state: _sum(p for p in parts if p.state == state) for state in PaymentState.values},
        items=items,
        townships=townships,
    )


def comparison_of(batch: Batch, user: User) -> Comparison | None:
    """The batch of the same kind before this one, for who sees whole counties; None where there is none."""
    before = (
        Batch.objects.filter(county_code=batch.county_code, kind=batch.kind, pk__lt=batch.pk)
        .exclude(state__in=[BatchState.VOID, BatchState.DRAFT])
        .order_by("-pk")
        .first()
    )
    if before is None or not covers(user, batch.county_code):
        return None
    change = batch.amount - before.amount
    percent = round(change * 100 / before.amount, 1) if before.amount else None
    return Comparison(before, batch.lines - before.lines, change, percent)


def _key(batch: Batch, user: User, steps: Sequence[BatchStep]) -> str:
    """What the figures depend on: the batch, its last step, its exceptional lines, the user's areas."""
    ids = StringAgg(Cast("pk", TextField()), ",", order_by="pk")
    found = Payment.objects.filter(batch=batch, state__in=SINGLE).values_list("state").annotate(ids=ids)
    last = steps[-1].pk if steps else 0
    areas = ".".join(user.area_prefixes(Permission.PAYMENT_VIEW))
    told = f"{batch.state}:{batch.lines}:{batch.amount}:{last}:{areas}:{sorted(found)}"
    return f"batch-figures:{batch.pk}:{sha256(told.encode()).hexdigest()}"


def _parts(batch: Batch, rows: QuerySet[Payment]) -> list[Part]:
    county = batch.county_code[:6]
    grouped = (
        rows.annotate(township=Left("area_code", 9))
        .values("item_id", "township", "kind", "state")
        .annotate(n=Count("pk"), money=Sum(F("amount") - F("offset")), kept=Sum("offset"))
        .order_by()
    )
    return [
        Part(
            row["item_id"],
            row["township"] if row["township"].startswith(county) else "",
            row["kind"],
            row["state"],
            Figure(row["n"], row["money"]),
            row["kept"],
        )
        for row in grouped
    ]


def _table(
    parts: Sequence[Part], checks: Iterable[TownshipCheck]
) -> tuple[list[ItemColumn], list[TownshipRow]]:
    """Townships down, items across; the sums of both are those of the same parts."""
    items = list(Item.objects.filter(pk__in={part.item_id for part in parts}).order_by("number", "code"))
    by_township = {check.township: check for check in checks}
    prefixes = sorted({part.township for part in parts}, key=lambda prefix: (not prefix, prefix))
    codes = {prefix: prefix.ljust(CODE_LENGTH, "0") if prefix else "" for prefix in prefixes}
    names = dict(Area.objects.filter(code__in=codes.values()).values_list("code", "name"))
    townships = []
    for prefix in prefixes:
        own = [part for part in parts if part.township == prefix]
        townships.append(
            TownshipRow(
                prefix,
                codes[prefix],
                names.get(codes[prefix], codes[prefix]) if prefix else OUTSIDE,
                _sum(own),
                [(item, _sum(part for part in own if part.item_id == item.pk)) for item in items],
                by_township.get(prefix),
            )
        )
    columns = [ItemColumn(item, _sum(part for part in parts if part.item_id == item.pk)) for item in items]
    return columns, townships


def _sum(parts: Iterable[Part]) -> Figure:
    return sum((part.figure for part in parts), Figure())
