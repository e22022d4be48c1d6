"""Batches as the list shows them, and what was paid month by month."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from operations.models import Job
from organization.choices import Permission
from organization.models import User
from portal.batch_figures import Figure
from portal.batch_scope import batches_of, covers
from portal.batch_steps import Offer, offer_for, standing, state_tone, waits_for
from portal.charts import BarChart, bar_chart
from subsidies.batch_selectors import failed_open
from subsidies.batch_tasks import KIND
from subsidies.choices import BatchState, PaymentState
from subsidies.models import Batch, Payment, TownshipCheck

CHART_MONTHS: Final = 12
CHART_WIDTH: Final = 720
OVER: Final = (BatchState.CLOSED, BatchState.VOID)
#: value in the URL → (word, states)
VIEWS: Final[dict[str, tuple[str, Sequence[str]]]] = {
    "": ("全部", BatchState.values),
    "open": ("办理中", [s for s in BatchState.values if s not in OVER]),
    "closed": ("已关闭", [BatchState.CLOSED]),
    "void": ("已作废", [BatchState.VOID]),
}
KEPT_BACK: Final = (PaymentState.HELD, PaymentState.PROCESSING)


@dataclass(frozen=True)
class BatchRow:
    """One batch in the user's areas. figure: None where the share of the areas is not known yet."""

    batch: Batch
    figure: Figure | None
    failed: int
    tone: str
    waits: str
    offer: Offer


def batch_queue(user: User, view: str = "") -> QuerySet[Batch]:
    """Batches of a view, newest first, with what their rows need."""
    rows = batches_of(user).filter(state__in=VIEWS[view][1])
    rows = rows.select_related("month", "made_by", "bank_file").prefetch_related("steps", "checks")
    return rows.order_by("-month__month", "-pk")


def batch_rows(batches: Iterable[Batch], user: User) -> list[BatchRow]:
    """Batches with figures, whom they wait for and whether that is this user; two queries for lines.

    Of failed lines only those count that no other line pays again.
    """
    batches = [standing(batch, timezone.localdate()) for batch in batches]
    lines: dict[int, dict[str, int]] = defaultdict(dict)
    returned = [batch for batch in batches if batch.state == BatchState.RETURNED]
    held = Payment.objects.filter(
        Q(batch__in=batches, state__in=KEPT_BACK) | Q(batch__in=returned, state=PaymentState.PENDING)
    )
    failed = [failed_open(county).filter(batch__in=batches) for county in {b.county_code for b in batches}]
    for found in (held, *failed):
        for row in found.values("batch_id", "state").annotate(n=Count("pk")).order_by():
            lines[row["batch_id"]][row["state"]] = row["n"]
    return [_row(batch, user, lines[batch.pk]) for batch in batches]


def amount_chart(user: User, county: str) -> BarChart:
    """What batches pay, by the month of their run, the last 12 such months; drafts and void ones left out."""
    alive = [s for s in BatchState.values if s not in {BatchState.VOID, BatchState.DRAFT}]
    rows = list(
        batches_of(user)
        .filter(county_code=county, state__in=alive)
        .values(run=F("month__month"))
        .annotate(money=Sum("amount"))
        .order_by("-run")[:CHART_MONTHS]
    )
    points = [(_label(row["run"]), row["money"], _words(row["money"])) for row in reversed(rows)]
    return bar_chart(points, width=CHART_WIDTH)


def build_job(user: User) -> Job | None:
    """The newest build that the user asked for."""
    return Job.objects.filter(kind=KIND, created_by=user).order_by("-created_at").first()


def share_of(checks: Iterable[TownshipCheck], user: User) -> Figure:
    """What townships within the user's areas had in a batch when it was submitted."""
    prefixes = user.area_prefixes(Permission.PAYMENT_VIEW)
    own = [check for check in checks if any(check.township.startswith(prefix) for prefix in prefixes)]
    return sum((Figure(check.lines, check.amount) for check in own), Figure())


def _row(batch: Batch, user: User, lines: dict[str, int]) -> BatchRow:
    checks, steps = list(batch.checks.all()), list(batch.steps.all())
    whole = covers(user, batch.county_code)
    if (
        batch.state == BatchState.SENT
    ):  # its lines are counted on its own page; a sent batch waits for the bank
        lines = lines | {PaymentState.PROCESSING: lines.get(PaymentState.PROCESSING, 0) or 1}
    offer = offer_for(batch, user, steps, checks, lines, has_file=hasattr(batch, "bank_file"))
    return BatchRow(
        batch,
        Figure(batch.lines, batch.amount) if whole else share_of(checks, user) if checks else None,
        lines.get(PaymentState.FAILED, 0) if whole else 0,
        state_tone(batch.state),
        waits_for(batch, checks, lines),
        offer,
    )


def _label(month: date) -> str:
    return f"{month.year}年{month.month}月" if month.month == 1 else f"{month.month}月"


def _words(amount: Decimal) -> str:
    return f"{amount / 10000:,.1f}万"
