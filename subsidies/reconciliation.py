"""Reconciliation three ways: what the portal says was paid, what the bank's returns say, what the ledger says.

portal: Σ net of 已发 lines. bank: Σ of rows 成功 minus Σ of rows 失败 that took a success back (退票); rows are kept by
another statement than lines, so that one without the other shows. ledger: credit − debit of 财政拨款. Amounts in 元;
figures are per batch and item and are added up for a month, a batch or an item. One query whatever the size.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When

from subsidies.choices import Account, BatchState, PaymentState, Verdict
from subsidies.models import ReturnRow

ZERO: Final = Decimal("0.00")
#: States of a batch in which the bank has it.
WITH_BANK: Final = (BatchState.SENT, BatchState.RETURNED, BatchState.CLOSED)
OPEN: Final = (PaymentState.PENDING, PaymentState.PROCESSING)
#: States of lines that were sent; a void one among them failed and was given up.
SENT: Final = (*OPEN, PaymentState.PAID, PaymentState.FAILED, PaymentState.VOID)
#: Rows that match no line as the portal knows it, or say what cannot be.
UNSETTLED: Final = (
    Verdict.UNKNOWN,
    Verdict.AMOUNT,
    Verdict.ACCOUNT,
    Verdict.CONFLICT,
    Verdict.UNREADABLE,
)
Key = TypeVar("Key")


@dataclass(frozen=True)
class Figures:
    """Sums in 元 and numbers of lines. sent: what the bank was told to pay; unsettled: rows of returns to look into."""

    sent_lines: int = 0
    sent: Decimal = ZERO
    portal_lines: int = 0
    portal: Decimal = ZERO
    bank: Decimal = ZERO
    ledger: Decimal = ZERO
    open_lines: int = 0
    open: Decimal = ZERO
    failed_lines: int = 0
    failed: Decimal = ZERO
    unsettled: int = 0

    @property
    def bank_difference(self) -> Decimal:
        """portal − bank."""
        return self.portal - self.bank

    @property
    def ledger_difference(self) -> Decimal:
        """portal − ledger."""
        return self.portal - self.ledger

    @property
    def ties(self) -> bool:
        """All three say the same."""
        return self.portal == self.bank == self.ledger

    def plus(self, other: "Figures") -> "Figures":
        """The sum of both."""
        sums: dict[str, Any] = {name: value + getattr(other, name) for name, value in vars(self).items()}
        return Figures(**sums)


@dataclass(frozen=True)
class Row:
    """Figures of one batch and item. month: the run that it pays. item_id None: rows that match no line."""

    batch_id: int
    batch: str
    state: str
    month: date
    item_id: int | None
    item_code: str
    item_name: str
    figures: Figures


def _count(*names: str) -> str:
    return f"(coalesce(sum(s.lines) FILTER (WHERE s.name IN ({_literals(names)})), 0))::integer"


def _sum(*names: str) -> str:
    return f"coalesce(sum(s.amount) FILTER (WHERE s.name IN ({_literals(names)})), 0)"


def _literals(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


# Grouped by state and verdict first and told apart afterwards: a hundred thousand lines are read once and cheaply.
# A void line was with the bank if it has a reason: it failed there and was given up.
_ROWS: Final = f"""
WITH wanted AS (
    SELECT b.id, b.number, b.state, m.month FROM subsidies_batch b JOIN subsidies_month m ON m.id = b.month_id
    WHERE b.county_code = %(county)s AND b.state IN ({", ".join(f"'{state}'" for state in WITH_BANK)})
      AND (%(month)s::date IS NULL OR m.month = %(month)s) AND (%(batch)s::bigint IS NULL OR b.id = %(batch)s)
), lines AS (
    SELECT p.batch_id, p.item_id, p.state, count(*) AS lines, sum(p.amount - p."offset") AS amount
    FROM wanted w JOIN subsidies_payment p ON p.batch_id = w.id
    WHERE p.amount > p."offset" AND (p.state <> '{PaymentState.VOID}' OR p.reason <> '')
    GROUP BY p.batch_id, p.item_id, p.state
), results AS (
    SELECT f.batch_id, p.item_id, r.verdict, count(*) AS rows, sum(r.amount) AS amount
    FROM wanted w JOIN subsidies_returnfile f ON f.batch_id = w.id JOIN subsidies_returnrow r ON r.file_id = f.id
    LEFT JOIN subsidies_payment p ON p.id = r.payment_id
    WHERE r.verdict IN ('{Verdict.PAID}', {", ".join(f"'{verdict}'" for verdict in UNSETTLED)})
    GROUP BY f.batch_id, p.item_id, r.verdict
), returned AS (
    SELECT f.batch_id, p.item_id, sum(r.amount) AS amount
    FROM wanted w JOIN subsidies_returnfile f ON f.batch_id = w.id JOIN subsidies_returnrow r ON r.file_id = f.id
    JOIN subsidies_payment p ON p.id = r.payment_id
    JOIN subsidies_returnrow paid
      ON paid.payment_id = r.payment_id AND paid.verdict = '{Verdict.PAID}' AND paid.id < r.id
    WHERE r.verdict = '{Verdict.FAILED}'
    GROUP BY f.batch_id, p.item_id
), sums AS (
    SELECT batch_id, item_id, state AS name, lines, amount FROM lines
    UNION ALL SELECT batch_id, item_id, 'row ' || verdict, rows, amount FROM results
    UNION ALL SELECT batch_id, item_id, 'row back', 0, amount FROM returned
    UNION ALL SELECT e.batch_id, e.item_id, 'ledger', 0, sum(e.credit - e.debit)
    FROM wanted w JOIN subsidies_ledgerentry e ON e.batch_id = w.id AND e.account = '{Account.CASH}'
    GROUP BY e.batch_id, e.item_id
)
SELECT w.id, w.number, w.state, w.month, s.item_id, coalesce(i.code, ''), coalesce(i.name, ''),
       {_count(*SENT)}, {_sum(*SENT)}, {_count(PaymentState.PAID)}, {_sum(PaymentState.PAID)},
       {_sum(f"row {Verdict.PAID}")} - {_sum("row back")}, {_sum("ledger")},
       {_count(*OPEN)}, {_sum(*OPEN)}, {_count(PaymentState.FAILED)}, {_sum(PaymentState.FAILED)},
       {_count(*(f"row {verdict}" for verdict in UNSETTLED))}
FROM sums s JOIN wanted w ON w.id = s.batch_id LEFT JOIN catalog_item i ON i.id = s.item_id
WHERE %(item)s::bigint IS NULL OR s.item_id = %(item)s
GROUP BY w.id, w.number, w.state, w.month, s.item_id, i.number, i.code, i.name
HAVING bool_or(s.name <> '{PaymentState.HELD}')
ORDER BY w.month DESC, w.number, i.number, i.code
"""


def reconciliation_rows(
    *,
    county_code: str,
    month: date | None = None,
    batch_id: int | None = None,
    item_id: int | None = None,
) -> list[Row]:
    """Figures per batch and item of what the bank has had; month: first day of the run. Name a month or a batch.

    Over all months every line ever paid is read.
    """
    given = {"county": county_code, "month": month, "batch": batch_id, "item": item_id}
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, given)
        return [_row(*row) for row in cursor.fetchall()]


def _row(batch_id: int, batch: str, state: str, month: date, *rest: Any) -> Row:
    item_id, code, name, *figures = rest
    return Row(batch_id, batch, state, month, item_id, code, name, Figures(*figures))


def total(rows: Iterable[Row]) -> Figures:
    """The sum of all."""
    found = Figures()
    for row in rows:
        found = found.plus(row.figures)
    return found


def summed(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, Figures]:
    """Figures by whatever `key` names, such as `by_batch`; in the rows' order."""
    found: dict[Key, Figures] = {}
    for row in rows:
        name = key(row)
        found[name] = found.get(name, Figures()).plus(row.figures)
    return found


def by_batch(row: Row) -> tuple[int, str]:
    """Key of a batch's figures: id and number."""
    return row.batch_id, row.batch


def by_item(row: Row) -> tuple[int | None, str, str]:
    """Key of an item's figures: id, code and name."""
    return row.item_id, row.item_code, row.item_name


def bank_rows(*, batch_id: int, item_id: int | None = None) -> QuerySet[ReturnRow]:
    """Rows behind `bank`; `counts` is what a row adds: its amount, or for a 退票 minus its amount."""
    earlier = ReturnRow.objects.filter(
        payment=OuterRef("payment"), verdict=Verdict.PAID, pk__lt=OuterRef("pk")
    )
    counting = Q(verdict=Verdict.PAID) | Q(Exists(earlier), verdict=Verdict.FAILED)
    sign = Case(When(verdict=Verdict.PAID, then=F("amount")), default=-F("amount"))
    return _rows(batch_id, item_id).filter(counting).annotate(counts=sign).order_by("file_id", "number")


def unsettled_rows(*, batch_id: int) -> QuerySet[ReturnRow]:
    """Rows to look into: 未知, 金额不符, 账号不符, 矛盾, 无法识别."""
    return _rows(batch_id, None).filter(verdict__in=UNSETTLED).order_by("file_id", "number")


def _rows(batch_id: int, item_id: int | None) -> QuerySet[ReturnRow]:
    rows = ReturnRow.objects.filter(file__batch=batch_id)
    found = rows if item_id is None else rows.filter(payment__item=item_id)
    return found.select_related("file", "payment__elder", "payment__item")
