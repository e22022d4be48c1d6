"""The subtraction due = entitled − settled, written once: the run's due lines and the batches both read it.

Settled (design §2 step 7) is, from an item's first month on, what the portal paid or has under way, less what it
recovers. Before that month, and always for an item that the portal does not pay, a month counts as paid outside, as
it was decided when a later month was first run, with the due lines of the runs before the first month.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from eldercare.services.monthly_facts import partition_name
from subsidies.choices import SETTLED, Outcome, PaymentState, RecoveryState
from subsidies.lookback import items_reaching, months_within, version_reaches
from subsidies.models import Batch, Month, Payment, PaymentTerms

SETTLED_STATES: Final = ", ".join(repr(state.value) for state in SETTLED)
#: What of a line p is settled: all while it is paid or on its way; of one that failed, cancelled since or not, what was
#: kept back from it. A line made void before it reached the bank has no reason for failing.
SETTLED_AMOUNT: Final = (
    f"CASE WHEN p.state IN ({SETTLED_STATES}) THEN p.amount"
    f" WHEN p.state = '{PaymentState.FAILED}' OR p.reason <> '' THEN p.\"offset\" ELSE 0 END"
)
#: SELECT of elders bound as a list.
GIVEN: Final = "SELECT unnest(%(elders)s::bigint[])"


def reissued_sql(line: str, other: str = "true") -> str:
    """Condition that a line is paid again by another, or was until the bank refused that one too and it was cancelled.

    other: condition on the second line r.
    """
    return (
        f"EXISTS (SELECT FROM subsidies_payment r WHERE r.reissues_id = {line}.id AND {other}"
        f" AND (r.state <> '{PaymentState.VOID}' OR r.reason <> ''))"
    )


def claimed_sql(line: str, batch: str) -> str:
    """Condition that cases opened since a failed line was made claim more of its month than other lines settled.

    So it is after 退票 of a line that was claimed as paid: to pay it again would pay what the case says is not due.
    """
    same = (
        f"{{0}}.elder_id = {line}.elder_id AND {{0}}.item_id = {line}.item_id AND {{0}}.month = {line}.month"
    )
    return f"""
        coalesce((SELECT sum(y.amount) FROM subsidies_recoveryline y JOIN subsidies_recovery c ON c.id = y.recovery_id
                  WHERE {same.format("y")} AND c.made_at >= {batch}.made_at
                    AND c.state <> '{RecoveryState.CANCELLED}'), 0)
        > coalesce((SELECT sum({SETTLED_AMOUNT.replace("p.", "o.")}) FROM subsidies_payment o
                    WHERE {same.format("o")}), 0)"""


@dataclass(frozen=True)
class Span:
    """One month as a subtraction reads it.

    place: tells the bound values of several months in one statement apart. outside: items taken as paid outside in
    that month. paid: items that the portal paid in it. later: those of `outside` that the portal pays since a later
    month.
    """

    place: int
    month: Month
    outside: tuple[int, ...]
    paid: tuple[int, ...]
    later: tuple[int, ...]

    @property
    def parameters(self) -> dict[str, list[int]]:
        """What `balance_select` binds."""
        return {
            f"outside{self.place}": list(self.outside),
            f"paid{self.place}": list(self.paid),
            f"termed{self.place}": [*self.paid, *self.later],
        }


@dataclass(frozen=True)
class Balance:
    """What stands open for one elder, item and month, in 元.

    due: entitled − settled. unpaid: of it what the bank could not pay in and nobody has paid again. line: to be paid
    as a new line, or overpaid if below 0; what lies between is paid by reissuing.
    """

    elder_id: int
    item_id: int
    month: date
    due: Decimal
    unpaid: Decimal
    line: Decimal
    area_code: str


def terms_of(county_code: str) -> dict[int, date]:
    """Item → the first month that the portal pays."""
    terms = PaymentTerms.objects.filter(item__document__area=county_code)
    return dict(terms.values_list("item_id", "first_month"))


def span_of(month: Month, items: Sequence[int], terms: Mapping[int, date], place: int = 0) -> Span:
    """Sort items by who paid them in a month."""
    paid = tuple(i for i in items if i in terms and terms[i] <= month.month)
    return Span(
        place=place,
        month=month,
        outside=tuple(i for i in items if i not in paid),
        paid=paid,
        later=tuple(i for i in items if i in terms and i not in paid),
    )


def spans_payable(run: Month, *, items: Iterable[int] | None = None, everything: bool = False) -> list[Span]:
    """The months, oldest first, whose dues the portal pays with a run: its own and those looked back to.

    items: only these. everything: as far back as the portal has months, as recovery by hand may go.
    """
    terms = {item: first for item, first in terms_of(run.county_code).items() if first <= run.month}
    if items is not None:
        terms = {item: terms[item] for item in items if item in terms}
    if not terms:
        return []
    reaches = version_reaches(run.county_code)
    earlier = Month.objects.filter(county_code=run.county_code, month__lt=run.month, revision__gt=0)
    past = list(earlier.order_by("month"))
    spans: list[Span] = []
    for month in past if everything else months_within(past, run.month, reaches):
        reached = list(terms) if everything else items_reaching(reaches, run.month, month.month)
        wanted = [item for item in reached if item in terms]
        if wanted:
            spans.append(span_of(month, wanted, terms, len(spans)))
    return [*spans, span_of(run, list(terms), terms, len(spans))]


def spans_of_months(county_code: str, months: Iterable[date]) -> list[Span]:
    """These months with every item that the portal pays, look-back or not."""
    terms = terms_of(county_code)
    rows = Month.objects.filter(county_code=county_code, month__in=months).order_by("month")
    return [span_of(row, list(terms), terms, place) for place, row in enumerate(rows)]


def balance_select(span: Span, *, run: Month | None = None, elders: str = "") -> str:
    """SELECT elder_id, item_id, due, unpaid, line, area_code, version_id of a month; binds `span.parameters` by name.

    run: leave out what was paid, recovered or listed with this run, as if it were still to be done. elders: SELECT of
    the elders wanted, all if empty. A month suspended by now is left as it was settled: to suspend is not to take back
    (domain §2.6); once certified, what was held back is entitled again and paid. Rows that cancel out may be missing.
    version_id: the item's version by which it is entitled, where something is due.
    """
    parts = [_suspended(span, elders)]
    if span.outside:
        parts += [_decided_since(span, elders), _listed(span, run, elders)]
    if span.paid:
        parts += [_entitled_and_paid(span, run, elders), _recoveries(span, run, elders)]
    elif span.later:
        columns = "elder_id, item_id, amount, unpaid, area_code, false, NULL"
        paid = f"SELECT {columns} FROM ({_payments(span, run, elders)}) p"
        parts += [paid, _recoveries(span, run, elders)]
    return f"""
        SELECT elder_id, item_id, due, unpaid,
               CASE WHEN due > unpaid THEN due - unpaid ELSE least(due, 0) END AS line, area_code, version_id
        FROM (
            SELECT elder_id, item_id, coalesce(sum(amount), 0) AS due, coalesce(sum(unpaid), 0) AS unpaid,
                   max(area_code) AS area_code, max(version_id) AS version_id
            FROM ({" UNION ALL ".join(parts)}) sides
            GROUP BY elder_id, item_id
            HAVING NOT bool_or(suspended)
        ) balance"""


def _table(span: Span) -> str:
    return partition_name("subsidies_entitlement", span.month.month)


def _rows(span: Span, outcome: Outcome, items: str, elders: str) -> str:
    """Condition for a month's rows of one outcome, of the items bound under these names."""
    bound = " OR ".join(f"item_id = ANY(%({name}{span.place})s)" for name in items.split())
    county = f"county_code = '{span.month.county_code}'"
    return f"{county} AND outcome = '{outcome}' AND ({bound}){_among('elder_id', elders)}"


def _published(span: Span) -> str:
    """Condition for the rows that readers of the month see."""
    at = span.month.revision
    return f"rev_from <= {at} AND (rev_to IS NULL OR rev_to > {at})"


def _among(column: str, elders: str) -> str:
    return f" AND {column} IN ({elders})" if elders else ""


def _suspended(span: Span, elders: str) -> str:
    """What is held back; a row here rather than a second look at each row: few or many, the plan is the same."""
    return f"""
        SELECT elder_id, item_id, NULL::numeric AS amount, NULL::numeric AS unpaid, area_code, true AS suspended,
               NULL::bigint AS version_id
        FROM {_table(span)}
        WHERE {_rows(span, Outcome.SUSPENDED, "outside paid", elders)} AND {_published(span)}"""


def _entitled_and_paid(span: Span, run: Month | None, elders: str) -> str:
    """Both sides without the pairs that cancel out, which are nearly all: a sum over the rest costs a third.

    A pair is a month's row and its first line if that settled the very amount: at most one of each.
    """
    return f"""
        SELECT coalesce(n.elder_id, p.elder_id), coalesce(n.item_id, p.item_id), coalesce(n.amount, p.amount),
               p.unpaid, coalesce(n.area_code, p.area_code), false, n.item_version_id
        FROM (
            SELECT elder_id, item_id, amount, area_code, item_version_id FROM {_table(span)}
            WHERE {_rows(span, Outcome.DUE, "paid", elders)} AND amount IS NOT NULL AND {_published(span)}
        ) n
        FULL JOIN ({_payments(span, run, elders)}) p
          ON p.elder_id = n.elder_id AND p.item_id = n.item_id AND p.whole = n.amount
        WHERE n.elder_id IS NULL OR p.elder_id IS NULL"""


def _decided_since(span: Span, elders: str) -> str:
    """Entitled minus decided at settling; rows that hold on both sides are not read."""
    month, rows = span.month, _rows(span, Outcome.DUE, "outside", elders)
    settled = month.revision if month.settled_revision is None else month.settled_revision
    return f"""
        SELECT elder_id, item_id, amount, NULL, area_code, false, item_version_id FROM {_table(span)}
        WHERE {rows} AND amount IS NOT NULL AND {_published(span)} AND rev_from > {settled}
        UNION ALL
        SELECT elder_id, item_id, -amount, NULL, area_code, false, NULL FROM {_table(span)}
        WHERE {rows} AND amount IS NOT NULL AND rev_from <= {settled} AND rev_to > {settled}
          AND rev_to <= {month.revision}"""


def _listed(span: Span, run: Month | None, elders: str) -> str:
    """Due lines of other runs, which were settled outside as long as the portal did not pay the item."""
    month = span.month
    other = f" AND r.id <> {run.pk}" if run else ""
    before = (
        " AND NOT EXISTS (SELECT FROM subsidies_paymentterms t"
        " WHERE t.item_id = a.item_id AND t.first_month <= r.month)"
        if span.later
        else ""
    )
    return f"""
        SELECT a.elder_id, a.item_id, -a.amount, NULL, a.area_code, false, NULL
        FROM subsidies_adjustment a JOIN subsidies_month r ON r.id = a.run_id
        WHERE r.county_code = '{month.county_code}'{other} AND a.month = '{month.month}'
          AND a.item_id = ANY(%(outside{span.place})s){before}{_among("a.elder_id", elders)}"""


def _payments(span: Span, run: Month | None, elders: str) -> str:
    """What the portal settled (below 0), and of it what failed and waits to be paid again.

    whole: the amount of a first line that is settled, NULL for others.
    """
    other = f" AND b.month_id <> {run.pk}" if run else ""
    # as arrays, so that the lines of the month are read once by their index, whatever the planner knows of batches
    batches = f"SELECT b.id FROM subsidies_batch b WHERE b.county_code = '{span.month.county_code}'{other}"
    again = f"r.batch_id = ANY(ARRAY({batches}))" if run else "true"
    return f"""
        SELECT p.elder_id, p.item_id, -({SETTLED_AMOUNT}) AS amount,
               CASE WHEN p.state = '{PaymentState.FAILED}' AND NOT {reissued_sql("p", again)}
                    THEN p.amount - p."offset" END AS unpaid,
               p.area_code,
               CASE WHEN p.sequence = 1 AND p.state IN ({SETTLED_STATES}) THEN p.amount END AS whole
        FROM subsidies_payment p
        WHERE p.month = '{span.month.month}' AND p.item_id = ANY(%(termed{span.place})s)
          AND p.batch_id = ANY(ARRAY({batches})){_among("p.elder_id", elders)}"""


def _recoveries(span: Span, run: Month | None, elders: str) -> str:
    """What is recovered; what a run before the first month took back was recovered outside."""
    other = f" AND c.run_id <> {run.pk}" if run else ""
    return f"""
        SELECT l.elder_id, l.item_id, l.amount, NULL, c.area_code, false, NULL
        FROM subsidies_recoveryline l
        JOIN subsidies_recovery c ON c.id = l.recovery_id
        JOIN subsidies_month r ON r.id = c.run_id
        JOIN subsidies_paymentterms t ON t.item_id = l.item_id AND t.first_month <= r.month
        WHERE l.month = '{span.month.month}' AND l.item_id = ANY(%(termed{span.place})s)
          AND c.county_code = '{span.month.county_code}'{other}{_among("l.elder_id", elders)}"""


def balances_select(spans: Sequence[Span], *, elders: str = "") -> str:
    """SELECT the columns of `Balance` over several months; binds `balances_parameters`."""
    return " UNION ALL ".join(
        f"SELECT elder_id, item_id, '{span.month.month}'::date AS month, due, unpaid, line, area_code"
        f" FROM ({balance_select(span, elders=elders)}) s{span.place}"
        for span in spans
    )


def balances_parameters(spans: Iterable[Span]) -> dict[str, Any]:
    """What `balances_select` binds."""
    return {name: items for span in spans for name, items in span.parameters.items()}


def balances(*, run: Month, elder_ids: Sequence[int], everything: bool = False) -> list[Balance]:
    """What stands open for some elders after all that was paid and recovered, oldest month first. 4 queries.

    everything: beyond the look-back too.
    """
    spans = spans_payable(run, everything=everything)
    if not spans:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM ({balances_select(spans, elders=GIVEN)}) found"
            " WHERE due <> 0 OR unpaid <> 0 ORDER BY month, elder_id, item_id",
            {**balances_parameters(spans), "elders": list(elder_ids)},
        )
        return [Balance(*row) for row in cursor.fetchall()]


def owed(*, run: Month, elder_ids: Sequence[int]) -> list[Balance]:
    """What is still to be paid to some elders, as new lines or by reissuing."""
    return [found for found in balances(run=run, elder_ids=elder_ids) if found.due > 0]


def overpaid(*, run: Month, elder_ids: Sequence[int], everything: bool = True) -> list[Balance]:
    """What some elders were paid too much and nobody recovers yet, as far back as the portal has months."""
    return [
        found for found in balances(run=run, elder_ids=elder_ids, everything=everything) if found.line < 0
    ]


def batch_overpaid(batch: Batch) -> tuple[int, Decimal]:
    """Lines of a batch that the newest facts no longer carry, and by how much (元) they are too high."""
    lines = Payment.objects.filter(batch=batch).exclude(state=PaymentState.VOID)
    paid = set(lines.values_list("month", flat=True).distinct())
    items = lines.values_list("item_id", flat=True).distinct()
    month = Month.objects.get(pk=batch.month_id)
    spans = [span for span in spans_payable(month, items=items, everything=True) if span.month.month in paid]
    if not spans:
        return 0, Decimal("0.00")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*), coalesce(sum(least(p.amount, -found.line)), 0)
            FROM ({balances_select(spans)}) found
            JOIN subsidies_payment p USING (elder_id, item_id, month)
            WHERE found.line < 0 AND p.batch_id = %(batch)s AND p.state <> '{PaymentState.VOID}'""",
            {**balances_parameters(spans), "batch": batch.pk},
        )
        count, amount = cursor.fetchone()
    return int(count), Decimal(amount)
